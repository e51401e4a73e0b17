"""A model with its own optimiser, schedule and clipping: one of the several that :mod:`rounds` trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from litotes.core.errors import LitotesError

__all__ = ["Learner", "decaying", "linear_schedule"]

Schedule = Callable[[int], float]


def linear_schedule(warmup_steps: int, total_steps: int) -> Schedule:
    """Factor of the learning rate at a step: linearly from 0 to 1 over the warm-up, then linearly to 0 at the end.

    The same numbers as ``transformers.get_linear_schedule_with_warmup``.
    """

    def factor(step: int) -> float:
        if step < warmup_steps:
            return step / max(1, warmup_steps)
        return max(0.0, (total_steps - step) / max(1, total_steps - warmup_steps))

    return factor


def decaying(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """The trained parameters as an optimiser's groups; biases and the weights of normalisations do not decay."""
    trained = [p for p in model.parameters() if p.requires_grad]
    if not trained:
        raise LitotesError("No parameter of the model is trained.")
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


@dataclass
class Learner:
    """What one model brings to a round.

    Attributes:
        model: the module; its parameters with ``requires_grad`` are trained.
        optimizer: over parameters of ``model``. None is a model that is saved and restored but never stepped here (a
            teacher that is an average of the student, a memory of targets).
        schedule: factor of the optimiser's learning rates as a function of the learner's own steps.
        max_grad_norm: the norm that the gradient is clipped to; None does not clip.
        steps: optimiser steps taken.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer | None = None
    schedule: Schedule = lambda step: 1.0
    max_grad_norm: float | None = None
    steps: int = field(default=0)

    def __post_init__(self) -> None:
        self._base_rates = [group["lr"] for group in self.optimizer.param_groups] if self.optimizer else []

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The parameters that its optimiser holds and that are trained."""
        groups = self.optimizer.param_groups if self.optimizer else []
        return [p for group in groups for p in group["params"] if p.requires_grad]

    @property
    def learning_rate(self) -> float:
        """Of the first group of parameters, at the next step."""
        return self._base_rates[0] * self.schedule(self.steps) if self._base_rates else 0.0

    def step(self) -> float:
        """Clip, set the learning rate of this step, step the optimiser and clear the gradients.

        Returns:
            The norm of the gradient before clipping; NaN or infinity means that nothing was stepped.
        """
        assert self.optimizer is not None
        limit = float("inf") if self.max_grad_norm is None else self.max_grad_norm
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, limit))
        if norm == norm and norm != float("inf"):
            for group, base in zip(self.optimizer.param_groups, self._base_rates, strict=True):
                group["lr"] = base * self.schedule(self.steps)
            self.optimizer.step()
            self.steps += 1
        self.optimizer.zero_grad(set_to_none=True)
        return norm
