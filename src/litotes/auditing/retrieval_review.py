"""What verdicts on the rows of a retrieval audit make of the judgements.

Verdicts on single cells come first, since a person looked at that very cell. Then duplicates are united, which fills
what nobody judged and never overrules a cell verdict of the same review; then queries are dropped.

Who is a duplicate of a duplicate is one with it: pairs are joined to families first, and a family is united as a whole,
so that it does not matter in what order the pairs stand in the file, or which pairs of a family were listed at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from litotes.auditing.review import Change, ReviewedRow
from litotes.core import Ids, LabelMatrix
from litotes.core.disjoint_sets import DisjointSets
from litotes.core.errors import DataError

__all__ = ["changes_of"]

_CELLS = ("false-negatives", "false-positives")


def changes_of(labels: LabelMatrix, rows: Sequence[ReviewedRow]) -> list[Change]:
    """The changes in the order in which they are made; a later one may be of the same cell.

    Raises:
        DataError: ``file:line`` of a grade that contradicts its verdict, or of two verdicts that contradict each other.
    """
    state = _State(labels)
    decided = [row for row in rows if row.verdict not in ("unsure", "keep", "different")]
    for said in (row for row in decided if row.list in _CELLS):
        row = labels.row_ids.index(said.found["query_id"])
        col = labels.col_ids.index(said.found["document_id"])
        state.decide(row, col, _grade(labels, said, state, row), said)
    pairs = [row for row in rows if row.list not in _CELLS and "other_id" in row.found]
    families = [*_families(labels.col_ids, pairs, "document"), *_families(labels.row_ids, pairs, "query")]
    while sum(state.unite(family) for family in families):  # one may wake another; grades only rise, so this ends
        pass
    for said in (row for row in decided if row.verdict == "drop"):
        state.drop(labels.row_ids.index(said.found["query_id"]), said)
    return state.changes


class _Family(NamedTuple):
    """Documents or queries that are one by some verdicts: their positions, ascending, each with a row that says so."""

    side: Literal["document", "query"]
    members: dict[int, ReviewedRow]


def _families(ids: Ids, pairs: Sequence[ReviewedRow], side: Literal["document", "query"]) -> list[_Family]:
    """The families that the rows on pairs of this side make, by their first member.

    Raises:
        DataError: two verdicts on one pair, or a pair that is said not to be one and is, by way of others.
    """
    said: dict[tuple[int, int], ReviewedRow] = {}
    for row in sorted(pairs, key=lambda row: row.key):  # whatever the order of the file
        side_of_row = "query" if row.list == "indistinct-queries" else row.found.get("side", "document")
        if side_of_row != side:
            continue
        one = row.found.get("first_id", row.found.get(f"{side}_id"))
        pair = tuple(sorted((ids.index(one), ids.index(row.found["other_id"]))))
        before = said.setdefault(pair, row)
        if before.verdict != row.verdict:
            raise DataError(
                f"{row.place}: {one!r} and {row.found['other_id']!r} are said to be {row.verdict!r} here and "
                f"{before.verdict!r} at {before.place}. Keep one of them."
            )
    sets = DisjointSets(range(len(ids)))
    joined = {pair: row for pair, row in said.items() if row.verdict == "duplicate"}
    for pair in joined:
        sets.join(*pair)
    members: dict[int, dict[int, ReviewedRow]] = {}
    for pair, row in joined.items():
        for item in pair:
            members.setdefault(sets.root(item), {}).setdefault(item, row)
    for pair, row in said.items():
        if row.verdict == "different" and sets.root(pair[0]) == sets.root(pair[1]):
            places = sorted({by.place for by in members[sets.root(pair[0])].values()})
            raise DataError(
                f"{row.place}: {ids[pair[0]]!r} and {ids[pair[1]]!r} are said to be different here, and are duplicates "
                f"of one another by way of {', '.join(places)}. Mend one of them."
            )
    return [_Family(side, dict(sorted(members[root].items()))) for root in sorted(members)]


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

    def unite(self, family: _Family) -> bool:
        """Several documents, or queries, become one in what is judged of them; whether that changes anything."""
        before = len(self.changes)
        if family.side == "query":
            cols = sorted({col for row in family.members for col in self._cols_of(row)})
            cells_at_once = [[(row, col) for row in family.members] for col in cols]
        else:
            rows = sorted({row for col in family.members for row in self._rows_of.get(col, ())})
            cells_at_once = [[(row, col) for col in family.members] for row in rows]
        for cells in cells_at_once:
            grades = [grade for grade in map(self.grade, *zip(*cells, strict=True)) if grade is not None]
            for cell, said in zip(cells, family.members.values(), strict=True):
                if grades and cell not in self._decided and self.grade(*cell) != max(grades):
                    self._change(*cell, max(grades), said)
        return len(self.changes) > before

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
