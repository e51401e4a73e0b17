"""What weights on negatives do: how they are spread, and whether false negatives get less of them than true ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from litotes.core.errors import LitotesError

__all__ = ["weight_report"]

EDGES = (0.0, 0.5, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 20.0, 50.0)
"""Lower bounds of the bins; the last one is open."""


def weight_report(weights: np.ndarray, is_false: np.ndarray | None = None) -> dict[str, Any]:
    """Spread and histogram of weights, and the ratio of their means on false and true negatives.

    Args:
        weights: of the cells that are taken for negatives, finite and not negative, ``[cells]``.
        is_false: which of them are positives in truth, bool ``[cells]``; None where nobody knows.

    Returns:
        ``cells``, ``mean``, ``sd``, ``lowest``, ``highest``, ``histogram`` (lower bound and number of each bin from
        the first filled one to the last); and where the truth is known ``false_negatives`` (their number),
        ``share_false``, ``mean_on_false``, ``mean_on_true`` and ``ratio``: below 1 where false negatives weigh less.
        What is a mean over nothing is None.

    >>> weight_report(np.array([1.0, 3.0, 3.0]), np.array([True, False, False]))["ratio"]
    0.3333333333333333
    """
    weights = np.asarray(weights, dtype=np.float64).ravel()
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise LitotesError("weight_report takes weights that are finite and not negative.")
    counts = np.histogram(weights, [*EDGES, np.inf])[0]
    filled = np.flatnonzero(counts)
    bins = range(filled[0], filled[-1] + 1) if len(filled) else range(0)
    found: dict[str, Any] = {
        "cells": len(weights),
        "mean": _mean(weights),
        "sd": float(weights.std()) if len(weights) else None,
        "lowest": float(weights.min()) if len(weights) else None,
        "highest": float(weights.max()) if len(weights) else None,
        "histogram": [[EDGES[bin], int(counts[bin])] for bin in bins],
    }
    if is_false is None:
        return found
    is_false = np.asarray(is_false)
    if is_false.dtype != bool or is_false.shape != weights.shape:
        raise LitotesError(
            f"weight_report takes is_false as {len(weights)} booleans. Got {is_false.dtype} of shape {is_false.shape}."
        )
    on_false, on_true = _mean(weights[is_false]), _mean(weights[~is_false])
    return {
        **found,
        "false_negatives": int(is_false.sum()),
        "share_false": float(is_false.mean()) if len(weights) else None,
        "mean_on_false": on_false,
        "mean_on_true": on_true,
        "ratio": on_false / on_true if on_false is not None and on_true else None,
    }


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
