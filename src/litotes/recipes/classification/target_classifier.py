"""What ELR and ELR+ share: the memory and the averages of a fit, and what the targets say of the given labels."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from litotes.losses.target_memory import TargetMemory
from litotes.models.resting import resting
from litotes.recipes.classification.elr_options import TargetOptions
from litotes.training.array_classifier import ArrayClassifier
from litotes.training.array_task import ArrayTask, ask
from litotes.training.weight_average import WeightAverage

if TYPE_CHECKING:
    from litotes.data.labelled_table import LabelledTable

__all__ = ["TargetClassifier", "average_of", "in_training", "new_memory", "steps_of", "total_steps", "write_labels"]


class TargetClassifier(ArrayClassifier):
    """What both have: targets after the training, and the labels that they speak against."""

    _saved_arrays = ("label_quality_", "label_issues_")

    def _finish(self, task: ArrayTask) -> None:
        """Targets of all rows: the memories' mean; of a row held out, the probabilities of the answer."""
        memories = self.__dict__.pop("_memories")
        targets = torch.stack([memory.targets.float() for memory in memories]).mean(dim=0).cpu()
        with resting(*self.networks_.values()):
            seen = torch.zeros(len(targets), dtype=torch.bool)
            seen[torch.from_numpy(task.train)] = True
            logits = ask(task.owner, lambda inputs: self._answer(self.networks_, inputs), task.rows, task.n_classes)
        targets = torch.where(seen[:, None], targets, logits.softmax(dim=1))
        labels = task.labels.cpu()
        self.targets_ = targets.numpy()
        self.label_quality_ = targets.gather(1, labels[:, None])[:, 0].numpy()
        self.label_issues_ = (targets.argmax(dim=1) != labels).numpy()


def write_labels(model: Any, data: LabelledTable, folder: Path) -> None:
    """What the targets say of every given label, the most suspicious first."""
    from litotes.data.table_writing import write_columns

    order = np.argsort(model.label_quality_, kind="stable")
    predicted = model.classes_[model.targets_.argmax(axis=1)]
    write_columns(
        folder / "labels.csv",
        {
            "id": [data.ids[row] for row in order],
            "is_label_issue": model.label_issues_[order].tolist(),
            "label_score": model.label_quality_[order].tolist(),
            "given_label": [data.labels[row] for row in order],
            "predicted_label": predicted[order].tolist(),
        },
    )


def new_memory(task: ArrayTask, options: TargetOptions) -> TargetMemory:
    """A memory with a row for each row that was given, also for those held out: ids are positions."""
    return TargetMemory(
        len(task.labels),
        task.n_classes,
        target_momentum=options.target_momentum,
        dtype=getattr(torch, options.memory_dtype),
    ).to(task.device)


def in_training(average: nn.Module, inputs: Tensor) -> Tensor:
    """The logits of an average in training mode, constants."""
    average.train()
    with torch.no_grad():
        return average(inputs)


def average_of(network: nn.Module, options: TargetOptions, total_steps: int) -> WeightAverage:
    """Begins as the network; after so few steps it would be the network at once, wherever it began."""
    ramp = steps_of(options.average_ramp, total_steps)
    return WeightAverage(copy.deepcopy(network), options.average_momentum, ramp or None)


def steps_of(length: float, total: int) -> int:
    """A length in steps that was given as a share of all, or as steps."""
    return math.ceil(length * total) if length <= 1 else int(length)


def total_steps(task: ArrayTask) -> int:
    """Steps of one network in the whole run."""
    options = task.options
    return -(-len(task.train) // options.per_device_train_batch_size) * options.num_train_epochs
