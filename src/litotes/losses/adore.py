"""ADORE: pairs of the current search result, weighted by what swapping them does to a ranking metric.

Zhan et al. 2021, "Optimizing Dense Retrieval Model Training with Hard Negatives", section 5; weights as LambdaRank's
(Burges 2010) with the reciprocal rank as metric; constants as in the official code's training loop.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from litotes.core.checks import check_float, check_int
from litotes.losses.cells import Reduction, cell_mask, full_precision, reduce_kept
from litotes.losses.pairwise import softplus
from litotes.losses.ranked_lists import RankedLists

__all__ = ["AdoreLoss", "adore_loss", "reciprocal_ranks"]


def adore_loss(
    scores: Float[Tensor, "queries length"],
    positives: Bool[Tensor, "queries length"],
    *,
    keep: Bool[Tensor, "queries length"] | None = None,
    metric_cut: int | None = 200,
    weights: Float[Tensor, "queries length"] | None = None,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""Pair losses of each list's positives and negatives, weighted by their difference in reciprocal rank.

    .. math:: \ell_q = \frac{1}{|P_q| |N_q|} \sum_{p \in P_q} \sum_{n \in N_q}
        |\rho_p - \rho_n| \, \mathrm{softplus}(z_n - z_p),
        \qquad \rho_j = 1/j \text{ for } j \le c, \text{ else } 0

    ``j`` is the column's place in the list, counted from 1: a constant, as are the weights. The divisor is the
    *unweighted* number of pairs, so pairs of weight 0 count in it. A list without a positive or without a negative
    contributes nothing (0, zero gradient, not counted in the mean). Memory is positives x negatives a query, never
    length x length. Half-precision scores are computed in float32.

    Args:
        scores: z, scores in list order (see :func:`~litotes.losses.ranked_lists`).
        positives: which places hold a known positive; every other kept place is a negative.
        keep: False for empty places, and for those that shall teach nothing. ``None`` keeps all.
        metric_cut: c, or None for no cut.
        weights: rho for each place instead of the reciprocal ranks (no gradient flows into them).
        reduction: ``"none"`` gives the losses of the queries.

    >>> adore_loss(torch.zeros(1, 2), torch.tensor([[False, True]]))  # |1/2 - 1| log 2
    tensor(0.3466)
    """
    keep = cell_mask("adore_loss", "keep", keep, scores)
    positives = cell_mask("adore_loss", "positives", positives, scores) & keep
    negatives = keep & ~positives
    z = full_precision(scores)
    rho = reciprocal_ranks(z.shape[1], metric_cut).to(z).expand_as(z) if weights is None else weights.to(z).detach()
    up, is_up = _packed(positives)
    down, is_down = _packed(negatives)
    pairs = is_up[:, :, None] & is_down[:, None, :]
    gaps = (z.gather(1, down)[:, None, :] - z.gather(1, up)[:, :, None]).where(pairs, 0.0)
    importance = (rho.gather(1, down)[:, None, :] - rho.gather(1, up)[:, :, None]).abs()
    total = (importance * pairs * softplus(gaps)).sum(dim=(1, 2))
    n_pairs = pairs.sum(dim=(1, 2))
    return reduce_kept("adore_loss", total / n_pairs.clamp(min=1), n_pairs > 0, reduction)


def reciprocal_ranks(length: int, metric_cut: int | None) -> Float[Tensor, "length"]:
    """rho: 1/j at position j (from 1) up to ``metric_cut``, 0 behind it; ``None`` cuts nothing."""
    if metric_cut is not None:
        check_int("adore_loss", "metric_cut", metric_cut, at_least=1)
    positions = torch.arange(1, length + 1, dtype=torch.float64)
    return (1 / positions).where(positions <= (length if metric_cut is None else metric_cut), 0.0)


class AdoreLoss(nn.Module):
    """:func:`adore_loss` of query vectors against the frozen vectors of the documents in their lists.

    The step around it: search the index with ``queries.detach()``; ``lists = ranked_lists(ids, relevant)``; fetch the
    vectors of ``lists.ids`` (``clamp(min=0)`` the empty places) from the same index; call this. The documents'
    vectors may be a compressed index's reconstructions: its ranking errors are then trained away.

    Args:
        metric_cut: c, or None for no cut.
        scale: multiplies the inner products; 1 is the paper's, larger values suit unit vectors.
    """

    def __init__(self, metric_cut: int | None = 200, *, scale: float = 1.0) -> None:
        super().__init__()
        self.metric_cut = None if metric_cut is None else check_int("AdoreLoss", "metric_cut", metric_cut, at_least=1)
        self.scale = check_float("AdoreLoss", "scale", scale, above=0.0)

    def forward(
        self, queries: Float[Tensor, "queries dim"], documents: Float[Tensor, "queries length dim"], lists: RankedLists
    ) -> Float[Tensor, ""]:
        """The mean over the queries that have a pair; gradient to ``queries`` alone."""
        scores = self.scale * torch.einsum("qd,qld->ql", queries, documents.detach())
        return adore_loss(scores, lists.positives, keep=lists.keep, metric_cut=self.metric_cut)


def _packed(mask: Bool[Tensor, "queries length"]) -> tuple[Int[Tensor, "queries most"], Bool[Tensor, "queries most"]]:
    """Where each row's True places are, in order, as wide as the fullest row; and which of these places are filled."""
    width = int(mask.sum(dim=1).max()) if len(mask) else 0
    order = mask.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :width]
    return order, mask.gather(1, order)
