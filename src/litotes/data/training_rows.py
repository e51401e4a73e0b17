"""What a training file holds of a collection: for each query its positives and its negatives, explicit or mined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from litotes.core.candidates import Candidates
from litotes.core.collection import Collection
from litotes.core.errors import LitotesError
from litotes.data.writing import body_of_rows

__all__ = ["TrainingRow", "TrainingRows"]


@dataclass(frozen=True)
class TrainingRow:
    """One query with the columns (positions) that are its positives and negatives."""

    row: int
    query: str
    positives: list[int]
    negatives: list[int]


@dataclass
class TrainingRows:
    """The rows of ``data`` that a training file can hold, one by one; ``left_out`` counts, by reason, what it cannot.

    Args:
        data: the labels and texts.
        candidates: mined cells. With them the negatives are those that are assumed to be negative (judged zeros only
            where they were mined), cells that are assumed to be positive are positives, and a query needs one of
            each. Without them the negatives are the explicit ones.
        one_id_a_text: whether the format knows texts by content alone: then a negative whose text is also a positive of
            the same query text is left out.
    """

    data: Collection
    candidates: Candidates | None = None
    one_id_a_text: bool = False
    left_out: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[TrainingRow]:
        self.left_out.clear()
        positives = _by_row(*self._positive_cells(), self.data.n_rows)
        negatives = _by_row(*self._negative_cells(), self.data.n_rows)
        queries, texts = body_of_rows(self.data.rows), self.data.col_texts
        taken = self._positive_texts(positives, queries, texts) if self.one_id_a_text else frozenset()
        used: set[int] = set()
        empty = True
        for row, query in enumerate(queries):
            if not query or not query.strip():
                self.left_out["queries_without_text"] += 1
                continue
            good = self._with_text(positives[row], texts)
            bad = self._with_text(negatives[row], texts)
            clear = [col for col in bad if hash((query, texts[col])) not in taken]
            self.left_out["negatives_equal_to_a_positive"] += len(bad) - len(clear)
            if self.candidates is not None and not (good and clear):
                self.left_out["queries_without_" + ("negative" if good else "positive")] += 1
                continue
            used.update(good, clear)
            empty = empty and not (good or clear)
            yield TrainingRow(row, query, good, clear)
        if empty:
            needed = "a positive" if self.candidates is None else "a positive and a candidate"
            raise LitotesError(f"Not a single query with text has {needed} with text, so there is nothing to write.")
        self.left_out["documents_not_used"] = int(self.data.cols_with_content.sum()) - len(used)
        self.left_out += Counter()  # drops zeros

    def _positive_cells(self) -> tuple[np.ndarray, np.ndarray]:
        rows, cols = self.data.labels.positive_cells()
        if self.candidates is None:
            return rows, cols
        self.candidates.check_data(self.data)
        more = self.candidates.assumed > 0
        return np.append(rows, self.candidates.row[more]), np.append(cols, self.candidates.col[more])

    def _negative_cells(self) -> tuple[np.ndarray, np.ndarray]:
        if self.candidates is not None:
            assumed = self.candidates.assumed < 0
            return self.candidates.row[assumed], self.candidates.col[assumed]
        rows, cols, grades = self.data.labels.cells()
        negative = grades < self.data.labels.min_grade
        return rows[negative], cols[negative]

    def _with_text(self, cols: list[int], texts: list[str | None]) -> list[int]:
        kept = [col for col in cols if texts[col] is not None]
        self.left_out["cells_without_text"] += len(cols) - len(kept)
        return kept

    @staticmethod
    def _positive_texts(
        positives: list[list[int]], queries: list[str | None], texts: list[str | None]
    ) -> frozenset[int]:
        """Hashes of (query text, document text) of all positive cells; 64 bits, within this process."""
        return frozenset(hash((queries[row], texts[col])) for row, cols in enumerate(positives) for col in cols)


def _by_row(rows: np.ndarray, cols: np.ndarray, n_rows: int) -> list[list[int]]:
    """The columns of each row, in the order given."""
    order = np.argsort(rows, kind="stable")
    parts = np.split(cols[order], np.searchsorted(rows[order], np.arange(1, n_rows)))
    return [part.tolist() for part in parts] if n_rows else []
