"""Co-teaching: who judges what, who learns from whom, in which mode, with which channels; and that it resumes."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import TrainerCallback

from litotes.core.errors import LitotesError
from litotes.judging.small_loss import small_loss
from litotes.models.cumulative_logits import logits_by_channels
from litotes.models.double_nested_head import DoubleNestedHead
from litotes.models.nested_dropout import NestedDropout, add_nested_dropout, nested_layers
from litotes.training.batches import ShuffledBatches
from litotes.training.co_teaching import (
    ChooseChannels,
    CoTeaching,
    best_channels,
    cross_update,
    select_for_each_other,
)
from litotes.training.learner import Learner
from litotes.training.rounds import Rounds, RoundsArguments

INPUTS = torch.randn(41, 4, generator=torch.Generator().manual_seed(1))
LABELS = (INPUTS @ torch.randn(4, 3, generator=torch.Generator().manual_seed(2))).argmax(dim=1)
START = SimpleNamespace(epoch=0.0)


def network(seed: int, middle: nn.Module | None = None) -> nn.Sequential:
    torch.manual_seed(seed)
    middle = NestedDropout(6, 3.0) if middle is None else middle
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), middle, nn.Linear(6, 3, bias=False))


def pair(middle: nn.Module | None = None) -> tuple[nn.Sequential, nn.Sequential]:
    return network(3, copy.deepcopy(middle)), network(4, copy.deepcopy(middle))


class Watch:
    """Calls a network, and writes down which one, in which mode, with how many channels, on how many rows."""

    def __init__(self, *models: nn.Module) -> None:
        self.models, self.seen = models, []
        self.kept: list[int] = []
        for model in models:
            for layer in nested_layers(model):
                layer.register_forward_hook(lambda m, i, out: self.kept.append(int((out != 0).any(dim=0).sum())))

    def __call__(self, model: nn.Module, inputs: Tensor) -> Tensor:
        self.seen.append((self.models.index(model), model.training, torch.is_grad_enabled(), inputs))
        return model(inputs)


class TestCrossUpdate:
    def test_each_is_trained_on_what_the_other_kept_of_the_others_half(self):
        models = pair()
        halves = (INPUTS[:5], LABELS[:5]), (INPUTS[5:10], LABELS[5:10])
        keep = torch.tensor([4, 0]), torch.tensor([1, 2, 3])
        first, second = cross_update(models, halves, keep, kept=[2])

        def by_hand(model, rows):
            hidden = model[1](model[0](INPUTS[rows]))[:, :2]
            return F.cross_entropy(hidden @ model[3].weight[:, :2].T, LABELS[rows])

        torch.testing.assert_close(first, by_hand(models[0], [6, 7, 8]))
        torch.testing.assert_close(second, by_hand(models[1], [4, 0]))

    def test_identical_networks_and_halves_with_forget_rate_zero_agree(self):
        model = network(1)
        twins, half = (model, copy.deepcopy(model)), (INPUTS[:8], LABELS[:8])
        keep = select_for_each_other(twins, (half, half), 0.0)
        first, second = cross_update(twins, (half, half), keep, kept=[3])
        assert first == second and len(keep[0]) == 8

    def test_no_gradient_reaches_the_other_network(self):
        models = pair()
        halves = (INPUTS[:5], LABELS[:5]), (INPUTS[5:10], LABELS[5:10])
        first, _ = cross_update(models, halves, (torch.tensor([0]), torch.tensor([1])), kept=[2])
        first.backward()
        assert models[0][0].weight.grad is not None and models[1][0].weight.grad is None

    def test_one_number_of_channels_for_both(self):
        models = pair()
        step, watch = CoTeaching(*models, [0.2]), Watch(*models)
        step.call = watch
        drawn = set()
        for seed in range(12):
            torch.manual_seed(seed)
            watch.kept.clear()
            step((INPUTS[:20] + 3, LABELS[:20]), START)
            assert watch.kept[2] == watch.kept[3]
            drawn.add(watch.kept[2])
        assert len(drawn) > 1


class TestSelection:
    def test_each_judges_its_own_half(self):
        models = pair()
        halves = (INPUTS[:7], LABELS[:7]), (INPUTS[7:14], LABELS[7:14])
        keep = select_for_each_other(models, halves, 0.4)
        for model, (inputs, labels), rows in zip(models, halves, keep, strict=True):
            assert torch.equal(rows, small_loss(model.eval()(inputs), labels, 0.4))
            assert len(rows) == 4

    def test_in_evaluation_mode_without_gradients_then_in_training_mode(self):
        models = pair(nn.Sequential(nn.BatchNorm1d(6), nn.Dropout(0.5), NestedDropout(6, 3.0)))
        step, watch = CoTeaching(*models, [0.2]), Watch(*models)
        step.call = watch
        before = models[0][2][0].running_mean.clone()
        select_for_each_other(models, [(INPUTS[:9], LABELS[:9])] * 2, 0.2)
        assert torch.equal(models[0][2][0].running_mean, before)
        watch.kept.clear()
        step((INPUTS[:20], LABELS[:20]), START)
        assert [entry[:3] for entry in watch.seen] == [
            (0, False, False),
            (1, False, False),
            (0, True, True),
            (1, True, True),
        ]

    def test_with_the_channels_that_were_chosen_last(self):
        models = pair()
        for model in models:
            nested_layers(model)[0].keep(2)
        half = (INPUTS[:9] + 2, LABELS[:9])
        keep = select_for_each_other(models, (half, half), 0.5)
        logits = logits_by_channels(models[0][1](models[0][0](half[0])), models[0][3].weight)[1]
        assert torch.equal(keep[0], small_loss(logits, half[1], 0.5))

    def test_one_channel_is_one_channel_and_not_all(self):
        models = pair()
        nested_layers(models[0])[0].keep(1)
        watch = Watch(*models)
        select_for_each_other(models, [(INPUTS + 5, LABELS)] * 2, 0.5, call=watch)
        assert watch.kept[0] == 1 < watch.kept[1]


class TestBatches:
    def test_a_batch_is_cut_in_two_and_an_odd_example_left_out(self):
        models = pair()
        step, watch = CoTeaching(*models, [0.5]), Watch(*models)
        step.call = watch
        step((INPUTS[:11], LABELS[:11]), START)
        assert torch.equal(watch.seen[0][3], INPUTS[:5]) and torch.equal(watch.seen[1][3], INPUTS[5:10])
        assert [len(entry[3]) for entry in watch.seen[2:]] == [2, 2]

    def test_shared_batches_are_judged_whole_by_both_and_swapped(self):
        models = pair()
        step, watch = CoTeaching(*models, [0.5], split_batch=False), Watch(*models)
        step.call = watch
        step((INPUTS[:11], LABELS[:11]), START)
        assert all(torch.equal(entry[3], INPUTS[:11]) for entry in watch.seen[:2])
        rows = [small_loss(model.eval()(INPUTS[:11]), LABELS[:11], 0.5) for model in models]
        assert torch.equal(watch.seen[2][3], INPUTS[rows[1]]) and torch.equal(watch.seen[3][3], INPUTS[rows[0]])

    def test_a_batch_of_one_moves_nothing_and_a_small_one_keeps_one(self):
        step = CoTeaching(*pair(), [0.9])
        assert step((INPUTS[:1], LABELS[:1]), START) == {}
        assert set(step((INPUTS[:2], LABELS[:2]), START)) == {"first", "second"}

    def test_the_forget_rate_is_that_of_the_epoch(self):
        models = pair()
        step, watch = CoTeaching(*models, [0.0, 0.5]), Watch(*models)
        step.call = watch
        for epoch, kept in ((0.0, 10), (0.9, 10), (1.0, 5), (7.3, 5)):
            watch.seen.clear()
            step((INPUTS[:20], LABELS[:20]), SimpleNamespace(epoch=epoch))
            assert len(watch.seen[2][3]) == kept

    def test_a_nan_is_never_trained_on(self):
        models = pair()
        inputs = INPUTS[:20].clone()
        inputs[3] = torch.nan
        losses = CoTeaching(*models, [0.0])((inputs, LABELS[:20]), START)
        assert all(loss.isfinite() for loss in losses.values())

    def test_alternating_layers_are_masked_alike_in_both(self):
        models = []
        for seed in (0, 1):
            torch.manual_seed(seed)
            models.append(DoubleNestedHead(4, 3, (6, 7), (2.0, 2.0)))
            for layer in models[-1].features:
                if isinstance(layer, nn.Linear):
                    layer.bias.data.fill_(500.0)  # no unit is dead, so that what is 0 was dropped
        step, watch = CoTeaching(*models, [0.2], alternating=True), Watch(*models)
        for seed in range(20):
            torch.manual_seed(seed)
            watch.kept.clear()
            step((INPUTS[:20], LABELS[:20]), START)
            assert watch.kept[:4] == [6, 7, 6, 7]
            assert watch.kept[4:6] == watch.kept[6:]
            assert watch.kept[4] == 6 or watch.kept[5] == 7


class TestRefused:
    def test_networks_that_are_equal(self):
        with pytest.raises(LitotesError, match="two networks with the same parameters, which choose the same examples"):
            CoTeaching(network(1), network(1), [0.2])

    def test_networks_whose_layers_do_not_fit(self):
        other = nn.Sequential(nn.Linear(4, 3))
        with pytest.raises(LitotesError, match=r"Their layers of NestedDropout have \[6\] and \[\] channels"):
            CoTeaching(network(1), other, [0.2])

    def test_no_forget_rate(self):
        with pytest.raises(LitotesError, match="a forget rate for each epoch"):
            CoTeaching(*pair(), [])


class TestChoice:
    def test_the_best_number_of_channels_by_the_mean_of_the_logits(self):
        models = pair()
        batches = [(INPUTS[:30], LABELS[:30]), (INPUTS[30:], LABELS[30:])]
        channels, accuracy = best_channels(models, batches)
        logits = sum(logits_by_channels(m[1](m[0](INPUTS)), m[3].weight) for m in models) / 2
        expected = (logits.argmax(dim=2) == LABELS).double().mean(dim=1).numpy()
        np.testing.assert_allclose(accuracy, expected)
        assert channels == int(np.argmax(expected - 1e-5 * np.arange(6))) + 1
        assert [int(nested_layers(model)[0].kept) for model in models] == [channels, channels]

    def test_an_empty_set_is_refused(self):
        with pytest.raises(LitotesError, match="Got one without an example"):
            best_channels(pair(), [])


class Stop(TrainerCallback):
    def __init__(self, after: int | None) -> None:
        self.after = after

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == self.after:
            raise KeyboardInterrupt


def train(folder, stop: int | None = None) -> tuple[dict[str, Tensor], ChooseChannels]:
    models = pair()
    learners = {
        name: Learner(model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
        for name, model in zip(("first", "second"), models, strict=True)
    }
    choice = ChooseChannels(models, [(INPUTS, LABELS)])
    rounds = Rounds(
        learners,
        CoTeaching(*models, [0.0, 0.2, 0.4]),
        ShuffledBatches(np.arange(41), 10, seed=1),
        RoundsArguments(output_dir=str(folder), num_train_epochs=3, save_steps=1),
        callbacks=[choice, Stop(stop)],
        collate=lambda rows: (INPUTS[rows], LABELS[rows]),
    )
    rounds.train()
    return {f"{i}.{name}": x.clone() for i, m in enumerate(models) for name, x in m.state_dict().items()}, choice


def test_channels_are_chosen_after_each_epoch(tmp_path):
    weights, choice = train(tmp_path)
    assert len(choice.history) == 3
    assert weights["0.2.kept"] == weights["1.2.kept"] == choice.history[-1][0]
    assert choice.accuracy is not None and len(choice.accuracy) == 6


@pytest.mark.parametrize("stop", [3, 5, 6, 14])
def test_stopped_anywhere_and_resumed_is_never_stopped(tmp_path, stop):
    whole, _ = train(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop)
    resumed, _ = train(tmp_path / "stopped")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_two_transformers_teach_each_other(tmp_path):
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=2
    )
    words = torch.randint(5, 30, (32, 5), generator=torch.Generator().manual_seed(0))
    labels = (words[:, 0] > 17).long()
    batch = {"input_ids": words, "attention_mask": torch.ones_like(words)}
    models = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        models.append(BertForSequenceClassification(config))
        add_nested_dropout(models[-1], std=8.0)
    learners = {
        name: Learner(model, torch.optim.AdamW(model.parameters(), lr=5e-3))
        for name, model in zip(("first", "second"), models, strict=True)
    }
    choice = ChooseChannels(models, [(batch, labels)])
    rounds = Rounds(
        learners,
        CoTeaching(*models, [0.1]),
        ShuffledBatches(np.arange(32), 16, seed=0),
        RoundsArguments(output_dir=str(tmp_path), num_train_epochs=15),
        callbacks=[choice],
        collate=lambda rows: ({name: x[rows] for name, x in batch.items()}, labels[rows]),
    )
    rounds.train()
    assert choice.history[-1][1] > 0.85 > choice.history[0][1]
