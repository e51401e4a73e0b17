"""ELR in a real ``Trainer``: the step of one large batch, resume, workers, evaluation, and without the subclass."""

import numpy as np
import pytest
import torch
from transformers import Trainer

from litotes.core.errors import DataError, LitotesError
from litotes.losses import TargetMemory, elr_loss, for_trainer
from litotes.training import ELRTrainer, MemoryCallback, label_with_ids
from tests.unit.training.small_classifier import (
    N_CLASSES,
    N_EXAMPLES,
    StopAfter,
    arguments,
    classifier,
    examples,
    weights,
)


class Recorded(ELRTrainer):
    """Remembers the ids of its batches."""

    def compute_loss(self, model, inputs, *args, **kwargs):
        self.order = [*getattr(self, "order", []), inputs["idx"].clone()]
        return super().compute_loss(model, inputs, *args, **kwargs)


def elr(folder, *, resume=False, callbacks=(), data=None, eval_dataset=None, options=None, kind=ELRTrainer, **kwargs):
    """Train the tiny classifier with ELR."""
    trainer = kind(
        classifier(), arguments(folder, **options or {}), train_dataset=examples() if data is None else data,
        eval_dataset=eval_dataset, callbacks=list(callbacks), **kwargs,
    )  # fmt: skip
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def losses(trainer) -> list[float]:
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return elr(tmp_path_factory.mktemp("whole"), kind=Recorded)


def test_it_is_elr_by_hand(whole):
    """The trainer's batches, our loss, and plain gradient descent give the same weights."""
    model, memory, data = classifier(), TargetMemory(N_EXAMPLES, N_CLASSES), examples().with_format("torch")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    assert len(whole.order) == 6 and sorted(torch.cat(whole.order[:3]).tolist()) == list(range(N_EXAMPLES))
    for ids in whole.order:
        batch = data[ids.tolist()]
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        optimizer.zero_grad()
        elr_loss(logits, batch["label"], memory, ids).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    torch.testing.assert_close(weights(model), weights(whole.model))
    torch.testing.assert_close(memory.targets, whole.memory.targets)
    torch.testing.assert_close(memory.targets.sum(dim=1), torch.full((N_EXAMPLES,), 1 - 0.7**2))


