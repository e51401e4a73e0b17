"""The plot of a claim: every number is in it, at its place on the axis, and nothing leaves the picture."""

import copy
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from litotes.evaluation.dot_chart import dot_chart
from litotes.evaluation.verdict import decide

SVG = "{http://www.w3.org/2000/svg}"
VALUES = {"new": [0.61, 0.63, 0.62, 0.64, 0.615], "old, plain": [0.58, 0.6, 0.59, 0.61, 0.585]}


def record_of(values=VALUES, holds=(("new", ">", "old, plain"),), effect=0.01, margin=None, says="New beats old"):
    arms = {
        name: {
            "values": {str(seed): value for seed, value in enumerate(row)},
            "mean": float(np.mean(row)),
            "low": float(np.mean(row)) - 0.01,
            "high": float(np.mean(row)) + 0.01,
        }
        for name, row in values.items()
    }
    comparisons = []
    for a, operator, b in holds:
        gaps = np.array(values[a]) - (values[b] if isinstance(b, str) else b)
        decision = decide(operator, gaps, effect=effect, margin=margin, comparisons=len(holds))
        comparisons.append({"a": a, "operator": operator, "b": b, "effect": effect, "margin": margin, **vars(decision)})
    verdict = comparisons[0]["verdict"]
    return {"says": says, "data": "pydocs", "metric": "nDCG@10", "verdict": verdict, "arms": arms} | {
        "comparisons": comparisons
    }


def parsed(record) -> ElementTree.Element:
    return ElementTree.fromstring(dot_chart(record))


def titles(root: ElementTree.Element) -> list[str]:
    return [title.text for title in root.iter(f"{SVG}title")]


def texts(root: ElementTree.Element) -> list[str]:
    return [text.text for text in root.iter(f"{SVG}text")]


def axis_of(root: ElementTree.Element, panel: int):
    """Place to value, from the marked numbers of one panel (0: arms, 1: differences)."""
    ticks = [
        t for t in root.iter(f"{SVG}text") if re.fullmatch(r"-?[\d.e+-]+", t.text) and t.get("text-anchor") == "middle"
    ]
    rows = sorted({tick.get("y") for tick in ticks}, key=float)
    marked = [(float(tick.get("x")), float(tick.text)) for tick in ticks if tick.get("y") == rows[panel]]
    slope, shift = np.polyfit(*zip(*marked, strict=True), 1)
    return lambda x: slope * float(x) + shift


def test_every_seed_stands_at_its_value_and_says_it():
    root = parsed(record_of())
    value_at, dots = axis_of(root, 0), [c for c in root.iter(f"{SVG}circle") if c.get("class") == "dot"]
    found = [value_at(dot.get("cx")) for dot in dots]
    assert found == pytest.approx([*VALUES["new"], *VALUES["old, plain"]], abs=3e-4)
    assert len({dot.get("cy") for dot in dots}) == 2
    assert dots[1].find(f"{SVG}title").text == "new, seed 1: nDCG@10 0.6300"


def test_the_mean_and_its_interval():
    record = record_of()
    root = parsed(record)
    value_at = axis_of(root, 0)
    for line, arm in zip([e for e in root.iter() if e.get("class") == "mean"], record["arms"].values(), strict=True):
        assert value_at(line.get("x1")) == pytest.approx(arm["mean"], abs=3e-4)
    for line, arm in zip([e for e in root.iter() if e.get("class") == "whisker"], record["arms"].values(), strict=True):
        assert value_at(line.get("x1")) == pytest.approx(arm["low"], abs=3e-4)
        assert value_at(line.get("x2")) == pytest.approx(arm["high"], abs=3e-4)
    assert "new: mean 0.6230, 95 % interval 0.6130 to 0.6330" in titles(root)


def test_the_difference_its_interval_and_its_verdict():
    record = record_of()
    comparison, root = record["comparisons"][0], parsed(record)
    value_at = axis_of(root, 1)
    group = next(g for g in root.iter(f"{SVG}g") if g.get("class") == "holds")
    line, dot = group.find(f"{SVG}line"), group.find(f"{SVG}circle")
    assert value_at(line.get("x1")) == pytest.approx(comparison["low"], abs=3e-4)
    assert value_at(line.get("x2")) == pytest.approx(comparison["high"], abs=3e-4)
    assert value_at(dot.get("cx")) == pytest.approx(comparison["difference"], abs=3e-4)
    assert group.find(f"{SVG}title").text == f"new > old, plain: holds. {comparison['sentence']}"
    assert {"pydocs, nDCG@10: holds", "new > old, plain", "holds", "new", "old, plain"} <= set(texts(root))
    zero = next(e for e in root.iter() if e.get("class") == "zero")
    assert value_at(zero.get("x1")) == pytest.approx(0, abs=3e-4)


