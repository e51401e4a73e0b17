"""Whether tensors and numbers are the same, and how to say that they are not."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from litotes.testing.check import demand

__all__ = ["changed_names", "demand_same_gradients", "near", "shown"]


def near(value: float, expected: float, tolerance: float) -> bool:
    """Whether two numbers agree up to a share of the expected one; NaN agrees with nothing."""
    return abs(value - expected) <= tolerance * max(abs(expected), 1e-2)


def shown(value: Tensor) -> str:
    """A loss as messages show it."""
    return repr(float(value)) if value.numel() == 1 else f"a tensor of shape {tuple(value.shape)}"


def demand_same_gradients(expected: dict[str, Tensor], found: dict[str, Tensor], when: str, rtol: float = 0.0) -> None:
    """Gradients by name must be the same, to the byte where ``rtol`` is 0; ``when`` begins the sentence."""
    for name, gradient in expected.items():
        other = found[name]
        same = torch.allclose(gradient, other, rtol, rtol * 1e-3) if rtol else torch.equal(gradient, other)
        demand(
            same,
            f"{when} the gradient of {name!r} is another, by up to {float((gradient - other).abs().max()):.3g}.",
        )


def changed_names(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Names of the tensors and numbers that differ."""
    return {
        name
        for name in before.keys() | after.keys()
        if name not in before or name not in after or not _equal(before[name], after[name])
    }


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.equal(one.nan_to_num(), other.nan_to_num())
    if isinstance(one, dict) and isinstance(other, dict):
        return not changed_names(one, other)
    return bool(one == other)
