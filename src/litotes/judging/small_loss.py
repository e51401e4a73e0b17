"""Which examples of a batch to trust by the small-loss rule: networks learn what is right before what is wrong.

Han et al. 2018 (Co-teaching): of B examples the int((1 - r) B) with the smallest cross entropy are kept, r the share
that is forgotten. The rule belongs to a network that is *not* the one to be trained on what it keeps.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from litotes.core.checks import check_float, check_int
from litotes.core.errors import LitotesError

__all__ = ["forget_schedule", "num_kept", "small_loss", "smallest"]


def small_loss(
    logits: Float[Tensor, "batch classes"], labels: Int[Tensor, "batch"], forget_rate: float
) -> Int[Tensor, "kept"]:
    """The rows with the smallest cross entropy, the smallest first; of equal ones the earlier.

    A row whose loss is NaN or infinite is never kept, so there may be fewer than :func:`num_kept` says.

    Args:
        logits: of the network that judges, best in evaluation mode: without dropout, with running statistics.
        labels: given classes, 0 .. C - 1.
        forget_rate: share of the batch that is left out.

    Raises:
        LitotesError: no row has a finite loss, or a label is no class.

    >>> small_loss(torch.tensor([[0.0, 2.0], [3.0, 0.0], [0.0, 1.0]]), torch.tensor([1, 1, 1]), 0.4)
    tensor([0])
    """
    n_classes = logits.shape[1]
    wrong = labels[(labels < 0) | (labels >= n_classes)]
    if len(wrong):
        raise LitotesError(
            f"small_loss takes labels from 0 to {n_classes - 1}, for logits of {n_classes} classes. Got "
            f"{int(wrong[0])}."
        )
    precise = logits.detach() if logits.dtype == torch.float64 else logits.detach().float()
    return smallest(F.cross_entropy(precise, labels.long(), reduction="none"), forget_rate)


def smallest(losses: Float[Tensor, "batch"], forget_rate: float) -> Int[Tensor, "kept"]:
    """:func:`small_loss` of losses that are there already."""
    kept = num_kept(len(losses), forget_rate)
    finite = losses.isfinite()
    if kept and not finite.any():
        raise LitotesError(f"None of the {len(losses)} examples has a finite loss, so none can be kept.")
    order = losses.detach().where(finite, torch.inf).sort(stable=True).indices
    return order[: min(kept, int(finite.sum()))]


def num_kept(batch: int, forget_rate: float) -> int:
    """int((1 - r) B) in doubles, cut off; but at least 1, which (1 - 0.9) * 10 is just below.

    >>> num_kept(10, 0.2), num_kept(10, 0.9), num_kept(0, 0.2)
    (8, 1, 0)
    """
    check_int("num_kept", "batch", batch, at_least=0)
    check_float("num_kept", "forget_rate", forget_rate, at_least=0.0, below=1.0)
    return min(batch, max(1, int((1.0 - forget_rate) * batch)))


def forget_schedule(forget_rate: float, gradual: int, epochs: int) -> Float[np.ndarray, "epochs"]:
    """The forget rate by epoch: 0 to ``forget_rate`` over the first ``gradual``, both included, then constant.

    Args:
        forget_rate: r, about the share of wrong labels.
        gradual: epochs of the rise; 0 is r at once, for networks that were trained before.
        epochs: how many there are.

    >>> forget_schedule(0.4, 3, 5).tolist()
    [0.0, 0.2, 0.4, 0.4, 0.4]
    """
    check_float("forget_schedule", "forget_rate", forget_rate, at_least=0.0, below=1.0)
    check_int("forget_schedule", "gradual", gradual, at_least=0)
    check_int("forget_schedule", "epochs", epochs, at_least=0)
    rates = np.full(max(epochs, gradual), float(forget_rate))
    rates[:gradual] = np.linspace(0.0, forget_rate, gradual)
    return rates[:epochs]
