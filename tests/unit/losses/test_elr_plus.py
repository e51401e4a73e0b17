"""ELR+: mixed targets from a partner, ramps, reweighted labels, and that it is ELR where nothing is mixed."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from litotes.core.errors import LitotesError
from litotes.core.seeds import rng
from litotes.losses import (
    TargetMemory,
    early_learning_term,
    elr_loss,
    elr_plus_loss,
    elr_plus_targets,
    sigmoid_ramp,
    soft_cross_entropy,
)
from litotes.training import WeightAverage, draw_mixture
from tests.unit.losses.stand_ins import vectors

IDS, ORDER = torch.tensor([7, 1, 4, 9]), torch.tensor([2, 0, 1, 3])
LABELS = torch.tensor([2, 0, 3, 1])


def memory(momentum: float = 0.7) -> TargetMemory:
    T = TargetMemory(10, 4, target_momentum=momentum, dtype=torch.float64)
    T.update(torch.arange(10), vectors(10, 4, seed=5).softmax(dim=1))
    return T


class TestTargets:
    def test_they_are_mixed_from_the_updated_memory(self):
        T, by_hand, partner = memory(), memory(), vectors(4, 4)
        found = elr_plus_targets(T, IDS, partner, mix_weight=0.8, permutation=ORDER)
        by_hand.update(IDS, partner.softmax(dim=1))
        own = by_hand.targets[IDS]
        torch.testing.assert_close(T.targets, by_hand.targets)
        torch.testing.assert_close(found, 0.8 * own + 0.2 * by_hand.targets[IDS[ORDER]])

    def test_the_partners_probabilities_are_not_clamped_and_those_of_elr_are(self):
        plus, plain = memory(0.0), memory(0.0)
        logits = torch.tensor([[60.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
        elr_plus_targets(plus, IDS[:1], logits)
        elr_loss(logits, LABELS[:1], plain, IDS[:1])
        assert plus.targets[7, 1] < 1e-20 and plain.targets[7, 1].item() == pytest.approx(1e-4, rel=1e-3)

    def test_an_evaluation_leaves_the_memory(self):
        T = memory()
        before = T.targets.clone()
        with torch.no_grad():
            elr_plus_targets(T, IDS, vectors(4, 4))
        elr_plus_targets(T, IDS, vectors(4, 4), update=False)
        assert torch.equal(T.targets, before)

    def test_no_gradient_reaches_them(self):
        partner = vectors(4, 4).requires_grad_()
        assert not elr_plus_targets(memory(), IDS, partner, mix_weight=0.6, permutation=ORDER).requires_grad

    def test_each_network_has_a_memory_of_its_own(self):
        one, other = memory(), memory()
        elr_plus_targets(one, IDS, vectors(4, 4))
        assert torch.equal(other.targets, memory().targets) and not torch.equal(one.targets, other.targets)


class TestLoss:
    def test_without_mixing_and_with_its_own_copy_as_partner_it_is_elr(self):
        """Up to the clamp of what moves the memory, which does nothing at logits as small as these."""
        torch.manual_seed(0)
        network = nn.Linear(6, 4).double()
        average, x = WeightAverage(copy.deepcopy(network), alpha=0.0, ramp_length=None), vectors(4, 6)
        plain = copy.deepcopy(network)
        T, T_plain = memory(), memory()
        mixture = draw_mixture(4, 0.0, rng(0, "mixup"))
        for step in range(3):
            with torch.no_grad():
                partner = average.model(x)
            targets = elr_plus_targets(T, IDS, partner, mix_weight=mixture.weight, permutation=mixture.permutation)
            labels = mixture.of_labels(LABELS, 4, torch.float64)
            loss = elr_plus_loss(network(mixture.of(x)), labels, targets, ramp=sigmoid_ramp(step, 0))
            expected = elr_loss(plain(x), LABELS, T_plain, IDS)
            torch.testing.assert_close(loss, expected)
            for model, value in ((network, loss), (plain, expected)):
                (grad,) = torch.autograd.grad(value, model.weight)
                model.weight.data -= 0.5 * grad
            average.update(network, step)
        torch.testing.assert_close(network.weight, plain.weight)
        torch.testing.assert_close(T.targets, T_plain.targets)

    def test_the_ramp_scales_the_term_alone(self):
        logits, soft, targets = vectors(4, 4), vectors(4, 4, seed=1).softmax(dim=1), memory().read(IDS)
        cross_entropy, term = soft_cross_entropy(logits, soft), early_learning_term(logits, targets)
        for ramp in (0.0, 0.3, 1.0):
            found = elr_plus_loss(logits, soft, targets, regularization=2.0, ramp=ramp)
            torch.testing.assert_close(found, cross_entropy + 2 * ramp * term)

    def test_reweighted_labels_are_labels_times_targets(self):
        logits, targets = vectors(1, 3), torch.tensor([[0.6, 0.1, 0.1]], dtype=torch.float64)
        soft = torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64)
        found = elr_plus_loss(logits, soft, targets, regularization=0.0, reweight_labels=True)
        expected = soft_cross_entropy(logits, torch.tensor([[6 / 7, 1 / 7, 0.0]], dtype=torch.float64))
        torch.testing.assert_close(found, expected)
        assert found != elr_plus_loss(logits, soft, targets, regularization=0.0)  # off unless asked for

    def test_a_row_without_a_target_where_it_has_a_label_keeps_its_labels(self):
        logits, soft = vectors(2, 3), F.one_hot(torch.tensor([1, 0]), 3).double()
        targets = torch.tensor([[0.9, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
        found = elr_plus_loss(logits, soft, targets, regularization=0.0, reweight_labels=True)
        torch.testing.assert_close(found, soft_cross_entropy(logits, soft))


class TestRamp:
    def test_it_goes_from_exp_minus_five_to_one(self):
        assert sigmoid_ramp(0, 40) == pytest.approx(math.exp(-5)) and sigmoid_ramp(20, 40) == pytest.approx(
            math.exp(-1.25)
        )
        assert sigmoid_ramp(40, 40) == sigmoid_ramp(400, 40) == 1.0
        assert sigmoid_ramp(-3, 40) == sigmoid_ramp(0, 40)

    def test_without_a_length_it_is_one(self):
        assert {sigmoid_ramp(step, 0) for step in range(5)} == {1.0}

    def test_it_rises(self):
        values = [sigmoid_ramp(step, 30) for step in range(35)]
        assert values == sorted(values) and values[0] < 0.007


class TestRefused:
    def test_weights_and_ramps_out_of_range(self):
        with pytest.raises(LitotesError, match="'mix_weight' parameter of elr_plus_targets must be a float in the ra"):
            elr_plus_targets(memory(), IDS, vectors(4, 4), mix_weight=1.5)
        with pytest.raises(LitotesError, match="'ramp' parameter of elr_plus_loss"):
            elr_plus_loss(vectors(4, 4), vectors(4, 4), vectors(4, 4), ramp=-1.0)
        with pytest.raises(LitotesError, match="'length' parameter of sigmoid_ramp"):
            sigmoid_ramp(1, -1)
