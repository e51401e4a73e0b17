"""Metrics of a list by hand; pseudo-values centred on them, and intervals that take a side as rarely as promised."""

import numpy as np
import pytest

from litotes.claims.suspect_metrics import METRICS, metrics_of, pseudo_values
from litotes.evaluation.verdict import decide


def test_metrics_by_hand():
    found = np.array([True, False, True, False, False, True])
    means = metrics_of(found, missing=4)
    assert tuple(means) == METRICS
    assert means["AP"] == pytest.approx((1 + 2 / 3 + 3 / 6) / 4)  # the fourth is never found
    assert means["P@N"] == pytest.approx(2 / 4) and means["R@2N"] == pytest.approx(3 / 4)
    assert means["P@50"] == pytest.approx(3 / 50)


def test_metrics_equal_their_definitions_on_random_lists():
    found = np.random.default_rng(0).random(300) < 0.2
    n = int(found.sum()) + 7
    means = metrics_of(found, n)
    precisions = [found[: i + 1].mean() for i in np.flatnonzero(found)]
    assert means["AP"] == pytest.approx(sum(precisions) / n)
    assert means["P@N"] == pytest.approx(found[:n].mean()) and means["P@50"] == pytest.approx(found[:50].mean())
    assert means["R@2N"] == pytest.approx(found[: 2 * n].sum() / n)


@pytest.mark.parametrize("rank", [3, 4, 49, 50, 7, 8])
def test_each_cut_stands_where_it_says(rank):
    found = np.arange(60) == rank
    means = metrics_of(found, missing=4)
    assert [means["P@N"] > 0, means["R@2N"] > 0, means["P@50"] > 0] == [rank < 4, rank < 8, rank < 50]


def test_a_perfect_list_has_average_precision_one():
    means = metrics_of(np.array([True, True, False]), missing=2)
    assert means["AP"] == means["P@N"] == means["R@2N"] == 1


def test_where_nothing_is_missing_nothing_is_found():
    assert set(metrics_of(np.zeros(3, dtype=bool), 0).values()) == {0.0}


def test_pseudo_values_by_hand():
    """Hits stand first, third and sixth; three queries miss two, two and none."""
    row, found = np.array([0, 1, 0, 2, 1, 1]), np.array([True, False, True, False, False, True])
    whole = (1 + 2 / 3 + 3 / 6) / 4
    without = np.array([(1 / 4) / 2, (1 + 2 / 2) / 2, (1 + 2 / 3 + 3 / 5) / 4])  # e.g. of 1: hit, hit, miss are left
    values = pseudo_values(row, found, np.array([2, 2, 0]))["AP"]
    assert values == pytest.approx(whole + 2 * (without.mean() - without))


def test_their_mean_is_the_metric():
    rng = np.random.default_rng(1)
    row, found = rng.integers(0, 30, 500), rng.random(500) < 0.3
    missing = np.bincount(row[found], minlength=31) + rng.integers(0, 2, 31)  # query 30 has no suspect at all
    values, whole = pseudo_values(row, found, missing), metrics_of(found, int(missing.sum()))
    assert set(values) == set(METRICS)
    for metric in METRICS:
        assert len(values[metric]) == 31 and values[metric].mean() == pytest.approx(whole[metric], abs=1e-12)


def test_a_query_that_only_pushes_others_down_counts_against_the_list():
    row, found = np.array([0, 0, 0, 1, 2, 2]), np.array([False, False, False, True, True, False])
    values = pseudo_values(row, found, np.array([0, 1, 1]))["AP"]
    assert values[0] < 0 < min(values[1:])  # it has no hit, and what a query adds by its hits alone would be 0


def test_one_query_alone_has_the_metric():
    assert pseudo_values(np.zeros(3, dtype=int), np.array([False, True, True]), np.array([2]))["AP"] == pytest.approx(
        [(1 / 2 + 2 / 3) / 2]
    )


class TestWithoutEffect:
    """Two rankers whose errors have one distribution: whichever side the interval takes is a mistake."""

    RESAMPLES, QUERIES, CELLS = 100, 120, 20

    def lists(self, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
        """Query and hit of the cells, in the order of two rankers that agree on what is easy for a query."""
        row = np.repeat(np.arange(self.QUERIES), self.CELLS)
        relevant = np.minimum(rng.poisson(np.exp(rng.normal(0, 1.0, self.QUERIES))), self.CELLS)
        found = np.tile(np.arange(self.CELLS), self.QUERIES) < relevant[row]
        level = found * 1.2 + 0.5 * rng.normal(size=self.QUERIES)[row]
        orders = [np.argsort(-(level + rng.normal(size=len(row))), kind="stable") for _ in range(2)]
        return [(row[order], found[order]) for order in orders]

    @pytest.mark.parametrize("metric", METRICS)
    def test_a_side_is_rarely_taken(self, metric):
        rng, differences, widths, sides = np.random.default_rng(5), [], [], 0
        for _ in range(self.RESAMPLES):
            parts = []
            for row, found in self.lists(rng):
                missing = np.bincount(row[found], minlength=self.QUERIES)
                parts.append(pseudo_values(row, found, missing)[metric])
            values = parts[0] - parts[1]
            decision = decide(">", [values.mean()] * 5, effect=0.02, per_query=np.tile(values, (5, 1)), resamples=400)
            sides += decision.verdict in ("holds", "does not hold")
            differences.append(values.mean())
            widths.append(np.ptp(decision.bootstrap_interval) / 3.92)
        assert sides <= 12  # of 100: 5 are promised, and a binomial of 5 % exceeds 12 in one draw of 700
        ratio = float(np.mean(widths) / np.std(differences))
        assert 0.85 < ratio < (1.25 if metric == "AP" else 1.8)  # a cut moves in steps: its interval is too wide
