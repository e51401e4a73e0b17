"""The chart: well-formed, in its frame, told apart without colour, its texts escaped."""

import re
from xml.etree import ElementTree

import pytest

from litotes.auditing.line_chart import Series, line_chart, write_range
from litotes.auditing.shares import Point


def point(x, value, low=None, high=None, cells=10, x_low=None, x_high=None):
    low, high = value * 0.8 if low is None else low, value * 1.2 if high is None else high
    x_low, x_high = x if x_low is None else x_low, x + 1 if x_high is None else x_high
    return Point(float(x), float(x_low), float(x_high), cells, value, low, high)


def chart(*series, **options):
    texts = {"title": "t", "x_label": "rank", "y_label": "share", **options}
    return line_chart([Series(name, points) for name, points in series], **texts)


def numbers(svg, attribute):
    return [float(value) for value in re.findall(rf'{attribute}="([-\d.]+)"', svg)]


def test_it_is_one_well_formed_element_with_a_name():
    root = ElementTree.fromstring(chart(("bm25", [point(1, 0.3), point(2, 0.1)]), log_x=True))
    assert root.tag == "svg"
    assert root.get("aria-label") == "t"


def test_points_stand_in_the_frame_and_in_order():
    svg = chart(("bm25", [point(1, 0.3), point(10, 0.1), point(50, 0.0)]), log_x=True)
    xs, ys = numbers(svg, "cx"), numbers(svg, "cy")
    assert xs == sorted(xs)
    assert ys == sorted(ys)  # lower values stand lower
    assert all(0 < x < 440 for x in xs)
    assert all(0 < y < 250 for y in ys)


def test_lines_are_told_apart_without_colour():
    svg = chart(("a", [point(1, 0.3), point(2, 0.1)]), ("b", [point(1, 0.2), point(2, 0.1)]))
    dashes = re.findall(r'stroke-dasharray="([^"]*)"', svg)
    assert len(set(dashes)) == len(dashes) == 2


def test_colours_come_from_the_page():
    svg = chart(("a", [point(1, 0.3)]), ("b", [point(1, 0.2)]))
    assert "var(--line-0)" in svg
    assert "var(--line-1)" in svg
    assert not re.search(r"#[0-9a-f]{3,6}", svg)


def test_names_are_escaped():
    drawn = ElementTree.fromstring(chart(("<b>&", [point(1, 0.3)]), title='"<x>"'))
    assert "<b>&" in "".join(drawn.itertext())


def test_the_exact_numbers_can_be_read():
    svg = chart(("dense", [point(3, 0.125, 0.1, 0.2, cells=1234)]))
    assert "dense, rank 3: 12.5\u00a0% (10\u00a0% to 20\u00a0%), 1,234 cells" in svg


def test_a_limit_is_drawn_only_where_it_is_in_sight():
    across = chart(("a", [point(-1.0, 0.3), point(1.0, 0.1)]), limit=0.0)
    beside = chart(("a", [point(1.0, 0.3), point(2.0, 0.1)]), limit=0.0)
    assert 'class="limit"' in across
    assert 'class="limit"' not in beside


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [1.0, 1.0], [-3.0, -3.0]])
def test_flat_and_single_points_are_drawn(values):
    svg = chart(("a", [point(i + 1, v, v, v) for i, v in enumerate(values)]), percent=min(values) >= 0)
    assert svg.count("<circle") == len(values)
    assert "nan" not in svg
    ElementTree.fromstring(svg)


def test_nothing_to_draw_draws_nothing():
    assert chart(("a", [])) == ""


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [(3.0, 4.0, "3"), (6.0, 8.0, "6 to 7"), (0.25, 0.5, "0.25 to 0.5"), (float("-inf"), 0.5, "about 0.1")],
)
def test_ranges_in_words(low, high, says):
    assert write_range(point(0.1, 0.5, x_low=low, x_high=high)) == says
