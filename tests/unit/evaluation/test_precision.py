"""The seeds and queries that are said to be needed, against experiments run with so many."""

import numpy as np
import pytest
from scipy import stats

from litotes.evaluation.crossed_bootstrap import crossed_bootstrap
from litotes.evaluation.precision import Spread, fewest


def table_of(spread: Spread, seeds: int, queries: int, rng: np.random.Generator) -> np.ndarray:
    """Differences drawn as the model says."""
    a, b = rng.normal(size=(seeds, 1)), rng.normal(size=(1, queries))
    e = rng.normal(size=(seeds, queries))
    return np.sqrt(spread.of_seeds) * a + np.sqrt(spread.of_queries) * b + np.sqrt(spread.rest) * e


def of_components(of_seeds: float, of_queries: float, rest: float, seeds: int, queries: int) -> Spread:
    return Spread(seeds, queries, of_seeds + rest / queries, of_seeds, of_queries, rest)


def t_widths(values: np.ndarray, level: float = 0.95) -> np.ndarray:
    """Of the t interval of each row."""
    n = values.shape[1]
    return 2 * stats.t.ppf((1 + level) / 2, n - 1) * values.std(axis=1, ddof=1) / np.sqrt(n)


def test_by_hand():
    """s = 1, effect 1: 2 x 2.1199 / sqrt(17) = 1.0283 is too wide, and 2 x 2.1098 / sqrt(18) = .9946 is not."""
    assert fewest(Spread(5, 0, 1.0), 1.0, 0.95) == (18, None)
    assert fewest(Spread(5, 0, 4.0), 2.0, 0.95) == (18, None)


@pytest.mark.parametrize(("width", "level"), [(0.9, 0.95), (0.7, 0.95), (0.8, 1 - 0.05 / 3), (0.5, 0.9)])
def test_with_so_many_seeds_the_interval_is_narrow_enough_in_half_the_cases_or_better(width: float, level: float):
    """s estimated without error, so that what is tested is the number, not the luck of the first seeds."""
    seeds, queries = fewest(Spread(5, 0, 1.0), width, level)
    assert queries is None
    drawn = np.random.default_rng(0).normal(size=(4_000, seeds))
    narrow = (t_widths(drawn, level) < width).mean()
    assert 0.49 < narrow < 0.8
    fewer = int(0.75 * seeds)
    assert (t_widths(drawn[:, :fewer], level) < width).mean() < 0.25  # not more than are needed, either


def test_the_number_is_right_on_average_when_the_spread_is_estimated():
    """From 8 seeds: the median of what is said to be needed lies near what is needed."""
    rng = np.random.default_rng(1)
    said = [fewest(Spread.of(rng.normal(size=8)), 0.5, 0.95)[0] for _ in range(300)]
    assert np.median(said) == pytest.approx(fewest(Spread(8, 0, 1.0), 0.5, 0.95)[0], rel=0.15)


def test_the_components_are_found_again():
    rng, true = np.random.default_rng(2), of_components(0.5, 2.0, 9.0, 20, 30)
    found = [Spread.of(table.mean(axis=1), table) for table in (table_of(true, 20, 30, rng) for _ in range(200))]
    assert np.mean([spread.of_seeds for spread in found]) == pytest.approx(true.of_seeds, rel=0.08)
    assert np.mean([spread.of_queries for spread in found]) == pytest.approx(true.of_queries, rel=0.08)
    assert np.mean([spread.rest for spread in found]) == pytest.approx(true.rest, rel=0.02)
    assert np.mean([spread.over_seeds for spread in found]) == pytest.approx(true.over_seeds, rel=0.08)


@pytest.mark.parametrize("components", [(1.0, 0.2, 1.0), (0.05, 1.0, 1.0), (0.0, 0.0, 1.0)])
@pytest.mark.parametrize(("seeds", "queries"), [(12, 80), (30, 25)])
def test_the_width_of_the_bootstrap_is_foreseen(components: tuple[float, float, float], seeds: int, queries: int):
    rng, spread = np.random.default_rng(3), of_components(*components, 5, 20)
    found = []
    for _ in range(100):
        low, high = crossed_bootstrap(table_of(spread, seeds, queries, rng), resamples=600)
        found.append(high - low)
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(spread.bootstrap_width(seeds, queries, 0.95), rel=0.1)


