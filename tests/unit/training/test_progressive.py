"""Schedules are pure functions of progress, and progress is the optimiser's step: accumulated, evaluated, resumed."""

import math
from types import SimpleNamespace

import pytest
import torch
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from torch import nn

from litotes.core.errors import LitotesError
from litotes.losses import InfoNCELoss
from litotes.models import tiny_bert
from litotes.training import (
    Learner,
    ProgressSchedule,
    Rounds,
    RoundsArguments,
    ShuffledBatches,
    scheduled_value,
)

HALF = {"linear": 0.25, "cosine": (1 - math.cos(math.pi / 4)) / 2, "step": 0.0}


@pytest.mark.parametrize("shape", ["linear", "cosine", "step"])
@pytest.mark.parametrize(("start", "end"), [(0.0, 3.0), (0.1, 0.3), (0.0, -6.0), (2.0, -1.0)])
def test_it_starts_at_beta_0_and_ends_at_beta_1(shape, start, end):
    assert scheduled_value(0.0, start, end, shape) == start and scheduled_value(1.0, start, end, shape) == end
    assert scheduled_value(0.25, start, end, shape) == pytest.approx(start + (end - start) * HALF[shape])


@pytest.mark.parametrize("shape", ["linear", "cosine", "step"])
def test_equal_ends_are_a_constant(shape):
    assert {scheduled_value(p / 7, 0.3, 0.3, shape) for p in range(8)} == {0.3}


def test_the_step_is_taken_at_p_0_itself():
    assert [scheduled_value(p, 1.0, 2.0, "step", step_at=0.25) for p in (0.0, 0.2499, 0.25, 0.9)] == [1, 1, 2, 2]


@pytest.mark.parametrize("shape", ["linear", "cosine", "step"])
def test_it_never_turns_back(shape):
    values = [scheduled_value(p / 50, -1.0, 4.0, shape) for p in range(51)]
    assert values == sorted(values)


def test_what_is_wrong_is_said():
    with pytest.raises(LitotesError, match="'progress' parameter of scheduled_value must be a float in the range"):
        scheduled_value(1.5, 0, 1)
    with pytest.raises(LitotesError, match="must be one of 'linear', 'cosine', 'step'. Got 'cosin' instead. Did you"):
        scheduled_value(0.5, 0, 1, "cosin")
    with pytest.raises(LitotesError, match="ProgressSchedule sets 'beta', which Linear does not have. Name an attrib"):
        ProgressSchedule(nn.Linear(1, 1))
    with pytest.raises(LitotesError, match="'end' parameter of ProgressSchedule must be a float"):
        ProgressSchedule(SimpleNamespace(beta=0), end=math.inf)
    endless = ProgressSchedule(SimpleNamespace(beta=0))
    with pytest.raises(LitotesError, match="the trainer says -1. Set max_steps"):
        endless.on_step_begin(None, SimpleNamespace(global_step=0, max_steps=-1), None)


@pytest.fixture(autouse=True)
def without_model_cards(monkeypatch):
    """Writing the cards takes longer than the training."""
    monkeypatch.setattr(SentenceTransformer, "_create_model_card", lambda *args, **kwargs: None)


class Watched(InfoNCELoss):
    """A loss that remembers which beta each of its calls saw, and whether it was being trained."""

    def __init__(self, model, data=None):
        super().__init__(model, data)
        self.beta, self.where, self.calls, self.places = None, "", [], []

    def forward(self, sentence_features, labels=None):
        self.places.append(self.where)
        self.calls.append((self.model.training, self.beta))  # the Trainer switches the model alone
        return super().forward(sentence_features, labels)


def train(data, folder, *, resume=False, stop_after=None, **arguments):
    """Two epochs over 12 lines; returns the loss."""
    model = tiny_bert()
    loss = Watched(model, data)
    args = SentenceTransformerTrainingArguments(
        str(folder),
        **{"per_device_train_batch_size": 2, "num_train_epochs": 2, "save_steps": 5, **arguments},
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        logging_steps=1000,
    )
    lines = data.pairs().select(range(12))
    trainer = SentenceTransformerTrainer(
        model,
        args,
        train_dataset=lines,
        eval_dataset=lines.select(range(4)),
        loss=loss,
        callbacks=[ProgressSchedule(loss, 0.0, 1.0), *([] if stop_after is None else [StopAfter(stop_after)])],
    )
    trainer.train(resume_from_checkpoint=resume)
    return loss


def StopAfter(step):
    from transformers import TrainerCallback

    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            control.should_training_stop = state.global_step >= step

    return Stop()


def betas(loss, training=True):
    return [beta for was_training, beta in loss.calls if was_training == training]


def test_accumulation_does_not_hurry_it(data, tmp_path):
    loss = train(data, tmp_path, gradient_accumulation_steps=3)
    assert betas(loss) == [step / 4 for step in range(4) for _ in range(3)] and loss.beta == 1.0


def test_an_evaluation_neither_moves_it_nor_sees_another_value_than_the_next_step(data, tmp_path):
    loss = train(data, tmp_path, eval_strategy="steps", eval_steps=2, per_device_eval_batch_size=2)
    assert betas(loss) == [step / 12 for step in range(12)]
    assert betas(loss, training=False) == [step / 12 for step in range(2, 14, 2) for _ in range(2)]


def test_the_loss_is_told_where_training_is(data, tmp_path):
    loss = train(data, tmp_path, gradient_accumulation_steps=3, learning_rate=1e-2, warmup_steps=0)
    steps = [f"step {step + 1} of 4, learning rate {1e-2 * (1 - step / 4):.3g}" for step in range(4)]
    assert loss.places == [place for place in steps for _ in range(3)]


def test_resumed_it_goes_on_by_the_global_step(data, tmp_path):
    before = train(data, tmp_path, stop_after=5)
    after = train(data, tmp_path, resume=True)
    assert betas(before) + betas(after) == [step / 12 for step in range(12)]


def test_in_rounds_it_is_the_same(tmp_path):
    import numpy as np

    model, seen = nn.Linear(2, 1), []
    loss = SimpleNamespace(strength=None)
    args = RoundsArguments(str(tmp_path), num_train_epochs=2, gradient_accumulation_steps=2, save_steps=2)

    def step(batch, state):
        seen.append(loss.strength)
        return model(torch.ones(1, 2)).sum()

    def rounds():
        learner = Learner(model, torch.optim.SGD(model.parameters(), lr=0.1))
        schedule = ProgressSchedule(loss, 1.0, 2.0, attribute="strength")
        return Rounds({"m": learner}, step, ShuffledBatches(np.arange(8), 2), args, callbacks=[schedule])

    rounds().train()
    whole = list(seen)
    assert whole == [1.0, 1.0, 1.25, 1.25, 1.5, 1.5, 1.75, 1.75] and loss.strength == 2.0
    import shutil

    shutil.rmtree(tmp_path / "checkpoint-4")
    seen.clear()
    rounds().train()
    assert seen == whole[4:]
