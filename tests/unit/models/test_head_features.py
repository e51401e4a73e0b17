"""Cutting a network before its head."""

import pytest
import torch
from torch import nn

from litotes.core.errors import LitotesError
from litotes.models.double_nested_head import DoubleNestedHead
from litotes.models.head_features import head_features
from litotes.models.nested_dropout import NestedDropout


def call(model: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    return model(inputs)


def test_the_features_and_the_head_give_the_logits_whatever_is_kept_and_whatever_mode():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.Dropout(0.5), NestedDropout(5, 1.0), nn.Linear(5, 2, bias=False))
    model[2].keep(2)
    inputs = torch.randn(4, 3)
    features, head = head_features(model.train(), inputs, call)
    assert head is model[3] and not features.requires_grad
    torch.testing.assert_close(features, model[0](inputs))  # all five, without dropout
    assert model.training and all(not m._forward_hooks and not m._forward_pre_hooks for m in model.modules())


def test_of_two_layers_the_last_is_cut():
    torch.manual_seed(0)
    model = DoubleNestedHead(3, 2, (5, 4), (1.0, 1.0))
    inputs = torch.randn(6, 3)
    features, head = head_features(model, inputs, call)
    assert head is model.head
    torch.testing.assert_close(head(features), model.eval()(inputs))


def test_a_model_without_nested_dropout_is_refused():
    with pytest.raises(LitotesError, match="Linear has no layer of NestedDropout before its head"):
        head_features(nn.Linear(3, 2), torch.randn(4, 3), call)


def test_what_is_no_linear_head_is_refused():
    deep = nn.Sequential(NestedDropout(3, 1.0), nn.Linear(3, 3), nn.Linear(3, 2))
    with pytest.raises(LitotesError, match="In Sequential 2 linear layers follow"):
        head_features(deep, torch.randn(4, 3), call)
    bent = nn.Sequential(NestedDropout(3, 1.0), nn.Linear(3, 2), nn.Tanh())
    with pytest.raises(LitotesError, match="something comes after them"):
        head_features(bent, torch.randn(4, 3), call)
