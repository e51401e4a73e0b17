"""Tests of significance on data whose truth is known."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from litotes.core.errors import LitotesError
from litotes.evaluation import bootstrap_interval, paired_randomisation_test


@settings(max_examples=30)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=10).filter(any))
def test_few_queries_are_tested_exactly(whole: list[int]):
    differences = np.array(whole) / 10
    if len(differences) > 1:
        scipys = stats.permutation_test(
            (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
        ).pvalue
    patterns = np.array(np.meshgrid(*[[-1, 1]] * len(differences))).reshape(len(differences), -1).T
    reached = np.abs(patterns @ np.array(whole)) >= abs(sum(whole))
    assert paired_randomisation_test(differences) == pytest.approx(reached.mean())
    if len(differences) > 1:
        assert min(scipys, 1.0) == pytest.approx(
            paired_randomisation_test(differences), abs=0.2 if 0 in whole else 1e-9
        )


def test_random_flips_agree_with_the_exact_test():
    differences = np.random.default_rng(3).normal(0.3, 1, 12)
    exact = paired_randomisation_test(differences, permutations=2**12)
    assert paired_randomisation_test(differences, permutations=4_000) == pytest.approx(exact, abs=0.02)


def test_p_is_never_zero():
    assert paired_randomisation_test(np.ones(100), permutations=999) == 1 / 1000
    assert paired_randomisation_test(np.ones(5)) == 2 / 32
    assert paired_randomisation_test([1.0]) == 1.0


def test_no_difference_is_no_evidence():
    assert paired_randomisation_test(np.zeros(50)) == 1.0


def test_queries_without_difference_change_nothing():
    differences = np.array([0.2, -0.1, 0.4, 0.3])
    assert paired_randomisation_test(np.append(differences, np.zeros(9))) == paired_randomisation_test(differences)


def test_the_sign_does_not_matter_and_the_seed_repeats():
    differences = np.random.default_rng(0).normal(0.1, 1, 60)
    p = paired_randomisation_test(differences, seed=5)
    assert p == paired_randomisation_test(-differences, seed=5) == paired_randomisation_test(differences, seed=5)
    assert p != paired_randomisation_test(differences, seed=6)


def test_without_effect_five_percent_of_p_values_are_below_five_percent():
    """400 experiments of 50 queries, skewed and heavy-tailed differences as per-query metrics have."""
    rng = np.random.default_rng(0)
    ps = [
        paired_randomisation_test(rng.laplace(size=50) * rng.integers(0, 2, 50), permutations=500, seed=i)
        for i in range(400)
    ]
    below = np.mean(np.array(ps) <= 0.05)
    assert 0.02 < below < 0.085  # 5 % +- 3 standard errors


def test_a_real_effect_is_found_with_the_power_that_theory_says():
    """Mean .5, sd 1, 40 queries: a paired t-test has power .87."""
    rng = np.random.default_rng(1)
    found = [paired_randomisation_test(rng.normal(0.5, 1, 40), permutations=500, seed=i) <= 0.05 for i in range(200)]
    assert 0.78 < np.mean(found) < 0.95


def test_the_interval_covers_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(2)
    covered = []
    for i in range(300):
        low, high = bootstrap_interval(rng.normal(0.2, 1, 60), resamples=500, seed=i)
        covered.append(low <= 0.2 <= high)
    assert 0.90 < np.mean(covered) < 0.985


def test_the_interval_is_about_that_of_the_normal_distribution():
    differences = np.random.default_rng(4).normal(0, 1, 400)
    low, high = bootstrap_interval(differences, level=0.9)
    half = 1.645 * differences.std() / 20
    assert low == pytest.approx(differences.mean() - half, abs=0.01)
    assert high == pytest.approx(differences.mean() + half, abs=0.01)
    assert (low, high) == bootstrap_interval(differences, level=0.9)


def test_memory_stays_bounded():
    differences = np.random.default_rng(0).normal(size=20_000)  # 10,000 x 20,000 signs at once would take 1.6 GB
    tracemalloc.start()
    paired_randomisation_test(differences, permutations=1_000)
    bootstrap_interval(differences, resamples=1_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 120 * 2**20


@pytest.mark.parametrize("bad", [[], [np.nan], [[0.1, 0.2]]])
@pytest.mark.parametrize("function", [paired_randomisation_test, bootstrap_interval])
def test_what_is_no_list_of_differences_is_refused(function, bad):
    with pytest.raises(LitotesError, match="takes one finite difference a query, at least one"):
        function(bad)


def test_bad_parameters_are_refused():
    with pytest.raises(LitotesError, match="'permutations' parameter of paired_randomisation_test"):
        paired_randomisation_test([0.1], permutations=0)
    with pytest.raises(LitotesError, match="'level' parameter of bootstrap_interval"):
        bootstrap_interval([0.1], level=95)
