r"""Nested Dropout: only the first k channels of a layer pass, one random k a batch, so that channels order themselves.

Rippel, Gelbart and Adams 2014; the prior and its use against wrong labels as in Chen et al. 2022 ("Compressing features
for learning with noisy labels", arXiv 2206.13140, official code). With h in R^D before a linear head without bias:

.. math:: \pi_k \propto e^{-((k - \mu)/s)^2}, \quad k \sim \pi, \quad
    \text{logits} = V (m \odot h), \quad m = (1, \dots, 1, 0, \dots, 0) \text{ with } k \text{ ones}

One k for the whole batch and no rescaling. What is dropped is 0 whatever it held, and has no gradient; a head's columns
of dropped channels have none either, though weight decay and momentum still move them.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from litotes.core.checks import check_float, check_int, nearest
from litotes.core.errors import LitotesError

__all__ = ["NestedDropout", "add_nested_dropout", "draw_kept", "keeping", "nested_layers", "nested_prior"]


def nested_prior(dim: int, std: float, mu: float = 0.0) -> Float[Tensor, "dim"]:
    """The probability of keeping exactly the first 1, 2, ... ``dim`` channels, float64; note: no 1/2 in the exponent.

    Args:
        dim: D, the number of channels.
        std: s, the width: near 0 only the k nearest to ``mu`` has a chance, infinity is uniform.
        mu: the k of the peak; 0 is half a Gaussian, which favours few channels.

    >>> nested_prior(3, 1.0).mul(1e4).round().int().tolist()  # e^-1, e^-4, e^-9 over their sum, in ten-thousandths
    [9523, 474, 3]
    """
    check_int("nested_prior", "dim", dim, at_least=1)
    check_float("nested_prior", "mu", mu)
    if std != math.inf:
        check_float("nested_prior", "std", std, above=0.0)
    away = torch.arange(1, dim + 1, dtype=torch.float64) - mu
    least = away[away.abs().argmin()]
    # exponents less their maximum, as differences of squares: a tiny s makes them -inf, never all of them
    return torch.softmax(-((away - least) * (away + least) / std / std), dim=0)


class NestedDropout(nn.Module):
    """Keeps the first k entries of the last axis: in training a random k a call, in evaluation ``kept``, at first all.

    Any linear head may follow; without a bias in it the features alone speak. The draw is from torch's generator of the
    CPU, so that it is repeated by activation checkpointing, and restored by checkpoints that hold that generator.

    Args:
        dim: channels.
        std: width of :func:`nested_prior`.
        mu: its peak.

    Attributes:
        kept: channels that pass in evaluation, part of ``state_dict``; set it by :meth:`keep`.
    """

    kept: Tensor

    def __init__(self, dim: int, std: float, mu: float = 0.0) -> None:
        super().__init__()
        self.dim, self.std, self.mu = check_int("NestedDropout", "dim", dim, at_least=1), float(std), float(mu)
        self._up_to = nested_prior(dim, std, mu).cumsum(0)  # no buffer: a model in half precision draws as any other
        self.register_buffer("kept", torch.tensor(dim))
        self._forced: int | None = None

    def draw(self) -> int:
        """A random k."""
        drawn = torch.rand((), dtype=torch.float64, generator=torch.default_generator) * self._up_to[-1]
        return min(int(torch.searchsorted(self._up_to, drawn, right=True)) + 1, self.dim)

    def keep(self, channels: int) -> None:
        """How many channels pass in evaluation from now on."""
        self.kept.fill_(check_int("NestedDropout", "channels", channels, at_least=1, at_most=self.dim))

    def forward(self, features: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """The features, with 0 in the place of those dropped."""
        if features.shape[-1] != self.dim:
            raise LitotesError(
                f"NestedDropout of {self.dim} channels got features of shape {tuple(features.shape)}: the last axis "
                "holds the channels."
            )
        kept: int | Tensor = self.kept
        if self._forced is not None:
            kept = self._forced
        elif self.training:
            kept = self.draw()
        return features.masked_fill(torch.arange(self.dim, device=features.device) >= kept, 0.0)

    def extra_repr(self) -> str:
        """What ``print`` shows."""
        return f"{self.dim}, std={self.std:g}, mu={self.mu:g}, kept={int(self.kept)}"


def nested_layers(model: nn.Module) -> list[NestedDropout]:
    """The layers of Nested Dropout in a model, in the order in which they were put there."""
    return [module for module in model.modules() if isinstance(module, NestedDropout)]


def draw_kept(layers: Sequence[NestedDropout], *, alternating: bool = False) -> list[int]:
    """A random k for each layer; ``alternating``: for one of them, by a fair coin, and the others keep all."""
    chosen = int(torch.randint(len(layers), (), generator=torch.default_generator)) if alternating and layers else None
    return [layer.draw() if chosen in (None, i) else layer.dim for i, layer in enumerate(layers)]


@contextlib.contextmanager
def keeping(kept: Sequence[int], *models: nn.Module) -> Iterator[None]:
    """Within the block the layers of each model keep these many channels, in training and in evaluation.

    Args:
        kept: a number for each layer of Nested Dropout, the same for every model.
        models: what is run in the block, several where they must share one draw.
    """
    pairs = []
    for layers in map(nested_layers, models):
        if len(layers) != len(kept):
            raise LitotesError(f"keeping got {len(kept)} numbers for a model of {len(layers)} layers of NestedDropout.")
        pairs += list(zip(layers, kept, strict=True))
    for layer, channels in pairs:
        check_int("keeping", "kept", channels, at_least=1, at_most=layer.dim)
    before = [layer._forced for layer, _ in pairs]
    try:
        for layer, channels in pairs:
            layer._forced = channels
        yield
    finally:
        for (layer, _), was in zip(pairs, before, strict=True):
            layer._forced = was


def add_nested_dropout(
    model: nn.Module, std: float, mu: float = 0.0, *, head: str = "classifier", bias: bool = False
) -> NestedDropout:
    """Put Nested Dropout before a linear head of a model, in place; for example before that of a transformer.

    Args:
        model: anything that holds the head as a submodule; what it was trained to stays.
        std, mu: of :func:`nested_prior`.
        head: the name of the ``nn.Linear``, dots for submodules (``"classifier.out_proj"``).
        bias: keep the head's bias; otherwise it is removed, so that the kept features alone decide.

    Returns:
        The new layer.

    Raises:
        LitotesError: there is no such submodule, or it is not linear.
    """
    modules = dict(model.named_modules())
    linear = modules.get(head)
    if not isinstance(linear, nn.Linear) or not head:
        known = [name for name, module in modules.items() if isinstance(module, nn.Linear) and name]
        near = nearest(head, known)
        hint = f" Did you mean {near!r}?" if near else f" Linear layers: {', '.join(known[-5:]) or 'none'}."
        came = "no such layer" if linear is None or not head else type(linear).__name__
        raise LitotesError(f"add_nested_dropout takes the name of a linear head. {head!r} is {came}.{hint}")
    if not bias:
        linear.register_parameter("bias", None)
    layer = NestedDropout(linear.in_features, std, mu).to(linear.weight.device)
    owner, _, name = head.rpartition(".")
    setattr(modules[owner], name, nn.Sequential(layer, linear).train(linear.training))
    return layer
