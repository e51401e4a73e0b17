"""Candidates from a TREC run that another system made: Lucene, a late-interaction model, last year's retriever."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from litotes.core import Candidates, Collection, LitotesError
from litotes.core.fingerprint import digest_file
from litotes.data.trec import read_run
from litotes.mining.exclusion import Allowed, Window, propose, row_positions, top_of_cells
from litotes.mining.named import check_name

__all__ = ["RunMiner"]


@dataclass(frozen=True)
class RunMiner:
    """The documents that a run file ranks highest, observed positives and their text twins left out.

    The file's scores decide, not its rank column; equal scores are ordered by column index. A document that the data
    does not have is passed over and counted in ``counts["unknown_columns"]``; a query that the file does not have gets
    nothing and is counted in ``counts["rows_not_in_run"]``; a query that the data does not have is ignored.

    Args:
        path: a file of lines ``query Q0 document rank score tag``, gzipped or not.
        top: candidates a row; skip: best-ranked ones to pass over.
        min_score, max_score: bounds on the score, both included.
        name: what the candidates' columns and the run's folder are called.

    Raises:
        LitotesError: the file is missing, a line is not a line of a run, or no query or document is one of the data's.
    """

    path: str | Path
    top: int = 50
    skip: int = 0
    min_score: float | None = None
    max_score: float | None = None
    name: str = "run"
    kind: ClassVar[str] = "run"
    _read: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_name("RunMiner", self.name)
        if not Path(self.path).is_file():
            raise LitotesError(f"{self.path}: no such run file. Expected lines of: query Q0 document rank score tag.")
        self._window()

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """What decides the choice, by part. ``data`` has no say in the file's scores."""
        return {"miner": self.kind, **self._window().parts(), "run file": digest_file(self.path)}

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """The run's best columns of ``rows`` (positions; None for all)."""
        rows = row_positions(data, rows)
        run = self._scores(data)
        lists = [run.get(data.row_ids[row], {}) for row in rows]
        row = np.repeat(np.arange(len(rows)), [len(found) for found in lists])
        col = data.col_ids.positions([document for found in lists for document in found], missing=-1)
        score = np.array([score for found in lists for score in found.values()], dtype=np.float64)
        allowed = Allowed.of(data, rows)
        chosen = top_of_cells(row, col, score, allowed, self._window())
        counts = {
            **allowed.counts,
            "unknown_columns": int((col < 0).sum()),
            "rows_not_in_run": sum(not found for found in lists),
        }
        return propose(chosen, rows, self.name, data, counts)

    def _window(self) -> Window:
        return Window.checked("RunMiner", self.top, self.skip, self.min_score, self.max_score)

    def _scores(self, data: Collection) -> dict[str, dict[str, float]]:
        """The file's scores, read once; a file that has nothing to do with ``data`` is refused."""
        key = data.labels.ids_fingerprint
        if key not in self._read:
            run = read_run(self.path)
            known = [query for query in run if query in data.row_ids]
            if not known:
                raise LitotesError(
                    f"{self.path}: none of its queries is a query of this data; the first is {next(iter(run))!r}. "
                    "Was the run made from another data set or split?"
                )
            if not any(document in data.col_ids for query in known for document in run[query]):
                raise LitotesError(
                    f"{self.path}: none of its documents is a document of this data; the first is "
                    f"{next(iter(run[known[0]]))!r}. Was the run made from another corpus?"
                )
            self._read.clear()
            self._read[key] = run
        return self._read[key]
