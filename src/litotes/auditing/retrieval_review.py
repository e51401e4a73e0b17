"""What verdicts on the rows of a retrieval audit make of the judgements.

Verdicts on single cells come first, since a person looked at that very cell. Then duplicates are united, which fills
what nobody judged and never overrules a cell verdict of the same review; then queries are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from litotes.auditing.review import Change, ReviewedRow
from litotes.core import LabelMatrix
from litotes.core.errors import DataError

__all__ = ["changes_of"]

_CELLS = ("false-negatives", "false-positives")


def changes_of(labels: LabelMatrix, rows: Sequence[ReviewedRow]) -> list[Change]:
    """The changes in the order in which they are made; a later one may be of the same cell.

    Raises:
        DataError: ``file:line`` of a grade that contradicts its verdict.
    """
    state = _State(labels)
    decided = [row for row in rows if row.verdict not in ("unsure", "keep", "different")]
    for said in (row for row in decided if row.list in _CELLS):
        row = labels.row_ids.index(said.found["query_id"])
        col = labels.col_ids.index(said.found["document_id"])
        state.decide(row, col, _grade(labels, said, state, row), said)
    for said in (row for row in decided if row.verdict == "duplicate" and row.list not in _CELLS):
        state.unite(said)
    for said in (row for row in decided if row.verdict == "drop"):
        state.drop(labels.row_ids.index(said.found["query_id"]), said)
    return state.changes


class _State:
    """The judgements as they are after the changes so far."""

    def __init__(self, labels: LabelMatrix) -> None:
        self.labels, self.changes = labels, list[Change]()
        self._edited: dict[tuple[int, int], float | None] = {}
        self._decided: set[tuple[int, int]] = set()
        rows, cols, _ = labels.cells()
        self._rows_of: dict[int, set[int]] = {}
        for row, col in zip(rows.tolist(), cols.tolist(), strict=True):
            self._rows_of.setdefault(col, set()).add(row)

    def grade(self, row: int, col: int) -> float | None:
        """The grade of a cell now; None where nobody judged it."""
        if (row, col) in self._edited:
            return self._edited[row, col]
        found = float(self.labels.grades_at(np.array([row]), np.array([col]))[0])
        return None if np.isnan(found) else found

    def decide(self, row: int, col: int, grade: float, by: ReviewedRow) -> None:
        """A person's word on this very cell."""
        self._decided.add((row, col))
        self._change(row, col, grade, by)

    def unite(self, said: ReviewedRow) -> None:
        """Two documents, or two queries, become one in what is judged of them."""
        found = said.found
        if said.list == "indistinct-queries" or found.get("side") == "query":
            first, second = found.get("first_id", found.get("query_id")), found["other_id"]
            one, other = self.labels.row_ids.index(first), self.labels.row_ids.index(second)
            cols = {*self._cols_of(one), *self._cols_of(other)}
            pairs = [((one, col), (other, col)) for col in sorted(cols)]
        else:
            first, second = found.get("first_id", found.get("document_id")), found["other_id"]
            one, other = self.labels.col_ids.index(first), self.labels.col_ids.index(second)
            rows = self._rows_of.get(one, set()) | self._rows_of.get(other, set())
            pairs = [((row, one), (row, other)) for row in sorted(rows)]
        for a, b in pairs:
            grades = [grade for grade in (self.grade(*a), self.grade(*b)) if grade is not None]
            for cell in (a, b):
                if grades and cell not in self._decided and self.grade(*cell) != max(grades):
                    self._change(*cell, max(grades), said)

    def drop(self, row: int, said: ReviewedRow) -> None:
        """Take out all that is judged of a query."""
        for col in sorted(self._cols_of(row)):
            self._change(row, col, None, said)

    def _cols_of(self, row: int) -> Iterable[int]:
        """The columns that are judged for a row now."""
        judged = set(self.labels.positives(row).tolist()) | set(self.labels.negatives(row).tolist())
        judged |= {col for (at, col), grade in self._edited.items() if at == row and grade is not None}
        return [col for col in judged if self.grade(row, col) is not None]

    def _change(self, row: int, col: int, grade: float | None, by: ReviewedRow) -> None:
        self.changes.append(Change(row, col, self.grade(row, col), grade, by))
        self._edited[row, col] = grade
        if grade is not None:
            self._rows_of.setdefault(col, set()).add(row)


def _grade(labels: LabelMatrix, said: ReviewedRow, state: _State, row: int) -> float:
    """The grade that a verdict on a cell gives it: the one written beside it, or the one that the cell has already, if
    it says the same, or the nearest to the border between relevant and not.
    """
    lowest, is_relevant = labels.min_grade, said.verdict != "not relevant"
    if said.grade is not None:
        if (said.grade >= lowest) != is_relevant:
            raise DataError(
                f"{said.place}: {said.verdict!r} with the grade {said.grade:g}; relevant is what has {lowest:g} or "
                "more. Mend the grade, or leave it empty."
            )
        return said.grade
    likeness = said.verdict == "duplicate" and said.found["labelled_id"]
    present = state.grade(row, labels.col_ids.index(likeness or said.found["document_id"]))
    if present is not None and (present >= lowest) == is_relevant:
        return present
    return lowest if is_relevant else min(0.0, lowest - 1)
