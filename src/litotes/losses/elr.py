r"""ELR: cross entropy that is held to what the network itself made of an example early in training.

Liu, Niles-Weed, Razavian and Fernandez-Granda 2020, "Early-Learning Regularization Prevents Memorization of Noisy
Labels" (NeurIPS); order of the steps and clamp as in the official code. With p the clamped probabilities, y the
given labels and T the :class:`~litotes.losses.target_memory.TargetMemory`, updated *before* it is used:

.. math:: \mathcal L = \frac{1}{B} \sum_i \Big[ -\log p_{i y_i} + \lambda \log\big(1 - \langle T_i, p_i \rangle\big)
    \Big]

The second term is negative and falls as p turns towards T. Its gradient, with s = <T, p>, is -p_c (T_c - s) / (1 - s):
for a clean example it goes on where cross entropy has let go, for a wrong label it cancels the pull towards it. No
example is dropped and no label is changed.
"""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from litotes.core.checks import check_choice, check_float
from litotes.core.errors import LitotesError
from litotes.losses.cells import Reduction, full_precision, reduce_kept
from litotes.losses.target_memory import TargetMemory

__all__ = ["ELRLoss", "Form", "check_elr", "early_learning_term", "elr_loss", "soft_cross_entropy"]

Form = Literal["log", "kl", "dot"]
FORMS = ("log", "kl", "dot")

Labels = Int[Tensor, "batch"] | Float[Tensor, "batch classes"]


