"""Log-sums in parts are log-sums of the whole."""

import pytest
import torch

from litotes.losses.log_sum import LogSum, log_sum_by_row
from tests.unit.losses.stand_ins import vectors


@pytest.mark.parametrize("safe", [False, True])
def test_parts_make_the_whole(safe: bool):
    logits = 5 * vectors(3, 10)
    running = LogSum(3, logits, safe)
    for part in logits.split(4, dim=1):
        running.add_(part.clone())
    torch.testing.assert_close(running.log(), logits.logsumexp(dim=1))


def test_parts_of_nothing_change_nothing_and_nothing_is_minus_infinity():
    running = LogSum(2, torch.zeros(()))
    assert running.log().tolist() == [-torch.inf] * 2
    running.add_(torch.full((2, 3), -torch.inf))
    running.add_(torch.tensor([[1.0], [-torch.inf]]))
    running.add_(torch.full((2, 3), -torch.inf))
    assert running.log().tolist() == [1.0, -torch.inf]


def test_large_exponents_in_any_order_do_not_overflow():
    for order in ([1e4, -1e4], [-1e4, 1e4]):
        running = LogSum(1, torch.zeros(()))
        for x in order:
            running.add_(torch.tensor([[x]]))
        assert running.log().item() == 1e4


def test_nan_stays():
    running = LogSum(1, torch.zeros(()))
    running.add_(torch.tensor([[torch.nan, 1.0]]))
    running.add_(torch.tensor([[1.0]]))
    assert running.log().isnan()


def test_cells_by_row():
    logits, rows = 100 * vectors(6), torch.tensor([3, 0, 3, 0, 3, 1])
    found = log_sum_by_row(logits, rows, 4)
    for row in (0, 1, 3):
        torch.testing.assert_close(found[row], logits[rows == row].logsumexp(dim=0))
    assert found[2] == -torch.inf
