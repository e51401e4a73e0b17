"""Draws without a generator's state: never twice, uniform or weighted, the same whoever asks in whatever order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from litotes.core.errors import LitotesError
from litotes.training.negative_table import NegativeTable
from tests.unit.training.small_world import candidates_of


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 9), st.integers(1, 6), st.integers(0, 3))
def test_draws_are_distinct_candidates_of_their_row_in_any_order(data, seed, epoch, k, number):
    found = candidates_of(data, per_row=6)
    table = NegativeTable(found, data.n_rows, number)
    rows = np.random.default_rng(seed).integers(0, data.n_rows, size=9)  # rows may stand twice in a batch
    drawn = table.draw(rows, k, seed=seed, epoch=epoch)
    for row, cols in zip(rows, drawn, strict=True):
        assert len(set(cols)) == k and set(cols) <= set(found.col[found.row == row])
    one_by_one = [table.draw(rows[[i]], k, seed=seed, epoch=epoch)[0] for i in range(len(rows))]
    np.testing.assert_array_equal(drawn, one_by_one)


@pytest.mark.parametrize("change", [{"seed": 1}, {"epoch": 1}, {"number": 1}])
def test_seed_epoch_and_table_number_each_change_the_draw(data, change):
    found, rows = candidates_of(data, per_row=8), np.arange(data.n_rows)

    def draw(seed=0, epoch=0, number=0):
        return NegativeTable(found, data.n_rows, number).draw(rows, 3, seed=seed, epoch=epoch)

    assert (draw() == draw()).all() and (draw() != draw(**change)).any()


def test_draws_are_uniform_over_epochs(data):
    table = NegativeTable(candidates_of(data, per_row=8), data.n_rows)
    drawn = np.concatenate([table.draw(np.array([4]), 2, seed=0, epoch=e)[0] for e in range(4000)])
    counts = np.unique(drawn, return_counts=True)[1]
    assert len(counts) == 8 and chisquare(counts).pvalue > 1e-4


def test_weighted_draws_follow_the_weights_and_leave_out_zero_and_null(data):
    weights = np.array([1.0, 2.0, 4.0, 0.0, np.nan, 1.0, 8.0, 0.0])

    def by_place(made):
        starts = np.searchsorted(made.row, made.row)
        return weights[np.arange(len(made)) - starts]

    found = candidates_of(data, per_row=8, weight=by_place)
    table = NegativeTable(found, data.n_rows, weighted=True)
    drawn = np.concatenate([table.draw(np.array([4]), 1, seed=0, epoch=e)[0] for e in range(8000)])
    cols, counts = np.unique(drawn, return_counts=True)
    expected = {c: w for c, w in zip(found.col[found.row == 4], weights, strict=True) if w > 0}
    assert set(cols) == set(expected)
    shares = np.array([expected[c] for c in cols]) / 16.0
    assert chisquare(counts, shares * len(drawn)).pvalue > 1e-4


def test_negative_weights_are_refused(data):
    found = candidates_of(data, weight=lambda made: np.full(len(made), -1.0))
    with pytest.raises(LitotesError, match="finite and not negative"):
        NegativeTable(found, data.n_rows, weighted=True)


def test_cells_assumed_positive_are_no_negatives(data):
    found = candidates_of(data, per_row=4)
    index = found.table.column_names.index("assumed")
    flipped = np.where(np.arange(len(found)) % 2, 1, -1).astype(np.int8)
    table = found.table.set_column(index, "assumed", [flipped])
    assert NegativeTable(type(found)(table), data.n_rows).counts(np.arange(data.n_rows)).tolist() == [2] * data.n_rows


def test_a_row_that_runs_short_is_refused_or_goes_round_its_own(data):
    table = NegativeTable(candidates_of(data, per_row=3), data.n_rows)
    with pytest.raises(LitotesError, match=r"offers fewer than 5 to rows \[4\]"):
        table.draw(np.array([4]), 5, seed=0, epoch=0)
    drawn = table.draw(np.array([4]), 5, seed=0, epoch=0, repeat=True)[0]
    assert drawn[:3].tolist() == table.draw(np.array([4]), 3, seed=0, epoch=0)[0].tolist()
    assert drawn[3:].tolist() == drawn[:2].tolist()
