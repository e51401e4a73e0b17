r"""CET: pair losses of two models, each weighted by what the *other* one makes of the negative.

Cai et al. 2022, "Hard Negatives or False Negatives: Correcting Pooling Bias in Training Neural Ranking Models" (CIKM);
weights, losses and loop as in the official code. With a the logits of the relevance model R, o those of the selection
model S (would this document have been put before an annotator?), + a positive and - a negative:

.. math:: \mathcal L_R = \frac{1}{P} \sum_p w^R_p\, \mathrm{softplus}(a^-_p - a^+_p), \qquad
    w^R_p = \frac{1}{1 - \sigma(o^-_p / T)} = 1 + e^{o^-_p / T}

and the same for S with a and o exchanged. An unlabelled document that the pool would surely have held (o high) is a
reliable negative and weighs much; one that nobody would have looked at weighs 1, the least there is. No weight is below
1, and none comes from a model's own score: weighting likely positives *down* is another method.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from litotes.core.checks import check_float
from litotes.core.errors import LitotesError
from litotes.losses.cells import Reduction, cell_mask, full_precision, reduce_kept
from litotes.losses.pairwise import pairwise_logistic_loss

__all__ = ["CoupledLoss", "CoupledLosses", "cet_weights", "coupled_losses", "weighted_pair_loss"]

_MOST = 1e30  # float32 ends at 3e38: of weights beyond this the sums, or their products with losses, are infinite


class CoupledLosses(NamedTuple):
    """What :func:`coupled_losses` gives; only the two losses carry a gradient."""

    relevance: Float[Tensor, ""]
    """L_R, weighted; its gradient goes to the relevance scores alone."""
    selection: Float[Tensor, ""]
    """L_S, weighted; its gradient goes to the selection scores alone."""
    weights_for_relevance: Float[Tensor, "batch negatives"]
    """w^R, from the selection scores; of masked cells too."""
    weights_for_selection: Float[Tensor, "batch negatives"]
    """w^S, from the relevance scores; of masked cells too."""
    relevance_unweighted: Float[Tensor, ""]
    """The same mean with weights of 1, to watch."""
    selection_unweighted: Float[Tensor, ""]
    """The same mean with weights of 1, to watch."""


def cet_weights(
    negatives: Float[Tensor, "*cells"],
    *,
    keep: Bool[Tensor, "*cells"] | None = None,
    temperature: float = 10.0,
    max_weight: float | None = None,
) -> Float[Tensor, "*cells"]:
    r"""w = min(1 + exp(s / T), cap) from the other model's scores s of the negatives, without a gradient.

    The closed form: 1 / (1 - sigmoid) divides by 0 once the sigmoid rounds to 1 (s / T > 17 in float32). Half-precision
    scores are computed in float32.

    Args:
        negatives: the other model's logits of the negatives, evaluated without dropout.
        keep: cells that must have a weight; what the others get does not matter.
        temperature: T. 10 is the released script's: logits in [-5, 5] then weigh 1.6 to 2.6. Below 1, exponential
            weights may run away.
        max_weight: the cap, applied after 1 + exp; None does not cap, as the official code. 20 is a sensible one.

    Raises:
        LitotesError: the weight of a kept cell is NaN, or so large (1e30) that losses would overflow.

    >>> import torch
    >>> cet_weights(torch.tensor([-1000.0, 0.0, 10.0]))
    tensor([1.0000, 2.0000, 3.7183])
    """
    check_float("cet_weights", "temperature", temperature, above=0.0)
    keep = cell_mask("cet_weights", "keep", keep, negatives)
    scores = full_precision(negatives.detach())
    weights = 1 + (scores / temperature).exp()
    if max_weight is not None and max_weight != math.inf:
        weights = weights.clamp(max=check_float("cet_weights", "max_weight", max_weight, at_least=1.0))
    bad = keep & ~(weights <= _MOST)
    if bad.any():
        raise LitotesError(
            f"CET's weight 1 + exp(score / temperature) is {float(weights[bad][0]):.3g} for a score of "
            f"{float(scores[bad][0]):.6g} at temperature {temperature:g}, which losses cannot be weighted by. Give "
            "max_weight (20 is a sensible cap) or a higher temperature; where scores are NaN or infinite themselves, "
            "lower the learning rate."
        )
    return weights


def weighted_pair_loss(
    positive: Float[Tensor, "rows"],
    negatives: Float[Tensor, "rows cols"],
    weights: Float[Tensor, "rows cols"],
    *,
    keep: Bool[Tensor, "rows cols"] | None = None,
    normalize_weights: bool = False,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""The pairwise logistic loss with weights that come from elsewhere and are constants.

    .. math:: \ell = \frac{1}{|K|} \sum_{(i,j) \in K} w_{ij}\, \mathrm{softplus}(s_{ij} - s^+_i)

    One pooled mean over all kept pairs, whatever rows they are of, and divided by their number, *not* by the sum of the
    weights. A batch without a kept pair gives 0. What is not kept may hold anything, infinite weights too. Weights of 1
    give :func:`~litotes.losses.pairwise_logistic_loss`.

    Args:
        positive, negatives: one model's logits.
        weights: one for each pair; no gradient flows into them.
        normalize_weights: scale the kept weights to mean 1. CET's are about 2 at scores near 0, which under plain SGD
            is a doubled learning rate; off, as in the official code.
        reduction: ``"none"`` gives the weighted losses of the pairs, 0 where not kept.

    >>> import torch
    >>> weighted_pair_loss(torch.tensor([2.0]), torch.tensor([[1.0]]), torch.tensor([[2.0]]))
    tensor(0.6265)
    """
    keep = cell_mask("weighted_pair_loss", "keep", keep, negatives)
    weights = full_precision(weights.detach()).where(keep, 0.0)
    if normalize_weights:
        total = weights.sum()
        weights = weights * keep.sum() / total.where(total != 0, 1.0)
    losses = pairwise_logistic_loss(positive, negatives, keep=keep, reduction="none")
    return reduce_kept("weighted_pair_loss", weights * losses, keep, reduction)


