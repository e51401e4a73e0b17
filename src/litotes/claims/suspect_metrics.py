r"""How good a list of suspects is, and how much of that hangs on each query.

N positives are missing, found or not; the list is of cells of all queries, the surest first. ``AP`` is its average
precision, ``P@N`` and ``P@50`` the share of missing positives among the first N or 50, ``R@2N`` the share of the
missing within the first 2N.

None of them is a mean over queries: a query that goes takes its hits along, and moves the rank of all that stood below
its cells. To draw an interval over queries all the same, each of the Q queries is given its *pseudo-value* (the
jackknife: Tukey 1958; Miller 1974, "The jackknife: a review", Biometrika 61(1)),

.. math:: \tilde\theta_q = \hat\theta + (Q - 1)\,\bigl(\bar\theta_{(\cdot)} - \hat\theta_{(q)}\bigr),

where :math:`\hat\theta_{(q)}` is the metric without the cells and the missing positives of query q, and
:math:`\bar\theta_{(\cdot)}` the mean of these. Their mean over queries is the metric of the whole list, and they spread
as it does when other queries are drawn. The order of the other cells is taken as it is.
"""

from __future__ import annotations

import numpy as np

__all__ = ["METRICS", "metrics_of", "pseudo_values"]

METRICS = ("AP", "P@N", "P@50", "R@2N")


def metrics_of(found: np.ndarray, missing: int) -> dict[str, float]:
    """Each metric of one list; all are 0 where nothing is missing.

    Args:
        found: whether a suspect is a missing positive, the surest first, bool ``[suspects]``.
        missing: how many are missing, found or not.
    """
    hits = np.flatnonzero(found)  # from 0
    n = max(missing, 1)
    return {
        "AP": float((np.arange(1, len(hits) + 1) / (hits + 1)).sum() / n),
        "P@N": float((hits < missing).sum() / n),
        "P@50": float((hits < 50).sum() / 50),
        "R@2N": float((hits < 2 * missing).sum() / n),
    }


def pseudo_values(row: np.ndarray, found: np.ndarray, missing: np.ndarray) -> dict[str, np.ndarray]:
    """The pseudo-values of the queries by metric, float64 ``[queries]``; their mean is the metric.

    Args:
        row: the query of each suspect, the surest first, int64 ``[suspects]``.
        found: whether it is a missing positive, bool ``[suspects]``.
        missing: how many each query misses, found or not, int64 ``[queries]``.
    """
    total, queries = int(missing.sum()), len(missing)
    whole = metrics_of(found, total)
    without = [metrics_of(found[row != query], total - int(missing[query])) for query in range(queries)]
    values = {}
    for metric, value in whole.items():
        left = np.array([each[metric] for each in without])
        values[metric] = value + (queries - 1) * (left.mean() - left)
    return values
