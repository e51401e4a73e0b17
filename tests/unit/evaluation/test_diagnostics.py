"""Diagnostics of STAR and ADORE's page: total and top-K errors, and how stale a static list is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from litotes.core.errors import LitotesError
from litotes.evaluation import hard_negative_overlap, pairwise_error_decomposition, pairwise_errors


def test_a_few_hopeless_queries_carry_the_total_error_but_not_the_top_k_error():
    ranks = np.array([1] * 50 + [3] * 49 + [10_001])
    found = pairwise_error_decomposition(ranks, K=10, worst=0.01)
    assert found == (2 * 49 + 10_000, 2 * 49 + 10, 10_000 / 10_098)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=30), st.integers(1, 50), st.floats(0.01, 1))
def test_the_top_k_error_is_bounded_and_the_worst_carry_at_least_their_share(ranks, k, worst):
    found = pairwise_error_decomposition(ranks, k, worst)
    assert found.total == sum(r - 1 for r in ranks)
    assert found.top_k == sum(min(r - 1, k) for r in ranks) <= k * len(ranks)
    assert found.worst_share >= worst - 1e-9 or found.total == 0
    assert pairwise_error_decomposition(ranks, k, 1.0).worst_share in (0.0, 1.0)


def test_no_error_at_all():
    assert pairwise_error_decomposition([1, 1], 10) == (0, 0, 0.0)


def test_the_worst_fraction_is_rounded_up_to_whole_queries():
    assert pairwise_error_decomposition([2, 2, 2], 10, worst=0.01).worst_share == pytest.approx(1 / 3)
    assert pairwise_error_decomposition([2] * 10, 10, worst=0.3).worst_share == pytest.approx(0.3)


@pytest.mark.parametrize("bad", [[], [0], [1.5], [[1]]])
def test_what_is_no_list_of_ranks_is_refused(bad):
    with pytest.raises(LitotesError, match="one rank a query, whole numbers from 1"):
        pairwise_error_decomposition(bad, 10)


def test_errors_of_one_positive_are_its_rank_less_one():
    scores = np.array([[0.1, 0.9, 0.5, 0.7]])
    assert pairwise_errors(scores, np.array([[False, False, True, False]])).tolist() == [2]


def test_other_positives_are_no_errors():
    scores = np.array([[0.9, 0.8, 0.7, 0.6]])
    positives = np.array([[False, True, False, True]])
    assert pairwise_errors(scores, positives).tolist() == [1 + 2]
    assert pairwise_errors(scores, ~positives).tolist() == [0 + 1]


@given(arrays(np.int64, (3, 6), elements=st.integers(0, 3)), arrays(bool, (3, 6)))
def test_errors_equal_the_loop_with_ties_to_the_smaller_column(scores, positives):
    expected = [
        sum((s[n], -n) > (s[p], -p) for p in range(6) for n in range(6) if y[p] and not y[n])
        for s, y in zip(scores.tolist(), positives.tolist(), strict=True)
    ]
    assert pairwise_errors(scores, positives).tolist() == expected


def test_scores_that_cannot_be_ranked_are_refused():
    with pytest.raises(LitotesError, match="scores without NaN"):
        pairwise_errors(np.array([[np.nan]]), np.array([[True]]))


def test_overlap_falls_as_the_model_moves_on():
    static = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert hard_negative_overlap(static, static) == 1.0
    assert hard_negative_overlap(static, np.array([[1, 2, 9, 10], [5, 11, 12, 13]])) == pytest.approx((0.5 + 0.25) / 2)
    assert hard_negative_overlap(static, static[::-1]) == 0.0


def test_empty_places_do_not_count():
    static, current = np.array([[1, -1], [2, -1], [3, 4]]), np.array([[1, -1], [-1, -1], [3, 9]])
    assert hard_negative_overlap(static, current) == pytest.approx((1 + 0.5) / 2)


def test_overlap_of_nothing_is_refused():
    with pytest.raises(LitotesError, match="no current document at all"):
        hard_negative_overlap(np.array([[1]]), np.array([[-1]]))
    with pytest.raises(LitotesError, match=r"Got shapes \(1, 1\) and \(2, 1\)"):
        hard_negative_overlap(np.array([[1]]), np.array([[1], [2]]))
