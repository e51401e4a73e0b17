"""Candidates that are never a positive, a copy of one, a suspected cell or what holds an answer: mined now, or again.

A refresh asks the retriever as it is at that moment. A row of which it then leaves nothing keeps what it had, since
training cannot go on without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from litotes.core import Candidates, Collection, RunFolder
from litotes.core.candidate_run import CANDIDATES, shard_candidates
from litotes.core.run_folder import Stage
from litotes.mining.answers import AnswerFilter, holds_answer
from litotes.mining.dense import DenseMiner
from litotes.mining.named import Miner
from litotes.mining.run import mine_into
from litotes.training.draws import NegativeDraws
from litotes.training.negative_lists import given_list
from litotes.training.refresh import RefreshNegatives

__all__ = ["CandidateFinder", "MinedAgain"]


class CandidateFinder:
    """Finds candidates for training on ``data``; itself a miner, with the retriever as it is when it is asked.

    Args:
        data: what is trained on; ``suspects`` are cells of it.
        retriever: mines with the model in training.
        answers: by row id, also of other collections that may be asked for.
        suspects: cells that may be positives, as ``row * n_cols + col``.
    """

    def __init__(
        self,
        data: Collection,
        retriever: DenseMiner,
        *,
        answers: Mapping[str, Sequence[str]],
        suspects: np.ndarray | None = None,
    ) -> None:
        self.data, self.retriever, self.answers, self.suspects = data, retriever, answers, suspects
        self.name, self.encoder = retriever.name, retriever.encoder

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """What the retriever finds now; nothing is kept."""
        return self._trusted(self._without_answers(self.retriever).mine(data, rows), data)

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """The retriever's parts, and the answers."""
        return self._without_answers(self.retriever).fingerprint(data)

    def mined(self, run: RunFolder, miner: Miner | None = None) -> Candidates:
        """For all rows, by the retriever or another miner; mined into the run, or read from it."""
        miner = self.retriever if miner is None else miner
        mine_into(run, self._without_answers(miner), self.data)
        stage = Stage(run, f"{CANDIDATES}/{miner.name}")  # alone: a killed run may hold another that is unfinished
        first, *others = [shard_candidates(table, miner.name) for table in stage.tables()]
        return self._trusted(first.merge(*others), self.data)

    def given(self, candidates: Candidates | str | Path, *, top: int) -> Candidates:
        """The first ``top`` of each row of candidates that were found before.

        Raises:
            StaleError: they were made from other data.
        """
        found = given_list(candidates, self.data, top=top)
        held = holds_answer(self.data, found.row, found.col, self.answers)
        return self._trusted(found.filter(~held), self.data)

    def refreshing(self, draws: NegativeDraws, *, every_n_steps: int) -> RefreshNegatives:
        """The callback that finds them again while training lasts, with the retriever as it is then."""
        return RefreshNegatives(draws, MinedAgain(self, draws), every_n_steps=every_n_steps)

    def _without_answers(self, miner: Miner) -> Miner:
        return AnswerFilter(miner, self.answers) if self.answers else miner

    def _trusted(self, found: Candidates, data: Collection) -> Candidates:
        if self.suspects is None or data is not self.data:
            return found
        return found.filter(~np.isin(found.row * data.n_cols + found.col, self.suspects))


class MinedAgain:
    """The miner of a refresh; a row of which nothing is left keeps the candidates that it had."""

    def __init__(self, find: CandidateFinder, draws: NegativeDraws) -> None:
        self.find, self.draws = find, draws
        self.name: str = find.name
        self.encoder: Any = find.encoder

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """What is found now, and for bare rows what they had."""
        found = self.find.mine(data, rows)
        before = self.draws.tables[-1].candidates
        bare = np.setdiff1d(self.draws.rows if rows is None else rows, found.row)
        return found.merge(before.filter(np.isin(before.row, bare)))

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """The finder's."""
        return self.find.fingerprint(data)
