"""Is a difference between two systems on the same queries more than chance?

A paired randomisation test (Fisher's; for retrieval Smucker, Allan and Carterette 2007) asks how often the mean
difference would be as large if the two systems were exchangeable on every query. A bootstrap interval says how far the
mean difference would move with other queries of the same kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from litotes.core.checks import check_float, check_int
from litotes.core.errors import LitotesError
from litotes.core.seeds import rng

__all__ = ["bootstrap_interval", "paired_randomisation_test"]

_BLOCK = 1 << 22  # numbers drawn at once


def paired_randomisation_test(
    differences: np.ndarray | Sequence[float], *, permutations: int = 10_000, seed: int = 0
) -> float:
    """Two-sided p-value of the mean of paired differences, by flipping the sign of each.

    With few queries (at most ``permutations`` sign patterns) all patterns are counted: the exact test. Otherwise
    ``permutations`` random ones are drawn, and p = (b + 1) / (m + 1), where b of m reach the observed mean: p is
    never 0, and the test is valid at any m (Phipson and Smyth 2010).

    Args:
        differences: system a minus system b, one a query; finite, at least one.

    >>> paired_randomisation_test([0.1, 0.2, 0.3])  # 2 of 8 sign patterns are as extreme
    0.25
    """
    check_int("paired_randomisation_test", "permutations", permutations, at_least=1)
    differences = _checked("paired_randomisation_test", differences)
    moved = differences[differences != 0]  # flipping the sign of 0 changes nothing
    if not len(moved):
        return 1.0
    observed = abs(moved.sum()) * (1 - 1e-12)  # sums in another order differ in the last digits
    if len(moved) < 63 and 2 ** len(moved) <= permutations:
        sums = _signs_of(np.arange(2 ** len(moved)), len(moved)) @ moved
        return float((np.abs(sums) >= observed).mean())
    generator, reached = rng(seed, "paired randomisation"), 0
    for count in _block_sizes(permutations, len(moved)):
        signs = generator.integers(0, 2, size=(count, len(moved)), dtype=np.int8) * 2.0 - 1.0
        reached += int((np.abs(signs @ moved) >= observed).sum())
    return (reached + 1) / (permutations + 1)


def bootstrap_interval(
    differences: np.ndarray | Sequence[float], *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of the mean over queries, by drawing as many queries with replacement.

    >>> low, high = bootstrap_interval([0.1, 0.2, 0.3])
    >>> low < 0.2 < high
    True
    """
    check_float("bootstrap_interval", "level", level, above=0, below=1)
    check_int("bootstrap_interval", "resamples", resamples, at_least=1)
    differences = _checked("bootstrap_interval", differences)
    generator, means = rng(seed, "bootstrap"), []
    for count in _block_sizes(resamples, len(differences)):
        drawn = generator.integers(0, len(differences), size=(count, len(differences)))
        means.append(differences[drawn].mean(axis=1))
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _checked(owner: str, differences: np.ndarray | Sequence[float]) -> np.ndarray:
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise LitotesError(f"{owner} takes one finite difference a query, at least one. Got shape {values.shape}.")
    return values


def _signs_of(patterns: np.ndarray, length: int) -> np.ndarray:
    """The bits of each pattern as -1 and +1; float64 ``[patterns, length]``."""
    return ((patterns[:, None] >> np.arange(length)) & 1) * 2.0 - 1.0


def _block_sizes(total: int, width: int) -> Iterator[int]:
    """How many rows of ``width`` numbers to draw at once, so that memory stays bounded."""
    step = max(1, _BLOCK // width)
    for start in range(0, total, step):
        yield min(step, total - start)