def elr_loss(
    logits: Float[Tensor, "batch classes"],
    labels: Labels,
    memory: TargetMemory | None,
    ids: Int[Tensor, "batch"] | None,
    *,
    regularization: float = 3.0,
    clamp: float = 1e-4,
    form: Form = "log",
    target_logits: Float[Tensor, "batch classes"] | None = None,
    update: bool = True,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """Cross entropy plus ``regularization`` times :func:`early_learning_term` with the targets of the memory.

    The memory is moved by the batch first. It is never moved where no gradients are recorded (``torch.no_grad()``), nor
    a second time in one ``memory.visit``. Half-precision logits are computed in float32.

    ``regularization=0`` is cross entropy, in value and gradient (and the memory follows). Under gradient accumulation,
    sums over the parts are those of one large batch.

    Args:
        logits: of the batch.
        labels: given classes, or soft labels (rows of a distribution).
        memory: the targets, with their momentum. None for examples that have none, as in an evaluation: cross entropy.
        ids: of the examples, positions in the training set; each once.
        regularization: lambda.
        clamp: probabilities are kept in [clamp, 1 - clamp], in the second term and in the targets.
        form: of the second term.
        target_logits: what the memory is moved by, if not by ``logits``: those of an average of the weights.
        update: False leaves the memory as it is.
        reduction: over the examples.

    Raises:
        LitotesError: an id out of range or repeated, a label out of range, or shapes that do not fit.

    >>> memory = TargetMemory(10, 2)
    >>> logits = torch.tensor([[2.0, 0.0]])
    >>> elr_loss(logits, torch.tensor([1]), memory, torch.tensor([4]))  # 2.1269 + 3 log(1 - 0.3 * 0.7900)
    tensor(1.3154)
    """
    check_elr("elr_loss", regularization, clamp, form, reduction)
    loss = _cross_entropy("elr_loss", logits, labels, reduction)
    if memory is None:
        return loss
    if ids is None or len(ids) != len(logits):
        came = "none" if ids is None else str(len(ids))
        raise LitotesError(f"elr_loss takes one id for each of the {len(logits)} examples of the batch. Got {came}.")
    if update and torch.is_grad_enabled():
        memory.update(ids, _clamped(logits if target_logits is None else target_logits, clamp).detach())
    targets = memory.read(ids).to(logits.device)
    return loss + regularization * early_learning_term(logits, targets, clamp=clamp, form=form, reduction=reduction)


def early_learning_term(
    logits: Float[Tensor, "batch classes"],
    targets: Float[Tensor, "batch classes"],
    *,
    clamp: float = 1e-4,
    form: Form = "log",
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""How far the probabilities p are from the targets t, which are constants whose rows sum to at most 1.

    ``"log"``: log(1 - <t, p>), the paper's; at most 0, and at least log(clamp). ``"dot"``: -<t, p>. ``"kl"``:
    KL(t || p). The last two are what the paper argues against. Where a probability is clamped its gradient is 0.

    >>> early_learning_term(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.3, 0.1]]))  # log(1 - 0.2)
    tensor(-0.2231)
    """
    check_elr("early_learning_term", 0.0, clamp, form, reduction)
    if targets.shape != logits.shape:
        raise LitotesError(
            f"early_learning_term takes logits and targets of one shape. Got {tuple(logits.shape)} and "
            f"{tuple(targets.shape)}."
        )
    p, t = _clamped(logits, clamp), full_precision(targets.detach())
    if form == "kl":
        losses = (torch.xlogy(t, t) - t * p.log()).sum(dim=1)
    else:
        share = (t * p).sum(dim=1)
        losses = -share if form == "dot" else (1 - share).log()
    return reduce_kept("early_learning_term", losses, torch.ones_like(losses, dtype=torch.bool), reduction)


def soft_cross_entropy(
    logits: Float[Tensor, "batch classes"],
    soft_labels: Float[Tensor, "batch classes"],
    *,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """Cross entropy with a distribution over the classes for each example; no gradient reaches the labels.

    >>> soft_cross_entropy(torch.zeros(1, 2), torch.tensor([[0.8, 0.2]]))  # log 2
    tensor(0.6931)
    """
    if soft_labels.shape != logits.shape:
        raise LitotesError(
            f"soft_cross_entropy takes logits and labels of one shape. Got {tuple(logits.shape)} and "
            f"{tuple(soft_labels.shape)}."
        )
    labels = full_precision(soft_labels.detach())
    losses = -(labels * full_precision(logits).log_softmax(dim=1)).sum(dim=1)
    return reduce_kept("soft_cross_entropy", losses, torch.ones_like(losses, dtype=torch.bool), reduction)


class ELRLoss(nn.Module):
    """:func:`elr_loss` with its memory, for any loop of torch: ``loss(logits, labels, ids)``.

    In ``eval()`` the memory rests, and examples without ids, which have no targets, get cross entropy. The memory is
    part of ``state_dict``: a checkpoint without it would begin the targets again.

    Args:
        n_examples: of the training set.
        n_classes: of the task.
        regularization, target_momentum, clamp, form: as in :func:`elr_loss` and :class:`TargetMemory`.
        dtype: that the targets are stored in.
    """

    def __init__(
        self,
        n_examples: int,
        n_classes: int,
        *,
        regularization: float = 3.0,
        target_momentum: float = 0.7,
        clamp: float = 1e-4,
        form: Form = "log",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        check_elr("ELRLoss", regularization, clamp, form, "mean")
        self.regularization, self.clamp = regularization, clamp
        self.form: Form = form
        self.memory = TargetMemory(n_examples, n_classes, target_momentum=target_momentum, dtype=dtype)

    def forward(
        self, logits: Float[Tensor, "batch classes"], labels: Labels, ids: Int[Tensor, "batch"] | None = None
    ) -> Float[Tensor, ""]:
        """The mean over the batch."""
        memory = None if ids is None and not self.training else self.memory
        return elr_loss(
            logits, labels, memory, ids, regularization=self.regularization, clamp=self.clamp, form=self.form,
            update=self.training,
        )  # fmt: skip


def check_elr(owner: str, regularization: float, clamp: float, form: str, reduction: str) -> None:
    """What the losses of ELR and ELR+ refuse."""
    check_float(owner, "regularization", regularization, at_least=0.0)
    check_float(owner, "clamp", clamp, above=0.0, below=0.5)
    check_choice(owner, "form", form, FORMS)
    check_choice(owner, "reduction", reduction, ("mean", "sum", "none"))


def _clamped(logits: Tensor, clamp: float) -> Tensor:
    """Probabilities in [clamp, 1 - clamp], in float32 or more; no gradient where the bound holds them."""
    return full_precision(logits).softmax(dim=1).clamp(clamp, 1.0 - clamp)


def _cross_entropy(owner: str, logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
    """Whatever form the labels have; torch's own, to the bit, where they are classes."""
    if labels.is_floating_point():
        return soft_cross_entropy(logits, labels, reduction=reduction)
    n_classes = logits.shape[1]
    wrong = labels[(labels < 0) | (labels >= n_classes)]
    if len(wrong):
        raise LitotesError(
            f"{owner} takes labels from 0 to {n_classes - 1}, for logits of {n_classes} classes. Got {int(wrong[0])}. "
            "Leave examples without a label out, as for_trainer does with -100."
        )
    reduction = "sum" if reduction == "mean" and not len(labels) else reduction  # a mean of nothing would be NaN
    return F.cross_entropy(full_precision(logits), labels.to(torch.int64), reduction=reduction)
