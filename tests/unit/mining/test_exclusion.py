"""From scores to cells: never a positive or its twin, the window, the bounds, ties, shortage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.core.errors import LitotesError
from litotes.mining.exclusion import (
    Allowed,
    Chosen,
    Window,
    propose,
    row_positions,
    top_of_cells,
    top_of_scores,
)
from tests.unit.mining.small_data import cells_of, double_loop, make_collection, random_collection


def mined(scores, data, window):
    rows = row_positions(data, None)
    allowed = Allowed.of(data, rows)
    return propose(top_of_scores(scores.copy(), allowed, window), rows, "m", data, allowed.counts)


windows = st.builds(
    Window,
    top=st.integers(1, 12),
    skip=st.integers(0, 6),
    min_score=st.none() | st.integers(-3, 1).map(float),
    max_score=st.none() | st.integers(1, 3).map(float),
)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), window=windows)
def test_dense_scores_equal_the_double_loop(seed, window):
    data = random_collection(seed, n_rows=6, n_cols=14, n_positives=12)
    scores = np.random.default_rng(seed).integers(-3, 4, size=(6, 14)).astype(float)  # many ties
    found = cells_of(mined(scores, data, window), "m")
    low = -np.inf if window.min_score is None else window.min_score
    high = np.inf if window.max_score is None else window.max_score
    assert found == double_loop(lambda r, c: scores[r, c], data, window.top, window.skip, low, high)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), window=windows)
def test_ragged_cells_equal_dense_scores(seed, window):
    data = random_collection(seed, n_rows=6, n_cols=14, n_positives=12)
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 4, size=(6, 14)).astype(float)
    allowed = Allowed.of(data, row_positions(data, None))
    row, col = np.indices(scores.shape)
    order = rng.permutation(scores.size)
    holes = np.full(5, -1)
    flat = top_of_cells(
        np.concatenate([row.ravel()[order], np.arange(5)]),
        np.concatenate([col.ravel()[order], holes]),
        np.concatenate([scores.ravel()[order], np.ones(5)]),
        allowed,
        window,
    )
    dense = top_of_scores(scores.copy(), allowed, window)
    for name in ("row", "col", "score", "rank"):
        np.testing.assert_array_equal(getattr(flat, name), getattr(dense, name))
    assert flat.counts == dense.counts


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), top=st.integers(1, 40))
def test_an_observed_positive_or_its_twin_is_never_proposed(seed, top):
    data = random_collection(seed, n_rows=8, n_cols=20, n_positives=40)
    found = mined(np.random.default_rng(seed).normal(size=(8, 20)), data, Window(top=top))
    assert not data.is_positive(found.row, found.col).any()
    assert (found.col >= 0).all()


def test_a_judged_zero_may_be_proposed():
    data = make_collection(["q"], ["a", "b"], positives=[(0, 0)], negatives=[(0, 1)])
    assert cells_of(mined(np.zeros((1, 2)), data, Window(top=2)), "m") == [(0, 1, 0.0, 1)]


def test_a_text_twin_is_left_out_and_counted():
    data = make_collection(["q"], ["Red  fox", "red fox", "blue"], positives=[(0, 0)])
    found = mined(np.array([[3.0, 2.0, 1.0]]), data, Window(top=3))
    assert found.col.tolist() == [2]
    assert found.counts["m"]["excluded_positive"] == 1
    assert found.counts["m"]["excluded_twin"] == 1


def test_a_corpus_smaller_than_the_window_gives_fewer_and_says_so():
    data = make_collection(["q", "r"], ["a", "b", "c"], positives=[(0, 0)])
    found = mined(np.ones((2, 3)), data, Window(top=10))
    assert found.row.tolist() == [0, 0, 1, 1, 1] and found.col.tolist() == [1, 2, 0, 1, 2]
    assert found.counts["m"]["short_rows"] == 2
    assert mined(np.ones((2, 3)), data, Window(top=3)).counts["m"]["short_rows"] == 1
    assert mined(np.ones((2, 3)), data, Window(top=2)).counts["m"]["short_rows"] == 0


def test_ranks_count_after_exclusion():
    data = make_collection(["q"], ["a", "b", "c", "d"], positives=[(0, 0), (0, 1)])
    found = mined(np.array([[9.0, 8.0, 7.0, 6.0]]), data, Window(top=1, skip=1))
    assert cells_of(found, "m") == [(0, 3, 6.0, 2)]


def test_bounds_are_counted_one_by_one():
    data = make_collection(["q"], ["a", "b", "c", "d", "e"])
    found = mined(np.array([[5.0, 4.0, 3.0, 2.0, 1.0]]), data, Window(top=3, min_score=2.5, max_score=4.0))
    assert found.col.tolist() == [1, 2]
    counts = found.counts["m"]
    assert (counts["above_max_score"], counts["below_min_score"], counts["short_rows"]) == (1, 1, 1)


def test_infinite_scores_have_a_place():
    data = make_collection(["q"], ["a", "b", "c"])
    assert mined(np.array([[1.0, np.inf, 2.0]]), data, Window(top=2)).col.tolist() == [1, 2]


def test_a_score_that_is_no_number_is_refused():
    data = make_collection(["q"], ["a", "b"])
    with pytest.raises(LitotesError, match="row 0, column 1 is not a number"):
        mined(np.array([[1.0, np.nan]]), data, Window())
    allowed = Allowed.of(data, np.array([0]))
    with pytest.raises(LitotesError, match="not a number"):
        top_of_cells(np.array([0]), np.array([1]), np.array([np.nan]), allowed, Window())


def test_a_cell_that_stands_twice_counts_once_with_its_better_score():
    data = make_collection(["q"], ["a", "b", "c"])
    allowed = Allowed.of(data, np.array([0]))
    chosen = top_of_cells(
        np.zeros(4, int), np.array([1, 2, 1, 0]), np.array([1.0, 2.0, 5.0, 0.0]), allowed, Window(top=2)
    )
    assert chosen.col.tolist() == [1, 2] and chosen.score.tolist() == [5.0, 2.0]


def test_padded_answers_keep_their_ranks():
    keep = np.array([[True, True, False], [False, False, False]])
    chosen = Chosen.from_padded(
        np.array([[3.0, 1.0, 0.0]] * 2), np.array([[4, 7, -1]] * 2), keep, Window(top=3, skip=2, min_score=2)
    )
    assert chosen.col.tolist() == [4] and chosen.rank.tolist() == [3] and chosen.row.tolist() == [0]
    assert chosen.counts["short_rows"] == 2 and chosen.counts["below_min_score"] == 1


def test_no_rows_and_no_columns_give_no_cells():
    empty_rows = make_collection([], ["a", "b"])
    assert len(mined(np.zeros((0, 2)), empty_rows, Window())) == 0
    no_columns = make_collection(["q"], [])
    found = mined(np.zeros((1, 0)), no_columns, Window())
    assert len(found) == 0 and found.counts["m"]["short_rows"] == 1


def test_items_without_any_content_are_all_usable():
    data = make_collection(None, None, positives=[(0, 1)], shape=(2, 3))
    assert cells_of(mined(np.zeros((2, 3)), data, Window(top=5)), "m") == [
        (0, 0, 0.0, 1),
        (0, 2, 0.0, 2),
        (1, 0, 0.0, 1),
        (1, 1, 0.0, 2),
        (1, 2, 0.0, 3),
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"top": 0}, "The 'top' parameter of M must be an int in the range [1, inf). Got 0 instead."),
        ({"skip": -1}, "The 'skip' parameter of M must be an int in the range [0, inf). Got -1 instead."),
        ({"min_score": float("nan")}, "The 'min_score' parameter of M must be a float"),
        (
            {"min_score": 2.0, "max_score": 1.0},
            "The 'max_score' parameter of M must be a float in the range [2.0, inf)",
        ),
    ],
)
def test_a_window_is_checked(values, message):
    with pytest.raises(LitotesError) as error:
        Window.checked("M", **{"top": 5, "skip": 0, **values})
    assert str(error.value).startswith(message)


def test_rows_are_positions():
    data = make_collection(["q", "r"], ["a"])
    assert row_positions(data, np.array([1, 0, 1])).tolist() == [0, 1]
    with pytest.raises(LitotesError, match="positions from 0 to 1"):
        row_positions(data, np.array([2]))
