"""The loop of one fit: whose turn it is, what a step gets, and a stopped run that goes on as if it never was."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from litotes.core.errors import LitotesError
from litotes.training.array_options import ArrayOptions
from litotes.training.array_rows import ArrayRows
from litotes.training.array_task import ArrayTask, mean_logits
from litotes.training.training_run import TrainingRun
from tests.unit.training.plain_classifier import three_blobs

X, NAMES = three_blobs(50)
LABELS = np.unique(NAMES, return_inverse=True)[1]


class Stopped(BaseException):
    """Stands for a kill."""


def task(job=None, build=lambda: nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.2), nn.Linear(8, 3)), **options):
    settings = {"per_device_train_batch_size": 16, "num_train_epochs": 3, "learning_rate": 0.05, **options}
    rows = ArrayRows(X, "cpu")
    return ArrayTask(
        owner="Method",
        rows=rows,
        labels=torch.from_numpy(LABELS),
        train=np.arange(5, 50),
        n_classes=3,
        watched={"valid": (ArrayRows(X[:5], "cpu"), LABELS[:5])},
        options=ArrayOptions(**settings),
        build=build,
        device="cpu",
        job=job,
    )


class Counted(nn.Module):
    """Counts on a buffer, as a memory does."""

    def __init__(self):
        super().__init__()
        self.register_buffer("visits", torch.zeros(50))


def fit(this, *, turns=True, stop_at=None, stage=""):
    """Two networks in turns, a memory and an average that follows after each step."""
    networks = {"first": this.network(0), "second": this.network(1)}
    kept = {"memory": Counted(), "average": this.network(2)}
    seen = []

    def step(batch):
        if len(seen) == stop_at:
            raise Stopped
        seen.append((batch.turn, batch.step, batch.epoch, tuple(batch.ids.tolist())))
        kept["memory"].visits[batch.ids] += 1
        assert networks["first"].training and not kept["average"].training
        assert torch.equal(batch.labels, torch.from_numpy(LABELS)[batch.ids])
        np.testing.assert_array_equal(batch.inputs.numpy(), X[batch.ids].astype(np.float32))
        movers = [batch.turn] if turns else networks
        return {name: cross_entropy(networks[name](batch.inputs), batch.labels) for name in movers}

    @torch.no_grad()
    def after_step(batch):
        ours, theirs = kept["average"].parameters(), networks[batch.turn or "first"].parameters()
        for mine, new in zip(ours, theirs, strict=True):
            mine.lerp_(new, 0.3)

    def after_epoch(record):
        assert not networks["first"].training and not torch.is_grad_enabled()
        record["visits"] = float(kept["memory"].visits.sum())

    history = this.run(
        networks, step, turns=turns, kept=kept, after_step=after_step, after_epoch=after_epoch, stage=stage
    )
    return networks, kept, seen, history


def tensors(networks, kept):
    modules = {**networks, **kept}
    return {f"{name}.{key}": x for name, module in modules.items() for key, x in module.state_dict().items()}


def test_each_network_passes_over_the_rows_before_the_next_one():
    _, kept, seen, history = fit(task())
    assert [turn for turn, *_ in seen] == (["first"] * 3 + ["second"] * 3) * 3
    for name in ("first", "second"):
        assert [step for turn, step, *_ in seen if turn == name] == list(range(9))
    assert [epoch for turn, _, epoch, _ in seen if turn == "second"] == [0] * 3 + [1] * 3 + [2] * 3
    for name in ("first", "second"):
        ids = sorted(i for turn, _, epoch, batch in seen if (turn, epoch) == (name, 1) for i in batch)
        assert ids == list(range(5, 50)), "an epoch is every training row once, and none that is held out"
    assert kept["memory"].visits[:5].tolist() == [0.0] * 5 and set(kept["memory"].visits[5:].tolist()) == {6.0}
    assert [record["visits"] for record in history] == [90.0, 180.0, 270.0]


def test_what_follows_a_step_sees_the_weights_that_it_made():
    this, weights = task(momentum=0.0, weight_decay=0.0), []
    network = this.network()

    def step(batch):
        weights.append(("before", batch.step, network[0].weight.detach().clone()))
        return {"network": cross_entropy(network(batch.inputs), batch.labels)}

    def after_step(batch):
        weights.append(("after", batch.step, network[0].weight.detach().clone()))

    this.run({"network": network}, step, after_step=after_step)
    assert [(when, number) for when, number, _ in weights] == [(w, n) for n in range(9) for w in ("before", "after")]
    for (_, _, before), (_, _, after), (_, _, following) in zip(
        weights[::2], weights[1::2], weights[2::2], strict=False
    ):
        assert not torch.equal(before, after) and torch.equal(after, following)


def test_without_turns_all_see_the_same_batches():
    networks, _, seen, history = fit(task(), turns=False)
    assert [turn for turn, *_ in seen] == [""] * 9
    assert set(history[0]) == {"epoch", "visits", "valid_accuracy", "train_loss.first", "train_loss.second"}
    assert not torch.equal(networks["first"][0].weight, networks["second"][0].weight)


def test_networks_have_weights_of_their_own_that_the_seed_fixes():
    this = task()
    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    zero, one, again = this.network(0), this.network(1), this.network(0)
    assert torch.equal(zero[0].weight, again[0].weight)
    assert not torch.equal(zero[0].weight, one[0].weight)
    assert not torch.equal(zero[0].weight, task(seed=1).network(0)[0].weight)
    assert torch.equal(torch.rand(1), before)


def test_a_second_network_of_a_live_module_is_said_to_begin_alike():
    this = task()
    this.is_live = True
    with pytest.warns(UserWarning, match="Method: all networks begin with the weights of the module that was given"):
        this.network(1)


@pytest.mark.parametrize("turns", [True, False])
@pytest.mark.parametrize("select", ["final", "best"])
@pytest.mark.parametrize("stop_at", [2, 7, 8])
def test_stopped_anywhere_and_resumed_is_never_stopped(tmp_path, stop_at, select, turns):
    def job(name):
        return TrainingRun(tmp_path / name, "method", {"seed": 0}, {})

    whole = fit(task(job("whole"), select=select), turns=turns)
    with pytest.raises(Stopped):
        fit(task(job("stopped"), select=select), turns=turns, stop_at=stop_at)
    resumed = fit(task(job("stopped"), select=select), turns=turns)
    assert len(resumed[2]) < len(whole[2]) or stop_at < 3, "it began anew: vacuous"
    assert resumed[2] == whole[2][len(whole[2]) - len(resumed[2]) :]
    assert resumed[3] == whole[3]
    theirs = tensors(*whole[:2])
    for name, tensor in tensors(*resumed[:2]).items():
        assert torch.equal(tensor, theirs[name]), name


def test_a_run_folder_changes_nothing_and_stages_have_their_own(tmp_path):
    plain = fit(task())
    kept = fit(task(TrainingRun(tmp_path, "method", {}, {})))
    assert kept[3] == plain[3] and kept[2] == plain[2]
    this = task(TrainingRun(tmp_path, "method", {}, {}))
    second = fit(this, stage="two")
    assert (tmp_path / "checkpoints" / "two").is_dir()
    assert second[2] != plain[2], "the stage repeats the draws of another"
    assert second[3][0]["stage"] == "two"
    assert '"training"' in (tmp_path / "log.jsonl").read_text()


def test_options_of_a_stage():
    this = task()
    history = this.run(
        {"network": (network := this.network())},
        lambda batch: {"network": cross_entropy(network(batch.inputs), batch.labels)},
        options=this.options.model_copy(update={"num_train_epochs": 1}),
    )
    assert len(history) == 1 and set(history[0]) == {"epoch", "train_loss", "valid_accuracy"}


def test_answers_are_the_mean_of_logits():
    first, second = nn.Linear(2, 3), nn.Linear(2, 3)
    inputs = torch.randn(4, 2)
    torch.testing.assert_close(mean_logits([first, second])(inputs), (first(inputs) + second(inputs)) / 2)


def test_an_answer_of_one_s_own_is_what_is_watched():
    this = task()
    network = this.network()
    right = torch.from_numpy(np.eye(3, dtype=np.float32)[LABELS])
    asked = []

    def answer(inputs):
        asked.append(len(inputs))
        return right[: len(inputs)]

    history = this.run(
        {"network": network},
        lambda batch: {"network": cross_entropy(network(batch.inputs), batch.labels)},
        answer=answer,
    )
    assert asked == [5, 5, 5] and history[-1]["valid_accuracy"] == 1.0


def test_the_schedule_counts_a_network_s_own_steps():
    this, rates = task(schedule="steps", step_at=(1 / 3, 2 / 3), learning_rate=0.1), []
    networks = {"first": this.network(0), "second": this.network(1)}
    before = {name: [] for name in networks}

    def step(batch):
        network = networks[batch.turn]
        before[batch.turn].append(network[0].weight.detach().clone())
        return {batch.turn: network(batch.inputs).sum() * 0 + sum(p.sum() for p in network.parameters())}

    this = task(schedule="steps", step_at=(1 / 3, 2 / 3), learning_rate=0.1, momentum=0, weight_decay=0)
    this.run(networks, step, turns=True)
    for name in networks:  # a gradient of ones: what a weight moves by is the learning rate
        moved = torch.stack(before[name]).diff(dim=0)[:, 0, 0].abs()
        rates.append(moved.tolist())
    assert rates[0] == pytest.approx([0.1] * 3 + [0.01] * 3 + [0.001] * 2, rel=1e-3)
    assert rates[1] == pytest.approx(rates[0], rel=1e-3)


def test_adamw_and_what_cannot_be_trained():
    _, _, _, history = fit(task(optimizer="adamw", max_grad_norm=1.0))
    assert history[-1]["train_loss.first"] < history[0]["train_loss.first"]
    with pytest.raises(LitotesError, match="No parameter of the network is trained: requires_grad is False for all"):
        fit(task(build=lambda: nn.Linear(2, 3).requires_grad_(False)))
