"""The two losses that most bi-encoders are trained with, over vectors: in-batch softmax and triplets.

Both equal sentence-transformers' modules of the same names (``MultipleNegativesRankingLoss``, Henderson et al. 2017;
``TripletLoss``, Schroff et al. 2015, eq. 3); there they take a model, here they are functions.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from litotes.core.checks import check_choice, check_float
from litotes.losses.cells import Reduction, cell_mask, full_precision, reduce_kept
from litotes.losses.info_nce import info_nce
from litotes.losses.sentence_features import similarities

__all__ = ["multiple_negatives_ranking_loss", "triplet_loss"]


def multiple_negatives_ranking_loss(
    queries: Float[Tensor, "batch dim"],
    positives: Float[Tensor, "batch dim"],
    negatives: Float[Tensor, "extra dim"] | None = None,
    *,
    keep: Bool[Tensor, "batch cols"] | None = None,
    scale: float = 20.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""Cross entropy of each query's own positive among all positives and all given negatives of the batch.

    .. math:: \ell_i = -\log \frac{e^{s \cos(q_i, p_i)}}
                                  {\sum_j e^{s \cos(q_i, p_j)} + \sum_j e^{s \cos(q_i, n_j)}}

    It is :func:`~litotes.losses.info_nce` over scaled cosines with the diagonal as positives. ``keep`` has one column
    for each positive, then one for each negative; a query whose own positive is not kept contributes nothing, and a
    vector that nobody keeps does not count, whatever it holds.

    >>> x = torch.eye(2)
    >>> multiple_negatives_ranking_loss(x, x, x, scale=0.0)  # log(2 * 2)
    tensor(1.3863)
    """
    check_float("multiple_negatives_ranking_loss", "scale", scale, at_least=0.0)
    check_choice("multiple_negatives_ranking_loss", "reduction", reduction, ("mean", "sum", "none"))
    documents = positives if negatives is None else torch.cat([positives, negatives])
    like = queries.new_empty(()).expand(len(queries), len(documents))
    keep = cell_mask("multiple_negatives_ranking_loss", "keep", keep, like)
    counts = keep.diagonal()[:, None]
    queries = full_precision(queries).where(counts, 0.0)  # before the product, in which NaN would spread
    documents = full_precision(documents).where((keep & counts).any(dim=0)[:, None], 0.0)
    logits = scale * similarities(queries, documents, "cosine")
    own = torch.eye(*logits.shape, dtype=torch.bool, device=logits.device)
    return info_nce(logits, own, keep=keep, temperature=1.0, reduction=reduction)


def triplet_loss(
    anchors: Float[Tensor, "batch dim"],
    positives: Float[Tensor, "batch dim"],
    negatives: Float[Tensor, "batch dim"],
    *,
    keep: Bool[Tensor, "batch"] | None = None,
    margin: float = 5.0,
    distance: Literal["euclidean", "cosine"] = "euclidean",
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""How far each negative is from being ``margin`` farther from the anchor than the positive.

    .. math:: \ell_i = \max(0,\; D(a_i, p_i) - D(a_i, n_i) + m)

    D is the euclidean distance of the vectors as given (with unit vectors m = 5 never reaches 0), or 1 - cosine (then
    take a margin of 0.1 to 0.5). Where two vectors coincide the euclidean distance takes the subgradient 0.

    >>> same = torch.ones(1, 2)
    >>> triplet_loss(same, same, same)
    tensor(5.)
    """
    check_float("triplet_loss", "margin", margin, at_least=0.0)
    measure = {"euclidean": _euclidean, "cosine": _cosine}[
        check_choice("triplet_loss", "distance", distance, ("euclidean", "cosine"))
    ]
    keep = cell_mask("triplet_loss", "keep", keep, anchors[:, 0])
    a, p, n = (full_precision(x).where(keep[:, None], 0.0) for x in (anchors, positives, negatives))
    return reduce_kept("triplet_loss", F.relu(measure(a, p) - measure(a, n) + margin), keep, reduction)


def _euclidean(x: Float[Tensor, "batch dim"], y: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch"]:
    return torch.linalg.vector_norm(x - y, dim=1)  # its subgradient at 0 is 0; a square root of a sum gives NaN there


def _cosine(x: Float[Tensor, "batch dim"], y: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch"]:
    return 1 - (F.normalize(x, dim=1) * F.normalize(y, dim=1)).sum(dim=1)