def test_each_comparison_has_the_band_it_is_held_to():
    holds = [("new", ">", "old, plain"), ("new", "=", 0.62)]
    root = parsed(record_of(holds=holds, effect=0.01, margin=0.05))
    value_at, bands = axis_of(root, 1), [e for e in root.iter() if e.get("class") == "band"]
    found = [[value_at(b.get("x")), value_at(float(b.get("x")) + float(b.get("width")))] for b in bands]
    assert np.array(found) == pytest.approx(np.array([[-0.01, 0.01], [-0.05, 0.05]]), abs=1e-3)
    assert float(bands[0].get("y")) + float(bands[0].get("height")) == float(bands[1].get("y"))
    assert "new = 0.62" in texts(root)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_lower_half_has_room_for_0_and_for_both_ends_of_every_band(sign):
    """Also where all differences lie far to one side of them."""
    far = {"a": [9.0, 9.1, 9.2, 9.05, 9.15], "b": [1.0, 1.1, 1.2, 1.05, 1.15]}
    arms = ("a", "b") if sign > 0 else ("b", "a")
    root = parsed(record_of(far, holds=[(arms[0], ">", arms[1]), (arms[0], "=", arms[1])], effect=0.5, margin=2.0))
    value_at, bands = axis_of(root, 1), [e for e in root.iter() if e.get("class") == "band"]
    assert [value_at(float(b.get("width")) + float(b.get("x"))) for b in bands] == pytest.approx([0.5, 2.0], abs=0.05)
    zero = next(e for e in root.iter() if e.get("class") == "zero")
    assert value_at(zero.get("x1")) == pytest.approx(0, abs=0.02)
    _, _, width, _ = map(float, root.get("viewBox").split())
    names = [float(e.get("x")) for e in root.iter(f"{SVG}text") if e.get("text-anchor") == "end"]
    verdicts = [float(e.get("x")) for e in root.iter(f"{SVG}text") if e.text in ("holds", "does not hold")]
    ends = [float(b.get("x")) + share * float(b.get("width")) for b in bands for share in (0, 1)]
    for x in (*ends, float(zero.get("x1"))):
        assert max(names) < x < min([*verdicts, width])


def test_every_comparison_has_a_line_of_its_own_at_its_own_numbers():
    values = {"a": VALUES["new"], "b": VALUES["old, plain"], "c": [0.3, 0.35, 0.32, 0.31, 0.33]}
    record = record_of(values, holds=[("a", ">", "b"), ("a", ">", "c"), ("b", "<", "c")])
    root = parsed(record)
    value_at = axis_of(root, 1)
    groups = [g for g in root.iter(f"{SVG}g") if g.get("class") in ("holds", "not")]
    for group, c in zip(groups, record["comparisons"], strict=True):
        line, dot = group.find(f"{SVG}line"), group.find(f"{SVG}circle")
        assert [value_at(line.get(x)) for x in ("x1", "x2")] == pytest.approx([c["low"], c["high"]], abs=2e-3)
        assert value_at(dot.get("cx")) == pytest.approx(c["difference"], abs=2e-3)
        assert line.get("y1") == line.get("y2") == dot.get("cy")
    heights = [float(group.find(f"{SVG}circle").get("cy")) for group in groups]
    assert heights == sorted(set(heights))
    bands = [e for e in root.iter() if e.get("class") == "band"]
    for band, height in zip(bands, heights, strict=True):
        assert float(band.get("y")) < height < float(band.get("y")) + float(band.get("height"))
    for element in (e for e in root.iter() if e.get("class") == "zero"):
        assert float(element.get("y1")) < heights[0] and heights[-1] < float(element.get("y2"))


def test_what_does_not_hold_looks_otherwise():
    root = parsed(record_of(holds=[("new", "<", "old, plain"), ("new", ">", "old, plain")]))
    kinds = [g.get("class") for g in root.iter(f"{SVG}g") if g.get("class")]
    assert kinds == ["not", "holds"]
    assert "does not hold" in texts(root)
    style = root.find(f"{SVG}style").text
    assert style.count(".not circle") == style.count(".holds circle") == 2  # in the light and in the dark


@pytest.mark.parametrize(
    "values",
    [
        VALUES,
        {"a": [0.5] * 5, "b": [0.5] * 5},
        {"a": [3000.0, 3100, 2950, 3222, 3019], "b": [1800.0, 1700, 1850, 1904, 1800]},
        {"a": [1e-7, 2e-7, 3e-7, 1e-7, 2e-7], "b": [0.0] * 5},
        {"a": [-0.5, -0.1, -0.2, -0.3, -0.4], "b": [0.5, 0.1, 0.2, 0.3, 0.4]},
    ],
)
def test_nothing_leaves_the_picture(values):
    root = parsed(record_of(values, holds=[("a" if "a" in values else "new", ">", list(values)[1])]))
    _, _, width, height = map(float, root.get("viewBox").split())
    for element in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(element.get(name, 0)) <= width
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(element.get(name, 0)) <= height
    assert len([e for e in root.iter() if e.get("class") == "grid"]) >= 6  # numbers to read both panels by


def test_a_long_name_is_cut_and_told_in_full():
    long = "a name of an arm that is so long that hardly anyone would choose it for an arm"
    root = parsed(record_of({long: VALUES["new"], "b": VALUES["old, plain"]}, holds=[(long, ">", "b")]))
    shown = [text for text in texts(root) if text.endswith("…")]
    assert len(shown) == 2 and all(long.startswith(text[:-1]) for text in shown)
    assert {long, f"{long} > b"} <= set(titles(root))
    short = "in-batch, in-batch with one"
    root = parsed(record_of({short: VALUES["new"], "b": VALUES["old, plain"]}, holds=[(short, ">", "b")]))
    assert f"{short} > b" in texts(root)


def test_what_svg_could_take_for_markup_is_escaped():
    record = record_of({'a <b> & "c"': VALUES["new"], "b": VALUES["old, plain"]}, holds=[('a <b> & "c"', "<", "b")])
    record["says"], record["data"] = 'New "beats" <old> & all', "<x>"
    root = parsed(record)
    assert root.get("aria-label") == 'New "beats" <old> & all'
    assert 'a <b> & "c" < b' in texts(root) and "<x>, nDCG@10: does not hold" in texts(root)


def test_it_stands_alone_and_is_the_same_each_time():
    record = record_of()
    before = copy.deepcopy(record)
    chart = dot_chart(record)
    assert chart == dot_chart(copy.deepcopy(record)) and record == before
    assert chart.startswith('<svg xmlns="http://www.w3.org/2000/svg"') and chart.endswith("</svg>\n")
    assert "prefers-color-scheme: dark" in chart
    assert not re.search(r"<script|href|url\(|var\(", chart)
