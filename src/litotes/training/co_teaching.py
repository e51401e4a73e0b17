r"""Co-teaching: each of two networks is trained on the examples that the *other* one finds easy.

Han et al. 2018, with batches cut in two and Nested Dropout as in Chen et al. 2022. For a batch of 2b examples with
halves A and B, and r the forget rate of the epoch:

    1. both networks judge in evaluation mode, without gradients, with the number of channels chosen last:
       network 1 the half A, network 2 the half B; each keeps the int((1 - r) b) examples of smallest loss
    2. in training mode network 1 learns from what network 2 kept of B, network 2 from what network 1 kept of A,
       by the mean cross entropy, with *one* random number of channels for both

Without the cut (``split_batch=False``), as in Han et al., both judge the whole batch and swap what they kept.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import TrainerCallback, TrainerState

from litotes.core.errors import LitotesError
from litotes.judging.small_loss import small_loss
from litotes.models.cumulative_logits import accuracy_by_channels, choose_channels
from litotes.models.head_features import head_features
from litotes.models.nested_dropout import draw_kept, keeping, nested_layers
from litotes.models.resting import resting

__all__ = [
    "NETWORKS",
    "ChooseChannels",
    "CoTeaching",
    "best_channels",
    "cross_update",
    "logits_of",
    "select_for_each_other",
]

NETWORKS = ("first", "second")
"""The names of the two learners."""

Call = Callable[[nn.Module, Any], Tensor]
Half = tuple[Any, Int[Tensor, "_"]]


def logits_of(model: nn.Module, inputs: Any) -> Float[Tensor, "batch classes"]:
    """What a network says: of a tensor, or of named tensors as models of ``transformers`` take them."""
    answer = model(**inputs) if isinstance(inputs, dict) else model(inputs)
    return answer if isinstance(answer, Tensor) else answer.logits


def select_for_each_other(
    models: Sequence[nn.Module], halves: Sequence[Half], forget_rate: float, *, call: Call = logits_of
) -> tuple[Int[Tensor, "kept_1"], Int[Tensor, "kept_2"]]:
    """The rows of each half that the network of the same place keeps; they are for the *other* network.

    In evaluation mode: no dropout, running statistics, and the channels that were chosen last.
    """
    with resting(*models):
        kept = [
            small_loss(call(model, inputs), labels, forget_rate)
            for model, (inputs, labels) in zip(models, halves, strict=True)
        ]
    return kept[0], kept[1]


def cross_update(
    models: Sequence[nn.Module],
    halves: Sequence[Half],
    keep: Sequence[Int[Tensor, "_"]],
    *,
    kept: Sequence[int] | None = None,
    call: Call = logits_of,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The losses of both networks, each on the rows of the other's half that the other kept.

    Args:
        models: two networks, in the mode that they are trained in.
        halves: inputs and labels that the first and the second network judged.
        keep: rows of each half, from :func:`select_for_each_other`.
        kept: how many channels pass the layers of Nested Dropout, the same for both networks; None: each draws.
        call: ``call(model, inputs) -> logits``.

    Returns:
        The mean cross entropy of the first network on the second half, and of the second on the first.
    """

    def loss(model: nn.Module, half: Half, rows: Tensor) -> Tensor:
        inputs, labels = half
        return F.cross_entropy(call(model, _rows(inputs, rows)), labels[rows].long())

    if kept is None:
        return loss(models[0], halves[1], keep[1]), loss(models[1], halves[0], keep[0])
    with keeping(kept, *models):
        return loss(models[0], halves[1], keep[1]), loss(models[1], halves[0], keep[0])