def test_accumulated_it_is_the_step_of_one_large_batch(whole, tmp_path):
    parts = elr(tmp_path, options={"per_device_train_batch_size": 2, "gradient_accumulation_steps": 4})
    torch.testing.assert_close(weights(parts.model), weights(whole.model), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(parts.memory.targets, whole.memory.targets, rtol=1e-4, atol=1e-6)
    assert losses(parts) == pytest.approx(losses(whole), rel=1e-3)


def test_through_for_trainer_it_is_the_same(whole, tmp_path):
    memory = TargetMemory(N_EXAMPLES, N_CLASSES)
    trainer = Trainer(
        classifier(), arguments(tmp_path), train_dataset=label_with_ids(examples()),
        compute_loss_func=for_trainer(elr_loss, memory=memory), callbacks=[MemoryCallback(memory)],
    )  # fmt: skip
    trainer.train()
    assert torch.equal(weights(trainer.model), weights(whole.model))
    assert torch.equal(memory.targets, whole.memory.targets) and losses(trainer) == losses(whole)


def test_with_several_workers_each_row_is_still_its_own(whole, tmp_path):
    spread = elr(tmp_path, options={"dataloader_num_workers": 2})
    assert torch.equal(spread.memory.targets, whole.memory.targets)
    assert torch.equal(weights(spread.model), weights(whole.model))


def test_ids_follow_their_examples_through_a_selection_and_a_shuffle(tmp_path):
    data = examples().add_column("idx", list(range(N_EXAMPLES))).shuffle(seed=1).select(range(16))
    trained = elr(tmp_path, data=data, memory=TargetMemory(N_EXAMPLES, N_CLASSES))
    assert sorted(data["idx"]) == trained.memory.seen.nonzero().flatten().tolist()


@pytest.mark.parametrize("stop", [2, 3, 4])
def test_resumed_it_is_never_stopped(whole, tmp_path, stop):
    """In the middle of an epoch, at its end, and after it."""
    options = {"save_strategy": "steps", "save_steps": 1}
    elr(tmp_path, callbacks=[StopAfter(stop)], options=options)
    resumed = elr(tmp_path, resume=True, options=options)
    assert torch.equal(resumed.memory.targets, whole.memory.targets)
    assert torch.equal(resumed.memory.last_visit, whole.memory.last_visit)
    assert torch.equal(weights(resumed.model), weights(whole.model))


def test_a_checkpoint_without_its_memory_is_refused(tmp_path):
    options = {"save_strategy": "steps", "save_steps": 1}
    elr(tmp_path, callbacks=[StopAfter(2)], options=options)
    (tmp_path / "checkpoint-2" / "target_memory.safetensors").unlink()
    with pytest.raises(DataError, match="checkpoint-2/target_memory.safetensors: no such file. Resume from an earlier"):
        elr(tmp_path, resume=True, options=options)


def test_an_evaluation_leaves_the_memory_and_gives_cross_entropy_and_plain_labels(tmp_path):
    seen = []

    def metrics(found):
        seen.append(found.label_ids.shape)
        return {"accuracy": float((found.predictions.argmax(axis=1) == found.label_ids).mean())}

    held_out = examples(10, seed=9)
    for data in (held_out, held_out.add_column("idx", list(range(100, 110)))):  # ids there are none of the memory's
        trainer = ELRTrainer(
            classifier(), arguments(tmp_path), train_dataset=examples(), eval_dataset=data, compute_metrics=metrics
        )
        trainer.train()
        before = trainer.memory.targets.clone()
        found = trainer.evaluate()
        assert torch.equal(trainer.memory.targets, before) and seen[-1] == (10,)
        predicted = trainer.predict(data.remove_columns("label"))
        assert predicted.predictions.shape == (10, N_CLASSES)
        logits = torch.from_numpy(trainer.predict(data).predictions)
        expected = torch.nn.functional.cross_entropy(logits, torch.tensor(data["label"]))
        assert found["eval_loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_evaluating_in_between_changes_nothing(whole, tmp_path):
    options = {"eval_strategy": "steps", "eval_steps": 2}
    watched = elr(tmp_path, eval_dataset=examples(10, seed=9), options=options)
    assert torch.equal(watched.memory.targets, whole.memory.targets)


def test_a_second_training_with_the_same_memory_moves_every_row_again(tmp_path):
    trainer = elr(tmp_path, options={"num_train_epochs": 1})
    assert trainer.memory.visit is None
    trainer.train()
    torch.testing.assert_close(trainer.memory.targets.sum(dim=1), torch.full((N_EXAMPLES,), 1 - 0.7**2))


def test_options_reach_the_loss(tmp_path):
    plain = elr(tmp_path, regularization=0.0, target_momentum=0.9, options={"num_train_epochs": 1})
    trainer = Trainer(classifier(), arguments(tmp_path, num_train_epochs=1), train_dataset=examples())
    trainer.train()
    torch.testing.assert_close(weights(plain.model), weights(trainer.model), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(plain.memory.targets.sum(dim=1), torch.full((N_EXAMPLES,), 0.1))


def test_labels_that_look_wrong_have_a_low_quality(tmp_path):
    data = examples(60)
    trainer = elr(tmp_path, data=data, options={"num_train_epochs": 15, "learning_rate": 0.3})
    labels = torch.tensor(data["label"])
    quality = trainer.memory.label_quality(labels)
    wrong = labels != torch.from_numpy(np.array(data["input_ids"]))[:, 0]
    assert quality[wrong].mean() < quality[~wrong].mean() - 0.2


class TestRefused:
    def test_another_loss(self, tmp_path):
        with pytest.raises(LitotesError, match="ELRTrainer has a loss of its own. Leave out compute_loss_func and lab"):
            ELRTrainer(
                classifier(), arguments(tmp_path), train_dataset=examples(), compute_loss_func=lambda *a, **k: None
            )
        with pytest.raises(LitotesError, match="has a loss of its own"):
            ELRTrainer(classifier(), arguments(tmp_path, label_smoothing_factor=0.1), train_dataset=examples())

    def test_examples_without_ids(self, tmp_path):
        lines = [dict(line) for line in examples()]
        trainer = ELRTrainer(classifier(), arguments(tmp_path), train_dataset=lines)
        with pytest.raises(LitotesError, match="got a batch without 'idx'. Give the training set that column"):
            trainer.train()

    def test_a_model_whose_classes_are_not_known(self, tmp_path):
        with pytest.raises(LitotesError, match=r"Pass memory=TargetMemory\(n_examples, n_classes\)"):
            ELRTrainer(torch.nn.Linear(2, 2), arguments(tmp_path), train_dataset=examples())

    def test_ids_beyond_the_memory(self, tmp_path):
        data = examples().add_column("idx", list(range(1000, 1000 + N_EXAMPLES)))
        with pytest.raises(LitotesError, match="holds targets of 24 examples, ids 0 to 23. Got the id 10"):
            elr(tmp_path, data=data)
