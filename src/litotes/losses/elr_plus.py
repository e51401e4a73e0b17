r"""ELR+: two networks, each held to targets that come from an average of the *other* one's weights, on mixed examples.

Liu, Niles-Weed, Razavian and Fernandez-Granda 2020 (see :mod:`litotes.losses.elr`); update of the memory, mixed
targets and ramps as in the official code. With l the mixing weight, Y the mixed labels, p the clamped probabilities of
the mixed inputs and q = l T_i + (1 - l) T_pi(i):

.. math:: \mathcal L = \frac{1}{B} \sum_i \Big[ -\sum_c Y_{ic} \log p_{ic} + r(t)\, \lambda
    \log\big(1 - \langle q_i, p_i \rangle\big) \Big]
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from litotes.core.checks import check_float
from litotes.losses.cells import Reduction, full_precision
from litotes.losses.elr import Form, check_elr, early_learning_term, soft_cross_entropy
from litotes.losses.target_memory import TargetMemory

__all__ = ["elr_plus_loss", "elr_plus_targets", "sigmoid_ramp"]


def elr_plus_loss(
    logits: Float[Tensor, "batch classes"],
    soft_labels: Float[Tensor, "batch classes"],
    targets: Float[Tensor, "batch classes"],
    *,
    regularization: float = 3.0,
    ramp: float = 1.0,
    reweight_labels: bool = False,
    clamp: float = 1e-4,
    form: Form = "log",
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """ELR+ of one network: cross entropy with mixed labels, plus ``ramp * regularization`` times the second term.

    Args:
        logits: of the mixed inputs.
        soft_labels: the mixed labels.
        targets: from :func:`elr_plus_targets`, mixed as the labels are.
        regularization: lambda.
        ramp: :func:`sigmoid_ramp` of the step.
        reweight_labels: multiply the labels by the targets and scale their rows to sum 1, as the official code does
            where there are 100 classes and the paper does not. A row that has no target where it has a label keeps its
            labels.
        clamp, form, reduction: as in :func:`elr_loss`.

    >>> targets = torch.tensor([[0.3, 0.1]])
    >>> elr_plus_loss(torch.zeros(1, 2), torch.tensor([[0.8, 0.2]]), targets)  # log 2 + 3 log(1 - 0.2)
    tensor(0.0237)
    """
    check_elr("elr_plus_loss", regularization, clamp, form, reduction)
    check_float("elr_plus_loss", "ramp", ramp, at_least=0.0)
    labels = soft_labels.detach()
    if reweight_labels:
        weighted = full_precision(labels) * full_precision(targets.detach())
        total = weighted.sum(dim=1, keepdim=True)
        labels = torch.where(total > 0, weighted / total.where(total > 0, 1.0), labels)
    cross_entropy = soft_cross_entropy(logits, labels, reduction=reduction)
    term = early_learning_term(logits, targets, clamp=clamp, form=form, reduction=reduction)
    return cross_entropy + ramp * regularization * term


def elr_plus_targets(
    memory: TargetMemory,
    ids: Int[Tensor, "batch"],
    partner_logits: Float[Tensor, "batch classes"],
    *,
    mix_weight: float = 1.0,
    permutation: Int[Tensor, "batch"] | None = None,
    update: bool = True,
) -> Float[Tensor, "batch classes"]:
    """Move a network's memory by what its *partner's* average makes of the unmixed inputs, then read it and mix.

    l T[ids] + (1 - l) T[ids[permutation]], with the same l and permutation as inputs and labels are mixed by. The
    partner's probabilities are not clamped, as ELR's are. As in :func:`elr_loss` the memory is not moved where no
    gradients are recorded, so call this outside the ``no_grad`` of the partner's forward pass.

    Args:
        memory: of the network in training.
        ids: of the examples, in the order of the unmixed batch.
        partner_logits: of the unmixed inputs, from the average of the *other* network's weights.
        mix_weight: l in [0, 1].
        permutation: who is mixed with whom; None mixes nothing.
        update: False leaves the memory as it is.
    """
    check_float("elr_plus_targets", "mix_weight", mix_weight, at_least=0.0, at_most=1.0)
    if update and torch.is_grad_enabled():
        memory.update(ids, full_precision(partner_logits.detach()).softmax(dim=1))
    own = memory.read(ids)
    if permutation is None:
        return own
    return mix_weight * own + (1 - mix_weight) * own[permutation.to(own.device)]


def sigmoid_ramp(step: float | int, length: float | int) -> float:
    """exp(-5 (1 - step / length)^2), from exp(-5) at step 0 to 1 at ``length`` and after it; 1 where ``length`` is 0.

    >>> round(sigmoid_ramp(0, 100), 5), sigmoid_ramp(100, 100), sigmoid_ramp(7, 0)
    (0.00674, 1.0, 1.0)
    """
    check_float("sigmoid_ramp", "length", length, at_least=0.0)
    if length == 0:
        return 1.0
    return math.exp(-5.0 * (1.0 - min(max(float(step), 0.0), length) / length) ** 2)
