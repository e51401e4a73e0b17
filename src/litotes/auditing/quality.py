"""Precision and recall of each judge where it is known which candidates are false negatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from litotes.auditing.shares import wilson
from litotes.auditing.verdicts import Verdict
from litotes.core import Candidates, Collection, LabelMatrix, LitotesError

__all__ = ["Quality", "Truth"]

_TOP = 10  # the ranks that training draws from, and that the main job is measured on


@dataclass(frozen=True)
class Truth:
    """Known labels of cells. If it ``is_complete``, a cell that is not listed is a true negative, else unknown."""

    data: Collection
    is_complete: bool

    @classmethod
    def of(cls, data: Collection, labels: LabelMatrix) -> Truth:
        """Truth by ``labels``, over any ids; those that ``data`` does not have are ignored.

        Labels that hold judged negatives are read as judgements (what they do not list is unknown), labels that hold
        positives only as complete.
        """
        rows, cols, grades = labels.cells()
        rows = data.row_ids.positions(labels.row_ids.values, missing=-1)[rows]
        cols = data.col_ids.positions(labels.col_ids.values, missing=-1)[cols]
        ours = (rows >= 0) & (cols >= 0)
        if not ours.any():
            raise LitotesError(
                f"None of the {len(labels):,} judgements of the truth is about a query and document of this data."
            )
        known = LabelMatrix(
            data.row_ids, data.col_ids, rows[ours], cols[ours], grades[ours], min_grade=labels.min_grade
        )
        return cls(data.with_labels(known), is_complete=bool((labels.grades >= labels.min_grade).all()))

    def of_cells(self, row: np.ndarray, col: np.ndarray) -> np.ndarray:
        """1 for a known false negative (or a text twin of one), 0 for a true negative, NaN for unknown; ``[cells]``."""
        known = self.data.is_positive(row, col).astype(np.float64)
        if not self.is_complete:
            judged = self.data.labels.is_observed(row, col)
            known[~judged & (known == 0)] = np.nan
        return known


class Quality:
    """Hits, false alarms and misses of each judge, per miner, over its first ten ranks and over all its cells."""

    def __init__(self, truth: Truth, verdicts: list[Verdict]) -> None:
        self.truth = truth
        self.verdicts = [verdict for verdict in verdicts if verdict.flags_cells]
        self._found: dict[tuple[str, str, str], np.ndarray] = {}  # (judge, miner, ranks) -> hits, alarms, misses, rest

    def add(self, cells: Candidates, flags: dict[str, np.ndarray]) -> None:
        """One more block of cells and what each judge says of them."""
        truth = self.truth.of_cells(cells.row, cells.col)
        for miner in cells.miners:
            rank = cells.column(f"rank.{miner}")
            for ranks, inside in ((f"1 to {_TOP}", rank <= _TOP), ("all", ~np.isnan(rank))):
                for verdict in self.verdicts:
                    flag = flags[verdict.name]
                    use = inside & ~np.isnan(truth) & ~np.isnan(flag)
                    code = (2 * (1 - flag[use]) + (1 - truth[use])).astype(np.int64)
                    found = self._found.setdefault((verdict.name, miner, ranks), np.zeros(4, dtype=np.int64))
                    found += np.bincount(code, minlength=4)

    def facts(self) -> dict[str, Any]:
        """What the truth is, and one line a judge, miner and range of ranks."""
        lines = []
        for (judge, miner, ranks), found in self._found.items():
            hits, alarms, misses, rest = (int(count) for count in found)
            flagged, positives = hits + alarms, hits + misses
            (p_low, p_high), (r_low, r_high) = wilson(hits, flagged), wilson(hits, positives)
            lines.append(
                {
                    "judge": judge,
                    "miner": miner,
                    "ranks": ranks,
                    "cells": flagged + misses + rest,
                    "false_negatives": positives,
                    "flagged": flagged,
                    "hits": hits,
                    "precision": hits / flagged if flagged else None,
                    "precision_low": p_low,
                    "precision_high": p_high,
                    "recall": hits / positives if positives else None,
                    "recall_low": r_low,
                    "recall_high": r_high,
                }
            )
        return {"is_complete": self.truth.is_complete, "judges": lines}
