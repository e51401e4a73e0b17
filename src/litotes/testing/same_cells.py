"""Whether two answers about cells are the same, to the byte or up to rounding, and if not, where they differ first."""

from __future__ import annotations

import numpy as np

from litotes.core import Candidates

__all__ = ["cells_differ", "numbers_differ", "tables_differ"]


def tables_differ(one: Candidates, other: Candidates) -> str:
    """What differs between two tables that should be equal byte for byte; empty where nothing does."""
    if len(one) != len(other):
        return f"{len(one)} cells and {len(other)} cells"
    if one.table.column_names != other.table.column_names:
        return f"the columns {one.table.column_names} and {other.table.column_names}"
    for name in one.table.column_names:
        if not one.table[name].equals(other.table[name]):
            where = numbers_differ(one.column(name), other.column(name), 0.0)
            return f"column {name!r}, {where or 'in its type'}"
    return ""


def cells_differ(found: Candidates, expected: Candidates, name: str, tolerance: float = 1e-6) -> str:
    """Where two answers of one miner differ beyond rounding: in scores by more than ``tolerance``, or in the cells,
    unless these are ties at the end of a row's list. Empty where they do not.
    """
    score = f"score.{name}"
    rows = np.union1d(found.row, expected.row)
    for row in rows.tolist():
        ours, theirs = _list_of(found, row, score), _list_of(expected, row, score)
        if len(ours) != len(theirs):
            return f"row {row} has {len(ours)} cells and {len(theirs)} cells"
        edge = min(theirs.values())
        for col in ours.keys() | theirs.keys():
            ours_score, theirs_score = ours.get(col, edge), theirs.get(col, edge)
            if abs(ours_score - theirs_score) > tolerance * max(1.0, abs(theirs_score)):
                there = ["has" if col in part else "has not" for part in (ours, theirs)]
                if there == ["has", "has"]:
                    return f"cell (row {row}, column {col}) scores {ours_score!r} and {theirs_score!r}"
                return f"row {row} {there[0]} column {col} in one answer and {there[1]} it in the other"
    return ""


def numbers_differ(one: np.ndarray, other: np.ndarray, tolerance: float) -> str:
    """The first place where two columns of numbers differ by more than ``tolerance``; NaN equals NaN."""
    with np.errstate(invalid="ignore"):
        near = np.abs(one - other) <= tolerance * np.maximum(1.0, np.abs(other))
    same = near | (np.isnan(one) & np.isnan(other)) | (one == other)
    if same.all():
        return ""
    place = int(np.flatnonzero(~same)[0])
    return f"at cell {place}: {one[place]!r} and {other[place]!r}".replace("np.float64(", "").replace(")", "")


def _list_of(found: Candidates, row: int, score: str) -> dict[int, float]:
    inside = found.row == row
    return dict(zip(found.col[inside].tolist(), found.column(score)[inside].tolist(), strict=True))
