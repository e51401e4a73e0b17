"""Labels that carry the ids of their examples: ``[B, 2]`` = (label, id), the only way past a trainer to its loss.

A ``transformers.Trainer`` drops every column that the model does not take, and gives a ``compute_loss_func`` nothing
but outputs and labels. :func:`label_with_ids` puts the ids into the label column itself, which every collator of
transformers passes on as it is; :class:`LabelledIds` does it when the batch is made, from a column of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch

from litotes.core.checks import nearest
from litotes.core.errors import LitotesError
from litotes.losses.for_trainer import IGNORED

if TYPE_CHECKING:
    import datasets

__all__ = ["LabelledIds", "label_with_ids"]

_PAIRS = "label_ids"


def label_with_ids(dataset: datasets.Dataset, label: str = "label") -> datasets.Dataset:
    """The dataset with (label, position) in place of each label: for training, with ``for_trainer(loss, memory=...)``.

    The pairs stand in a column ``label_ids``, which trainers keep and collators make int64 ``labels`` of (a list in a
    column ``label`` would become float32, and large ids other ids). Number the training set once, before anything is
    selected from it; the memory has ``n_examples=len(dataset)``. A label of -100 has no id, so that what a trainer
    counts is twice the number of labels.

    Raises:
        LitotesError: no such column, or labels that are not whole numbers.
    """
    if label not in dataset.column_names:
        hint = nearest(label, dataset.column_names)
        raise LitotesError(
            f"label_with_ids found no column {label!r} among {', '.join(dataset.column_names)}."
            + (f" Did you mean {hint!r}?" if hint else "")
        )
    labels = dataset[:][label]
    wrong = next((i for i, y in enumerate(labels) if not isinstance(y, int)), None)
    if wrong is not None:
        raise LitotesError(
            f"label_with_ids takes whole numbers. Row {wrong} has the label {labels[wrong]!r}. Number the classes from "
            f"0, as dataset.class_encode_column({label!r}) does."
        )
    pairs = [[y, i if y != IGNORED else IGNORED] for i, y in enumerate(labels)]
    if label == _PAIRS:
        dataset, label = dataset.rename_column(label, "label"), "label"
    return dataset.add_column(_PAIRS, pairs).remove_columns(label)


class LabelledIds:
    """A collator around another, which makes ``labels`` of shape ``[B, 2]`` where the examples have an id.

    Examples without ids, as in an evaluation, are collated as before. Pass ``remove_unused_columns=False`` to the
    trainer, or it drops the column of ids (and give it only columns that the model takes).

    Args:
        collator: makes batches with ``labels``, such as ``DataCollatorWithPadding(tokenizer)``.
        id_column: where each example has its position in the training set.
    """

    def __init__(self, collator: Callable[[list[dict[str, Any]]], Any], *, id_column: str = "idx") -> None:
        self.collator, self.id_column = collator, id_column

    def __call__(self, features: Sequence[dict[str, Any]]) -> Any:
        """The batch of some examples."""
        ids = [int(line[self.id_column]) for line in features if self.id_column in line]
        batch = self.collator([{key: x for key, x in line.items() if key != self.id_column} for line in features])
        if not ids:
            return batch
        if len(ids) < len(features) or "labels" not in batch:
            raise LitotesError(
                f"LabelledIds takes examples that all have a label and {self.id_column!r}, or none of them. Got "
                f"{len(ids)} of {len(features)} with {self.id_column!r}"
                + ("." if "labels" in batch else ", and a batch without labels.")
            )
        labels = torch.as_tensor(batch["labels"], dtype=torch.int64)
        numbers = torch.tensor(ids).where(labels != IGNORED, IGNORED)
        batch["labels"] = torch.stack([labels, numbers], dim=1)
        return batch
