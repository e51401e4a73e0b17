"""What every loss promises (``loss_table.py`` holds the losses, and the promises that one does not make, with reasons).

Value = a loop over the definition; gradient = finite differences; cells left out do not exist, even when they hold NaN,
while a NaN in a cell that takes part stays visible; nothing left = 0 with a gradient of 0; order does not matter; a
batch is its rows; scores of 1e4 stay finite; a step moves scores the right way; half precision is computed in float32.
"""

import math

import pytest
import torch

from litotes.core.errors import LitotesError
from litotes.losses import adore_loss, info_nce, pairwise_logistic_loss, star_loss
from tests.unit.losses.loss_table import LOSSES, Loss

NAMED_PROMISES = {"masked cells do not count", "columns may be permuted", "batch = its rows"}

BY_HAND = {
    "info_nce, one positive": (
        lambda: info_nce(torch.tensor([[2.0, 1.0]]), torch.tensor([[True, False]]), temperature=1.0),
        -math.log(math.exp(2) / (math.exp(2) + math.exp(1))),
    ),
    "info_nce, two positives, temperature": (
        lambda: info_nce(
            torch.tensor([[2.0, 1.0, 0.0]], dtype=torch.float64), torch.tensor([[True, True, False]]), temperature=0.5
        ),
        -math.log((math.exp(4) + math.exp(2)) / (math.exp(4) + math.exp(2) + 1)),
    ),
    "pairwise": (
        lambda: pairwise_logistic_loss(torch.tensor([1.0]), torch.tensor([[0.0, 3.0]])),
        (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(2))) / 2,
    ),
    "star": (
        lambda: star_loss(torch.tensor([[1.0, 2.0], [0.0, 3.0]]), torch.tensor([[1.0], [5.0]]), random_weight=0.5),
        (0.5 * (math.log(1 + math.exp(1)) + math.log(1 + math.exp(-3))) + math.log(2) + math.log(1 + math.exp(2))) / 3,
    ),
    "adore": (
        lambda: adore_loss(torch.tensor([[3.0, 1.0, 2.0]]), torch.tensor([[False, True, False]]), metric_cut=2),
        ((1 - 1 / 2) * math.log(1 + math.exp(2)) + (1 / 2 - 0) * math.log(1 + math.exp(1))) / 2,
    ),
}


def promising(promise: str | None = None):
    """The losses that make a promise; every loss makes those without a name."""
    return pytest.mark.parametrize("loss", [loss for loss in LOSSES if promise not in loss.left_out], ids=str)


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str):
    compute, expected = BY_HAND[name]
    assert compute().item() == pytest.approx(expected, rel=1e-6)


