"""A loss under test: how to call it, what its inputs are, and which of their entries its masks leave out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from litotes.testing.check import Suite, demand

__all__ = ["SUITE", "LossCase", "left_out"]

SUITE = Suite("loss")

Inputs = dict[str, Any]
Masked = Mapping[str, tuple[str, ...]] | Callable[[Inputs], Mapping[str, Tensor]]


@dataclass(frozen=True)
class LossCase:
    """What the checks of a loss work with; made by :func:`litotes.testing.check_loss`, which explains the parts."""

    name: str
    loss: Callable[..., Any]
    make_inputs: Callable[[torch.Generator], Inputs]
    floats: tuple[str, ...]
    """Inputs that get a gradient."""
    keeps: tuple[str, ...] = ()
    """Inputs that are masks of what takes part."""
    masked: Masked | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    sign: int = 1
    measure: Callable[[Inputs], Any] | None = None
    chunked: tuple[str, tuple[int, ...]] = ("", ())
    state: bool | tuple[str, ...] = ()
    """True: the loss is a factory of objects with a state. Names: inputs that a call changes by design."""
    reference: Callable[..., Any] | None = None
    make_large: Callable[[torch.Generator], Inputs] | None = None
    raises_at_extremes: type[Exception] | None = None
    has_reduction: bool = False

    def __str__(self) -> str:
        return self.name

    def make(self) -> Callable[..., Any]:
        """The loss; a fresh one where it has a state."""
        return self.loss() if self.state is True else self.loss

    def inputs(self, seed: int = 0, dtype: torch.dtype = torch.float64) -> Inputs:
        """Arguments of a call, the differentiable ones in ``dtype``."""
        return self.cast(self.make_inputs(torch.Generator().manual_seed(seed)), dtype)

    def cast(self, inputs: Inputs, dtype: torch.dtype) -> Inputs:
        """The same numbers in another precision."""
        return {name: x.to(dtype) if name in self.floats else x for name, x in inputs.items()}

    def value(self, inputs: Inputs, **options: Any) -> Tensor:
        """What the loss gives for copies of ``inputs``."""
        return self.make()(**_copied(inputs), **options)

    def gradients(self, inputs: Inputs, **options: Any) -> dict[str, Tensor]:
        """The gradient of the loss with respect to each differentiable input."""
        leaves = _copied(inputs) | {name: inputs[name].detach().clone().requires_grad_() for name in self.floats}
        value = self.make()(**leaves, **options)
        demand(value.ndim == 0, f"it gave a tensor of shape {tuple(value.shape)}, and a loss is one number.")
        demand(value.requires_grad, "its value has no gradient.")
        value.backward()
        gradients = {name: leaves[name].grad for name in self.floats}
        return {name: torch.zeros_like(leaves[name]) if grad is None else grad for name, grad in gradients.items()}

    def refuses(self, inputs: Inputs, **options: Any) -> bool:
        """Whether a call is an error, of whatever kind."""
        try:
            self.value(inputs, **options)
        except Exception:  # noqa: BLE001
            return True
        return False

    def left_out(self, inputs: Inputs) -> dict[str, Tensor]:
        """For differentiable inputs: which of their entries the masks say do not count, bool in the input's shape."""
        return left_out(self.masked, inputs)

    def poisoned(self, inputs: Inputs) -> Inputs:
        """The inputs with NaN in every entry that does not count."""
        nan = {name: inputs[name].masked_fill(mask, torch.nan) for name, mask in self.left_out(inputs).items()}
        return inputs | nan

    def large_inputs(self) -> Inputs:
        """Inputs of 64 rows or more: those that were given for it, or the usual ones repeated along every axis."""
        if self.make_large is not None:
            return self.cast(self.make_large(torch.Generator().manual_seed(0)), torch.float32)
        inputs = self.inputs(dtype=torch.float32)
        times = -(-64 // max(len(inputs[self.floats[0]]), 1))
        return {
            name: x.repeat([times] * x.ndim) if isinstance(x, Tensor) and x.ndim else x for name, x in inputs.items()
        }


def left_out(masked: Masked | None, inputs: Inputs) -> dict[str, Tensor]:
    """As :meth:`LossCase.left_out`. A mask is about the leading axes of an input: of ``[B]``, about its rows."""
    if masked is None:
        return {}
    if callable(masked):
        return {name: mask.expand_as(inputs[name]) for name, mask in masked(inputs).items()}
    found: dict[str, Tensor] = {}
    for keep, names in masked.items():
        for name in names:
            mask = ~inputs[keep]
            mask = mask.reshape(mask.shape + (1,) * (inputs[name].ndim - mask.ndim)).expand_as(inputs[name])
            found[name] = mask | found[name] if name in found else mask
    return found


def _copied(inputs: Inputs) -> Inputs:
    return {name: x.clone() if isinstance(x, Tensor) else x for name, x in inputs.items()}
