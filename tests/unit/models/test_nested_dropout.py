"""Nested Dropout: the prior's identities, one draw a batch, no rescaling, and the layer in other people's models."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from litotes.core.errors import LitotesError
from litotes.models.double_nested_head import DoubleNestedHead
from litotes.models.nested_dropout import (
    NestedDropout,
    add_nested_dropout,
    draw_kept,
    keeping,
    nested_layers,
    nested_prior,
)


def network(dim: int = 6, std: float = 3.0) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, dim), nn.ReLU(), NestedDropout(dim, std), nn.Linear(dim, 3, bias=False))


class TestPrior:
    @settings(max_examples=30)
    @given(st.integers(1, 300), st.floats(1e-3, 1e3))
    def test_it_sums_to_one_and_falls_and_its_ratios_are_those_of_the_exponent_without_a_half(self, dim, std):
        prior = nested_prior(dim, std)
        assert float(prior.sum()) == pytest.approx(1.0, abs=1e-12)
        assert (prior.diff() <= 0).all()
        k = torch.arange(1, dim + 1, dtype=torch.float64)
        expected = ((1 - k**2) / std**2).exp()
        torch.testing.assert_close(prior / prior[0], expected, rtol=1e-9, atol=1e-300)

    def test_by_hand(self):
        weights = [math.exp(-1 / 4), math.exp(-4 / 4), math.exp(-9 / 4)]
        expected = torch.tensor(weights, dtype=torch.float64) / sum(weights)
        torch.testing.assert_close(nested_prior(3, 2.0), expected)
        weights = [math.exp(-((k - 2.5) ** 2) / 4) for k in (1, 2, 3)]
        expected = torch.tensor(weights, dtype=torch.float64) / sum(weights)
        torch.testing.assert_close(nested_prior(3, 2.0, 2.5), expected)

    @pytest.mark.parametrize("std", [0.01, 1e-5, 1e-200, 5e-324])
    def test_a_tiny_width_leaves_one_channel_and_does_not_underflow(self, std):
        assert nested_prior(5, std).tolist() == [1, 0, 0, 0, 0]
        assert nested_prior(5, std, 4.2).tolist() == [0, 0, 0, 1, 0]
        assert nested_prior(5, std, 99.0).tolist() == [0, 0, 0, 0, 1]

    def test_an_infinite_width_is_uniform(self):
        assert nested_prior(4, math.inf).tolist() == [0.25] * 4
        torch.testing.assert_close(nested_prior(4, 1e9), torch.full((4,), 0.25, dtype=torch.float64))

    @pytest.mark.parametrize("std", [0.0, -1.0, math.nan])
    def test_a_width_that_is_none_is_refused(self, std):
        with pytest.raises(LitotesError, match="The 'std' parameter of nested_prior must be a float in the range"):
            nested_prior(3, std)


class TestLayer:
    def test_one_number_of_channels_for_the_whole_batch_without_rescaling(self):
        layer, features = NestedDropout(8, 4.0), torch.randn(50, 8)
        for seed in range(10):
            torch.manual_seed(seed)
            out = layer(features)
            kept = int((out != 0).any(dim=0).sum())
            torch.testing.assert_close(out[:, :kept], features[:, :kept], rtol=0, atol=0)
            assert not out[:, kept:].any()
            assert ((out != 0).sum(dim=1) == kept).all()

    def test_draws_follow_the_prior(self):
        layer = NestedDropout(6, 3.0)
        torch.manual_seed(1)
        n = 4000
        drawn = torch.bincount(torch.tensor([layer.draw() for _ in range(n)]), minlength=7)
        expected = nested_prior(6, 3.0) * n
        assert drawn[0] == 0
        assert float(((drawn[1:] - expected) ** 2 / expected).sum()) < 20.5  # chi-square, 5 degrees: p = 0.001

    def test_all_channels_kept_is_no_mask(self):
        layer, features = NestedDropout(5, 1.0), torch.randn(3, 5)
        with keeping([5], layer):
            assert torch.equal(layer(features), features)
        assert torch.equal(layer.eval()(features), features)

    def test_the_head_has_no_gradient_beyond_the_kept_channels_and_neither_has_what_is_before(self):
        model = network()
        with keeping([2], model):
            F.cross_entropy(model(torch.randn(7, 4)), torch.arange(7) % 3).backward()
        assert model[3].weight.grad[:, :2].any() and not model[3].weight.grad[:, 2:].any()
        assert not model[0].weight.grad[2:].any()

    def test_weight_decay_still_moves_dropped_columns(self):
        model = network()
        before = model[3].weight.detach().clone()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.5)
        with keeping([2], model):
            F.cross_entropy(model(torch.randn(7, 4)), torch.arange(7) % 3).backward()
        optimizer.step()
        torch.testing.assert_close(model[3].weight[:, 2:], before[:, 2:] * (1 - 0.1 * 0.5))

    def test_what_is_dropped_may_be_nan(self):
        layer, features = NestedDropout(3, 1.0), torch.tensor([[1.0, math.nan, math.inf]], requires_grad=True)
        with keeping([1], layer):
            out = layer(features)
        assert out.tolist() == [[1.0, 0.0, 0.0]]
        assert torch.autograd.grad(out.sum(), features)[0].tolist() == [[1.0, 0.0, 0.0]]

    def test_evaluation_keeps_what_was_chosen_and_the_choice_is_saved_with_the_weights(self):
        model = network().eval()
        nested_layers(model)[0].keep(2)
        inputs = torch.randn(5, 4)
        hidden = model[1](model[0](inputs))
        torch.testing.assert_close(model(inputs), hidden[:, :2] @ model[3].weight[:, :2].T)
        other = network().eval()
        other.load_state_dict(model.state_dict())
        assert torch.equal(other(inputs), model(inputs))
        assert "kept=2" in repr(other)

    def test_half_precision_and_a_copy_draw_from_the_same_prior(self):
        layer = NestedDropout(512, 100.0)
        torch.manual_seed(3)
        drawn = [layer.draw() for _ in range(20)]
        torch.manual_seed(3)
        assert [copy.deepcopy(layer).to(torch.bfloat16).draw() for _ in range(20)] == drawn
        assert copy.deepcopy(layer).to(torch.bfloat16)(torch.ones(1, 512, dtype=torch.bfloat16)).dtype == torch.bfloat16

    def test_activation_checkpointing_repeats_the_draw(self):
        model, inputs = network(dim=32, std=20.0), torch.randn(6, 4)
        grads = []
        for run in (model, lambda x: checkpoint(model, x, use_reentrant=False)):
            model.zero_grad()
            torch.manual_seed(5)
            run(inputs).sum().backward()
            grads.append(model[3].weight.grad.clone())
        assert torch.equal(*grads)

    def test_any_number_of_batch_axes(self):
        layer = NestedDropout(4, 1.0)
        with keeping([1], layer):
            assert int((layer(torch.ones(2, 3, 4)) != 0).sum()) == 6

    def test_features_of_another_width_are_refused(self):
        with pytest.raises(LitotesError, match=r"NestedDropout of 4 channels got features of shape \(2, 3\)"):
            NestedDropout(4, 1.0)(torch.ones(2, 3))

    @pytest.mark.parametrize("channels", [0, 5, 1.5])
    def test_a_number_of_channels_that_is_none_is_refused(self, channels):
        layer = NestedDropout(4, 1.0)
        with pytest.raises(
            LitotesError, match=r"'channels' parameter of NestedDropout must be an int in the range \[1, 4\]"
        ):
            layer.keep(channels)


class TestKeeping:
    def test_it_ends_with_the_block_also_after_an_error(self):
        layer = NestedDropout(4, 1.0).eval()
        with pytest.raises(ZeroDivisionError), keeping([1], layer):
            assert int(layer(torch.ones(1, 4)).sum()) == 1
            raise ZeroDivisionError
        assert int(layer(torch.ones(1, 4)).sum()) == 4

    def test_one_number_for_several_models(self):
        models = [network(), network()]
        with keeping([3], *models):
            outs = [nested_layers(model)[0](torch.ones(2, 6)) for model in models]
        assert torch.equal(*outs) and int(outs[0].sum()) == 6

    def test_another_number_of_layers_is_refused(self):
        with pytest.raises(LitotesError, match="keeping got 2 numbers for a model of 1 layers of NestedDropout"):
            with keeping([1, 2], network()):
                pass


class TestTwoLayers:
    def head(self, alternating: bool) -> DoubleNestedHead:
        torch.manual_seed(0)
        return DoubleNestedHead(4, 3, (6, 7), (2.0, 2.0), alternating=alternating)

    def masks(self, head: DoubleNestedHead, times: int) -> list[tuple[int, int]]:
        """What passes each layer, call by call."""
        seen: list[list[int]] = [[], []]
        for layer, counts in zip(nested_layers(head), seen, strict=True):
            layer.register_forward_hook(lambda m, i, out, c=counts: c.append(int((out != 0).any(dim=0).sum())))
        for layer in head.features:
            if isinstance(layer, nn.ReLU):
                layer.register_forward_hook(lambda m, i, out: torch.ones_like(out))
        torch.manual_seed(1)
        for _ in range(times):
            head(torch.randn(3, 4))
        return list(zip(*seen, strict=True))

    def test_alternating_masks_one_layer_a_batch_by_a_fair_coin(self):
        found = self.masks(self.head(alternating=True), 300)
        assert all(first == 6 or second == 7 for first, second in found)
        shares = [sum(first < 6 for first, _ in found), sum(second < 7 for _, second in found)]
        assert all(110 < share < 190 for share in shares)

    def test_otherwise_both_are_masked(self):
        found = self.masks(self.head(alternating=False), 100)
        assert sum(first < 6 and second < 7 for first, second in found) > 80

    def test_a_draw_from_outside_is_not_overridden(self):
        head = self.head(alternating=True)
        with keeping([2, 3], head):
            assert set(self.masks(head, 20)) == {(2, 3)}

    def test_evaluation_passes_everything(self):
        assert set(self.masks(self.head(alternating=True).eval(), 5)) == {(6, 7)}

    def test_draws_of_several_layers(self):
        layers = [NestedDropout(9, 3.0), NestedDropout(5, 3.0)]
        torch.manual_seed(2)
        assert all(9 in kept[:1] or 5 in kept[1:] for kept in (draw_kept(layers, alternating=True) for _ in range(50)))
        assert len({tuple(draw_kept(layers)) for _ in range(50)}) > 10
        assert draw_kept([]) == draw_kept([], alternating=True) == []


def test_the_first_channel_alone_gives_a_smooth_curve():
    """The toy regression of the paper's page: noisy pairs, 200 hidden units, s = 200."""
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 60)[:, None]
    y = torch.sin(3 * x) + 0.5 * torch.randn(60, 1)
    model = nn.Sequential(nn.Linear(1, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), NestedDropout(200, 200.0))
    model.append(nn.Linear(200, 1, bias=False))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(400):
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        optimizer.step()
    bends = []
    for kept in (1, 200):
        with keeping([kept], model), torch.no_grad():
            bends.append(float(model(x).diff(n=2, dim=0).abs().sum()))
    assert bends[0] < 0.5 * bends[1]


