"""Bias and variance: the identity to rounding, the ensemble of two, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from litotes.core.errors import LitotesError
from litotes.core.seeds import rng
from litotes.evaluation.bias_variance import bias_variance, geometric_mean


def logits(models: int, n: int, classes: int, seed: int = 0, scale: float = 3.0) -> np.ndarray:
    return scale * rng(seed, "logits").standard_normal((models, n, classes))


def kl(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.sum(p * (np.log(p) - np.log(q)), axis=-1)


@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(2, 6), st.floats(0.1, 30), st.integers(0, 99))
def test_error_is_bias_plus_variance(models, n, classes, scale, seed):
    answers = logits(models, n, classes, seed, scale)
    target = softmax(rng(seed, "target").standard_normal((n, classes)), axis=1)
    for q in (target, target.argmax(axis=1)):
        error, bias, variance = bias_variance(answers, q, reduction="none")
        np.testing.assert_allclose(error, bias + variance, atol=1e-10 * scale)
        assert (variance >= -1e-12).all() and (bias >= -1e-12).all()


def test_by_hand():
    answers = logits(3, 4, 5)
    p = softmax(answers, axis=2)
    q = softmax(rng(1, "q").standard_normal((4, 5)), axis=1)
    mean = np.exp(np.log(p).mean(axis=0))
    mean /= mean.sum(axis=1, keepdims=True)
    found = bias_variance(answers, q)
    assert found.error == pytest.approx(kl(q, p).mean())
    assert found.bias == pytest.approx(kl(q, mean).mean())
    assert found.variance == pytest.approx(kl(mean, p).mean())
    np.testing.assert_allclose(np.exp(geometric_mean(answers)), mean)


def test_the_ensemble_of_two_by_mean_logits_loses_exactly_the_variance_of_the_pair():
    answers, target = logits(2, 30, 4), np.arange(30) % 4
    ensemble = softmax(answers.mean(axis=0), axis=1)
    single = -np.log(softmax(answers, axis=2)[:, np.arange(30), target]).mean()
    pair = bias_variance(answers, target)
    assert pair.bias == pytest.approx(-np.log(ensemble[np.arange(30), target]).mean(), abs=1e-12)
    assert pair.error == pytest.approx(single, abs=1e-12)
    assert single - pair.bias == pytest.approx(pair.variance, abs=1e-12)


def test_networks_that_agree_have_no_variance():
    one = logits(1, 5, 3)
    found = bias_variance(np.concatenate([one, one + 7.0]), np.zeros(5, dtype=int))  # a shift of logits is nothing
    assert found.variance == pytest.approx(0.0, abs=1e-12)
    assert found.error == pytest.approx(found.bias)


def test_extreme_logits_stay_finite():
    found = bias_variance(np.array([[[1e4, 0.0]], [[0.0, 1e4]]]), [0])
    assert np.isfinite(found).all() and found.error == pytest.approx(found.bias + found.variance)


class TestRefused:
    @pytest.mark.parametrize("bad", [np.nan, -np.inf])
    def test_logits_that_are_not_finite(self, bad):
        answers = logits(2, 3, 2)
        answers[0, 0, 0] = bad
        with pytest.raises(LitotesError, match="bias_variance takes finite logits; clip probabilities of 0"):
            bias_variance(answers, [0, 1, 0])

    @pytest.mark.parametrize("shape", [(3, 2), (0, 3, 2)])
    def test_another_shape(self, shape):
        with pytest.raises(LitotesError, match=r"takes logits \[models, examples, classes\]"):
            bias_variance(np.zeros(shape), [0, 1, 0])

    def test_targets_that_are_no_class_or_no_distribution(self):
        with pytest.raises(LitotesError, match="takes targets from 0 to 1. Got 0 to 2"):
            bias_variance(logits(2, 3, 2), [0, 1, 2])
        with pytest.raises(LitotesError, match=r"distributions \(3, 2\) whose rows sum to 1"):
            bias_variance(logits(2, 3, 2), np.ones((3, 2)))
        with pytest.raises(LitotesError, match="whose rows sum to 1"):
            bias_variance(logits(2, 3, 2), [0.0, 1.0, 0.0])
