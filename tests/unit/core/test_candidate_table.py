"""The order and the joins of tables of candidates, in the corners that larger numbers show."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import DataError
from litotes.core import candidate_table as module
from litotes.core.candidate_table import merge_tables, ordered_table, typed_table


def table(cells, ranks=None, **columns) -> pa.Table:
    rows, cols = zip(*cells, strict=True) if cells else ((), ())
    ranks = list(range(1, len(cells) + 1)) if ranks is None else ranks
    made = {"row": pa.array(rows, pa.int64()), "col": pa.array(cols, pa.int64())}
    return typed_table(pa.table({**made, "assumed": [-1] * len(cells), "rank.m": ranks, **columns}))


def cells_of(made: pa.Table) -> list[tuple[int, int]]:
    return list(zip(made["row"].to_pylist(), made["col"].to_pylist(), strict=True))


ORDERED = (
    ([(0, 5), (0, 2), (1, 0)], [1, 2, 1]),  # by rank, not by column
    ([(0, 2), (0, 5), (1, 9)], [1, 1, 1]),  # equal ranks by column
    ([(3, 7), (4, 1)], [2, 1]),  # rows before ranks
    ([], []),
)


@pytest.mark.parametrize(("cells", "ranks"), ORDERED)
def test_a_table_in_order_is_not_sorted_again(cells, ranks, monkeypatch):
    made = table(cells, ranks)
    monkeypatch.setattr(module.np, "lexsort", lambda keys: pytest.fail("sorted again"))
    assert ordered_table(made) is made


@pytest.mark.parametrize(("cells", "ranks"), [case for case in ORDERED if case[0]])
def test_any_other_order_is_sorted(cells, ranks):
    for turn in range(1, len(cells)):
        turned = table(cells[turn:] + cells[:turn], ranks[turn:] + ranks[:turn])
        assert cells_of(ordered_table(turned)) == cells


@pytest.mark.parametrize(
    ("cells", "ranks"),
    [
        ([(0, 5), (0, 2)], [1, 1]),
        ([(0, 2), (0, 5), (0, 3)], [1, 1, 1]),
        ([(0, 2), (0, 5), (0, 3)], [1, 3, 2]),
        ([(0, 2), (2, 5), (1, 3)], [1, 1, 1]),
    ],
)
def test_one_cell_out_of_order_is_enough(cells, ranks):
    rank_of = dict(zip(cells, ranks, strict=True))
    assert cells_of(ordered_table(table(cells, ranks))) == sorted(cells, key=lambda at: (at[0], rank_of[at], at[1]))


def test_equal_numbers_in_other_columns_are_no_cell_that_stands_twice():
    cells = [(0, 11), (1, 10), (2, 9), (11, 0)]  # row + col and row - col meet, cells do not
    assert cells_of(ordered_table(table(cells))) == cells


def test_the_cell_that_stands_twice_is_named_by_its_place():
    with pytest.raises(DataError, match=r"The cell \(row 2, column 5\) stands twice"):
        ordered_table(table([(0, 1), (2, 5), (2, 5)]))


@pytest.mark.parametrize("cells", [[(-1, 3), (2, 3)], [(2, 3), (5, -1)]])
def test_one_negative_position_is_enough(cells):
    with pytest.raises(DataError, match="holds a negative row or column"):
        ordered_table(table(cells))


def test_tables_of_different_width_and_of_nothing_are_joined():
    first, second, nothing = table([(0, 3), (1, 0)]), table([(1, 0), (1, 9)], [2, 7], target=[0.5, 0.25]), table([])
    merged = merge_tables([first, nothing, second.drop_columns("rank.m")])
    assert cells_of(merged) == [(0, 3), (1, 0), (1, 9)]
    assert merged["rank.m"].to_pylist() == [1, 2, None] and merged["target"].to_pylist() == [None, 0.5, 0.25]
    empty = merge_tables([nothing, nothing])
    assert merge_tables([]).num_rows == 0 and merge_tables([])["row"].type == pa.int64()
    assert empty.num_rows == 0 and empty["row"].type == empty["col"].type == pa.int64()


def test_column_nought_alone():
    merged = merge_tables([table([(0, 0)]), table([(1, 0)])])
    assert cells_of(merged) == [(0, 0), (1, 0)]


def test_ranks_are_whole_and_scores_are_not():
    made = typed_table(pa.table({"row": [0], "col": [1], "assumed": [-1], "rank.m": [1.0], "score.m": [2]}))
    assert made["rank.m"].type == pa.int32() and made["score.m"].type == pa.float64()
    assert made["assumed"].to_numpy().dtype == np.int8