def test_the_variance_of_the_bootstrap_is_right_for_few_seeds_too():
    """3 seeds and 4 queries, against Owen's formula for each of 40,000 tables."""
    rng, spread = np.random.default_rng(5), of_components(1.0, 2.0, 3.0, 5, 20)
    a, b, e = rng.normal(size=(40_000, 3, 1)), rng.normal(size=(40_000, 1, 4)), rng.normal(size=(40_000, 3, 4))
    tables = a + np.sqrt(2) * b + np.sqrt(3) * e
    rows, columns = tables.mean(axis=2), tables.mean(axis=1)
    left = tables - rows[:, :, None] - columns[:, None, :] + tables.mean(axis=(1, 2), keepdims=True)
    variance = (rows.var(axis=1) / 3 + columns.var(axis=1) / 4 + (left**2).mean(axis=(1, 2)) / 12).mean()
    assert spread.bootstrap_width(3, 4, 0.95) == pytest.approx(2 * 1.959964 * np.sqrt(variance), rel=0.01)


def test_more_queries_narrow_the_t_interval_by_what_queries_add_to_it():
    only_rest, only_seeds = of_components(0.0, 1.0, 1.0, 5, 20), of_components(1.0, 1.0, 0.0, 5, 20)
    assert only_rest.t_width(5, 80, 0.95) == pytest.approx(only_rest.t_width(5, 20, 0.95) / 2)
    assert only_seeds.t_width(5, 80, 0.95) == pytest.approx(only_seeds.t_width(5, 20, 0.95))
    assert only_rest.t_width(5, 20, 0.95) == pytest.approx(2 * 2.776445 * np.sqrt(1 / 20 / 5), rel=1e-6)


def test_where_seeds_are_the_limit_seeds_are_asked_for():
    spread = of_components(1.0, 0.01, 1.0, 5, 200)
    seeds, queries = fewest(spread, 1.0, 0.95)
    assert queries is None
    assert 18 <= seeds <= 22


def test_where_queries_are_the_limit_queries_are_asked_for():
    """Between queries 1: over 50 of them the interval is 2 x 1.96 / sqrt(50) = .55 wide, however many seeds."""
    spread = of_components(1e-6, 1.0, 0.01, 5, 50)
    seeds, queries = fewest(spread, 0.3, 0.95)
    assert seeds is None
    assert queries == pytest.approx((2 * 1.96 / 0.3) ** 2, rel=0.03)
    rng, narrow = np.random.default_rng(4), []
    for _ in range(60):
        low, high = crossed_bootstrap(table_of(spread, 5, queries, rng), resamples=1_000)
        narrow.append(high - low < 0.3)
    assert np.mean(narrow) > 0.3  # half, within three standard errors
    assert fewest(spread, 0.7, 0.95)[1] is None


def test_where_both_are_the_limit_both_are_asked_for():
    spread = of_components(1.0, 4.0, 1.0, 5, 50)
    seeds, queries = fewest(spread, 0.5, 0.95)
    assert seeds is not None
    assert queries is not None
    wide = spread.t_width(seeds, queries, 0.95), spread.bootstrap_width(seeds, queries, 0.95)
    assert max(wide) < 0.5
    assert spread.bootstrap_width(seeds, queries - 1, 0.95) >= 0.5


def test_what_no_number_can_do_is_said():
    assert fewest(Spread(5, 0, 1.0), 0.0, 0.95) == (None, None)
    assert fewest(of_components(1.0, 1.0, 1.0, 5, 5), 0.0, 0.95) == (None, None)


def test_one_query_has_no_spread_of_its_own():
    table = np.array([[0.1], [0.3], [0.2]])
    assert Spread.of(table.mean(axis=1), table) == Spread.of(table.mean(axis=1))
