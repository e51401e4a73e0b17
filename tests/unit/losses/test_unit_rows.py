"""Vectors divided by their lengths when they are read, and gradients on the way back."""

import torch
from torch.nn import functional as F

from litotes.losses.unit_rows import UnitRows
from tests.unit.losses.stand_ins import vectors


def test_rows_and_gradients_are_those_of_normalize():
    x, upstream = vectors(7, 4).requires_grad_(), vectors(7, 4, seed=1)
    with torch.no_grad():
        x[3] *= 1e-14  # divided by 1e-12, which is constant there
        x[4] = 0.0
    found = UnitRows(x.detach(), torch.float64, block=3).normalized()
    unit = F.normalize(x, dim=-1)
    torch.testing.assert_close(torch.cat([found.rows(0, 5), found.at(torch.tensor([5, 6]))]), unit.detach())
    torch.testing.assert_close(found.through(upstream.clone()), torch.autograd.grad(unit, x, upstream)[0])


def test_as_they_are_nothing_is_copied_and_the_gradient_is_handed_through():
    x = vectors(4, 3)
    rows = UnitRows(x, torch.float64, block=2)
    assert rows.rows(1, 3).data_ptr() == x[1].data_ptr()
    torch.testing.assert_close(rows.through(x), x)
    torch.testing.assert_close(rows.lengths(), x.norm(dim=1))


def test_absent_rows_are_zeros_without_a_gradient():
    x = torch.full((2, 3), torch.nan)
    rows = UnitRows(x, torch.float32, block=2, absent=torch.tensor([True, True])).normalized()
    assert not rows.rows(0, 2).any()
    assert not rows.through(rows.no_gradient()).any()


def test_half_precision_is_read_in_float32_and_gets_its_own_gradient():
    x = vectors(2, 3).bfloat16()
    rows = UnitRows(x, torch.float32, block=2).normalized()
    assert rows.rows(0, 2).dtype == torch.float32
    assert rows.through(rows.no_gradient()).dtype == torch.bfloat16
