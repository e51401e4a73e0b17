"""The phenomenon that ELR rests on, where it is proven: a linear model learns the clean majority, then fits the rest.

Two classes, x = y* v + sigma g with n < p, labels flipped with probability 0.3, logistic loss by gradient descent from
0 (the paper's section 3). The numbers depend on sigma: the noise of a wrong point itself, about sigma^2 p / n, must
stay below the signal 1 - 2 * 0.3.
"""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from litotes.losses import TargetMemory, elr_loss

N, P, FLIPPED = 200, 400, 0.3


@dataclass
class Run:
    """What was seen, by step."""

    accuracy: list[float]
    """Of the wrongly labelled training points, by their true label."""
    cosine: list[float]
    """Of the negative gradient with v."""
    clean: list[float]
    wrong: list[float]
    """Mean |p - y|, the coefficient of a point in the gradient, of clean and of wrong points."""


def descend(sigma: float, steps: int, regularization: float = 0.0, seed: int = 0) -> Run:
    g = torch.Generator().manual_seed(seed)
    v = torch.zeros(P, dtype=torch.float64)
    v[0] = 1.0
    true = torch.randint(2, (N,), generator=g)
    flipped = torch.rand(N, generator=g) < FLIPPED
    labels = torch.where(flipped, 1 - true, true)
    x = (2.0 * true - 1)[:, None] * v + sigma * torch.randn(N, P, generator=g, dtype=torch.float64)
    theta, memory = torch.zeros(P, dtype=torch.float64), None
    if regularization:
        memory = TargetMemory(N, 2, target_momentum=0.9, dtype=torch.float64)
    run = Run([], [], [], [])
    for _ in range(steps):
        z = x @ theta
        residual = (z.sigmoid() - labels).abs()
        run.clean.append(residual[~flipped].mean().item())
        run.wrong.append(residual[flipped].mean().item())
        gradient = x.T @ (slope(z, labels, memory, regularization))
        run.cosine.append((-gradient @ v / gradient.norm()).item())
        theta = theta - gradient
        run.accuracy.append((((x @ theta) > 0).long() == true)[flipped].double().mean().item())
    return run


def slope(z: Tensor, labels: Tensor, memory: TargetMemory | None, regularization: float) -> Tensor:
    """d loss / d z of the logit z of class 1."""
    leaf = z.clone().requires_grad_()
    logits = torch.stack([torch.zeros_like(leaf), leaf], dim=1)
    ids = None if memory is None else torch.arange(N)
    return torch.autograd.grad(elr_loss(logits, labels, memory, ids, regularization=regularization), leaf)[0]


@pytest.fixture(scope="module")
def plain() -> Run:
    return descend(0.2, 1500)


def test_early_the_wrongly_labelled_points_are_predicted_right(plain):
    assert plain.accuracy[0] > 0.95


def test_early_the_gradient_points_along_the_true_direction(plain):
    assert plain.cosine[0] > 0.8 and min(plain.cosine[:4]) > 0.5


def test_the_gradient_of_clean_points_vanishes_before_that_of_wrong_ones(plain):
    assert plain.clean[0] == plain.wrong[0] == 0.5
    assert all(wrong > 2 * clean for clean, wrong in zip(plain.clean[10:200], plain.wrong[10:200], strict=True))


def test_in_the_end_every_wrong_label_is_fitted(plain):
    assert plain.accuracy[-1] == 0.0 and plain.wrong[-1] < 0.3


def test_with_the_term_the_wrong_labels_are_not_fitted():
    assert descend(0.2, 1500, regularization=3.0, seed=1).accuracy[-1] > 0.95


def test_where_a_points_own_noise_is_larger_than_the_signal_there_is_no_early_learning():
    assert descend(0.7, 1).accuracy[0] < 0.5
