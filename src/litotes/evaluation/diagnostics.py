"""Which errors a retriever makes, and whether a static list of hard negatives still is what the retriever confuses.

Zhan et al. 2021, "Optimizing Dense Retrieval Model Training with Hard Negatives", section 3. With r_q the rank of a
query's positive, e_q = r_q - 1 documents are ranked wrongly above it. Random negatives minimise an estimate of the sum
of e_q, most of which a few hopeless queries carry; the model's own top-K minimises the sum of min(e_q, K), in which no
query can dominate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from litotes.core.checks import check_float, check_int
from litotes.core.errors import LitotesError

__all__ = ["PairwiseErrors", "hard_negative_overlap", "pairwise_error_decomposition", "pairwise_errors"]


class PairwiseErrors(NamedTuple):
    """What :func:`pairwise_error_decomposition` finds."""

    total: int
    """Sum of e_q: what random negatives minimise."""
    top_k: int
    """Sum of min(e_q, K): what the model's own top-K negatives minimise."""
    worst_share: float
    """Share of the total that the worst queries carry; 0 where there is no error."""


def pairwise_error_decomposition(ranks: np.ndarray | Sequence[int], K: int, worst: float = 0.01) -> PairwiseErrors:
    """Total error, top-K error, and how much of the total the worst queries carry.

    Args:
        ranks: 1-based rank of the positive, one a query. With several positives a query, pass
            ``pairwise_errors(...) + 1``.
        K: where a query's error is cut.
        worst: fraction of the queries that counts as worst, rounded up to whole queries.

    >>> pairwise_error_decomposition([1, 2, 101], K=10, worst=0.3)
    PairwiseErrors(total=101, top_k=11, worst_share=0.9900990099009901)
    """
    check_int("pairwise_error_decomposition", "K", K, at_least=1)
    check_float("pairwise_error_decomposition", "worst", worst, above=0, at_most=1)
    ranks = np.asarray(ranks)
    if ranks.ndim != 1 or not len(ranks) or ranks.dtype.kind not in "iu" or ranks.min() < 1:
        raise LitotesError("pairwise_error_decomposition takes one rank a query, whole numbers from 1 on.")
    errors = np.sort(ranks.astype(np.int64) - 1)[::-1]
    total = int(errors.sum())
    n_worst = int(np.ceil(round(worst * len(errors), 9)))
    share = float(errors[:n_worst].sum() / total) if total else 0.0
    return PairwiseErrors(total, int(np.minimum(errors, K).sum()), share)


def pairwise_errors(scores: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """e_q: for each positive the non-relevant documents above it, summed over the query's positives.

    Other positives do not count as errors; equal scores rank the smaller column first.

    Args:
        scores: ``[queries, documents]``, no NaN; positives: bool of the same shape.

    Returns:
        int64 ``[queries]``; 0 where a query has no positive.
    """
    scores, positives = np.asarray(scores), np.asarray(positives, dtype=bool)
    if scores.ndim != 2 or scores.shape != positives.shape or np.isnan(scores).any():
        raise LitotesError(
            "pairwise_errors takes scores without NaN and positives of one shape [queries, documents]. "
            f"Got {scores.shape} and {positives.shape}."
        )
    errors = np.zeros(len(scores), dtype=np.int64)
    for row in range(len(scores)):
        ranked = positives[row][np.argsort(-scores[row], kind="stable")]
        errors[row] = np.cumsum(~ranked)[ranked].sum()
    return errors


def hard_negative_overlap(static_lists: np.ndarray, current_topk: np.ndarray) -> float:
    """Mean share of the current top-k that stands in the static list: how fresh static hard negatives still are.

    Args:
        static_lists, current_topk: document positions ``[queries, any]``, -1 where a place is empty; each document once
            a row. Queries whose current list is empty are left out.

    >>> hard_negative_overlap(np.array([[1, 2, 3]]), np.array([[3, 4]]))
    0.5
    """
    static_lists, current_topk = np.asarray(static_lists), np.asarray(current_topk)
    if static_lists.ndim != 2 or current_topk.ndim != 2 or len(static_lists) != len(current_topk):
        raise LitotesError(
            "hard_negative_overlap takes two tables of document positions with one row a query. "
            f"Got shapes {static_lists.shape} and {current_topk.shape}."
        )
    filled = current_topk >= 0
    sizes = filled.sum(axis=1)
    if not sizes.any():
        raise LitotesError("hard_negative_overlap got no current document at all; there is nothing to compare.")
    span = int(max(static_lists.max(initial=-1), current_topk.max())) + 1
    rows = np.arange(len(static_lists), dtype=np.int64)[:, None] * span
    shared = np.isin(current_topk + rows, (static_lists + rows)[static_lists >= 0]) & filled
    return float((shared.sum(axis=1)[sizes > 0] / sizes[sizes > 0]).mean())
