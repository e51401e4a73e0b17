"""LAMB against its formula written out, and as an optimiser."""

import math

import pytest
import torch
from torch import nn

from litotes.training.lamb import Lamb


def by_hand(x, gradients, lr, beta1=0.9, beta2=0.999, eps=1e-8, decay=0.01):
    """You et al. 2020, algorithm 2, over lists of numbers."""
    m, v = [0.0] * len(x), [0.0] * len(x)
    for t, g in enumerate(gradients, start=1):
        m = [beta1 * a + (1 - beta1) * b for a, b in zip(m, g, strict=True)]
        v = [beta2 * a + (1 - beta2) * b * b for a, b in zip(v, g, strict=True)]
        r = [
            (a / (1 - beta1**t)) / (math.sqrt(b / (1 - beta2**t)) + eps) + decay * c
            for a, b, c in zip(m, v, x, strict=True)
        ]
        size, length = min(math.hypot(*x), 10.0), math.hypot(*r)
        ratio = size / length if size > 0 and length > 0 else 1.0
        x = [c - lr * ratio * a for c, a in zip(x, r, strict=True)]
    return x


@pytest.mark.parametrize("start", [[0.5, -1.0, 2.0], [30.0, 40.0, 0.0], [0.0, 0.0, 0.0]])
def test_steps_are_the_formula(start):
    gradients = [[0.1, -0.2, 0.3], [0.0, 0.5, -0.1], [1.0, 0.0, 0.2]]
    x = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = Lamb([x], lr=0.1, weight_decay=0.01)
    for gradient in gradients:
        x.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
    assert x.tolist() == pytest.approx(by_hand(start, gradients, lr=0.1), rel=1e-9)


def test_the_step_is_in_proportion_to_the_tensors_norm():
    small, large = nn.Parameter(torch.ones(4)), nn.Parameter(torch.full((4,), 3.0))
    optimizer = Lamb([small, large], lr=0.1)
    small.grad, large.grad = torch.ones(4), torch.ones(4)
    optimizer.step()
    assert float((1 - small.detach()).norm()) * 3 == pytest.approx(float((3 - large.detach()).norm()))


def test_it_minimises():
    x = nn.Parameter(torch.tensor([3.0, -2.0]))
    optimizer = Lamb([x], lr=0.05)

    def closure():
        optimizer.zero_grad()
        loss = ((x - 1.0) ** 2).sum()
        loss.backward()
        return loss

    first = float(optimizer.step(closure).detach())
    for _ in range(200):
        last = float(optimizer.step(closure).detach())
    assert last < first / 100
