"""Draws from the columns that a row may have, in proportion to weights: exact, without trying again.

The weights are whole numbers, so all columns lie side by side on a line of whole numbers. A row's forbidden columns are
cut out of the line, what is left is pushed together, and one uniform number a draw picks a place on it. So each draw
takes exactly one number from the generator, whatever the row, and no rounding ever reaches a forbidden column.
"""

from __future__ import annotations

import numpy as np

from litotes.core import Collection
from litotes.core.errors import LitotesError
from litotes.mining.exclusion import Allowed

__all__ = ["FreeColumns"]

_LINE = 2.0**50  # its length: places far finer than any weight, and fewer than the 2**53 numbers of a generator


class FreeColumns:
    """What each row of ``data`` may draw, and how likely.

    Args:
        data: positives of a row, their text twins and columns without content are never drawn.
        weights: float ``[n_cols]``, not negative; None weighs all columns alike.

    Raises:
        LitotesError: a weight is negative or not finite, or they add up to more than a float holds.
    """

    def __init__(self, data: Collection, weights: np.ndarray | None = None) -> None:
        allowed = Allowed.of(data, np.arange(data.n_rows))
        lengths = np.where(allowed.usable, 1 if weights is None else _whole(weights), 0)
        self._ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        self._indptr = allowed.indptr
        cut = np.concatenate([[0], np.cumsum(lengths[allowed.cols], dtype=np.int64)])
        before = cut[:-1] - np.repeat(cut[self._indptr[:-1]], np.diff(self._indptr))  # cut out before it in its row
        self._cut, self._starts = cut, self._ends[allowed.cols] - before
        self.room = self._ends[-1] - (cut[self._indptr[1:]] - cut[self._indptr[:-1]])
        """Length of what is left of the line, int64 ``[n_rows]``; 0 where a row has no column to draw."""

    def at(self, rows: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """The columns at places ``uniform`` of the lines of ``rows``: float64 in [0, 1) in, int64 out, ``[n, k]``."""
        place = (uniform * self.room[rows][:, None]).astype(np.int64)
        first = self._indptr[rows][:, None]
        passed = self._count_starts(rows, place)
        place += self._cut[passed] - self._cut[first]
        return np.searchsorted(self._ends, place, side="right") - 1

    def _count_starts(self, rows: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Where in the row's forbidden columns the first one stands that begins behind ``place``: by halving, for all
        rows at once.
        """
        low = np.broadcast_to(self._indptr[rows][:, None], place.shape).copy()
        high = np.broadcast_to(self._indptr[rows + 1][:, None], place.shape).copy()
        while (low < high).any():
            middle = (low + high) // 2
            passed = (low < high) & (self._starts[np.minimum(middle, len(self._starts) - 1)] <= place)
            low, high = np.where(passed, middle + 1, low), np.where(passed | (low >= high), high, middle)
        return low


def _whole(weights: np.ndarray) -> np.ndarray:
    """Weights as whole numbers that add up to about :data:`_LINE`; what is above 0 stays above 0."""
    with np.errstate(over="ignore"):
        total = weights.sum()
    wrong = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if len(wrong) or not np.isfinite(total):
        what = f"weight {weights[wrong[0]]} for column {wrong[0]}" if len(wrong) else f"weights that add up to {total}"
        raise LitotesError(
            f"FreeColumns takes weights that are finite, not negative, and have a finite sum. Got {what}. "
            "Divide the weights by the largest of them, and leave out what is not a number."
        )
    return np.maximum(np.round(weights * (_LINE / total if total else 0.0)), weights > 0).astype(np.int64)
