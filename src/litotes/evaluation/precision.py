r"""How many seeds or queries would tell what these cannot: the width of an interval, foreseen.

Differences by seed s and query q are read as :math:`\mu + a_s + b_q + e_{sq}` (two-way analysis of variance, random
effects). With n seeds and Q queries the t interval over seeds is :math:`2\,t_{n-1}\sqrt{(\sigma_a^2+\sigma_e^2/Q)/n}`
wide, and the crossed bootstrap about :math:`2z\sqrt V`, where

.. math:: V = (\sigma_a^2 + \sigma_e^2/Q)\frac{n-1}{n^2} + (\sigma_b^2 + \sigma_e^2/n)\frac{Q-1}{Q^2}
              + \sigma_e^2\frac{(n-1)(Q-1)}{n^2Q^2}

is the variance that it gives to the mean (Owen 2007). More seeds take away all but :math:`\sigma_b^2`: if that alone is
too wide, only more queries can tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Spread", "fewest"]

_OUT_OF_REACH = 10**9


@dataclass(frozen=True)
class Spread:
    """Where the spread of differences comes from.

    Attributes:
        seeds, queries: how many there were; no queries where values by query are not known.
        over_seeds: variance of the means over queries, what the t interval sees.
        of_seeds, of_queries, rest: variance of :math:`a`, :math:`b`, :math:`e`; 0 where values by query are not known.
    """

    seeds: int
    queries: int
    over_seeds: float
    of_seeds: float = 0.0
    of_queries: float = 0.0
    rest: float = 0.0

    @classmethod
    def of(cls, differences: np.ndarray, per_query: np.ndarray | None = None) -> Spread:
        """Estimated from float64 ``[seeds]`` (two at least) and, where it is known, ``[seeds, queries]``."""
        seeds, over_seeds = len(differences), float(differences.var(ddof=1))
        if per_query is None or per_query.shape[1] == 1:
            return cls(seeds, 0, over_seeds)
        queries = per_query.shape[1]
        by_seed, by_query = per_query.mean(axis=1, keepdims=True), per_query.mean(axis=0, keepdims=True)
        rest = float(((per_query - by_seed - by_query + per_query.mean()) ** 2).sum() / ((seeds - 1) * (queries - 1)))
        of_seeds = max(float(by_seed.var(ddof=1)) - rest / queries, 0.0)
        of_queries = max(float(by_query.var(ddof=1)) - rest / seeds, 0.0)
        return cls(seeds, queries, over_seeds, of_seeds, of_queries, rest)

    def t_width(self, seeds: int, queries: int, level: float) -> float:
        """Of the t interval over seeds."""
        from scipy import special

        variance = min(self.over_seeds, self.of_seeds + self.rest / queries) if self.queries else self.over_seeds
        return 2 * float(special.stdtrit(seeds - 1, (1 + level) / 2)) * math.sqrt(variance / seeds)

    def bootstrap_width(self, seeds: int, queries: int, level: float) -> float:
        """Of the crossed bootstrap; 0 where values by query are not known."""
        from scipy import special

        if not self.queries:
            return 0.0
        n, q = float(seeds), float(queries)
        variance = (
            (self.of_seeds + self.rest / q) * (n - 1) / n**2
            + (self.of_queries + self.rest / n) * (q - 1) / q**2
            + self.rest * (n - 1) * (q - 1) / (n * q) ** 2
        )
        return 2 * float(special.ndtri((1 + level) / 2)) * math.sqrt(variance)


def fewest(spread: Spread, width: float, level: float) -> tuple[int | None, int | None]:
    """How many seeds, and how many queries, an interval narrower than ``width`` takes.

    Returns:
        Seeds alone where they suffice; else queries alone, or more of both where that is less to run. Two None: not
        within reach.
    """

    def is_enough(seeds: int, queries: int) -> bool:
        t, bootstrap = spread.t_width(seeds, queries, level), spread.bootstrap_width(seeds, queries, level)
        return max(t, bootstrap) < width

    seeds = _least(lambda n: is_enough(n, spread.queries), spread.seeds)
    if seeds is not None or not spread.queries:
        return seeds, None
    queries = _least(lambda q: is_enough(spread.seeds, q), spread.queries)
    more = _least(lambda n: spread.t_width(n, spread.queries, level) < width, spread.seeds)
    fewer = None if more is None else _least(lambda q: is_enough(more, q), spread.queries)
    if more is None or fewer is None or (queries is not None and spread.seeds * queries <= more * fewer):
        return None, queries
    return more, fewer


def _least(is_enough: Callable[[int], bool], more_than: int) -> int | None:
    """The smallest number above ``more_than`` that is enough, where every larger one is, too."""
    too_few, high = more_than, more_than + 1
    while not is_enough(high):
        too_few, high = high, 2 * high
        if high > _OUT_OF_REACH:
            return None
    while high - too_few > 1:
        middle = (too_few + high) // 2
        too_few, high = (too_few, middle) if is_enough(middle) else (middle, high)
    return high
