"""Rows to watch: a seeded tenth, never trained on; or a split that was given."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import Collection, LabelMatrix
from litotes.core.errors import DataError
from litotes.training.held_out import hold_out


def queries(n, without_text=()):
    ids = [f"q{i}" for i in range(n)]
    rows = pa.table({"id": ids, "text": [None if i in without_text else f"query {i}" for i in range(n)]})
    cols = pa.table({"id": [f"d{i}" for i in range(n)], "text": [f"document {i}" for i in range(n)]})
    return Collection(LabelMatrix(ids, cols["id"].to_pylist(), range(n), range(n)), rows, cols)


def test_a_tenth_is_held_out_by_the_seed():
    data = queries(50)
    found = hold_out(data, None, seed=3)
    held = [data.row_ids.index(key) for key in found.ids]
    assert len(held) == 5 and sorted([*held, *found.rows.tolist()]) == list(range(50))
    assert list(found.dev.row_ids) == found.ids and found.dev.n_cols == data.n_cols
    assert hold_out(data, None, seed=3).ids == found.ids != hold_out(data, None, seed=4).ids


def test_a_given_split_leaves_all_rows_to_training():
    data = queries(20)
    found = hold_out(data, data.select_rows([0]), seed=0)
    assert found.rows.tolist() == list(range(20)) and found.ids == []


def test_rows_without_text_are_neither_trained_on_nor_held_out():
    data = queries(30, without_text=range(10))
    found = hold_out(data, None, seed=0)
    assert found.rows.min() >= 10 and len(found.rows) == 18 and len(found.ids) == 2


def test_one_row_is_trained_on_and_not_watched():
    found = hold_out(queries(1), None, seed=0)
    assert found.rows.tolist() == [0] and found.dev is None and found.metrics("tiny:bert") == {}


def test_nothing_to_train_on_is_an_error():
    with pytest.raises(DataError, match="None of the 3 rows has both a text and a positive with a text"):
        hold_out(queries(3, without_text=range(3)), None, seed=0)


def test_lines_are_those_of_the_rows(data):
    found = hold_out(data, None, seed=0)
    rows = np.asarray(found.lines(data)["label"])[:, 0]
    assert set(rows) == set(found.rows) and len(rows) == data.labels.positive_counts()[found.rows].sum()
