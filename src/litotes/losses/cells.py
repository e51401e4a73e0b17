"""What every loss over cells does in one way: which cells take part, in which precision, and how losses are reduced.

A cell left out is replaced by 0 *before* any arithmetic, so that nothing in it, not even NaN, reaches the value or a
gradient; a NaN in a cell that takes part stays visible. A reduction over nothing is 0, with a gradient of 0.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from litotes.core.checks import check_choice
from litotes.core.errors import LitotesError

__all__ = ["Reduction", "cell_mask", "full_precision", "reduce_kept"]

Reduction = Literal["mean", "sum", "none"]


def full_precision(scores: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Half-precision scores as float32: exponentials of 8 or 11 bits are not worth summing. Others as they are."""
    return scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores


def cell_mask(
    owner: str, name: str, mask: Bool[Tensor, "..."] | None, like: Float[Tensor, "..."]
) -> Bool[Tensor, "..."]:
    """``mask`` checked against the shape of ``like``; ``None`` is every cell."""
    if mask is None:
        return torch.ones_like(like, dtype=torch.bool)
    if mask.dtype != torch.bool or mask.shape != like.shape:
        raise LitotesError(
            f"The {name!r} parameter of {owner} must be a bool tensor of shape {tuple(like.shape)}. "
            f"Got {mask.dtype} of shape {tuple(mask.shape)} instead."
        )
    return mask


def reduce_kept(
    owner: str, losses: Float[Tensor, "*n"], keep: Bool[Tensor, "*n"], reduction: Reduction
) -> Float[Tensor, "..."]:
    """``"mean"`` over the kept entries, their ``"sum"``, or ``"none"``: all entries, 0 where not kept."""
    check_choice(owner, "reduction", reduction, ("mean", "sum", "none"))
    losses = losses.where(keep, 0.0)
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.sum() / keep.sum().clamp(min=1)
