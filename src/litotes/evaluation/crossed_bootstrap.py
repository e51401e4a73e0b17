"""An interval for the mean of differences that are crossed: every seed was measured on every query.

The *pigeonhole* bootstrap (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2)): seeds and queries
are drawn with replacement, independently of each other. Drawing single cells instead would take what the cells of one
query have in common for independent evidence, and give an interval that is far too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from litotes.core.checks import check_float, check_int
from litotes.core.errors import LitotesError
from litotes.core.seeds import rng

__all__ = ["crossed_bootstrap"]

_BLOCK = 1 << 22  # numbers drawn at once


def crossed_bootstrap(
    per_query: np.ndarray | Sequence[Sequence[float]], level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of the mean of float64 ``[seeds, queries]``.

    >>> low, high = crossed_bootstrap([[0.1, 0.3], [0.2, 0.4]])
    >>> low < 0.25 < high
    True
    """
    check_float("crossed_bootstrap", "level", level, above=0, below=1)
    check_int("crossed_bootstrap", "resamples", resamples, at_least=1)
    matrix = np.asarray(per_query, dtype=np.float64)
    if matrix.ndim != 2 or not matrix.size or not np.isfinite(matrix).all():
        raise LitotesError(f"crossed_bootstrap takes finite values [seeds, queries]. Got shape {matrix.shape}.")
    seeds, queries = matrix.shape
    generator, means = rng(seed, "crossed bootstrap"), []
    step = max(1, _BLOCK // queries)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn_seeds = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=count)
        drawn_queries = generator.integers(0, queries, size=(count, queries))
        by_query = drawn_seeds @ matrix / seeds
        means.append(np.take_along_axis(by_query, drawn_queries, axis=1).mean(axis=1))
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
