"""The loop for several models: resumed = never stopped, each loss moves its own model, clear errors."""

import numpy as np
import pytest
import torch
from torch import nn
from transformers import TrainerCallback, get_linear_schedule_with_warmup

from litotes.core.errors import LitotesError, StaleError
from litotes.training.batches import ShuffledBatches
from litotes.training.checkpoints import last_checkpoint, load_checkpoint
from litotes.training.learner import Learner, decaying, linear_schedule
from litotes.training.rounds import Rounds, RoundsArguments

INPUTS = torch.randn(23, 6, generator=torch.Generator().manual_seed(1))
TARGETS = INPUTS @ torch.randn(6, 2, generator=torch.Generator().manual_seed(2))


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.3), nn.LayerNorm(8), nn.Linear(8, 2))


def two_learners() -> dict[str, Learner]:
    """Two models with different optimisers, schedules and clipping, as co-teaching has them."""
    first, second = network(3), network(4)
    return {
        "first": Learner(
            first, torch.optim.AdamW(decaying(first, 0.01), lr=0.01), linear_schedule(3, 12), max_grad_norm=0.5
        ),
        "second": Learner(second, torch.optim.SGD(second.parameters(), lr=0.02, momentum=0.9)),
    }


class Log(TrainerCallback):
    """Writes down which batches were seen, and stops the process where a test wants it stopped."""

    def __init__(self, stop_after=None):
        self.events, self.stop_after = [], stop_after

    def __getattribute__(self, name):
        if name.startswith("on_"):
            object.__getattribute__(self, "events").append(name)
        return super().__getattribute__(name)

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == self.stop_after:
            raise KeyboardInterrupt


def make(folder, learners, seen, callbacks=(), step=None, **options):
    def both(batch, state):
        seen.append((state.global_step, tuple(batch)))
        return {
            name: ((learner.model(INPUTS[batch]) - TARGETS[batch]) ** 2).mean() for name, learner in learners.items()
        }

    options = {"num_train_epochs": 3, "save_steps": 2, "logging_steps": 3, **options}
    args = RoundsArguments(output_dir=str(folder), **options)
    batches = ShuffledBatches(np.arange(23), 5, seed=7)
    return Rounds(learners, step or both, batches, args, callbacks=callbacks)


def weights(learners):
    return {n: {k: v.clone() for k, v in x.model.state_dict().items()} for n, x in learners.items()}


