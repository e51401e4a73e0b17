"""The small-loss rule: how many, which, in which order, and what is never kept."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from litotes.core.errors import LitotesError
from litotes.judging.small_loss import forget_schedule, num_kept, small_loss, smallest


@settings(max_examples=40)
@given(st.integers(1, 30), st.floats(0, 0.99), st.integers(0, 100))
def test_the_smallest_losses_ascending(rows, rate, seed):
    generator = torch.Generator().manual_seed(seed)
    logits, labels = torch.randn(rows, 3, generator=generator), torch.randint(3, (rows,), generator=generator)
    kept = small_loss(logits, labels, rate)
    losses = F.cross_entropy(logits, labels, reduction="none")
    assert len(kept) == max(1, int((1 - rate) * rows))
    assert (losses[kept].diff() >= 0).all()
    rest = losses[[row for row in range(rows) if row not in kept.tolist()]]
    assert not len(rest) or losses[kept].max() <= rest.min()


def test_forget_rate_zero_keeps_everything():
    assert sorted(smallest(torch.tensor([3.0, 1.0, 2.0]), 0.0).tolist()) == [0, 1, 2]


def test_equal_losses_go_by_place():
    assert smallest(torch.ones(100), 0.5).tolist() == list(range(50))


def test_truncated_in_doubles_but_at_least_one():
    assert num_kept(10, 0.9) == 1  # (1 - 0.9) * 10 is just below 1
    assert num_kept(5, 0.8) == 1
    assert int((1 - 0.9) * 10) == int((1 - 0.8) * 5) == 0, "this test would be vacuous"
    assert num_kept(10, 0.7) == 3
    assert num_kept(100, 0.29) == 71
    assert num_kept(7, 0.25) == 5
    assert num_kept(0, 0.5) == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_never_kept(bad):
    losses = torch.tensor([bad, 2.0, bad, 1.0])
    assert smallest(losses, 0.0).tolist() == [3, 1]
    assert smallest(losses, 0.75).tolist() == [3]
    logits = torch.tensor([[math.nan, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert small_loss(logits, torch.tensor([0, 0, 0]), 0.0).tolist() == [2, 1]


def test_no_finite_loss_is_refused():
    with pytest.raises(LitotesError, match="None of the 2 examples has a finite loss"):
        smallest(torch.tensor([math.nan, math.inf]), 0.5)


def test_an_empty_batch_keeps_nothing():
    assert smallest(torch.empty(0), 0.5).tolist() == []


@pytest.mark.parametrize("label", [-100, 2])
def test_labels_that_are_no_class_are_refused(label):
    with pytest.raises(LitotesError, match=f"small_loss takes labels from 0 to 1.*Got {label}"):
        small_loss(torch.zeros(2, 2), torch.tensor([0, label]), 0.5)


@pytest.mark.parametrize("rate", [-0.1, 1.0, math.nan])
def test_a_rate_that_leaves_nothing_is_refused(rate):
    with pytest.raises(
        LitotesError, match=r"'forget_rate' parameter of num_kept must be a float in the range \[0.0, 1"
    ):
        num_kept(10, rate)


def test_half_precision_is_told_apart_in_float32():
    logits = torch.tensor([[8.0, 0.0], [9.0, 0.0]], dtype=torch.bfloat16)
    assert small_loss(logits, torch.tensor([0, 0]), 0.5).tolist() == [1]


def test_no_gradient_and_no_change():
    logits = torch.randn(4, 3, requires_grad=True)
    kept = small_loss(logits, torch.tensor([0, 1, 2, 0]), 0.5)
    assert kept.dtype == torch.int64 and logits.grad is None


class TestSchedule:
    def test_it_rises_with_both_ends_included_then_stays(self):
        assert forget_schedule(0.2, 5, 7).tolist() == pytest.approx([0.0, 0.05, 0.1, 0.15, 0.2, 0.2, 0.2])

    def test_zero_gradual_is_the_rate_at_once(self):
        assert forget_schedule(0.2, 0, 3).tolist() == [0.2, 0.2, 0.2]

    def test_shorter_than_the_rise_and_a_rise_of_one(self):
        assert forget_schedule(0.4, 5, 2).tolist() == pytest.approx([0.0, 0.1])
        assert forget_schedule(0.4, 1, 2).tolist() == [0.0, 0.4]
