"""All numbers of channels in one pass: equal to D masked forwards, in blocks, for ensembles, with ties as argmax."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.core.errors import LitotesError
from litotes.models.cumulative_logits import accuracy_by_channels, choose_channels, logits_by_channels
from litotes.testing.largest_tensor import LargestTensor


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def masked(features: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | float = 0.0) -> torch.Tensor:
    """D separate masked forwards."""
    dim = features.shape[1]
    return torch.stack([features * (torch.arange(dim) < k) @ weight.T + bias for k in range(1, dim + 1)])


def shares(logits: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
    return (logits.argmax(dim=2) == labels).double().mean(dim=1).numpy()


@settings(max_examples=30)
@given(st.integers(1, 12), st.integers(1, 9), st.integers(2, 5), st.integers(1, 3000), st.booleans())
def test_equals_separate_masked_forwards_for_any_block(rows, dim, classes, max_bytes, with_bias):
    h, v, bias = draw(rows, dim), draw(classes, dim, seed=1), draw(classes, seed=2) if with_bias else None
    labels = torch.arange(rows) % classes
    expected = masked(h, v, 0.0 if bias is None else bias)
    torch.testing.assert_close(logits_by_channels(h, v, bias), expected, rtol=1e-12, atol=1e-12)
    found = accuracy_by_channels(h, v, labels, bias=bias, max_bytes=max_bytes)
    np.testing.assert_array_equal(found, shares(expected, labels))


def test_many_rows_are_cut_too():
    h, v, labels = draw(9000, 5), draw(8, 5, seed=1), torch.arange(9000) % 8
    np.testing.assert_allclose(accuracy_by_channels(h, v, labels), shares(masked(h, v), labels), atol=1e-12)


def test_an_ensemble_answers_by_the_mean_of_its_logits():
    hs, vs = [draw(40, 6, seed=s) for s in (0, 1)], [draw(3, 6, seed=s) for s in (2, 3)]
    biases, labels = [draw(3, seed=4), None], torch.arange(40) % 3
    expected = (masked(hs[0], vs[0], biases[0]) + masked(hs[1], vs[1])) / 2
    np.testing.assert_array_equal(accuracy_by_channels(hs, vs, labels, bias=biases), shares(expected, labels))
    both = accuracy_by_channels([hs[0], hs[0]], [vs[0], vs[0]], labels)
    np.testing.assert_array_equal(both, accuracy_by_channels(hs[0], vs[0], labels))


def test_ties_go_to_the_first_class_as_in_argmax():
    h, v = torch.tensor([[0.0, 1.0]] * 3), torch.tensor([[1.0, 1.0], [2.0, 1.0], [3.0, 0.0]])
    for label, expected in ((0, [1.0, 1.0]), (1, [0.0, 0.0]), (2, [0.0, 0.0])):
        found = accuracy_by_channels(h, v, torch.full((3,), label))
        assert found.tolist() == expected == shares(masked(h, v), torch.full((3,), label)).tolist()


def test_half_precision_is_summed_in_float32():
    h, v = draw(20, 64).to(torch.bfloat16), draw(3, 64, seed=1).to(torch.bfloat16)
    torch.testing.assert_close(logits_by_channels(h, v), masked(h.float(), v.float()), rtol=1e-5, atol=1e-5)


def test_inputs_are_left_alone_and_nothing_has_a_gradient():
    h, v = draw(4, 3).requires_grad_(), draw(2, 3, seed=1).requires_grad_()
    before = h.detach().clone(), v.detach().clone()
    assert not logits_by_channels(h, v).requires_grad
    accuracy_by_channels(h, v, torch.tensor([0, 1, 0, 1]))
    assert torch.equal(h, before[0]) and torch.equal(v, before[1])


def test_a_thousand_rows_of_512_channels_stay_in_bounded_memory():
    h, v, labels = torch.randn(1000, 512), torch.randn(150, 512), torch.arange(1000) % 150
    with LargestTensor() as largest:
        accuracy_by_channels(h, v, labels, max_bytes=2**22)
    assert largest.numel * 4 <= 2**22
    assert largest.numel < 1000 * 150 * 512 / 50


class TestRefused:
    def test_shapes_that_do_not_fit(self):
        with pytest.raises(LitotesError, match=r"Features \[rows, channels\] go with a head.*\(4, 3\) and \(2, 5\)"):
            accuracy_by_channels(draw(4, 3), draw(2, 5), torch.tensor([0, 1, 0, 1]))
        with pytest.raises(LitotesError, match=r"got \(4,\)|has a bias of as many. Got \(4,\)"):
            accuracy_by_channels(draw(4, 3), draw(2, 3), torch.tensor([0, 1, 0, 1]), bias=draw(4))
        with pytest.raises(LitotesError, match="One head for each network: got 2 features and 1 weights"):
            accuracy_by_channels([draw(4, 3)] * 2, [draw(2, 3)], torch.tensor([0, 1, 0, 1]))

    @pytest.mark.parametrize("labels", [[0, 1, 2, 0], [0, -1, 1, 0]])
    def test_labels_that_are_no_class(self, labels):
        with pytest.raises(LitotesError, match="takes labels from 0 to 1, as the head has 2 classes. Got"):
            accuracy_by_channels(draw(4, 3), draw(2, 3), torch.tensor(labels))

    def test_no_example_and_missing_labels(self):
        with pytest.raises(LitotesError, match="Got 3 labels for 4 rows"):
            accuracy_by_channels(draw(4, 3), draw(2, 3), torch.tensor([0, 1, 0]))
        with pytest.raises(LitotesError, match="Got 0 labels for 0 rows"):
            accuracy_by_channels(draw(0, 3), draw(2, 3), torch.tensor([], dtype=torch.int64))

    def test_features_that_are_not_finite(self):
        h = draw(4, 3)
        h[2, 1] = torch.nan
        with pytest.raises(LitotesError, match="1 features are NaN or infinite"):
            accuracy_by_channels(h, draw(2, 3), torch.tensor([0, 1, 0, 1]))


class TestChoice:
    def test_fewer_channels_where_accuracy_is_the_same(self):
        assert choose_channels([0.1, 0.9, 0.9, 0.9]) == 2
        assert choose_channels([0.5]) == 1
        assert choose_channels([0.9, 0.9, 0.95], penalty=0.0) == 3

    def test_a_channel_is_worth_a_hundred_thousandth(self):
        assert choose_channels([0.5, 0.50002]) == 2
        assert choose_channels([0.5, 0.500005]) == 1
        accuracy = np.full(512, 0.8)
        accuracy[511] = 0.805
        assert choose_channels(accuracy) == 1  # 511 channels more cost 0.00511
        accuracy[511] = 0.8052
        assert choose_channels(accuracy) == 512

    def test_one_channel_is_one_channel_and_no_word_for_all(self):
        assert choose_channels([1.0, 0.5, 0.2]) == 1

    @pytest.mark.parametrize("accuracy", [[50.0, 70.0], [0.5, np.nan], [], [[0.5]], [-0.1]])
    def test_percent_and_what_is_no_accuracy_is_refused(self, accuracy):
        with pytest.raises(LitotesError, match="as fractions from 0 to 1"):
            choose_channels(accuracy)
