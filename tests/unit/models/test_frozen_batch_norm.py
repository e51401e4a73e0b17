"""Batch normalisation that is frozen: statistics and weights stay through any training."""

import copy

import torch
from torch import nn

from litotes.models.frozen_batch_norm import freeze_batch_norm


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 4), nn.BatchNorm1d(4))


def test_statistics_and_affine_weights_stay_while_the_rest_is_trained():
    model = network()
    assert freeze_batch_norm(model) == 2
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    for _ in range(3):
        model.train()
        model(5 + torch.randn(8, 3)).square().sum().backward()
        optimizer.step()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"0.weight", "0.bias", "3.weight", "3.bias"}
    assert not any(p.requires_grad for layer in (model[1], model[4]) for p in layer.parameters())


def test_without_it_they_move():
    model = network()
    model(5 + torch.randn(8, 3))
    assert model[1].running_mean.any()


def test_twice_is_once_and_copies_stay_frozen():
    model = network()
    freeze_batch_norm(model), freeze_batch_norm(model)
    assert len(model[1]._forward_pre_hooks) == 1
    other = copy.deepcopy(model).train()
    other(5 + torch.randn(8, 3))
    assert not other[1].running_mean.any()


def test_a_model_without_any():
    assert freeze_batch_norm(nn.Linear(2, 2)) == 0