def assert_same(ours, theirs):
    for name in theirs:
        for key in theirs[name]:
            assert torch.equal(ours[name][key], theirs[name][key]), (name, key)


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("stop", [3, 7, 8])
def test_stopped_in_the_second_epoch_and_resumed_is_never_stopped(tmp_path, stop, accumulate):
    whole_seen, whole = [], two_learners()
    options = {"gradient_accumulation_steps": accumulate}
    state = make(tmp_path / "whole", whole, whole_seen, **options).train()
    seen, stopped = [], two_learners()
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "stopped", stopped, seen, [Log(stop_after=stop)], **options).train()
    seen = [entry for entry in seen if entry[0] < (stop - 1) // 2 * 2]  # what the last checkpoint had seen
    resumed = two_learners()
    again = make(tmp_path / "stopped", resumed, seen, **options).train()
    assert len({batch for _, batch in whole_seen}) > 5, "every epoch has the same order: the test would be vacuous"
    assert seen == whole_seen
    assert_same(weights(resumed), weights(whole))
    assert again.log_history == state.log_history
    last = (
        tmp_path / "whole" / f"checkpoint-{state.global_step}",
        tmp_path / "stopped" / f"checkpoint-{state.global_step}",
    )
    if state.global_step % 2 == 0:
        for path in sorted(p.relative_to(last[0]) for p in last[0].rglob("*.safetensors")):
            assert (last[0] / path).read_bytes() == (last[1] / path).read_bytes(), path


def test_each_loss_moves_its_own_model_and_no_other(tmp_path):
    learners = two_learners()
    before = weights(learners)

    def only_second(batch, state):  # its loss depends on both models
        gap = learners["first"].model(INPUTS[batch]) - learners["second"].model(INPUTS[batch])
        return {"second": (gap**2).mean()}

    make(tmp_path, learners, [], step=only_second, max_steps=4).train()
    after = weights(learners)
    assert_same({"first": after["first"]}, {"first": before["first"]})
    assert not torch.equal(after["second"]["0.weight"], before["second"]["0.weight"])
    assert learners["first"].steps == 0 and learners["second"].steps == 4


def test_a_loss_is_logged_as_its_mean_over_the_steps_that_had_one(tmp_path):
    learners = two_learners()

    def in_turn(batch, state):
        name, size = ("first", 8.0) if state.global_step % 4 == 0 else ("second", 2.0)
        return {name: learners[name].model(INPUTS[batch]).sum() * 0 + size}

    logs = make(tmp_path, learners, [], step=in_turn, max_steps=4, logging_steps=4).train().log_history
    assert (logs[-1]["first"], logs[-1]["second"]) == (8.0, 2.0)


def test_losses_that_share_a_graph_are_each_backpropagated(tmp_path):
    learners = two_learners()
    before = weights(learners)

    def game(batch, state):
        gap = ((learners["first"].model(INPUTS[batch]) - learners["second"].model(INPUTS[batch])) ** 2).mean()
        return {"first": gap, "second": -0.1 * gap}

    make(tmp_path, learners, [], step=game, max_steps=2).train()
    after = weights(learners)
    for name in learners:
        assert not torch.equal(after[name]["0.weight"], before[name]["0.weight"])


def test_one_loss_moves_all(tmp_path):
    learners = two_learners()

    def joint(batch, state):
        return ((learners["first"].model(INPUTS[batch]) + learners["second"].model(INPUTS[batch])) ** 2).mean()

    make(tmp_path, learners, [], step=joint, max_steps=2).train()
    assert [x.steps for x in learners.values()] == [2, 2]


def test_accumulated_batches_are_one_large_batch(tmp_path):
    class InOrder(list):
        def set_epoch(self, epoch):
            pass

    def train(batches, accumulate):
        model = network(5).eval()
        learners = {"m": Learner(model, torch.optim.SGD(model.parameters(), lr=0.1))}

        def step(batch, state):
            model.eval()  # dropout would draw other masks
            return ((model(INPUTS[batch]) - TARGETS[batch]) ** 2).mean()

        args = RoundsArguments(output_dir=str(tmp_path), max_steps=2, gradient_accumulation_steps=accumulate)
        Rounds(learners, step, InOrder(batches), args).train()
        return torch.cat([p.flatten() for p in model.parameters()])

    small = train([[0, 1], [2, 3], [4, 5], [6, 7]], accumulate=2)
    large = train([[0, 1, 2, 3], [4, 5, 6, 7]], accumulate=1)
    torch.testing.assert_close(small, large, rtol=1e-5, atol=1e-7)


def test_schedules_are_those_of_transformers_and_differ_by_learner(tmp_path):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=2.0)
    theirs = get_linear_schedule_with_warmup(optimizer, 3, 12)
    expected = []
    for _ in range(12):
        expected.append(theirs.get_last_lr()[0])
        optimizer.step(), theirs.step()
    ours = [2.0 * linear_schedule(3, 12)(step) for step in range(12)]
    assert ours == pytest.approx(expected)

    learners, rates = two_learners(), []

    class Rates(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            rates.append(tuple(x.optimizer.param_groups[0]["lr"] for x in learners.values()))

    make(tmp_path, learners, [], [Rates()], max_steps=4).train()
    assert [first for first, _ in rates] == pytest.approx([0.01 * linear_schedule(3, 12)(s) for s in range(4)])
    assert {second for _, second in rates} == {0.02}


def test_the_gradient_is_clipped_to_the_learners_own_norm():
    model = nn.Linear(3, 1, bias=False)
    learner = Learner(model, torch.optim.SGD(model.parameters(), lr=1.0), max_grad_norm=0.5)
    before = model.weight.detach().clone()
    (100 * model(torch.ones(1, 3)).sum()).backward()
    assert learner.step() > 100
    assert float((model.weight.detach() - before).norm()) == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize(("value", "words"), [(float("nan"), "nan"), (float("inf"), "inf")])
def test_a_loss_that_is_no_number_names_the_step_and_the_learner(tmp_path, value, words):
    learners = two_learners()

    def step(batch, state):
        good = learners["first"].model(INPUTS[batch]).mean()
        return {"first": good, "second": good * value if state.global_step == 2 else good}

    with pytest.raises(LitotesError, match=f"loss of 'second' is -?{words} at step 3"):
        make(tmp_path, learners, [], step=step).train()


def test_a_gradient_that_is_no_number_is_refused_before_the_step(tmp_path):
    learners = two_learners()
    before = weights(learners)

    def step(batch, state):
        return {"first": (learners["first"].model(INPUTS[batch]) * 0).sum().sqrt()}  # value 0, gradient 0 * inf

    with pytest.raises(LitotesError, match="gradient of 'first' is nan at step 1"):
        make(tmp_path, learners, [], step=step).train()
    assert_same(weights(learners), before)


def test_hooks_are_the_trainers(tmp_path):
    log = Log()
    make(tmp_path, two_learners(), [], [log], max_steps=6, save_steps=5).train()
    names = [event for event in log.events if event != "on_step_begin"]
    assert names[0] == "on_train_begin" and names[-2:] == ["on_epoch_end", "on_train_end"]
    assert names.count("on_epoch_begin") == 2 and names.count("on_step_end") == 6 and names.count("on_save") == 1


def test_bf16_computes_the_step_in_bfloat16_and_keeps_the_weights(tmp_path):
    learners, kinds = two_learners(), []

    def step(batch, state):
        found = learners["first"].model[0](INPUTS[batch])
        kinds.append(found.dtype)
        return {"first": found.float().square().mean()}

    make(tmp_path, learners, [], step=step, max_steps=1, bf16=True).train()
    assert kinds == [torch.bfloat16]
    assert {p.dtype for p in learners["first"].model.parameters()} == {torch.float32}


def test_a_callback_can_stop_and_ask_for_a_checkpoint(tmp_path):
    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            control.should_training_stop = control.should_save = state.global_step == 3

    state = make(tmp_path, two_learners(), [], [Stop()], save_steps=0).train()
    assert state.global_step == 3 and last_checkpoint(tmp_path).name == "checkpoint-3"


def test_checkpoints_are_whole_few_and_without_pickle(tmp_path):
    make(tmp_path, two_learners(), [], save_steps=1, save_total_limit=3, max_steps=7).train()
    assert sorted(p.name for p in tmp_path.glob("checkpoint-*")) == ["checkpoint-5", "checkpoint-6", "checkpoint-7"]
    kinds = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert kinds == {".safetensors", ".json"}
    (tmp_path / "checkpoint-7" / "state.json").unlink()  # as if it had been cut off
    assert last_checkpoint(tmp_path).name == "checkpoint-6"


def test_a_checkpoint_of_other_models_or_of_another_length_is_refused(tmp_path):
    make(tmp_path, two_learners(), [], max_steps=2).train()
    one = {"first": two_learners()["first"]}
    with pytest.raises(StaleError, match=r"holds the models \['first', 'second'\], the run has \['first'\]"):
        load_checkpoint(last_checkpoint(tmp_path), one)
    with pytest.raises(LitotesError, match="belongs to a run of 2 steps, this one has 8"):
        make(tmp_path, two_learners(), [], max_steps=8).train()


def test_a_model_without_optimiser_is_saved_and_restored_but_not_trained(tmp_path):
    def learners():
        made = two_learners()
        return {"first": made["first"], "average": Learner(network(9))}

    def step_of(found):
        def step(batch, state):
            with torch.no_grad():
                for slow, fast in zip(
                    found["average"].model.parameters(), found["first"].model.parameters(), strict=True
                ):
                    slow.lerp_(fast, 0.1)
            assert not found["average"].model.training
            return {"first": ((found["first"].model(INPUTS[batch]) - TARGETS[batch]) ** 2).mean()}

        return step

    whole, stopped, resumed = learners(), learners(), learners()
    make(tmp_path / "whole", whole, [], step=step_of(whole)).train()
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "stopped", stopped, [], [Log(stop_after=7)], step=step_of(stopped)).train()
    make(tmp_path / "stopped", resumed, [], step=step_of(resumed)).train()
    assert_same(weights(resumed), weights(whole))


def test_generators_are_restored(tmp_path):
    import random

    learners = two_learners()
    make(tmp_path, learners, [], max_steps=2).train()
    checkpoint = last_checkpoint(tmp_path)
    load_checkpoint(checkpoint, learners)
    first = (torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random(), random.gauss(0, 1))
    load_checkpoint(checkpoint, learners)
    assert (torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random(), random.gauss(0, 1)) == first


@pytest.mark.parametrize("name", ["num_train_epochs", "logging_steps", "gradient_accumulation_steps"])
def test_options_are_checked_at_construction(name):
    with pytest.raises(LitotesError, match=f"The '{name}' parameter of RoundsArguments must be an int in the range"):
        RoundsArguments(output_dir="x", **{name: 0})
