"""What ``check_loss`` finds out for itself, and what it refuses before a check has run."""

import pytest
import torch
from torch import nn

from litotes.core.errors import LitotesError
from litotes.testing import check_loss
from litotes.testing.largest_tensor import LargestTensor
from tests.unit.testing.wrong_losses import (
    PROMISES,
    RIGHT,
    RIGHT_ROWS,
    Momentum,
    make_inputs,
    make_vectors,
    without_chunks,
)


def names(**arguments) -> list[str]:
    return [check.name for check in check_loss(**{**RIGHT, **arguments})]


def case_of(**arguments):
    return check_loss(**{**RIGHT, **arguments})[0].run.args[0]


def test_only_the_checks_that_concern_the_loss_are_made():
    assert "equals_reference" in names() and "equals_reference" not in names(reference=None)
    plain = names(loss=without_chunks, promises=PROMISES)
    assert not {"reductions_agree", "wrong_reduction_refused", "chunked", "stateful", "resumed"} & set(plain)
    assert {"row_wise", "permutable", "differentiable", "direction", "masked", "nothing_left", "memory"} <= set(plain)
    few = names(promises={"masked", "chunked"}, left_out=dict.fromkeys(PROMISES[:4], "this is a test"))
    assert not set(PROMISES[:4]) & set(few)
    state = names(loss=Momentum, promises=("stateful", *PROMISES), reference=None)
    assert {"stateful", "resumed"} <= set(state) and "same_result_twice" not in state


def test_details_are_found_in_the_inputs():
    case = case_of()
    assert (case.floats, case.keeps, case.masked) == (("scores",), ("keep",), {"keep": ("scores",)})
    assert case.rows == case.columns == ("scores", "positives", "keep")
    assert case.chunked == ("chunk_size", (1, 2, 3, 1000)) and case.sign == 1 and case.has_reduction
    inputs = case.inputs()
    gap = inputs["scores"][inputs["positives"] & inputs["keep"]].mean()
    gap -= inputs["scores"][~inputs["positives"] & inputs["keep"]].mean()
    assert float(case.measure(inputs)) == pytest.approx(float(gap))


def test_the_gap_is_over_what_the_masks_leave_of_the_scores():
    of_rows = check_loss(**RIGHT_ROWS)[0].run.args[0]
    inputs = of_rows.inputs()
    scores, own = inputs["scores"][[0, 2, 3]], inputs["positives"][[0, 2, 3]]
    assert float(of_rows.measure(inputs)) == pytest.approx(float(scores[own].mean() - scores[~own].mean()))
    by_function = case_of(promises=ALL | {"masked": lambda inputs: {"scores": inputs["scores"] > 1}})
    inputs = by_function.inputs()
    kept, own = inputs["scores"] <= 1, inputs["positives"]
    gap = inputs["scores"][kept & own].mean() - inputs["scores"][kept & ~own].mean()
    assert float(by_function.measure(inputs)) == pytest.approx(float(gap))


def test_details_may_be_given():
    promises = dict.fromkeys(PROMISES, True)
    promises |= {
        "row_wise": ("scores", "positives"),
        "permutable": "scores",
        "direction": -1,
        "chunked": {"chunk_size": [2]},
    }
    case = case_of(promises=promises, name="mine", measure=len)
    assert (case.rows, case.columns, case.sign, case.chunked) == (
        ("scores", "positives"),
        ("scores",),
        -1,
        ("chunk_size", (2,)),
    )
    assert (str(case), case.measure) == ("mine", len)


def test_a_module_is_a_loss():
    class Doubled(nn.Module):
        def forward(self, scores, positives, keep=None):
            return 2 * without_chunks(scores, positives, keep)

    for check in check_loss(Doubled(), make_inputs, PROMISES):
        check()


