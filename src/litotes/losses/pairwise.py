"""The pairwise logistic loss (RankNet; Burges et al. 2005, eq. 3 with target 1): one positive against each negative."""

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from litotes.losses.cells import Reduction, cell_mask, full_precision, reduce_kept

__all__ = ["pairwise_logistic_loss", "softplus"]


def pairwise_logistic_loss(
    positive: Float[Tensor, "rows"],
    negatives: Float[Tensor, "rows cols"],
    *,
    keep: Bool[Tensor, "rows cols"] | None = None,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""Each pair of a row's positive and a negative is a binary softmax of its own; no partition function is shared.

    .. math:: \ell_{ij} = -\log \frac{e^{s^+_i}}{e^{s^+_i} + e^{s_{ij}}} = \mathrm{softplus}(s_{ij} - s^+_i)

    The mean is over all kept pairs. This is STAR's warm-up with *given negatives only* (random or BM25), and both
    groups of :func:`~litotes.losses.star_loss` are sums of it. Gradients are minus and plus
    :math:`\sigma(s_{ij} - s^+_i)`.

    Returns:
        A scalar, or with ``reduction="none"`` the losses of the pairs, 0 where not kept.

    >>> import torch
    >>> pairwise_logistic_loss(torch.tensor([2.0]), torch.tensor([[1.0]]))
    tensor(0.3133)
    """
    keep = cell_mask("pairwise_logistic_loss", "keep", keep, negatives)
    gaps = (full_precision(negatives) - full_precision(positive)[:, None]).where(keep, 0.0)
    return reduce_kept("pairwise_logistic_loss", softplus(gaps), keep, reduction)


def softplus(gaps: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """log(1 + exp(x)) in all digits, finite in value and gradient for every finite x.

    ``torch.nn.functional.softplus`` is the identity above 20, where the gradient is off by 2e-9.
    """
    return -F.logsigmoid(-gaps)
