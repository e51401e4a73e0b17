"""Training the last layers of a transformer only."""

from __future__ import annotations

from torch import nn

from litotes.core.checks import check_int
from litotes.core.errors import LitotesError

__all__ = ["train_last_layers"]


def train_last_layers(model: nn.Module, layers: int) -> None:
    """Freeze every parameter that stands before the last ``layers`` layers of the model's longest ``ModuleList``.

    Raises:
        LitotesError: the model has no such list, or fewer layers.
    """
    check_int("train_last_layers", "layers", layers, at_least=1)
    stacks = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.ModuleList)]
    name, stack = max(stacks, key=lambda item: len(item[1]), default=("", nn.ModuleList()))
    if len(stack) < layers:
        raise LitotesError(f"The model has {len(stack)} layers, so its last {layers} cannot be trained alone.")
    first = f"{name}.{len(stack) - layers}."
    frozen = True
    for parameter_name, parameter in model.named_parameters():
        frozen = frozen and not parameter_name.startswith(first)
        parameter.requires_grad_(not frozen)
