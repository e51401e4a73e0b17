"""The pairwise logistic loss where a naive one fails."""

import math

import pytest
import torch

from litotes.losses import pairwise_logistic_loss
from litotes.losses.pairwise import softplus


def test_trap_log_of_one_plus_exp_overflows_beyond_a_gap_of_88():
    gaps = torch.tensor([89.0, 1e4, -1e4], requires_grad=True)
    assert torch.log(1 + torch.exp(gaps)).isinf().any(), "this test would be vacuous"
    loss = softplus(gaps)
    loss.sum().backward()
    assert loss.tolist() == [89.0, 1e4, 0.0]
    assert gaps.grad.tolist() == [1.0, 1.0, 0.0]


def test_softplus_keeps_all_digits_beyond_twenty():
    gaps = torch.tensor([25.0], dtype=torch.float64, requires_grad=True)
    softplus(gaps).sum().backward()
    assert softplus(gaps).item() - 25 == pytest.approx(math.exp(-25), rel=1e-3)
    assert 1 - gaps.grad.item() == pytest.approx(math.exp(-25), rel=1e-3)
    assert torch.nn.functional.softplus(gaps).item() == 25, "this test would be vacuous"


def test_gradient_of_a_pair_is_minus_and_plus_the_sigmoid():
    positive, negatives = torch.tensor([0.3], requires_grad=True), torch.tensor([[1.5]], requires_grad=True)
    pairwise_logistic_loss(positive, negatives).backward()
    torch.testing.assert_close(negatives.grad, torch.sigmoid(torch.tensor([[1.2]])))
    torch.testing.assert_close(positive.grad, -negatives.grad[0])
