"""A claim as a picture: every seed of every arm a dot, the mean with its interval, below them each compared difference.

One SVG that stands alone: real text, colours for light and for dark surroundings, exact numbers in each ``<title>``,
the same bytes for the same record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["dot_chart"]

_WIDTH, _RIGHT, _LINE, _TOP = 720, 132, 30, 46
_LETTER = 6.6  # about the width of one at this size
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #222; }
.small { font-size: 11px; fill: #666; } .title { font-weight: 600; }
.grid { stroke: #ddd; } .zero { stroke: #888; } .band { fill: #888; fill-opacity: .12; }
.dot { fill: #1f6feb; fill-opacity: .6; } .mean { stroke: #0b3d91; stroke-width: 2.5; } .whisker { stroke: #0b3d91; }
.holds { stroke: #1a7f37; } .not { stroke: #b35900; } .holds circle { fill: #1a7f37; } .not circle { fill: #fff; }
.holds, .not { stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
 text { fill: #e6e6e6; } .small { fill: #a0a0a0; } .grid { stroke: #444; } .zero { stroke: #999; }
 .dot { fill: #6cb0ff; fill-opacity: .75; } .mean, .whisker { stroke: #b3d4ff; }
 .holds { stroke: #4cc36a; } .not { stroke: #ffa657; } .holds circle { fill: #4cc36a; } .not circle { fill: #111; }
}
""".strip()


def dot_chart(record: Mapping[str, Any]) -> str:
    """The picture of one claim's record (see :mod:`litotes.evaluation.claim_result`)."""
    arms, comparisons = record["arms"], record["comparisons"]
    labels = [*arms, *(_label(comparison) for comparison in comparisons)]
    left = min(int(max(map(len, labels)) * _LETTER) + 24, _WIDTH // 2)
    middle = _TOP + len(arms) * _LINE
    second = middle + 66
    height = second + len(comparisons) * _LINE + 30
    title = f"{record['data']}, {record['metric']}: {record['verdict']}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
            f'height="{height}" role="img" aria-label="{escape(record["says"])}">',
            f"<style>{_STYLE}</style>",
            f'<text class="title" x="8" y="20">{escape(title)}</text>',
            f'<text class="small" x="8" y="36">{escape(record["metric"])}: every seed, and the mean with its 95 % '
            "interval</text>",
            *_arms(arms, record["metric"], left, middle),
            f'<text class="small" x="8" y="{second - 14}">differences with the intervals that decide; grey: no larger '
            "than the effect or margin that the claim speaks of</text>",
            *_differences(comparisons, left, second),
            "</svg>",
            "",
        ]
    )


def _arms(arms: Mapping[str, Mapping[str, Any]], metric: str, left: int, base: int) -> list[str]:
    """A line an arm: dots, mean, 95 % interval."""
    ends = [v for arm in arms.values() for v in (*arm["values"].values(), arm["low"], arm["high"])]
    x_of, ticks = _axis(ends, left)
    parts = _ticks(x_of, ticks, _TOP, base)
    for line, (name, arm) in enumerate(arms.items()):
        y = _TOP + line * _LINE + _LINE // 2
        says = f"{name}: mean {arm['mean']:.4f}, 95 % interval {arm['low']:.4f} to {arm['high']:.4f}"
        mean = x_of(arm["mean"])
        parts += [
            _name(name, left, y),
            f'<g><line class="whisker" x1="{x_of(arm["low"]):.1f}" x2="{x_of(arm["high"]):.1f}" y1="{y}" y2="{y}"/>'
            f'<line class="mean" x1="{mean:.1f}" x2="{mean:.1f}" y1="{y - 8}" y2="{y + 8}"/>'
            f"<title>{escape(says)}</title></g>",
        ]
        for seed, value in arm["values"].items():
            says = f"{name}, seed {seed}: {metric} {value:.4f}"
            parts.append(
                f'<circle class="dot" cx="{x_of(value):.1f}" cy="{y}" r="4"><title>{escape(says)}</title></circle>'
            )
    return parts


def _differences(comparisons: Sequence[Mapping[str, Any]], left: int, top: int) -> list[str]:
    """A line a comparison: the difference and the interval that decided, beside 0 and the claim's effect or margin."""
    limits = [c["margin"] if c["operator"] == "=" else c["effect"] for c in comparisons]
    ends = [end for c in comparisons for end in (c["difference"], c["low"], c["high"])]
    x_of, ticks = _axis([0.0, -max(limits), max(limits), *ends], left)
    base = top + len(comparisons) * _LINE
    bands = [
        f'<rect class="band" x="{x_of(-limit):.1f}" y="{top + line * _LINE}" '
        f'width="{x_of(limit) - x_of(-limit):.1f}" height="{_LINE}"/>'
        for line, limit in enumerate(limits)
    ]
    zero = f'<line class="zero" x1="{x_of(0):.1f}" x2="{x_of(0):.1f}" y1="{top}" y2="{base}"/>'
    parts = [*bands, *_ticks(x_of, ticks, top, base), zero]
    for line, c in enumerate(comparisons):
        y = top + line * _LINE + _LINE // 2
        kind = "holds" if c["verdict"] == "holds" else "not"
        says = f"{_label(c)}: {c['verdict']}. {c['sentence']}"
        parts += [
            _name(_label(c), left, y),
            f'<g class="{kind}"><line x1="{x_of(c["low"]):.1f}" x2="{x_of(c["high"]):.1f}" y1="{y}" y2="{y}"/>'
            f'<circle cx="{x_of(c["difference"]):.1f}" cy="{y}" r="5"/><title>{escape(says)}</title></g>',
            f'<text class="small" x="{_WIDTH - _RIGHT + 12}" y="{y + 4}">{escape(c["verdict"])}</text>',
        ]
    return parts


def _name(name: str, left: int, y: int) -> str:
    """What stands left of a line, cut where there is no room for it."""
    room = math.ceil((left - 24) / _LETTER)
    shown = name if len(name) <= room else f"{name[: room - 1]}…"
    full = "" if shown == name else f"<title>{escape(name)}</title>"
    return f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(shown)}{full}</text>'


def _label(comparison: Mapping[str, Any]) -> str:
    return f"{comparison['a']} {comparison['operator']} {comparison['b']}"


def _axis(values: Sequence[float], left: int) -> tuple[Callable[[float], float], list[float]]:
    """Where a value stands, and round numbers to mark."""
    low, high = min(values), max(values)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    room = (high - low) * 0.04
    low, high = low - room, high + room
    inner = _WIDTH - left - _RIGHT

    def place(value: float) -> float:
        return left + inner * (value - low) / (high - low)

    raw = (high - low) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    count = range(math.ceil(low / step), math.floor(high / step) + 1)
    return place, [round(number * step, 12) for number in count]


def _ticks(x_of: Callable[[float], float], ticks: Sequence[float], top: int, base: int) -> list[str]:
    return [
        f'<line class="grid" x1="{x_of(tick):.1f}" x2="{x_of(tick):.1f}" y1="{top}" y2="{base}"/>'
        f'<text class="small" x="{x_of(tick):.1f}" y="{base + 15}" text-anchor="middle">{tick:.4g}</text>'
        for tick in ticks
    ]
