"""A resting model records nothing, drops nothing out, and is afterwards as it was."""

import pytest
import torch
from torch import nn

from litotes.models import resting


def mixed() -> nn.Module:
    """A model of which one part is in training mode and one is not, and one parameter is frozen."""
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 1)))
    model.train()
    model[1][1].eval()
    model[0].weight.requires_grad_(False)
    return model


def test_within_it_is_the_evaluated_model_without_gradient():
    model, x = mixed(), torch.randn(8, 4)
    with resting(model):
        first, second = model(x), model(x)
    assert torch.equal(first, second) and not first.requires_grad
    assert not torch.equal(model(x), model(x)), "dropout is back"


@pytest.mark.parametrize("fails", [False, True])
def test_afterwards_every_part_has_its_own_mode_and_its_own_requires_grad(fails):
    model, other = mixed(), nn.Dropout()
    before = [module.training for module in model.modules()]
    frozen = [parameter.requires_grad for parameter in model.parameters()]
    try:
        with resting(model, other):
            assert not any(module.training for each in (model, other) for module in each.modules())
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert [module.training for module in model.modules()] == before and other.training
    assert [parameter.requires_grad for parameter in model.parameters()] == frozen
    assert torch.is_grad_enabled()
