"""Places in lists that stand one after the other in flat arrays: which cell is the best of its row, the second ..."""

from __future__ import annotations

import numpy as np

__all__ = ["places_in_groups"]


def places_in_groups(
    groups: np.ndarray, values: np.ndarray, ties: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """An order by group, then by falling value, and each one's place in its group (from 0) along that order.

    Args:
        groups, values: of each item, ``[n]``; values are floats (NaN comes last), whole numbers or bools.
        ties: of equal values the smaller comes first; None: the one that stands first.

    Returns:
        order and places, int64 ``[n]`` each.

    >>> order, place = places_in_groups(np.array([1, 0, 1]), np.array([0.2, 0.5, 0.9]))
    >>> order.tolist(), place.tolist()
    ([1, 2, 0], [0, 0, 1])
    """
    falling = ~values if values.dtype.kind in "biu" else -values  # minus would turn no bool and no unsigned number
    keys = (falling, groups) if ties is None else (ties, falling, groups)
    order = np.lexsort(keys)
    in_order = groups[order]
    return order, np.arange(len(order)) - np.searchsorted(in_order, in_order)
