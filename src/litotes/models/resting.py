"""A model that is only asked while another one is trained: no gradient, no dropout, and afterwards as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

__all__ = ["resting"]


@contextlib.contextmanager
def resting(*models: nn.Module) -> Iterator[None]:
    """Within the block no gradient is recorded and every part of ``models`` is in evaluation mode.

    Afterwards each part has the mode that it had itself, which may differ within one model. The models' parameters
    keep their ``requires_grad``.
    """
    modes = [(module, module.training) for model in models for module in model.modules()]
    try:
        for model in models:
            model.eval()
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode
