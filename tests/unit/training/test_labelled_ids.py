"""Labels of shape [B, 2]: by the dataset, and by a collator."""

import datasets
import pytest
import torch
from transformers import Trainer, default_data_collator

from litotes.core.errors import LitotesError
from litotes.losses import TargetMemory, elr_loss, for_trainer
from litotes.training import LabelledIds, MemoryCallback, label_with_ids
from tests.unit.training.small_classifier import N_CLASSES, N_EXAMPLES, arguments, classifier, examples, weights


def test_a_label_gets_the_position_of_its_row():
    data = label_with_ids(datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [2, -100, 0]}))
    assert data[:] == {"text": ["a", "b", "c"], "label_ids": [[2, 0], [-100, -100], [0, 2]]}


def test_large_ids_are_collated_as_ints():
    large = 2**24 + 1  # no float32
    data = datasets.Dataset.from_dict({"x": [[0.5]], "label_ids": [[1, large]]})
    assert default_data_collator(list(data))["labels"].tolist() == [[1, large]]


def test_the_column_of_labels_may_have_any_name():
    for name in ("labels", "label_ids"):
        assert label_with_ids(datasets.Dataset.from_dict({name: [1, 0]}), name)[:] == {"label_ids": [[1, 0], [0, 1]]}


def test_names_of_classes_are_their_numbers():
    data = datasets.Dataset.from_dict({"label": ["no", "yes", "no"]}).class_encode_column("label")
    assert label_with_ids(data)[:]["label_ids"] == [[0, 0], [1, 1], [0, 2]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"labels": [0, 1]}, "found no column 'label' among labels. Did you mean 'labels'?"),
        ({"label": ["x", "y"]}, "takes whole numbers. Row 0 has the label 'x'. Number the classes from 0, as dataset."),
        ({"label": [1, None]}, "Row 1 has the label None"),
    ],
)
def test_other_labels_are_refused(columns, message):
    with pytest.raises(LitotesError, match=message.replace("?", r"\?")):
        label_with_ids(datasets.Dataset.from_dict(columns))


def test_the_collator_joins_labels_and_ids():
    lines = [{"x": [1.0], "label": 2, "idx": 5}, {"x": [2.0], "label": -100, "idx": 6}]
    batch = LabelledIds(default_data_collator)(lines)
    assert batch["labels"].tolist() == [[2, 5], [-100, -100]] and batch["labels"].dtype == torch.int64
    assert set(batch) == {"x", "labels"}


def test_the_collator_leaves_examples_without_ids_as_they_are():
    batch = LabelledIds(default_data_collator)([{"x": [1.0], "label": 2}, {"x": [2.0], "label": 0}])
    assert batch["labels"].tolist() == [2, 0]


def test_the_collator_refuses_half_of_them():
    with pytest.raises(LitotesError, match="all have a label and 'idx', or none of them. Got 1 of 2 with 'idx'"):
        LabelledIds(default_data_collator)([{"x": [1.0], "label": 2, "idx": 5}, {"x": [2.0], "label": 0}])
    with pytest.raises(LitotesError, match="Got 1 of 1 with 'idx', and a batch without labels"):
        LabelledIds(default_data_collator)([{"x": [1.0], "idx": 5}])


def test_both_ways_train_the_same(tmp_path):
    found = []
    by_collator = {
        "train_dataset": examples().add_column("idx", list(range(N_EXAMPLES))),
        "data_collator": LabelledIds(default_data_collator),
    }
    for options in ({"train_dataset": label_with_ids(examples())}, by_collator):
        memory = TargetMemory(N_EXAMPLES, N_CLASSES)
        trainer = Trainer(
            classifier(), arguments(tmp_path, num_train_epochs=1, remove_unused_columns=False), **options,
            compute_loss_func=for_trainer(elr_loss, memory=memory), callbacks=[MemoryCallback(memory)],
        )  # fmt: skip
        trainer.train()
        found.append((weights(trainer.model), memory.targets))
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])


def test_a_trainer_that_drops_the_ids_is_told_so(tmp_path):
    data, memory = examples().add_column("idx", list(range(N_EXAMPLES))), TargetMemory(N_EXAMPLES, N_CLASSES)
    trainer = Trainer(
        classifier(), arguments(tmp_path), train_dataset=data, data_collator=LabelledIds(default_data_collator),
        compute_loss_func=for_trainer(elr_loss, memory=memory),
    )  # fmt: skip
    with pytest.raises(LitotesError, match="the collator LabelledIds with remove_unused_columns=False"):
        trainer.train()
