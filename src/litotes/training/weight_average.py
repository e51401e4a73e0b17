r"""An exponential average of a network's weights, whose outputs are steadier than its own: the targets of ELR+.

As in the official code of ELR+ (Liu et al. 2020; the idea is Polyak's, in this form Tarvainen and Valpola 2017). With f
the network in training and t its global step:

.. math:: e \leftarrow a_t\, e + (1 - a_t)\, f, \qquad
    a_t = \alpha\, e^{-5 (1 - \min(t + 1, R) / R)^2} \quad \text{or} \quad a_t = \min(1 - 1 / (t + 1), \alpha)

PARAMETERS are averaged and buffers never: the average keeps running statistics of its own. It may begin with its own
random weights, since a_t is near 0 at first (0.0067 alpha when ramped), and the average is then the network at once.
"""

from __future__ import annotations

import torch
from torch import nn

from litotes.core.checks import check_float, check_int
from litotes.core.errors import LitotesError
from litotes.losses.elr_plus import sigmoid_ramp

__all__ = ["WeightAverage", "average_momentum"]


def average_momentum(step: int, alpha: float = 0.997, ramp_length: int | None = 40_000) -> float:
    """The share that the average keeps of itself at ``step``, counted from 0 over the whole run.

    ``ramp_length=None`` is the second form, a plain mean of the weights until that mean is slower than ``alpha``.

    >>> average_momentum(0, 0.9, None), average_momentum(4, 0.9, None), average_momentum(100, 0.9, None)
    (0.0, 0.8, 0.9)
    """
    check_int("average_momentum", "step", step, at_least=0)
    check_float("average_momentum", "alpha", alpha, at_least=0.0, at_most=1.0)
    if ramp_length is None:
        return min(1.0 - 1.0 / (step + 1), alpha)
    return alpha * sigmoid_ramp(step + 1, check_int("average_momentum", "ramp_length", ramp_length, at_least=0))


class WeightAverage:
    """The average of one network, kept in a module of the same form.

    Args:
        model: the module that holds the average, another one than the network in training: a copy, or one with random
            weights of its own. Its parameters need no gradients from here on.
        alpha: the largest share that it keeps of itself.
        ramp_length: steps over which that share rises; None takes the plain mean first.
    """

    def __init__(self, model: nn.Module, alpha: float = 0.997, ramp_length: int | None = 40_000) -> None:
        average_momentum(0, alpha, ramp_length)  # refuses what is wrong
        self.model, self.alpha, self.ramp_length = model.requires_grad_(False), alpha, ramp_length

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move the average towards the network, after the optimiser step number ``step``.

        Raises:
            LitotesError: the two are one module, or have other parameters.
        """
        ours, theirs = dict(self.model.named_parameters()), dict(network.named_parameters())
        if network is self.model or {n: p.shape for n, p in ours.items()} != {n: p.shape for n, p in theirs.items()}:
            raise LitotesError(
                "WeightAverage averages another module with the same parameters. Got "
                + ("the average itself." if network is self.model else f"{_first_difference(ours, theirs)}.")
                + " Make it with a copy of the network: WeightAverage(copy.deepcopy(network))."
            )
        share = 1.0 - average_momentum(step, self.alpha, self.ramp_length)
        for name, parameter in ours.items():
            parameter.lerp_(theirs[name].detach().to(parameter), share)


def _first_difference(ours: dict[str, nn.Parameter], theirs: dict[str, nn.Parameter]) -> str:
    shapes = [{name: tuple(p.shape) for name, p in one.items()} for one in (theirs, ours)]
    name = next(n for n in (*ours, *theirs) if shapes[0].get(n) != shapes[1].get(n))
    there, here = (shape.get(name, "missing") for shape in shapes)
    return f"{name!r} {there} in the network, {here} in the average"
