"""Mixup: the weight's distribution, the same mixture for inputs and labels, and none at all."""

import numpy as np
import pytest
import torch
from scipy import stats

from litotes.core.errors import LitotesError
from litotes.core.seeds import rng
from litotes.training import Mixture, draw_mixture

X = torch.arange(8.0).reshape(4, 2)


def test_inputs_and_labels_are_mixed_alike():
    mixture = Mixture(0.75, torch.tensor([1, 0, 3, 2]))
    assert mixture.of(X).tolist() == [[0.5, 1.5], [1.5, 2.5], [4.5, 5.5], [5.5, 6.5]]
    labels = mixture.of_labels(torch.tensor([0, 2, 1, 1]), 3)
    assert labels.tolist() == [[0.75, 0, 0.25], [0.25, 0, 0.75], [0, 1, 0], [0, 1, 0]]


@pytest.mark.parametrize("alpha", [0.3, 1.0, 1.5])
def test_the_larger_share_is_its_own_and_the_weight_is_of_a_folded_beta(alpha):
    weights = np.array([draw_mixture(2, alpha, rng(0, step)).weight for step in range(500)])
    assert weights.min() >= 0.5
    folded = stats.beta(alpha, alpha)
    assert stats.kstest(weights, lambda x: folded.cdf(x) - folded.cdf(1 - x)).pvalue > 1e-3


def test_without_alpha_nothing_is_mixed():
    mixture = draw_mixture(4, 0.0, rng(0))
    assert mixture.weight == 1.0 and mixture.of(X) is X
    assert mixture.of_labels(torch.tensor([1, 0, 2, 0]), 3).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]


def test_everyone_gives_once_and_the_same_draw_gives_the_same():
    one, other = draw_mixture(50, 1.0, rng(3, "mixup", 7)), draw_mixture(50, 1.0, rng(3, "mixup", 7))
    assert sorted(one.permutation.tolist()) == list(range(50))
    assert one.weight == other.weight and torch.equal(one.permutation, other.permutation)
    assert one.weight != draw_mixture(50, 1.0, rng(3, "mixup", 8)).weight


def test_what_cannot_be_mixed_is_refused():
    mixture = draw_mixture(4, 1.0, rng(0))
    with pytest.raises(LitotesError, match=r"takes floats for each of its 4 examples. Got torch.int64 of shape \(4,\)"):
        mixture.of(torch.arange(4))
    with pytest.raises(LitotesError, match=r"Got torch.float32 of shape \(3, 2\)"):
        mixture.of(X[:3])
    with pytest.raises(LitotesError, match="'alpha' parameter of draw_mixture"):
        draw_mixture(4, -1.0, rng(0))
