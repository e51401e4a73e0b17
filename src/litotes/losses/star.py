"""STAR: static hard negatives, stabilised by the random ones of the batch.

Zhan et al. 2021, "Optimizing Dense Retrieval Model Training with Hard Negatives", section 4, in the pooled form of the
official code (``inbatch_train``, ``randneg_train``). The arms of the paper are special cases:

=====================================  ====================================================
in-batch negatives only                ``star_loss(in_batch)``
STAR, official code                    ``star_loss(in_batch, hard)``
STAR, weighted as in the paper         ``star_loss(in_batch, hard, random_weight=alpha)``
static hard negatives only             ``star_loss(in_batch, hard, random_weight=0)``
given (random, BM25) negatives only    ``pairwise_logistic_loss(in_batch.diagonal(), hard)``
=====================================  ====================================================
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn

from litotes.core.checks import check_choice, check_float
from litotes.losses.batch_masks import batch_mask
from litotes.losses.cells import Reduction, cell_mask, full_precision
from litotes.losses.pairwise import pairwise_logistic_loss
from litotes.losses.sentence_features import embed_groups, similarities

if TYPE_CHECKING:
    from litotes.core import Collection

__all__ = ["StarLoss", "star_loss", "star_scores"]


def star_loss(
    in_batch: Float[Tensor, "batch batch"],
    hard: Float[Tensor, "batch hard"] | None = None,
    *,
    keep: Bool[Tensor, "batch batch"] | None = None,
    keep_hard: Bool[Tensor, "batch hard"] | None = None,
    random_weight: float = 1.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""One pooled mean of pair losses over in-batch random negatives and all hard negatives of the batch.

    .. math:: \ell = \frac{\alpha \sum_{ij} R_{ij}\,\mathrm{softplus}(S_{ij} - S_{ii})
                           + \sum_{ij} M_{ij}\,\mathrm{softplus}(T_{ij} - S_{ii})}
                          {\alpha \sum_{ij} R_{ij} + \sum_{ij} M_{ij}}

    Args:
        in_batch: S, inner products of the queries with the batch's positives; the diagonal holds each query's own.
        hard: T, the same with *all* B * H hard negatives (flat index ``i * H + k``), or None: in-batch only.
        keep: R, False where the column's document is a known positive of the row's query. The diagonal never is kept.
        keep_hard: M, the same for the hard negatives.
        random_weight: alpha; 1 is the official code, 0 leaves the random group out.
        reduction: ``"mean"`` is the pooled mean above, ``"sum"`` its numerator, ``"none"`` the weighted losses of the
            pairs, ``[batch, batch + hard]``, 0 where not kept.

    A batch without a usable pair gives 0 with a gradient of 0. Half-precision scores are computed in float32.

    >>> star_loss(torch.zeros(2, 2), torch.zeros(2, 4))  # all scores equal: log 2
    tensor(0.6931)
    """
    check_float("star_loss", "random_weight", random_weight, at_least=0.0)
    check_choice("star_loss", "reduction", reduction, ("mean", "sum", "none"))
    hard = in_batch.new_empty(len(in_batch), 0) if hard is None else hard
    own = torch.eye(len(in_batch), dtype=torch.bool, device=in_batch.device)
    keep = cell_mask("star_loss", "keep", keep, in_batch) & ~own & (random_weight > 0)
    keep = torch.cat([keep, cell_mask("star_loss", "keep_hard", keep_hard, hard)], dim=1)
    scores = torch.cat([full_precision(in_batch), full_precision(hard)], dim=1)
    losses = pairwise_logistic_loss(in_batch.diagonal(), scores, keep=keep, reduction="none")
    weights = torch.ones_like(losses)
    weights[:, : len(in_batch)] = random_weight
    losses = losses * weights
    if reduction == "none":
        return losses
    total = (weights * keep).sum() if reduction == "mean" else losses.new_ones(())
    return losses.sum() / total.where(total > 0, 1.0)


def star_scores(
    queries: Float[Tensor, "batch dim"],
    positives: Float[Tensor, "batch dim"],
    hard: Float[Tensor, "batch k dim"] | None = None,
    *,
    similarity: Literal["dot", "cosine"] = "dot",
    scale: float = 1.0,
) -> tuple[Float[Tensor, "batch batch"], Float[Tensor, "batch hard"] | None]:
    """S and T of :func:`star_loss`: ``scale`` times each query's similarity to all positives and all hard negatives."""
    in_batch = similarities(queries, positives, similarity) * scale
    return in_batch, None if hard is None else similarities(queries, hard.flatten(0, 1), similarity) * scale


class StarLoss(nn.Module):
    """:func:`star_loss` for a ``SentenceTransformerTrainer``; known positives of the batch are left out by id.

    Inputs: columns anchor, positive, negative_1..k, where the negatives come from a static list (k = 0 is the in-batch
    loss); labels as in :func:`~litotes.losses.batch_masks.batch_mask`: ids int64 ``[B, 2 + k]`` as
    :class:`NegativesCollator` makes them, a bool mask ``[B, B * (1 + k)]``, or none (only the anchor's own positive is
    then known). B * (1 + k) documents are encoded, nothing else.

    Args:
        model: the model in training.
        data: the collection that the ids are positions of.
        random_weight: alpha; 1 is the official code, 0 uses the given negatives only.
        similarity: the paper's is the inner product, without temperature; ``"cosine"`` is for models trained with it.
        scale: multiplies the similarities: 1 for the paper's inner products, about 20 for cosines, whose gaps are too
            small for a logistic loss.
    """

    def __init__(
        self,
        model: nn.Module,
        data: "Collection | None" = None,
        *,
        random_weight: float = 1.0,
        similarity: Literal["dot", "cosine"] = "dot",
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.model, self.data = model, data
        self.random_weight = check_float("StarLoss", "random_weight", random_weight, at_least=0.0)
        check_choice("StarLoss", "similarity", similarity, ("dot", "cosine"))
        self.similarity: Literal["dot", "cosine"] = similarity
        self.scale = check_float("StarLoss", "scale", scale, above=0.0)

    def forward(
        self,
        sentence_features: Iterable[dict[str, Tensor]],
        labels: Shaped[Tensor, "..."] | None = None,
    ) -> Float[Tensor, ""]:
        """The pooled mean over the usable pairs of a batch."""
        vectors = embed_groups(self.model, sentence_features, owner="StarLoss")
        in_batch, hard = star_scores(*vectors, similarity=self.similarity, scale=self.scale)
        cells = in_batch if hard is None else torch.cat([in_batch, hard], dim=1)
        usable = batch_mask(labels, self.data, batch=len(in_batch), cells=cells, owner="StarLoss")
        keep, keep_hard = usable[:, : len(in_batch)], None if hard is None else usable[:, len(in_batch) :]
        return star_loss(in_batch, hard, keep=keep, keep_hard=keep_hard, random_weight=self.random_weight)

    def get_config_dict(self) -> dict[str, float | str]:
        """What the model card of sentence-transformers prints."""
        return {"random_weight": self.random_weight, "similarity": self.similarity, "scale": self.scale}
