"""A line chart with intervals as inline SVG: real text, colours from the page (so that dark mode works), no script.

Each series is told apart by colour *and* dash pattern; its points carry a ``<title>`` with the exact numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from litotes.auditing.shares import Point

__all__ = ["DASHES", "Series", "line_chart", "write_number", "write_percent", "write_range"]

_WIDTH, _HEIGHT = 440, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 12, 14, 44
_LOG_TICKS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)
DASHES = ("none", "7 4", "2 4", "10 4 2 4", "1 3 6 3")


@dataclass(frozen=True)
class Series:
    """One line: a name and its points from left to right."""

    name: str
    points: Sequence[Point]


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    percent: bool = True,
    limit: float | None = None,
) -> str:
    """The chart as an ``<svg>`` element; series ``i`` has the CSS colour ``--line-i``; ``limit`` is a vertical line."""
    points = [point for line in series for point in line.points]
    if not points:
        return ""
    x_of, x_ticks = _x_axis([point.x for point in points], log_x)
    highs, lows = [point.high for point in points], [point.low for point in points]
    ceiling = min(max(highs), max(point.value for point in points) * 1.6 + 1e-9) if percent else max(highs)
    y_of, y_ticks = _y_axis(0.0 if percent else min(lows), ceiling)
    write = write_percent if percent else write_number
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">',
        *(_horizontal(y_of(tick), write(tick)) for tick in y_ticks),
        *(_vertical(x_of(tick), write_number(tick)) for tick in x_ticks),
        f'<text class="axis" x="{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">'
        f"{escape(x_label)}</text>",
        f'<text class="axis" x="13" y="{(_TOP + _HEIGHT - _BOTTOM) / 2:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 13 {(_TOP + _HEIGHT - _BOTTOM) / 2:.0f})">{escape(y_label)}</text>',
    ]
    if limit is not None and min(point.x for point in points) < limit < max(point.x for point in points):
        parts.append(
            f'<line class="limit" x1="{x_of(limit):.1f}" x2="{x_of(limit):.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
        )
    for number, line in enumerate(series):
        parts += _drawn(line, number, x_of, y_of, x_label, write)
    return "\n".join([*parts, "</svg>"])


def _drawn(
    line: Series,
    number: int,
    x_of: Callable[[float], float],
    y_of: Callable[[float], float],
    x_label: str,
    write: Callable[[float], str],
) -> list[str]:
    if not line.points:
        return []
    colour, dash = f"var(--line-{number % 5})", DASHES[number % len(DASHES)]
    along = [(x_of(point.x), point) for point in line.points]
    upper = [f"{x:.1f},{y_of(point.high):.1f}" for x, point in along]
    lower = [f"{x:.1f},{y_of(point.low):.1f}" for x, point in reversed(along)]
    middle = [f"{x:.1f},{y_of(point.value):.1f}" for x, point in along]
    parts = [
        f'<polygon points="{" ".join(upper + lower)}" style="fill:{colour}" fill-opacity=".14"/>',
        f'<polyline points="{" ".join(middle)}" style="stroke:{colour}" stroke-dasharray="{dash}" class="line"/>',
    ]
    for x, point in along:
        says = (
            f"{line.name}, {x_label} {write_range(point)}: {write(point.value)} "
            f"({write(point.low)} to {write(point.high)}), {point.cells:,} cells"
        )
        dot = f'<circle cx="{x:.1f}" cy="{y_of(point.value):.1f}" r="3" style="fill:{colour}"/>'
        parts.append(f"<g>{dot}<title>{escape(says)}</title></g>")
    return parts


def write_range(point: Point) -> str:
    """Where a point's bin lies, in words; ranks as whole numbers, both ends included."""
    if point.x_low.is_integer() and point.x_high == point.x_low + 1:
        return write_number(point.x_low)
    if not (math.isfinite(point.x_low) and math.isfinite(point.x_high)):
        return f"about {write_number(point.x)}"
    if point.x_low.is_integer() and point.x_high.is_integer():
        return f"{write_number(point.x_low)} to {write_number(point.x_high - 1)}"
    return f"{write_number(point.x_low)} to {write_number(point.x_high)}"


def _x_axis(values: Sequence[float], log: bool) -> tuple[Callable[[float], float], list[float]]:
    low, high = min(values), max(values)
    if log:
        ticks = [t for t in _LOG_TICKS if low <= t <= high] or [low]
        scale: Callable[[float], float] = math.log
    else:
        ticks, scale = [tick for tick in _nice_ticks(low, high, 6) if low <= tick <= high], float
    a, b = scale(low), scale(high)
    inner = _WIDTH - _LEFT - _RIGHT - 12
    return (lambda x: _LEFT + 6 + inner * ((scale(x) - a) / (b - a) if b > a else 0.5)), [float(t) for t in ticks]


def _y_axis(low: float, high: float) -> tuple[Callable[[float], float], list[float]]:
    ticks = _nice_ticks(low, high if high > low else low + 1e-3, 4)
    a, b = min(ticks[0], low), max(ticks[-1], high)
    inner = _HEIGHT - _TOP - _BOTTOM

    def place(y: float) -> float:
        return _TOP + inner * (1 - (min(max(y, a), b) - a) / (b - a))

    return place, ticks


def _nice_ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) that cover ``low`` to ``high``."""
    if high <= low:
        return [low]
    raw = (high - low) / about
    power = 10 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _horizontal(y: float, label: str) -> str:
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _vertical(x: float, label: str) -> str:
    base = _HEIGHT - _BOTTOM
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{base}" y2="{base + 4}"/>'
        f'<text class="tick" x="{x:.1f}" y="{base + 17}" text-anchor="middle">{label}</text>'
    )


def write_percent(value: float) -> str:
    """A share as a percentage of three digits, its sign on the same line."""
    return f"{100 * value:.3g}\u00a0%"


def write_number(value: float) -> str:
    """A number of three digits, or whole with commas from a thousand on."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
