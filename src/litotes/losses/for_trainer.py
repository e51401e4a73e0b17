r"""A loss of logits and labels as the ``compute_loss_func`` of a ``transformers.Trainer``.

The trainer hands over the model's outputs, the labels as they were collated, and how many labels that count are in
*all* batches of the optimiser step. The loss of a batch must then be its sum divided by that number, so that a step
accumulated over several small batches is the step of one large batch. With :math:`\ell` the mean over the n labels of
a batch that count, and N the number that the trainer gives, that is

.. math:: \ell \cdot n / N

for every loss that is a mean over its labels. One that is not (a ratio of sums, say) is averaged over the batches by
their numbers of labels.

A loss with a memory of its examples (:func:`~litotes.losses.elr_loss`) needs their ids too, and a trainer passes on
nothing but the labels: so labels are then ``[B, 2]`` = (label, id), as :mod:`litotes.training.labelled_ids` makes them.
The trainer counts both columns, and its number is halved here.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from litotes.core.errors import LitotesError
from litotes.losses.target_memory import TargetMemory

__all__ = ["IGNORED", "for_trainer"]

IGNORED = -100
"""The label of what has none: padding, parts of words, examples that nobody labelled."""

ComputeLoss = Callable[..., Tensor]


def for_trainer(loss: Callable[..., Tensor], *, memory: TargetMemory | None = None, **options: Any) -> ComputeLoss:
    """What ``Trainer(compute_loss_func=...)`` takes, made from a loss.

    ``loss(logits, labels, **options)`` is called with ``[n, classes]`` and ``[n]``: one entry for each label that is
    not -100, whether labels are those of whole texts ``[B]`` or of tokens ``[B, length]``. Where no label counts, the
    loss is 0 with gradients of 0.

    With ``memory`` it is ``loss(logits, labels, memory, ids, **options)``. Where no gradients are recorded, as in the
    trainer's evaluation, the examples have no targets and labels may be plain ``[B]``: the loss is called with ``None``
    for both, and the memory rests. Add a :class:`~litotes.training.memory_callback.MemoryCallback`, without which a
    resumed run would begin the targets again.

    Args:
        loss: a function of logits and labels that gives their mean, such as ``torch.nn.functional.cross_entropy``.
        memory: of the targets of the examples.
        options: of the loss.

    Raises:
        LitotesError: an option ``reduction``, or, when called, outputs without logits or labels of another shape.

    >>> compute = for_trainer(torch.nn.functional.cross_entropy)
    >>> compute({"logits": torch.zeros(2, 3, 4)}, torch.tensor([[0, -100, 1], [2, -100, -100]]), num_items_in_batch=6)
    tensor(0.6931)
    """
    if "reduction" in options:
        raise LitotesError(
            "for_trainer divides by the number of labels itself. Leave reduction= out; the loss gives its mean."
        )

    def compute_loss(outputs: Any, labels: Tensor | None, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        """The loss of a batch, scaled to its part of the optimiser step."""
        logits, labels = _checked(outputs, labels)
        ids, number = None, None if num_items_in_batch is None else _number(num_items_in_batch, logits)
        if memory is not None and _are_pairs(logits, labels):
            labels, ids = labels.unbind(dim=1)
            number = None if number is None else number / 2
        elif memory is not None and torch.is_grad_enabled():
            raise LitotesError(
                "for_trainer with a memory takes labels of shape [B, 2], (label, id). Got the shape "
                f"{tuple(labels.shape)}. Make them with label_with_ids(dataset), or by the collator LabelledIds with "
                "remove_unused_columns=False, or train with ELRTrainer."
            )
        if ids is not None and ids.is_floating_point():
            raise LitotesError(
                f"for_trainer got (label, id) as {ids.dtype}, in which ids above {2**24:,} are others. Give the pairs "
                "in a column 'label_ids', which collators keep as ints, as label_with_ids(dataset) does."
            )
        if labels.shape != logits.shape[:-1]:
            raise LitotesError(
                f"for_trainer takes one label for each row of logits. Got labels {tuple(labels.shape)} and logits "
                f"{tuple(logits.shape)}."
            )
        keep = labels != IGNORED
        logits, labels = logits[keep], labels[keep]
        if not len(labels):
            return logits.sum()  # of nothing, and a part of the graph
        if memory is None:
            value = loss(logits, labels, **options)
        elif ids is None or not torch.is_grad_enabled():
            value = loss(logits, labels, None, None, **options)
        else:
            value = loss(logits, labels, memory, ids[keep], **options)
        return value if number is None else value * len(labels) / number

    return compute_loss


def _checked(outputs: Any, labels: Tensor | None) -> tuple[Tensor, Tensor]:
    """The logits of a model's outputs, a dictionary or a tuple, and the labels on their device."""
    found = outputs.get("logits") if hasattr(outputs, "get") else outputs[0]
    if not isinstance(found, Tensor):
        raise LitotesError(
            "for_trainer takes outputs with logits. Got "
            + (", ".join(map(str, outputs.keys())) if hasattr(outputs, "keys") else type(found).__name__)
            + ". Use a model with a head for classification."
        )
    if labels is None:
        raise LitotesError("for_trainer got no labels. Give the dataset a column 'label' or 'labels'.")
    return found, labels.to(found.device)


def _are_pairs(logits: Tensor, labels: Tensor) -> bool:
    """Whether labels are (label, id): logits of whole examples, two numbers for each."""
    return logits.ndim == 2 and labels.ndim == 2 and labels.shape == (len(logits), 2)


def _number(count: Tensor | int, like: Tensor) -> Tensor | float:
    """The number of labels; of several devices that share a batch, each has the same."""
    return count.reshape(-1)[0].to(like.device) if isinstance(count, Tensor) else float(count)
