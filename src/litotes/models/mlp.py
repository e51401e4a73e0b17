"""A multilayer perceptron on rows of numbers: the network of the array classifiers where no other is given."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from litotes.core.checks import check_float, check_int

__all__ = ["MLP"]


class MLP(nn.Module):
    """Linear layers with ReLU between them: ``body`` makes the features, ``head`` their logits.

    In evaluation products are summed in float64. In float32 the last digit of an answer depends on which other rows are
    asked about at the same time.

    Args:
        n_features: numbers a row.
        n_classes: logits a row.
        hidden: widths of the hidden layers; the last is how many features the head reads. ``()`` is a linear model.
        head_bias: whether the head has a bias; without one the features alone speak.
        dropout: share of the hidden units that training leaves out, after each hidden layer.

    Attributes:
        mean, spread: what :meth:`standardise` found; rows are shifted and scaled by them first.
    """

    mean: Tensor
    spread: Tensor

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        hidden: Sequence[int] = (256,),
        *,
        head_bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_float("MLP", "dropout", dropout, at_least=0.0, below=1.0)
        widths = [check_int("MLP", "n_features", n_features, at_least=1)]
        widths += [check_int("MLP", "hidden", width, at_least=1) for width in hidden]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [_Linear(before, after), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
        self.body = nn.Sequential(*layers)
        self.head = _Linear(widths[-1], check_int("MLP", "n_classes", n_classes, at_least=1), bias=head_bias)
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("spread", torch.ones(n_features))

    @torch.no_grad()
    def standardise(self, rows: Float[Tensor, "rows features"]) -> None:
        """From now on each feature has mean 0 and deviation 1 over these rows; one that is constant there is 0."""
        rows = rows.double()
        mean, spread = rows.mean(dim=0), rows.std(dim=0, correction=0)
        self.mean.copy_(mean)
        self.spread.copy_(spread.where(spread > 1e-9 * (1.0 + mean.abs()), 1.0))

    def forward(self, rows: Float[Tensor, "rows features"]) -> Float[Tensor, "rows classes"]:
        """The logits."""
        return self.head(self.body((rows - self.mean) / self.spread))


class _Linear(nn.Linear):
    """A linear layer that in evaluation sums in float64 and rounds once."""

    def forward(self, rows: Tensor) -> Tensor:
        if self.training or rows.device.type == "mps":  # which has no float64
            return super().forward(rows)
        bias = None if self.bias is None else self.bias.double()
        return F.linear(rows.double(), self.weight.double(), bias).to(rows.dtype)
