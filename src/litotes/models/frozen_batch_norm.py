"""Batch normalisation that stays as it is while the rest of a model is trained."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["freeze_batch_norm"]


def freeze_batch_norm(model: nn.Module) -> int:
    """Freeze the statistics *and* the affine weights of every batch normalisation in a model, in place.

    The layers go back to evaluation mode before each of their forward passes, so that it lasts through any
    ``model.train()`` of whoever trains. Call it before an optimiser is made.

    Returns:
        How many layers there are.
    """
    layers = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    for layer in layers:
        layer.requires_grad_(False)
        layer.eval()
        if _rest not in layer._forward_pre_hooks.values():
            layer.register_forward_pre_hook(_rest)
    return len(layers)


def _rest(layer: nn.Module, inputs: Any) -> None:
    layer.eval()