class TestInOtherModels:
    def test_before_the_head_of_a_transformer(self, tiny_classifier):
        layer = add_nested_dropout(tiny_classifier, std=4.0)
        words = torch.randint(5, 20, (3, 6))
        with keeping([2], tiny_classifier):
            loss = tiny_classifier(input_ids=words, labels=torch.tensor([0, 1, 2])).loss
            loss.backward()
        linear = tiny_classifier.classifier[1]
        assert linear.bias is None and linear.in_features == layer.dim
        assert linear.weight.grad[:, :2].any() and not linear.weight.grad[:, 2:].any()

    def test_the_weights_of_the_head_stay_and_the_bias_if_it_is_wanted(self):
        model = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 3)).eval()
        inputs = torch.randn(2, 4)
        before = model(inputs)
        bias = model[1].bias.detach().clone()
        kept = copy.deepcopy(model)
        add_nested_dropout(kept, 2.0, head="1", bias=True)
        torch.testing.assert_close(kept(inputs), before)
        add_nested_dropout(model, 2.0, head="1")
        torch.testing.assert_close(model(inputs), before - bias)
        assert not any("bias" in name for name in model[1].state_dict())

    def test_a_head_deep_inside(self):
        model = nn.ModuleDict({"a": nn.Sequential(nn.Linear(3, 2), nn.ReLU())})
        layer = add_nested_dropout(model, 1.0, head="a.0")
        assert nested_layers(model) == [layer] and isinstance(model["a"][0], nn.Sequential)

    def test_what_is_no_linear_layer_is_refused(self):
        model = nn.ModuleDict({"body": nn.ReLU(), "classifier": nn.Linear(2, 2)})
        with pytest.raises(LitotesError, match="'clasifier' is no such layer. Did you mean 'classifier'?"):
            add_nested_dropout(model, 1.0, head="clasifier")
        with pytest.raises(LitotesError, match="'body' is ReLU. Linear layers: classifier"):
            add_nested_dropout(model, 1.0, head="body")


@pytest.fixture
def tiny_classifier():
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, num_labels=3
    )
    return BertForSequenceClassification(config)
