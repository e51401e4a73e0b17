"""LAMB: Adam's direction, each tensor stepped in proportion to its own norm (You et al. 2020, algorithm 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

__all__ = ["Lamb"]


class Lamb(torch.optim.Optimizer):
    """Layer-wise adaptive moments, for large batches; STAR's optimiser.

    Per tensor x with bias-corrected moments m, v: r = m / (sqrt(v) + eps) + weight_decay * x;
    x <- x - lr * min(|x|, 10) / |r| * r, the ratio being 1 where either norm is 0.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:  # type: ignore[override]
        """One step of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in (p for p in group["params"] if p.grad is not None):
                self._move(parameter, group)
        return loss

    def _move(self, x: Tensor, group: dict[str, Any]) -> None:
        state, (beta1, beta2) = self.state[x], group["betas"]
        if not state:
            state.update(step=torch.tensor(0.0), exp_avg=torch.zeros_like(x), exp_avg_sq=torch.zeros_like(x))
        state["step"] += 1
        state["exp_avg"].lerp_(x.grad, 1 - beta1)
        state["exp_avg_sq"].mul_(beta2).addcmul_(x.grad, x.grad, value=1 - beta2)
        t = float(state["step"])
        m, v = state["exp_avg"] / (1 - beta1**t), state["exp_avg_sq"] / (1 - beta2**t)
        direction = m / (v.sqrt() + group["eps"]) + group["weight_decay"] * x
        size, length = x.norm().clamp(max=10.0), direction.norm()
        ratio = torch.where((size > 0) & (length > 0), size / length, torch.ones_like(size))
        x.add_(direction * ratio, alpha=-group["lr"])
