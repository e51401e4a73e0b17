"""Cutting a network before its linear head: what the head takes, for inputs that go through the whole network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from litotes.core.errors import LitotesError
from litotes.models.nested_dropout import nested_layers
from litotes.models.resting import resting

__all__ = ["head_features"]


def head_features(model: nn.Module, inputs: Any, call: Callable[[nn.Module, Any], Tensor]) -> tuple[Tensor, nn.Linear]:
    """The features that a network's last layer of Nested Dropout is given, and the linear head that follows it.

    All channels of a layer before it pass. The network is in evaluation mode, and no gradient is recorded.

    Args:
        model: ends in Nested Dropout and a linear layer.
        inputs: one batch.
        call: ``call(model, inputs) -> logits``.

    Raises:
        LitotesError: there is no Nested Dropout, or what follows it is not one linear layer and then the logits.
    """
    layers = nested_layers(model)
    if not layers:
        raise LitotesError(f"{type(model).__name__} has no layer of NestedDropout before its head.")
    seen: list[Tensor] = []
    heads: list[tuple[nn.Linear, Tensor]] = []
    handles = [layers[-1].register_forward_pre_hook(lambda _, given: seen.append(given[0]))]
    for module in model.modules():
        if isinstance(module, nn.Linear):
            handles.append(module.register_forward_hook(lambda m, _, gives: heads.append((m, gives)) if seen else None))
    try:
        with resting(model):
            logits = call(model, inputs)
    finally:
        for handle in handles:
            handle.remove()
    if len(seen) != 1 or len(heads) != 1 or heads[0][1].data_ptr() != logits.data_ptr():
        raise LitotesError(
            f"All numbers of channels are evaluated in one pass where one linear layer follows NestedDropout and gives "
            f"the logits. In {type(model).__name__} {len(heads)} linear layers follow, or something comes after them."
        )
    return seen[0], heads[0][0]
