"""Comparing answers: to the byte, up to rounding, and up to ties at the end of a list."""

import numpy as np
import pytest

from litotes.core import Candidates
from litotes.testing import example_collection
from litotes.testing.same_cells import cells_differ, numbers_differ, tables_differ

DATA = example_collection("tiny")


def answer(*cells: tuple[int, int, float]) -> Candidates:
    row, col, score = (np.array(column) for column in zip(*cells, strict=True))
    rank = np.concatenate([np.arange((row == r).sum()) + 1 for r in np.unique(row)])
    return Candidates.build(row, col, miner="m", score=score, rank=rank, data=DATA)


BASE = ((0, 1, 3.0), (0, 2, 2.0), (0, 3, 1.0), (1, 0, 5.0))

SAME = {
    "itself": BASE,
    "rounding": ((0, 1, 3.0000001), (0, 2, 2.0), (0, 3, 1.0), (1, 0, 5.0)),
    "another of the ties at the end": ((0, 1, 3.0), (0, 2, 2.0), (0, 0, 1.0), (1, 0, 5.0)),
}
OTHER = {
    "a score": (((0, 1, 3.1), *BASE[1:]), "cell (row 0, column 1) scores 3.1 and 3.0"),
    "a cell short": (BASE[:2] + BASE[3:], "row 0 has 2 cells and 3 cells"),
    "another cell": (((0, 0, 3.0), *BASE[1:]), "row 0 has"),
    "another end": ((*BASE[:2], (0, 0, 1.5), BASE[3]), "row 0 has"),
    "a row gone": (BASE[:3], "row 1 has 0 cells and 1 cells"),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_up_to_rounding_and_ties(name):
    assert cells_differ(answer(*SAME[name]), answer(*BASE), "m") == ""


@pytest.mark.parametrize("name", OTHER)
def test_what_is_another_answer(name):
    cells, message = OTHER[name]
    assert message in cells_differ(answer(*cells), answer(*BASE), "m")
    assert cells_differ(answer(*BASE), answer(*cells), "m")


def test_tables_differ_by_length_column_or_number():
    base = answer(*BASE)
    assert tables_differ(base, answer(*BASE)) == ""
    assert tables_differ(base, answer(*BASE[:3])) == "4 cells and 3 cells"
    assert "the columns" in tables_differ(base, base.with_columns({"weight": np.ones(4)}))
    assert tables_differ(base, answer((0, 1, 3.0000001), *BASE[1:])) == "column 'score.m', at cell 0: 3.0 and 3.0000001"


def test_numbers_differ_beyond_a_tolerance_and_null_is_null():
    one, other = np.array([1.0, np.nan, np.inf]), np.array([1.0 + 1e-7, np.nan, np.inf])
    assert numbers_differ(one, other, 1e-6) == "" != numbers_differ(one, other, 1e-9)
    assert numbers_differ(one, np.array([1.0, 0.0, np.inf]), 1.0) == "at cell 1: nan and 0.0"
