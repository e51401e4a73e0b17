"""The information bound: the determinant for every k, never falling, and smaller where channels are few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.core.errors import LitotesError
from litotes.core.seeds import rng
from litotes.evaluation.information import information_by_channels


@settings(max_examples=30)
@given(st.integers(1, 30), st.integers(1, 8), st.floats(0.05, 20), st.integers(0, 99))
def test_every_entry_is_the_determinant_of_its_channels_and_none_falls(n, dim, noise, seed):
    features = rng(seed, "h").standard_normal((n, dim)) @ rng(seed, "mix").standard_normal((dim, dim))
    found = information_by_channels(features, noise)
    covariance = np.cov(features, rowvar=False, bias=True).reshape(dim, dim)
    direct = [
        0.5 * np.linalg.slogdet(np.eye(k) + covariance[:k, :k] / noise**2)[1] for k in range(1, dim + 1)
    ]  # fmt: skip
    np.testing.assert_allclose(found, direct, rtol=1e-8, atol=1e-10)
    assert (np.diff(found) >= 0).all() and found[0] >= 0


def test_a_repeated_channel_tells_less_than_a_new_one_and_a_constant_nothing():
    a, b = rng(0, "a").standard_normal((2, 500))
    bound = lambda *columns: information_by_channels(np.stack(columns, axis=1))[-1]  # noqa: E731
    assert bound(a, a) < bound(a, b)
    assert bound(a, np.full(500, 3.0)) == pytest.approx(bound(a))


def test_more_noise_tells_less_and_a_shift_nothing():
    features = rng(0, "h").standard_normal((50, 4))
    assert information_by_channels(features, 2.0)[-1] < information_by_channels(features, 1.0)[-1]
    np.testing.assert_allclose(information_by_channels(features + 9.0), information_by_channels(features))


@pytest.mark.parametrize("features", [np.ones(3), np.empty((0, 3)), np.array([[1.0, np.nan]])])
def test_features_that_are_none_are_refused(features):
    with pytest.raises(LitotesError, match=r"takes finite features \[examples, channels\]"):
        information_by_channels(features)