def coupled_losses(
    relevance: Float[Tensor, "batch cols"],
    selection: Float[Tensor, "batch cols"],
    *,
    keep: Bool[Tensor, "batch negatives"] | None = None,
    temperature: float = 10.0,
    max_weight: float | None = None,
    normalize_weights: bool = False,
) -> CoupledLosses:
    """Both losses of a step from both models' logits, ``[batch, 1 + negatives]`` with the positive in column 0.

    Every kept negative is a pair with the positive of its row.

    For loops that score once: L_R + L_S then moves both models as two separate steps would, if gradients are clipped
    separately. Where dropout is on, take weights from scores without it (:func:`cet_weights` in eval mode, before
    either model is updated) and each loss by :func:`weighted_pair_loss`, as ``train_cet`` does.

    >>> import torch
    >>> losses = coupled_losses(torch.zeros(3, 2), torch.zeros(3, 2))
    >>> losses.relevance, losses.relevance_unweighted  # 2 log 2 and log 2
    (tensor(1.3863), tensor(0.6931))
    """
    if relevance.shape != selection.shape or relevance.ndim != 2 or relevance.shape[1] < 1:
        raise LitotesError(
            "coupled_losses takes both models' scores in one shape [batch, 1 + negatives], column 0 the positive. "
            f"Got {tuple(relevance.shape)} and {tuple(selection.shape)}."
        )
    a, o = relevance[:, 1:], selection[:, 1:]
    keep = cell_mask("coupled_losses", "keep", keep, a)
    for_relevance = cet_weights(o, keep=keep, temperature=temperature, max_weight=max_weight)
    for_selection = cet_weights(a, keep=keep, temperature=temperature, max_weight=max_weight)
    return CoupledLosses(
        weighted_pair_loss(relevance[:, 0], a, for_relevance, keep=keep, normalize_weights=normalize_weights),
        weighted_pair_loss(selection[:, 0], o, for_selection, keep=keep, normalize_weights=normalize_weights),
        for_relevance,
        for_selection,
        pairwise_logistic_loss(relevance[:, 0].detach(), a.detach(), keep=keep),
        pairwise_logistic_loss(selection[:, 0].detach(), o.detach(), keep=keep),
    )