class TestPromises:
    @promising()
    def test_equals_the_loop(self, loss: Loss):
        for seed in range(5):
            inputs = made(loss, seed)
            assert loss.call(**inputs).item() == pytest.approx(loss.loop(**inputs), rel=1e-12)

    @promising()
    def test_gradient_is_that_of_finite_differences(self, loss: Loss):
        inputs = made(loss)
        floats = [inputs[name].requires_grad_() for name in loss.floats]

        def value(*tensors):
            return loss.call(**(inputs | dict(zip(loss.floats, tensors, strict=True))))

        assert torch.autograd.gradcheck(value, floats)
        assert any(grad.abs().max() > 1e-3 for grad in grads(loss, inputs).values()), "this test would be vacuous"

    @promising()
    def test_reductions_agree(self, loss: Loss):
        inputs = made(loss)
        each, total = loss.call(**inputs, reduction="none"), loss.call(**inputs, reduction="sum")
        assert each.sum().item() == pytest.approx(total.item(), rel=1e-12)
        shares = total / loss.call(**inputs)
        assert shares.item() > 1, "one entry would not tell a mean from a sum"
        if loss.name != "star_loss":  # its count is weighted
            assert shares.item() == pytest.approx((each > 0).sum().item(), rel=1e-12)

    @promising("masked cells do not count")
    def test_cells_left_out_do_not_count_even_when_they_hold_nan(self, loss: Loss):
        inputs = made(loss)
        expected, expected_grads = loss.call(**inputs), grads(loss, inputs)
        poisoned = poison(loss, inputs)
        assert any(poisoned[name].isnan().any() for name in loss.floats), "this test would be vacuous"
        assert torch.equal(loss.call(**poisoned), expected)
        for name, grad in grads(loss, poisoned).items():
            assert torch.equal(grad, expected_grads[name])
            assert not grad[poisoned[name].isnan()].any()

    @promising("masked cells do not count")
    def test_nan_in_a_cell_that_takes_part_stays_visible(self, loss: Loss):
        for mask, name in loss.masks.items():
            inputs = made(loss)
            place = tuple(inputs[mask].nonzero()[0])
            inputs[name][place] = torch.nan
            assert loss.call(**inputs).isnan()

    @promising()
    def test_nothing_left_is_zero_with_a_gradient_of_zero(self, loss: Loss):
        inputs = made(loss)
        for mask in loss.masks or ["keep"]:
            inputs[mask] = torch.zeros_like(inputs[mask])
        inputs = poison(loss, inputs) if loss.masks else inputs
        for reduction in ("mean", "sum"):
            value = loss.call(**{name: leaf(x) for name, x in inputs.items()}, reduction=reduction)
            assert value.item() == 0
            assert value.requires_grad
        assert all(not grad.any() for grad in grads(loss, inputs).values())  # NaN would be True

    @promising("columns may be permuted")
    def test_columns_may_be_permuted(self, loss: Loss):
        inputs = made(loss)
        order = torch.randperm(inputs[loss.columns[0]].shape[1], generator=torch.Generator().manual_seed(1))
        permuted = inputs | {name: inputs[name][:, order] for name in loss.columns}
        assert loss.call(**permuted).item() == pytest.approx(loss.call(**inputs).item(), rel=1e-12)
        before, after = grads(loss, inputs), grads(loss, permuted)
        for name in loss.floats:
            torch.testing.assert_close(after[name], before[name][:, order] if name in loss.columns else before[name])

    @promising("batch = its rows")
    def test_a_batch_is_its_rows(self, loss: Loss):
        inputs = made(loss)
        each = loss.call(**inputs, reduction="none")
        for row in range(len(each)):
            alone = {n: x[row : row + 1] if isinstance(x, torch.Tensor) else x for n, x in inputs.items()}
            torch.testing.assert_close(loss.call(**alone, reduction="none")[0], each[row])

    @promising()
    def test_scores_of_ten_thousand_stay_finite(self, loss: Loss):
        for sign in (1, -1):
            inputs = made(loss, dtype=torch.float32)
            for name in loss.floats:
                inputs[name] = sign * 1e4 * inputs[name].sign()
            assert loss.call(**inputs).isfinite()
            assert all(grad.isfinite().all() for grad in grads(loss, inputs).values())

    @promising()
    def test_steps_move_scores_the_right_way(self, loss: Loss):
        inputs = made(loss)
        before = loss.rises(inputs)
        for _ in range(30):
            for name, grad in grads(loss, inputs).items():
                inputs[name] = inputs[name] - 0.3 * grad
        assert loss.rises(inputs) > before + 0.01

    @promising()
    def test_half_precision_is_computed_in_float32(self, loss: Loss):
        inputs = made(loss, dtype=torch.bfloat16)
        value = loss.call(**inputs)
        assert value.dtype == torch.float32
        exact = loss.loop(**{n: x.double() if n in loss.floats else x for n, x in inputs.items()})
        assert value.item() == pytest.approx(exact, rel=1e-5)
        assert all(grad.dtype == torch.bfloat16 and grad.isfinite().all() for grad in grads(loss, inputs).values())

    @promising()
    def test_a_misspelt_reduction_or_a_mask_of_another_shape_is_refused(self, loss: Loss, unchecked_shapes: None):
        inputs = made(loss)
        with pytest.raises(LitotesError, match="'reduction'.*must be one of 'mean', 'sum', 'none'.*Got 'average'"):
            loss.call(**inputs, reduction="average")
        for mask in loss.masks or ["keep"]:
            for wrong in (inputs[mask][:-1], inputs[mask].int()):
                with pytest.raises(LitotesError, match=f"'{mask}' parameter of .* must be a bool tensor of shape"):
                    loss.call(**inputs | {mask: wrong})

    @promising()
    def test_promises_left_out_have_a_reason(self, loss: Loss):
        assert set(loss.left_out) <= NAMED_PROMISES
        assert all(len(reason.split()) > 4 for reason in loss.left_out.values())


def made(loss: Loss, seed: int = 0, dtype: torch.dtype = torch.float64) -> dict:
    inputs = loss.make(torch.Generator().manual_seed(seed))
    return {name: x.to(dtype) if name in loss.floats else x for name, x in inputs.items()}


def leaf(x):
    return x.detach().clone().requires_grad_() if isinstance(x, torch.Tensor) and x.is_floating_point() else x


def grads(loss: Loss, inputs: dict) -> dict[str, torch.Tensor]:
    """The gradient of the mean with respect to each float input."""
    leaves = {name: leaf(x) for name, x in inputs.items()}
    loss.call(**leaves).backward()
    return {name: leaves[name].grad for name in loss.floats}


def poison(loss: Loss, inputs: dict) -> dict:
    """NaN in every cell that a mask leaves out."""
    poisoned = dict(inputs)
    for mask, name in loss.masks.items():
        left_out = ~inputs[mask]
        if name == "in_batch":
            left_out = left_out & ~torch.eye(len(left_out), dtype=torch.bool)  # the diagonal is every row's positive
        fill = left_out if left_out.shape == inputs[name].shape else left_out[:, None]
        poisoned[name] = inputs[name].masked_fill(fill, torch.nan)
    return poisoned
