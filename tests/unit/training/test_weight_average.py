"""The average of weights: its schedule, that buffers are its own, and that it begins at once."""

import copy
import math

import pytest
import torch
from torch import nn

from litotes.core.errors import LitotesError
from litotes.training import WeightAverage, average_momentum


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


class TestSchedule:
    def test_ramped_it_rises_from_almost_nothing_to_alpha(self):
        values = [average_momentum(step, 0.997, 50) for step in range(60)]
        assert values == sorted(values) and values[49:] == [0.997] * 11
        assert values[0] == pytest.approx(0.997 * math.exp(-5 * (1 - 1 / 50) ** 2))
        assert average_momentum(0, 0.997, 40_000) == pytest.approx(0.0067, abs=1e-4)

    def test_unramped_it_is_the_plain_mean_until_alpha(self):
        assert [average_momentum(step, 0.75, None) for step in range(5)] == [0, 0.5, pytest.approx(2 / 3), 0.75, 0.75]

    def test_what_is_wrong_is_said(self):
        with pytest.raises(LitotesError, match="'step' parameter of average_momentum"):
            average_momentum(-1)
        with pytest.raises(LitotesError, match="'alpha' parameter of average_momentum"):
            WeightAverage(network(), alpha=1.5)


class TestAverage:
    def test_each_parameter_moves_by_the_share(self):
        average, f = WeightAverage(network(1), alpha=0.9, ramp_length=0), network()
        before = weights(average.model)
        average.update(f, 0)
        torch.testing.assert_close(weights(average.model), 0.9 * before + 0.1 * weights(f))

    def test_with_random_weights_of_its_own_it_is_the_network_at_once(self):
        average, f = WeightAverage(network(1), ramp_length=40_000), network()
        average.update(f, 0)
        gap = (weights(average.model) - weights(f)).norm() / (weights(network(1)) - weights(f)).norm()
        assert gap < 0.01

    def test_without_memory_it_is_the_network(self):
        average, f = WeightAverage(network(1), alpha=0.0, ramp_length=None), network()
        average.update(f, 5)
        assert torch.equal(weights(average.model), weights(f))

    def test_buffers_are_never_averaged(self):
        average, f = WeightAverage(network(), alpha=0.0, ramp_length=None), network()
        f(5 + torch.randn(8, 3))
        average.update(f, 0)
        assert not average.model[1].running_mean.any() and f[1].running_mean.any()

    def test_in_train_mode_its_statistics_are_those_of_what_it_is_shown(self):
        average = WeightAverage(network())
        average.model.train()
        average.model(torch.randn(8, 3))
        assert average.model[1].num_batches_tracked == 1

    def test_the_plain_mean_of_all_weights(self):
        average, seen = WeightAverage(network(9), alpha=1.0, ramp_length=None), []
        for step in range(4):
            seen.append(weights(network(step)))
            average.update(network(step), step)
        torch.testing.assert_close(weights(average.model), torch.stack(seen).mean(dim=0))

    def test_it_needs_no_gradients_and_leaves_the_networks(self):
        f = network()
        average = WeightAverage(copy.deepcopy(f))
        assert not any(p.requires_grad for p in average.model.parameters())
        assert all(p.requires_grad for p in f.parameters())

    def test_another_module_is_refused(self):
        f = network()
        with pytest.raises(LitotesError, match="Got the average itself. Make it with a copy"):
            WeightAverage(f).update(f, 0)
        with pytest.raises(LitotesError, match=r"Got '0.weight' \(4, 3\) in the network, \(5, 3\) in the average"):
            WeightAverage(nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 2))).update(network(), 0)
        with pytest.raises(LitotesError, match=r"Got '1.weight' \(4,\) in the network, missing in the average"):
            WeightAverage(nn.Sequential(nn.Linear(3, 4))).update(network(), 0)