class CoupledLoss(nn.Module):
    """Both losses for a ``CrossEncoderTrainer``, whose model is R; S is a part of the loss and is trained along.

    Inputs: columns of texts query, positive, negative_1 ... negative_M; no labels. Weights are taken without dropout,
    from both models as they are before the step. The trainer clips the gradient of its own model alone, so that of S is
    clipped here. Both are moved by the trainer's one optimiser; give S its own rate with
    ``TrainingArguments(learning_rate_mapping={"selection_model": ...})``, or use ``litotes train cet``.

    Args:
        model: R, the ``CrossEncoder`` in training, with one output.
        selection_model: S, any module from a list of (query, document) to logits, such as
            ``PairModel(cross_encoder)``; a view of its own keeps the two from being one model.
        temperature, max_weight, normalize_weights: as in :func:`coupled_losses`.
        max_grad_norm: the norm that S's gradient of a batch is clipped to; None does not clip.
    """

    def __init__(
        self,
        model: nn.Module,
        selection_model: nn.Module,
        *,
        temperature: float = 10.0,
        max_weight: float | None = None,
        normalize_weights: bool = False,
        max_grad_norm: float | None = 1.0,
    ) -> None:
        super().__init__()
        self.model, self.selection_model = model, selection_model
        self.temperature = check_float("CoupledLoss", "temperature", temperature, above=0.0)
        self.max_weight, self.normalize_weights = max_weight, normalize_weights
        self.max_grad_norm = max_grad_norm

    def forward(self, inputs: Sequence[Sequence[str]], labels: Tensor | None = None) -> dict[str, Float[Tensor, ""]]:
        """The two losses by name, which the trainer logs apart and adds up."""
        from litotes.models.cross_encoder import PairModel
        from litotes.models.resting import resting

        queries, *documents = inputs
        pairs = [(query, column[line]) for line, query in enumerate(queries) for column in documents]
        R, S, shape = PairModel(self.model), self.selection_model, (len(queries), len(documents))
        with resting(self.model, S):
            w_R, w_S = (self._weights(model(pairs).reshape(shape)[:, 1:]) for model in (S, R))
        a, o = R(pairs).reshape(shape), S(pairs).reshape(shape)
        for_R, for_S = (
            weighted_pair_loss(
                scores[:, 0],
                scores[:, 1:],
                weights.to(scores.device),
                normalize_weights=self.normalize_weights,
            )
            for scores, weights in ((a, w_R), (o, w_S))
        )
        return {"relevance": for_R, "selection": self._clipped(for_S)}

    def _weights(self, negatives: Tensor) -> Tensor:
        return cet_weights(negatives, temperature=self.temperature, max_weight=self.max_weight)

    def _clipped(self, loss: Tensor) -> Tensor:
        """The same value, its gradient scaled to be no longer than ``max_grad_norm``."""
        trained = [p for p in self.selection_model.parameters() if p.requires_grad]
        if self.max_grad_norm is None or not loss.requires_grad or not trained:
            return loss
        gradients = torch.autograd.grad(loss, trained, retain_graph=True, allow_unused=True)
        norm = torch.stack([g.norm() for g in gradients if g is not None]).norm()
        return loss.detach() + (self.max_grad_norm / (norm + 1e-6)).clamp(max=1.0) * (loss - loss.detach())
