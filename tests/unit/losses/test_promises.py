"""What every loss promises, by the suite that others run on theirs: ``loss_table.py`` holds the losses.

Here stands what the suite cannot know: values by hand, how a mean counts, and the words of what is refused.
"""

import math
from collections.abc import Callable

import pytest
import torch

from litotes.core.errors import LitotesError
from litotes.losses import adore_loss, info_nce, pairwise_logistic_loss, star_loss
from litotes.testing import Check, check_loss
from tests.unit.losses.loss_table import LOSSES

CHECKS = [pytest.param(check, id=f"{name}-{check}") for name, loss in LOSSES.items() for check in check_loss(**loss)]

BY_HAND: dict[str, tuple[Callable[[], torch.Tensor], float]] = {
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


@pytest.mark.parametrize("check", CHECKS)
def test_promises(check: Check):
    check()


def test_no_check_of_ours_is_expected_to_fail():
    assert not [check for param in CHECKS for check in param.values if check.expected_failure]


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str):
    compute, expected = BY_HAND[name]
    assert compute().item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_a_mean_counts_the_entries_that_take_part(name: str):
    call, inputs = LOSSES[name]["loss"], made(name)
    each, total = call(**inputs, reduction="none"), call(**inputs, reduction="sum")
    shares = total / call(**inputs)
    assert shares.item() > 1, "one entry would not tell a mean from a sum"
    if name != "star_loss":  # its count is weighted
        assert shares.item() == pytest.approx((each != 0).sum().item(), rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_half_precision_gives_float32(name: str):
    inputs = {key: x.bfloat16() if is_float(x) else x for key, x in made(name).items()}
    assert LOSSES[name]["loss"](**inputs).dtype == torch.float32


@pytest.mark.parametrize("name", LOSSES)
def test_a_misspelt_reduction_or_a_mask_of_another_shape_is_refused_in_words(name: str, unchecked_shapes: None):
    call, inputs = LOSSES[name]["loss"], made(name)
    with pytest.raises(LitotesError, match=f"'reduction'.*{call.__name__}.*'mean', 'sum', 'none'.*Got 'average'"):
        call(**inputs, reduction="average")
    for mask in (key for key in inputs if key.startswith("keep")):
        for wrong in (inputs[mask][:-1], inputs[mask].int()):
            with pytest.raises(LitotesError, match=f"'{mask}' parameter of {call.__name__} must be a bool tensor"):
                call(**inputs | {mask: wrong})


def made(name: str) -> dict:
    inputs = LOSSES[name]["make_inputs"](torch.Generator().manual_seed(0))
    return {key: x.double() if is_float(x) else x for key, x in inputs.items()}


def is_float(x) -> bool:
    return isinstance(x, torch.Tensor) and x.is_floating_point()