ALL = dict.fromkeys((*PROMISES, "chunked"), True)
BY_NAME = ALL | {"masked": {"keep": "scores"}}
REFUSED = {
    "nothing said": (
        {"promises": ["row_wise", "masked", "chunked"]},
        "says nothing of 'differentiable', 'direction', 'permut",
    ),
    "chunks not spoken of": ({"promises": PROMISES}, "says nothing of 'chunked'"),
    "unknown promise": ({"promises": ["rowwise"]}, "'promises' parameter of check_loss.*Did you mean 'row_wise'"),
    "unknown left out": ({"left_out": {"rows": "x"}}, "'promises' parameter of check_loss must be one of"),
    "no reason": (
        {"promises": ["permutable", "differentiable", "direction", "masked", "chunked"], "left_out": {"row_wise": ""}},
        r"left_out\['row_wise'\] must be a written reason",
    ),
    "both": ({"left_out": {"row_wise": "it is not"}}, "both makes the promise 'row_wise' and leaves it out"),
    "keep without masked": (
        {"promises": ["row_wise", "permutable", "differentiable", "direction", "chunked"], "left_out": {}},
        "right takes 'keep', so it must promise 'masked'",
    ),
    "masked left out": (
        {
            "promises": ["row_wise", "permutable", "differentiable", "direction", "chunked"],
            "left_out": {"masked": "it is hard"},
        },
        "right takes 'keep', so it must promise 'masked'",
    ),
    "masked excused": ({"expected_failures": {"masked": "it is hard"}}, "cannot be expected, only mended"),
    "no such input": (
        {"promises": ALL | {"row_wise": "score"}},
        "'score', no tensor",
    ),
    "no mask in the inputs": (
        {"make_inputs": lambda g: {k: x for k, x in make_inputs(g).items() if k != "keep"}},
        "right takes 'keep', and make_inputs makes no such mask, so nothing would be known of it. Add one",
    ),
    "no second mask in the inputs": (
        {"loss": lambda scores, positives, keep=None, keep_rows=None: scores.sum(), "promises": PROMISES},
        "<lambda> takes 'keep_rows', and make_inputs makes no such mask",
    ),
    "a mask of columns": (
        {"make_inputs": lambda g: make_inputs(g) | {"keep": torch.ones(5, dtype=torch.bool)}, "promises": BY_NAME},
        r"'keep' of shape \(5,\) is no mask of the leading axes of 'scores', \(4, 5\)\. Give promises=\{'masked': func",
    ),
    "masked by nothing": (
        {"promises": ALL | {"masked": {}}},
        "say which input's entries each mask leaves out",
    ),
    "direction": ({"promises": ALL | {"direction": 2}}, "is \\+1 or -1. Got 2"),
    "measure": (
        {"loss": lambda queries, documents: queries.sum(), "make_inputs": make_vectors, "promises": PROMISES[:4]},
        "<lambda>: pass measure=",
    ),
    "chunk option": (
        {"promises": ALL | {"chunked": "size"}},
        "'chunked' is about an option of the loss. Got 'size'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence(name):
    arguments, message = REFUSED[name]
    with pytest.raises(LitotesError, match=message):
        check_loss(**{**RIGHT, **arguments})


def test_a_loss_that_is_no_number_or_has_no_gradient_says_so():
    def vector(scores, positives, keep):
        return scores.sum(dim=1)

    def constant(scores, positives, keep):
        return without_chunks(scores.detach(), positives, keep)

    for loss, message in (
        (vector, "a tensor of shape \\(4,\\), and a loss is one number"),
        (constant, "has no gradient"),
    ):
        [check] = [check for check in check_loss(loss, make_inputs, PROMISES) if check.name == "differentiable"]
        with pytest.raises(AssertionError, match=message):
            check()


def test_the_largest_tensor_is_the_largest_storage():
    x = torch.randn(10, 4)
    with LargestTensor() as view:
        x[:, None].expand(10, 10, 4)
    with LargestTensor() as made:
        (x[:, None] + x[None, :]).sum()
    assert (view.numel, made.numel, made.shape) == (40, 400, (10, 10, 4))
    leaf = x.clone().requires_grad_()
    value = (leaf @ leaf.T).square().sum()
    with LargestTensor() as backwards:
        value.backward()
    assert backwards.numel == 100
