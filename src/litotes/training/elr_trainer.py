"""ELR in a ``transformers.Trainer``: one import changes, and a column of ids is kept.

What :func:`~litotes.losses.for_trainer` with a memory does for a trainer as it is, done inside one: the ids come in a
column of their own, so labels stay what they were for metrics and evaluation.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import Trainer

from litotes.core.errors import LitotesError
from litotes.losses.elr import Form, check_elr, elr_loss
from litotes.losses.for_trainer import for_trainer
from litotes.losses.target_memory import TargetMemory
from litotes.training.memory_callback import MemoryCallback

__all__ = ["ELRTrainer"]


class ELRTrainer(Trainer):
    """A ``Trainer`` for classification whose loss is :func:`~litotes.losses.elr_loss`.

    The training set has a column ``idx``, each example's position; a ``datasets.Dataset`` without one is numbered here.
    Evaluation and prediction are the trainer's own, with cross entropy as loss, and leave the memory alone. The memory
    is saved with each checkpoint and restored with it.

    After training, ``trainer.memory.label_quality(labels)`` is low where a label looks wrong.

    Args:
        args, kwargs: as ``Trainer``'s, but for ``compute_loss_func``.
        memory: of the targets; None makes one of ``target_momentum`` for the training set and the model's classes.
        regularization, clamp, form: as in :func:`~litotes.losses.elr_loss`.
        target_momentum: beta of the memory that is made here.
        id_column: the name of the column of ids.

    Raises:
        LitotesError: options that do not fit, or a training set or model that no memory can be made for.
    """

    compute_loss_func: Any
    train_dataset: Any

    def __init__(
        self,
        *args: Any,
        memory: TargetMemory | None = None,
        regularization: float = 3.0,
        target_momentum: float = 0.7,
        clamp: float = 1e-4,
        form: Form = "log",
        id_column: str = "idx",
        **kwargs: Any,
    ) -> None:
        check_elr("ELRTrainer", regularization, clamp, form, "mean")
        super().__init__(*args, **kwargs)
        if self.compute_loss_func is not None or self.label_smoother is not None:
            raise LitotesError(
                "ELRTrainer has a loss of its own. Leave out compute_loss_func and label_smoothing_factor, or use a "
                "Trainer."
            )
        self.id_column = id_column
        self.train_dataset = _numbered(self.train_dataset, id_column)
        if memory is None:
            memory = TargetMemory(
                *_sizes(self.train_dataset, self.accelerator.unwrap_model(self.model)), target_momentum=target_momentum
            )
        self.memory = memory.to(self.args.device)
        self.compute_loss_func = for_trainer(
            elr_loss, memory=self.memory, regularization=regularization, clamp=clamp, form=form
        )
        self.add_callback(MemoryCallback(self.memory))

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The trainer's own, with (label, id) as labels while gradients are recorded."""
        inputs = dict(inputs)
        ids = inputs.pop(self.id_column, None)
        if torch.is_grad_enabled():
            if ids is None:
                raise LitotesError(
                    f"ELRTrainer got a batch without {self.id_column!r}. Give the training set that column of "
                    "positions, and let the data collator keep it."
                )
            inputs["labels"] = torch.stack([inputs["labels"], ids.to(inputs["labels"])], dim=1)
            num_items_in_batch = None if num_items_in_batch is None else 2 * num_items_in_batch
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

    def prediction_step(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
    ) -> Any:
        """The trainer's own, without the ids, which belong to the training set."""
        inputs = {key: value for key, value in inputs.items() if key != self.id_column}
        return super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)

    def _set_signature_columns_if_needed(self) -> None:
        """Keep the ids with the columns that the model takes."""
        super()._set_signature_columns_if_needed()
        if self.id_column not in self._signature_columns:
            self._signature_columns.append(self.id_column)


def _numbered(dataset: Any, id_column: str) -> Any:
    """A ``datasets.Dataset`` with its positions as a column; anything else must bring its own."""
    if not hasattr(dataset, "add_column") or not hasattr(dataset, "__len__") or id_column in dataset.column_names:
        return dataset
    return dataset.add_column(id_column, list(range(len(dataset))))


def _sizes(dataset: Any, model: Any) -> tuple[int, int]:
    n_classes = getattr(getattr(model, "config", None), "num_labels", None)
    if not hasattr(dataset, "__len__") or not isinstance(n_classes, int):
        raise LitotesError(
            "ELRTrainer makes its memory from len(train_dataset) and model.config.num_labels, and one of them is "
            "missing. Pass memory=TargetMemory(n_examples, n_classes)."
        )
    return len(dataset), n_classes
