"""The memory's callback, in our own loop and where checkpoints lie elsewhere (``test_elr_trainer`` has the Trainer)."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from litotes.core.errors import DataError
from litotes.losses import TargetMemory, elr_loss
from litotes.training import Learner, MemoryCallback, Rounds, RoundsArguments, ShuffledBatches

X = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(12) % 3


def train(folder, *, epochs=2, stop_after=None, twice=False) -> TargetMemory:
    torch.manual_seed(0)
    model, memory = nn.Linear(4, 3), TargetMemory(12, 3)

    def step(batch, state):
        if stop_after is not None and state.global_step >= stop_after:
            raise KeyboardInterrupt
        ids = torch.as_tensor(batch)
        if twice:
            elr_loss(model(X[ids]), Y[ids], memory, ids)
        return elr_loss(model(X[ids]), Y[ids], memory, ids)

    learner = Learner(model, torch.optim.SGD(model.parameters(), lr=0.1))
    args = RoundsArguments(str(folder), num_train_epochs=epochs, save_steps=1)
    Rounds({"m": learner}, step, ShuffledBatches(np.arange(12), 4), args, callbacks=[MemoryCallback(memory)]).train()
    return memory


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_our_own_loop_resumes_to_the_same_targets(tmp_path, stop):
    whole = train(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop_after=stop)
    resumed = train(tmp_path / "stopped")
    assert torch.equal(resumed.targets, whole.targets) and torch.equal(resumed.last_visit, whole.last_visit)
    torch.testing.assert_close(whole.targets.sum(dim=1), torch.full((12,), 1 - 0.7**2))


def test_a_loss_that_is_computed_twice_in_a_step_moves_the_memory_once(tmp_path):
    assert torch.equal(train(tmp_path / "a", twice=True).targets, train(tmp_path / "b").targets)


def test_a_checkpoint_elsewhere_is_loaded_by_hand(tmp_path):
    memory, state = TargetMemory(4, 2), SimpleNamespace(global_step=7, is_world_process_zero=True)
    memory.update(torch.tensor([1]), torch.tensor([[0.5, 0.5]]))
    MemoryCallback(memory).on_save(SimpleNamespace(output_dir=str(tmp_path / "there")), state, None)
    here, other = SimpleNamespace(output_dir=str(tmp_path / "here")), TargetMemory(4, 2)
    callback = MemoryCallback(other)
    with pytest.raises(DataError, match=r"where it lies outside output_dir, call load\(FOLDER\)"):
        callback.on_train_begin(here, state, None)
    callback.load(tmp_path / "there" / "checkpoint-7")
    callback.on_train_begin(here, state, None)
    assert torch.equal(other.targets, memory.targets)


def test_one_process_writes_it(tmp_path):
    args, state = SimpleNamespace(output_dir=str(tmp_path)), SimpleNamespace(global_step=1, is_world_process_zero=False)
    MemoryCallback(TargetMemory(4, 2)).on_save(args, state, None)
    assert not list(tmp_path.iterdir())