class CoTeaching:
    """A step for :class:`~litotes.training.rounds.Rounds` with learners named ``first`` and ``second``.

    A batch is ``(inputs, labels)``, inputs a tensor or named tensors. Of an odd batch that is cut in two the last
    example is left out; a batch of one moves nothing.

    Args:
        first, second: the networks. They must differ, by seed or by data: two that agree win nothing.
        forget_rates: by epoch, see :func:`~litotes.judging.small_loss.forget_schedule`; the last one goes on.
        split_batch: cut batches in two; otherwise both networks judge the whole batch.
        alternating: where the networks have several layers of Nested Dropout, mask one of them a batch.
        call: ``call(model, inputs) -> logits``.

    Raises:
        LitotesError: the networks have the same parameters, or layers of Nested Dropout that do not fit.
    """

    def __init__(
        self,
        first: nn.Module,
        second: nn.Module,
        forget_rates: Sequence[float],
        *,
        split_batch: bool = True,
        alternating: bool = False,
        call: Call = logits_of,
    ) -> None:
        self.models = (first, second)
        self.forget_rates = [float(rate) for rate in forget_rates]
        self.split_batch, self.alternating, self.call = split_batch, alternating, call
        widths = [[layer.dim for layer in nested_layers(model)] for model in self.models]
        if widths[0] != widths[1]:
            raise LitotesError(
                f"Co-teaching draws one number of channels for both networks. Their layers of NestedDropout have "
                f"{widths[0]} and {widths[1]} channels."
            )
        if not self.forget_rates:
            raise LitotesError("Co-teaching takes a forget rate for each epoch. Got none.")
        if _same_parameters(first, second):
            raise LitotesError(
                "Co-teaching got two networks with the same parameters, which choose the same examples for each other. "
                "Make them with two seeds, or from two parts of the data."
            )

    def __call__(self, batch: tuple[Any, Tensor], state: TrainerState) -> dict[str, Tensor]:
        """The losses of the two learners."""
        return self.losses(*batch, epoch=int(state.epoch or 0))

    def losses(self, inputs: Any, labels: Int[Tensor, "batch"], epoch: int) -> dict[str, Tensor]:
        """The losses of the two networks on a batch of an epoch, counted from 0; none where it is too small to cut."""
        halves = self._halves(inputs, labels)
        if halves is None:
            return {}
        rate = self.forget_rates[min(epoch, len(self.forget_rates) - 1)]
        keep = select_for_each_other(self.models, halves, rate, call=self.call)
        layers = nested_layers(self.models[0])
        kept = draw_kept(layers, alternating=self.alternating) if layers else None
        losses = cross_update(self.models, halves, keep, kept=kept, call=self.call)
        return dict(zip(NETWORKS, losses, strict=True))

    def _halves(self, inputs: Any, labels: Tensor) -> tuple[Half, Half] | None:
        if not self.split_batch:
            return (inputs, labels), (inputs, labels)
        size = len(labels) // 2
        if not size:
            return None
        first, second = slice(0, size), slice(size, 2 * size)
        return (_rows(inputs, first), labels[first]), (_rows(inputs, second), labels[second])


class ChooseChannels(TrainerCallback):
    """:func:`best_channels` after each epoch: what the networks keep in evaluation, and judge with in the next epoch.

    It is part of their weights, chosen before a checkpoint of that step is written.

    Args:
        models: one network, or two that answer together.
        batches: ``(inputs, labels)`` of the validation set; a list or a loader, gone through after each epoch.
        penalty: what one more channel must bring.
        call: ``call(model, inputs) -> logits``.

    Attributes:
        accuracy: by number of channels, of the last epoch.
        history: the number of channels and its accuracy, by epoch.
    """

    def __init__(
        self,
        models: Sequence[nn.Module],
        batches: Iterable[tuple[Any, Tensor]],
        *,
        penalty: float = 1e-5,
        call: Call = logits_of,
    ) -> None:
        self.models, self.batches, self.penalty, self.call = list(models), batches, penalty, call
        self.accuracy: np.ndarray | None = None
        self.history: list[tuple[int, float]] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """At the end of an epoch, and of the training."""
        if float(state.epoch).is_integer() or state.global_step >= state.max_steps:
            channels, self.accuracy = best_channels(self.models, self.batches, penalty=self.penalty, call=self.call)
            self.history.append((channels, float(self.accuracy[channels - 1])))


def best_channels(
    models: Sequence[nn.Module],
    batches: Iterable[tuple[Any, Tensor]],
    *,
    penalty: float = 1e-5,
    call: Call = logits_of,
) -> tuple[int, Float[np.ndarray, "dim"]]:
    """Evaluate every number of channels of the last Nested Dropout, and keep the best in evaluation from now on.

    Args:
        models: one network, or several that answer together by the mean of their logits.
        batches: ``(inputs, labels)`` of a validation set. What is reported of it is optimistic afterwards.
        penalty: what one more channel must bring, see :func:`~litotes.models.cumulative_logits.choose_channels`.
        call: ``call(model, inputs) -> logits``.

    Returns:
        The number of channels, and the accuracy by number of channels.
    """
    total, right = 0, np.zeros(1)
    for inputs, labels in batches:
        cuts = [head_features(model, inputs, call) for model in models]
        accuracy = accuracy_by_channels(
            [features for features, _ in cuts],
            [head.weight for _, head in cuts],
            labels,
            bias=[head.bias for _, head in cuts],
        )
        total, right = total + len(labels), right + np.rint(accuracy * len(labels))
    if not total:
        raise LitotesError("The number of channels is chosen on a validation set. Got one without an example.")
    channels = choose_channels(right / total, penalty)
    for model in models:
        nested_layers(model)[-1].keep(channels)
    return channels, right / total


def _rows(inputs: Any, rows: Tensor | slice) -> Any:
    if isinstance(inputs, dict):
        return {name: value[rows] for name, value in inputs.items()}
    return inputs[rows]


def _same_parameters(first: nn.Module, second: nn.Module) -> bool:
    """Whether nothing tells two networks apart."""
    ours, theirs = dict(first.named_parameters()), dict(second.named_parameters())
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
