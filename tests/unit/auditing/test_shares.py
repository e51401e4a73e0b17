"""Intervals and curves: against scipy, against the plain loop, and whatever the blocks."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from scipy.stats import binomtest

from litotes.auditing.shares import Curve, margin_edges, rank_edges, wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (10, 10), (1, 5000), (635, 24000)])
def test_wilson_is_scipys(hits, n):
    theirs = binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits, n) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_of_no_cells_nothing_is_known():
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 1000), st.data())
def test_wilson_holds_the_share(n, drawn):
    hits = drawn.draw(st.integers(0, n))
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n + 1e-12
    assert hits / n - 1e-12 <= high <= 1


@given(st.lists(st.tuples(st.floats(0, 10), st.booleans()), max_size=60), st.integers(1, 20))
def test_blocks_add_up_to_the_whole(cells, size):
    edges = [0, 1, 2.5, 7]
    whole, parts = Curve(edges), Curve(edges)
    x, y = np.array([c[0] for c in cells]), np.array([c[1] for c in cells], dtype=float)
    whole.add(x, y)
    for start in range(0, len(cells), size):
        parts.add(x[start : start + size], y[start : start + size])
    for one, other in zip(whole.points(), parts.points(), strict=True):
        assert one.cells == other.cells
        assert one.value == pytest.approx(other.value)


def test_a_curve_counts_what_a_loop_counts():
    x, y = np.array([1, 1, 2, 3, 3, 3, 9]), np.array([1, 0, 1, 0, 0, 1, 1])
    curve = Curve([1, 2, 3, 4])
    curve.add(x, y)
    assert [(p.x, p.cells, p.value) for p in curve.points()] == [(1, 2, 0.5), (2, 1, 1.0), (3, 3, pytest.approx(1 / 3))]


def test_cells_without_a_place_or_a_word_are_no_cells():
    curve = Curve([0, 1, 2])
    curve.add(np.array([0.5, np.nan, 1.5]), np.array([np.nan, 1.0, 1.0]))
    assert [point.cells for point in curve.points()] == [1]


def test_a_mean_has_the_interval_of_its_standard_error():
    curve = Curve([0, 1], is_share=False)
    values = np.array([1.0, 2.0, 4.0, 9.0])
    curve.add(np.full(4, 0.5), values)
    [point] = curve.points()
    half = 1.959963984540054 * values.std(ddof=1) / 2
    assert (point.value, point.low, point.high) == pytest.approx((4.0, 4.0 - half, 4.0 + half))


@pytest.mark.parametrize("deepest", [1, 3, 10, 50, 200, 1000])
def test_every_rank_up_to_the_deepest_has_one_bin(deepest):
    edges = rank_edges(deepest)
    assert (np.diff(edges) > 0).all()
    assert edges[0] == 1
    assert edges[-1] == deepest + 1


def test_margins_beyond_the_middle_fall_into_the_open_ends():
    edges = margin_edges(np.linspace(-1, 1, 1000))
    curve = Curve(edges)
    curve.add(np.array([-50.0, 50.0]), np.array([1.0, 0.0]))
    assert [point.value for point in curve.points()] == [1.0, 0.0]


@pytest.mark.parametrize("sample", [np.array([]), np.array([np.nan]), np.full(5, 0.3)])
def test_margins_that_say_nothing_make_one_bin(sample):
    assert margin_edges(sample).tolist() == [-np.inf, np.inf]
