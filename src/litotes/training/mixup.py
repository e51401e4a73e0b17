r"""Mixup: examples and their labels as weighted means of two (Zhang et al. 2018), with one weight a batch.

.. math:: l = \max(l', 1 - l'),\; l' \sim \mathrm{Beta}(a, a), \qquad \tilde x_i = l\, x_i + (1 - l)\, x_{\pi(i)}

The larger share is an example's own. What belongs to the examples, as the targets of ELR+ do, is mixed by the same l
and permutation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from litotes.core.checks import check_float, check_int
from litotes.core.errors import LitotesError

__all__ = ["Mixture", "draw_mixture"]


@dataclass(frozen=True)
class Mixture:
    """How a batch is mixed.

    Attributes:
        weight: l, the share of an example itself, in [1/2, 1].
        permutation: int64 [batch], who gives the rest.
    """

    weight: float
    permutation: Tensor

    def of(self, values: Tensor) -> Tensor:
        """The mixed values of a batch: inputs, soft labels, targets."""
        if not values.is_floating_point() or len(values) != len(self.permutation):
            raise LitotesError(
                f"Mixture takes floats for each of its {len(self.permutation)} examples. Got {values.dtype} of shape "
                f"{tuple(values.shape)}. What is no number (tokens, say) cannot be mixed: mix its features."
            )
        if self.weight == 1.0:
            return values
        return self.weight * values + (1.0 - self.weight) * values[self.permutation.to(values.device)]

    def of_labels(self, labels: Tensor, n_classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """The mixed labels ``[batch, n_classes]`` of given classes ``[batch]``."""
        return self.of(F.one_hot(labels.to(torch.int64), n_classes).to(dtype))


def draw_mixture(batch_size: int, alpha: float, rng: np.random.Generator) -> Mixture:
    """Draw one for a batch; ``alpha=0`` mixes nothing (the weight is 1), 1 draws the weight uniformly.

    Args:
        batch_size: examples of the batch.
        alpha: a, of Beta(a, a).
        rng: made of the seed and the step (``rng(seed, "mixup", step)``), so that a resumed run draws the same.
    """
    check_int("draw_mixture", "batch_size", batch_size, at_least=0)
    check_float("draw_mixture", "alpha", alpha, at_least=0.0)
    weight = float(rng.beta(alpha, alpha)) if alpha > 0 else 1.0
    return Mixture(max(weight, 1.0 - weight), torch.from_numpy(rng.permutation(batch_size)))
