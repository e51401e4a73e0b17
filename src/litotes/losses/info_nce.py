"""InfoNCE with cells left out.

van den Oord et al. 2018, eq. 4, over scores instead of density ratios; several positives a row are summed inside the
logarithm, and cells that may be positives nobody judged can be left out of the partition function.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn

from litotes.core.checks import check_choice, check_float
from litotes.losses.batch_masks import batch_mask
from litotes.losses.cells import Reduction, cell_mask, full_precision, reduce_kept
from litotes.losses.sentence_features import embed_groups, similarities

if TYPE_CHECKING:
    from litotes.core import Collection

__all__ = ["InfoNCELoss", "info_nce"]


def info_nce(
    scores: Float[Tensor, "rows cols"],
    positives: Bool[Tensor, "rows cols"],
    *,
    keep: Bool[Tensor, "rows cols"] | None = None,
    temperature: float = 0.05,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""Minus the log share of the positives among the kept cells, per row.

    .. math:: \ell_i = -\log \sum_{p \in P_i \cap K_i} e^{s_{ip}/\tau} + \log \sum_{j \in K_i} e^{s_{ij}/\tau}

    A row without a kept positive contributes nothing (0, zero gradient, not counted in the mean). ``keep=None`` keeps
    every cell. Half-precision scores are computed in float32.

    Special cases: one positive a row is cross entropy; ``keep = ~suspected`` is false-negative masking; in-batch
    scores with the diagonal as positives and cosine / 0.05 is ``MultipleNegativesRankingLoss``.

    Returns:
        A scalar, or with ``reduction="none"`` the losses of the rows.

    >>> info_nce(torch.tensor([[2.0, 1.0]]), torch.tensor([[True, False]]), temperature=1.0)
    tensor(0.3133)
    """
    check_float("info_nce", "temperature", temperature, above=0.0)
    keep = cell_mask("info_nce", "keep", keep, scores)
    positives = cell_mask("info_nce", "positives", positives, scores) & keep
    counts = positives.any(dim=1)
    used = keep & counts[:, None]
    logits = full_precision(scores).where(used, 0.0) / temperature
    # rows that do not count keep their zeros, so that no logarithm of an empty sum is ever taken
    partition = logits.masked_fill(counts[:, None] & ~keep, -torch.inf).logsumexp(dim=1)
    share = logits.masked_fill(counts[:, None] & ~positives, -torch.inf).logsumexp(dim=1)
    return reduce_kept("info_nce", partition - share, counts, reduction)


class InfoNCELoss(nn.Module):
    """:func:`info_nce` for a ``SentenceTransformerTrainer``, with known positives of the batch left out by id.

    Every anchor is scored against all positives and all negatives of the batch. A document of the batch that is a
    *known positive* of the anchor (an observed positive or its text twin, by ``data.is_positive``) is neither a
    negative nor a second positive: it is left out.

    Inputs: columns anchor, positive, negative_1..k (k may be 0); labels as in
    :func:`~litotes.losses.batch_masks.batch_mask`: ids int64 ``[B, 2 + k]`` as :class:`NegativesCollator` makes them, a
    bool mask, or none (only the anchor's own positive is then known).

    Args:
        model: the model in training.
        data: the collection that the ids are positions of.
        temperature: divides the similarities.
        similarity: ``"cosine"`` or ``"dot"``.
    """

    def __init__(
        self,
        model: nn.Module,
        data: "Collection | None" = None,
        *,
        temperature: float = 0.05,
        similarity: Literal["cosine", "dot"] = "cosine",
    ) -> None:
        super().__init__()
        self.model, self.data = model, data
        self.temperature = check_float("InfoNCELoss", "temperature", temperature, above=0.0)
        check_choice("InfoNCELoss", "similarity", similarity, ("cosine", "dot"))
        self.similarity: Literal["cosine", "dot"] = similarity

    def forward(
        self,
        sentence_features: Iterable[dict[str, Tensor]],
        labels: Shaped[Tensor, "..."] | None = None,
    ) -> Float[Tensor, ""]:
        """The mean loss over the anchors of a batch."""
        anchors, positives, negatives = embed_groups(self.model, sentence_features, owner="InfoNCELoss")
        documents = positives if negatives is None else torch.cat([positives, negatives.flatten(0, 1)])
        scores = similarities(anchors, documents, self.similarity)
        own = torch.eye(*scores.shape, dtype=torch.bool, device=scores.device)
        usable = batch_mask(labels, self.data, batch=len(anchors), cells=scores, owner="InfoNCELoss")
        return info_nce(scores, own, keep=usable | own, temperature=self.temperature)

    def get_config_dict(self) -> dict[str, float | str]:
        """What the model card of sentence-transformers prints."""
        return {"temperature": self.temperature, "similarity": self.similarity}
