"""Shares and means along an axis, gathered block by block, with their intervals.

A share gets Wilson's score interval (Wilson, JASA 1927), which stays inside [0, 1] and is honest at shares near 0,
where suspected false negatives live. A mean gets the normal interval of its standard error.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

__all__ = ["Curve", "Point", "margin_edges", "rank_edges", "wilson"]

_Z = 1.959963984540054  # the 97.5 % point of the normal distribution: intervals hold 95 %


@dataclass(frozen=True)
class Point:
    """One bin of a curve: its mean position, how many cells, their share or mean, and its 95 % interval."""

    x: float
    x_low: float
    x_high: float
    cells: int
    value: float
    low: float
    high: float

    def facts(self) -> dict[str, Any]:
        """The point as JSON holds it; an open end is null."""
        return {key: value if np.isfinite(value) else None for key, value in asdict(self).items()}


class Curve:
    """Share (of booleans) or mean (of numbers) per bin of ``x``; bins are ``[edges[i], edges[i + 1])``."""

    def __init__(self, edges: np.ndarray, is_share: bool = True) -> None:
        self.edges, self.is_share = np.asarray(edges, dtype=np.float64), is_share
        n_bins = len(self.edges) - 1
        self.cells = np.zeros(n_bins, dtype=np.int64)
        self._x, self._y, self._yy = np.zeros(n_bins), np.zeros(n_bins), np.zeros(n_bins)

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """More cells: positions and what was seen there; a NaN in either is no cell."""
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        given = ~np.isnan(x) & ~np.isnan(y)
        x, y = x[given], y[given]
        at = np.searchsorted(self.edges, x, side="right") - 1
        inside = (at >= 0) & (at < len(self.cells))
        at, x, y = at[inside], x[inside], y[inside]
        for total, values in ((self._x, x), (self._y, y), (self._yy, y * y)):
            total += np.bincount(at, weights=values, minlength=len(total))
        self.cells += np.bincount(at, minlength=len(self.cells))

    def points(self) -> list[Point]:
        """The bins that hold cells, from left to right."""
        found = []
        for i in np.flatnonzero(self.cells):
            n, mean = int(self.cells[i]), float(self._y[i] / self.cells[i])
            low, high = wilson(round(float(self._y[i])), n) if self.is_share else self._mean_interval(int(i))
            x = float(self._x[i] / n)
            found.append(Point(x, float(self.edges[i]), float(self.edges[i + 1]), n, mean, low, high))
        return found

    def _mean_interval(self, i: int) -> tuple[float, float]:
        n, mean = self.cells[i], self._y[i] / self.cells[i]
        if n < 2:
            return float(mean), float(mean)
        variance = max(float(self._yy[i] - n * mean * mean), 0.0) / (n - 1)
        half = _Z * np.sqrt(variance / n)
        return float(mean - half), float(mean + half)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of the share ``hits / n``; (0, 1) when there is nothing to go by.

    >>> tuple(round(bound, 3) for bound in wilson(0, 100))
    (0.0, 0.037)
    """
    if n == 0:
        return 0.0, 1.0
    share, z2 = hits / n, _Z * _Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def rank_edges(deepest: int) -> np.ndarray:
    """Bins of ranks: one each up to 5, then ever wider, the last one ending after ``deepest``."""
    starts, width = [1, 2, 3, 4, 5, 6, 8, 11, 16, 21, 31, 41, 51, 76], 25
    while starts[-1] + width <= deepest:
        width *= 2
        starts.append(starts[-1] + width)
    kept = [start for start in starts if start <= max(deepest, 1)]
    return np.array([*kept, max(deepest, 1) + 1], dtype=np.float64)


def margin_edges(sample: np.ndarray, bins: int = 14) -> np.ndarray:
    """Equal bins over the middle 98 % of ``sample``, open at both ends."""
    sample = sample[np.isfinite(sample)]
    if not len(sample):
        return np.array([-np.inf, np.inf])
    low, high = np.quantile(sample, [0.01, 0.99])
    if high <= low:
        return np.array([-np.inf, np.inf])
    return np.concatenate([[-np.inf], np.linspace(low, high, bins + 1)[1:-1], [np.inf]])
