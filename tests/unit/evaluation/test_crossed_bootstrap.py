"""The crossed bootstrap against a double loop, the exact distribution of a small table, and its known variance."""

import itertools
import tracemalloc

import numpy as np
import pytest

from litotes.core.errors import LitotesError
from litotes.core.seeds import rng
from litotes.evaluation.crossed_bootstrap import crossed_bootstrap


def test_it_is_the_double_loop_over_the_same_draws():
    table = np.random.default_rng(0).normal(size=(3, 4))
    generator, means = rng(7, "crossed bootstrap"), []
    counts = generator.multinomial(3, [1 / 3] * 3, size=200)
    drawn = generator.integers(0, 4, size=(200, 4))
    for of_seeds, queries in zip(counts, drawn, strict=True):
        total = 0.0
        for seed, times in enumerate(of_seeds):
            for query in queries:
                total += times * table[seed, query]
        means.append(total / 12)
    expected = np.quantile(means, [0.05, 0.95])
    assert crossed_bootstrap(table, level=0.9, resamples=200, seed=7) == pytest.approx(tuple(expected))


def test_a_small_table_has_the_exact_distribution():
    """2 seeds and 3 queries: 4 x 27 equally likely draws, all listed."""
    table = np.array([[0.1, 0.7, 0.2], [0.4, 0.5, 0.9]])
    every = [
        table[np.ix_(seeds, queries)].mean()
        for seeds in itertools.product(range(2), repeat=2)
        for queries in itertools.product(range(3), repeat=3)
    ]
    for level in (0.5, 0.8, 0.9):
        for end, share in zip(crossed_bootstrap(table, level, 40_000), ((1 - level) / 2, (1 + level) / 2), strict=True):
            assert np.mean(np.array(every) < end - 1e-9) < share + 0.01
            assert np.mean(np.array(every) < end + 1e-9) > share - 0.01


@pytest.mark.parametrize(("of_seeds", "of_queries", "rest"), [(1, 0, 0.1), (0, 1, 0.1), (1, 1, 1), (0, 0, 1)])
def test_its_variance_is_the_known_one(of_seeds: float, of_queries: float, rest: float):
    """Owen 2007: spread of the row means, of the column means, and of what is left, each over its own number."""
    draw = np.random.default_rng(1).normal
    n, q = 40, 50
    table = of_seeds * draw(size=(n, 1)) + of_queries * draw(size=(1, q)) + rest * draw(size=(n, q))
    rows, columns = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    left = table - rows - columns + table.mean()
    deviation = np.sqrt(rows.var() / n + columns.var() / q + left.var() / (n * q))
    low, high = crossed_bootstrap(table, level=0.95, resamples=20_000)
    assert (high - low) / (2 * 1.96) == pytest.approx(deviation, rel=0.03)
    assert (high + low) / 2 == pytest.approx(table.mean(), abs=0.1 * deviation)


def test_what_a_query_does_to_every_seed_is_not_taken_for_independent_evidence():
    """The same differences for each of 8 seeds: no more is known than from one, whatever their number."""
    once = np.random.default_rng(2).normal(size=(1, 60))
    low, high = crossed_bootstrap(np.repeat(once, 8, axis=0))
    assert (low, high) == pytest.approx(crossed_bootstrap(once), rel=0.05)
    assert high - low == pytest.approx(2 * 1.96 * once.std() / np.sqrt(60), rel=0.05)


def test_blocks_bound_the_memory(monkeypatch):
    table = np.random.default_rng(3).normal(size=(5, 20))
    tracemalloc.start()
    crossed_bootstrap(np.ones((5, 20_000)), resamples=2_000)  # all draws at once would take .6 GB
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 * 2**20
    whole = crossed_bootstrap(table, resamples=4_000, seed=1)
    monkeypatch.setattr("litotes.evaluation.crossed_bootstrap._BLOCK", 20 * 999)
    blocks = crossed_bootstrap(table, resamples=4_000, seed=1)
    assert blocks == pytest.approx(whole, abs=0.02)  # other draws of the same kind


def test_the_seed_repeats():
    table = np.random.default_rng(4).normal(size=(5, 20))
    assert crossed_bootstrap(table, seed=1) == crossed_bootstrap(table, seed=1) != crossed_bootstrap(table, seed=2)


def test_equal_values_give_a_point():
    assert crossed_bootstrap(np.full((5, 7), 0.25), resamples=100) == (0.25, 0.25)


@pytest.mark.parametrize("bad", [[0.1, 0.2], np.empty((3, 0)), [[0.1, np.nan]]])
def test_what_is_no_table_is_refused(bad):
    with pytest.raises(LitotesError, match=r"crossed_bootstrap takes finite values \[seeds, queries\]. Got shape"):
        crossed_bootstrap(bad)


def test_bad_parameters_are_refused():
    with pytest.raises(LitotesError, match="'level' parameter of crossed_bootstrap"):
        crossed_bootstrap([[1.0]], level=95)
    with pytest.raises(LitotesError, match="'resamples' parameter of crossed_bootstrap"):
        crossed_bootstrap([[1.0]], resamples=0)
