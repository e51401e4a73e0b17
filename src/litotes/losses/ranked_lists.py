"""The lists that a listwise loss learns from: what a search returned, and the positives it missed.

Zhan et al. 2021, section 5 (ADORE), with the rule of the official code: a query whose search result holds none of its
positives gets *all* of them appended after position k; where at least one was retrieved, missing ones are ignored.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn import functional as F

from litotes.core.errors import LitotesError

__all__ = ["RankedLists", "ranked_lists"]


@dataclass(frozen=True)
class RankedLists:
    """One list of documents a query, padded: column ``j`` holds what stands at position ``j + 1``.

    Attributes:
        ids: int64 ``[queries, length]``, -1 where a place is empty (never row -1 of anything: mask with ``keep``).
        positives: bool, the known positives.
        keep: bool, the places that hold a document. A caller who suspects a false negative clears its place.
    """

    ids: Int[Tensor, "queries length"]
    positives: Bool[Tensor, "queries length"]
    keep: Bool[Tensor, "queries length"]

    @property
    def positions(self) -> Int[Tensor, "length"]:
        """Positions of the columns, from 1; appended positives stand at k + 1, k + 2, ..., not at their true rank."""
        return torch.arange(1, self.ids.shape[1] + 1, device=self.ids.device)


def ranked_lists(retrieved: Int[Tensor, "queries k"], relevant: Int[Tensor, "queries most"]) -> RankedLists:
    """Label a search result and append the positives of the queries that retrieved none.

    Args:
        retrieved: document ids by descending score, -1 where the search returned fewer than k.
        relevant: each query's known positives, once each, padded with -1.

    >>> lists = ranked_lists(torch.tensor([[5, 3], [5, 3]]), torch.tensor([[3, 9], [7, -1]]))
    >>> lists.ids
    tensor([[ 5,  3, -1],
            [ 5,  3,  7]])
    """
    if retrieved.ndim != 2 or relevant.ndim != 2 or len(retrieved) != len(relevant):
        raise LitotesError(
            "ranked_lists takes the search result [queries, k] and the positives [queries, most], both padded with -1. "
            f"Got shapes {tuple(retrieved.shape)} and {tuple(relevant.shape)}."
        )
    relevant = relevant.to(retrieved)
    relevant = relevant.gather(1, (relevant < 0).to(torch.int8).argsort(dim=1, stable=True))  # padding to the right
    hits = _is_member(retrieved, relevant)
    missed = ~hits.any(dim=1, keepdim=True)
    appended = relevant.where(missed, -1)
    appended = appended[:, (appended >= 0).any(dim=0)]  # as wide as the longest that is appended
    ids = torch.cat([retrieved, appended], dim=1)
    keep = ids >= 0
    positives = keep & F.pad(hits, (0, appended.shape[1]), value=True)
    return RankedLists(ids.where(keep, -1), positives, keep)


def _is_member(ids: Int[Tensor, "queries k"], sets: Int[Tensor, "queries most"]) -> Bool[Tensor, "queries k"]:
    """Whether each id is in the set of its own row; -1 is in none. Memory stays linear in both."""
    if not ids.numel() or not sets.numel():
        return torch.zeros_like(ids, dtype=torch.bool)
    span = int(max(ids.max(), sets.max())) + 1
    rows = torch.arange(len(ids), device=ids.device)[:, None] * span
    return torch.isin(ids + rows, (sets + rows)[sets >= 0]) & (ids >= 0)
