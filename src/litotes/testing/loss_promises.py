"""What a loss may promise, and is then held to."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError, gradcheck

from litotes.testing.check import demand
from litotes.testing.loss_case import SUITE, LossCase
from litotes.testing.same_tensors import changed_names, demand_same_gradients, near, shown

_STEPS, _STEP = 30, 0.1


@SUITE
def differentiable(case: LossCase) -> None:
    """The gradient is that of finite differences in float64, with everything that the mathematics holds constant passed
    in and held.
    """
    inputs = case.inputs()
    gradients = case.gradients(inputs)
    largest = max(float(gradient.abs().max()) for gradient in gradients.values())
    demand(largest > 0, "every gradient is 0 for the inputs of make_inputs.")

    def value(*tensors: Tensor) -> Tensor:
        return case.value(inputs | dict(zip(case.floats, tensors, strict=True)))

    leaves = [inputs[name].detach().clone().requires_grad_() for name in case.floats]
    try:
        gradcheck(value, leaves)
    except GradcheckError as error:
        found = " ".join(str(error).split())
        raise AssertionError(f"its gradient is not that of finite differences: {found[:600]}") from error


@SUITE
def row_wise(case: LossCase) -> None:
    """A batch is its rows: what a row contributes does not depend on the other rows."""
    inputs = case.inputs()
    n_rows = len(inputs[case.rows[0]])
    alone = [inputs | {name: inputs[name][row : row + 1] for name in case.rows} for row in range(n_rows)]
    if case.has_reduction:
        whole = case.value(inputs, reduction="none")
        parts = [case.value(one, reduction="none")[0] for one in alone]
        for row, part in enumerate(parts):
            demand(
                torch.allclose(part, whole[row], rtol=1e-9, atol=1e-12),
                f"row {row} gives {shown(part)} alone and {shown(whole[row])} in the batch.",
            )
    else:
        total, value = sum(float(case.value(one)) for one in alone), float(case.value(inputs))
        gone = [
            mask.reshape(n_rows, -1).all(dim=1) for name, mask in case.left_out(inputs).items() if name in case.rows
        ]
        n_kept = n_rows - int(torch.stack(gone).all(dim=0).sum()) if gone else n_rows
        means = [total / n for n in (n_rows, max(n_kept, 1))]  # over all rows, or over those that a mask leaves
        demand(
            any(near(value, mean, 1e-9) for mean in means),
            f"the batch gives {value!r}, the mean of its rows alone {' or '.join(map(repr, dict.fromkeys(means)))}.",
        )


@SUITE
def permutable(case: LossCase) -> None:
    """Columns in another order give the same value, and the gradients in that order."""
    inputs = case.inputs()
    value, before = float(case.value(inputs)), case.gradients(inputs)
    n_cols = inputs[case.columns[0]].shape[1]
    first_two = torch.tensor([1, 0, *range(2, n_cols)]) if n_cols > 1 else torch.arange(n_cols)
    for order in (first_two, torch.arange(n_cols).roll(-1)):  # every order is made of these two
        permuted = inputs | {name: inputs[name][:, order] for name in case.columns}
        other, after = float(case.value(permuted)), case.gradients(permuted)
        there = f"with its columns in the order {order.tolist()}"
        demand(near(value, other, 1e-9), f"it gives {value!r}, and {there} {other!r}.")
        moved = {name: gradient[:, order] if name in case.columns else gradient for name, gradient in before.items()}
        demand_same_gradients(moved, after, there, rtol=1e-9)


@SUITE
def direction(case: LossCase) -> None:
    """Thirty small steps down the gradient raise what training shall raise (direction +1), or lower it (-1)."""
    assert case.measure is not None
    inputs = case.inputs()
    before = float(case.measure(inputs))
    for _ in range(_STEPS):
        gradients = case.gradients(inputs)
        largest = max(float(gradient.abs().max()) for gradient in gradients.values())
        if not largest:
            break
        inputs |= {name: inputs[name] - _STEP / largest * gradient for name, gradient in gradients.items()}
    after = float(case.measure(inputs))
    way = "rise" if case.sign > 0 else "fall"
    demand(
        case.sign * (after - before) > 1e-3,
        f"what should {way} went from {before:.6g} to {after:.6g} in {_STEPS} steps down the gradient.",
    )


@SUITE
def masked(case: LossCase) -> None:
    """What a mask leaves out does not exist: NaN there changes neither the value nor any gradient, and gets a gradient
    of 0, whatever the reduction.
    """
    inputs = case.inputs()
    left_out = case.left_out(inputs)
    demand(any(mask.any() for mask in left_out.values()), "the masks of make_inputs leave nothing out: nothing to see.")
    poisoned = case.poisoned(inputs)
    every: tuple[dict[str, str], ...] = ({}, {"reduction": "sum"}, {"reduction": "none"})
    for how in every if case.has_reduction else every[:1]:
        value, with_nan = case.value(inputs, **how), case.value(poisoned, **how)
        spoilt = (
            f" ({int(with_nan.isnan().sum())} of {with_nan.numel()} entries are NaN)" if with_nan.numel() > 1 else ""
        )
        where = f"with NaN in the entries that the masks leave out{_named(how)}"
        demand(torch.equal(value, with_nan), f"it gives {shown(value)}, and {shown(with_nan)}{spoilt} {where}.")
        if how == {"reduction": "none"}:
            continue
        gradients = case.gradients(poisoned, **how)
        demand_same_gradients(case.gradients(inputs, **how), gradients, where)
        for name, mask in left_out.items():
            count = int((gradients[name][mask] != 0).sum())
            demand(not count, f"{count} entries of {name!r} that the masks leave out get a gradient{_named(how)}.")


@SUITE
def nothing_left(case: LossCase) -> None:
    """Where the masks leave nothing, the loss is 0 with gradients of 0, NaN or not, and training goes on."""
    inputs = case.inputs()
    inputs |= {keep: torch.zeros_like(inputs[keep]) for keep in case.keeps}
    for reduction in ({"reduction": "mean"}, {"reduction": "sum"}) if case.has_reduction else ({},):
        value = case.value(case.poisoned(inputs), **reduction)
        demand(float(value) == 0, f"it gives {shown(value)} where the masks leave nothing.")
    for name, gradient in case.gradients(case.poisoned(inputs)).items():
        demand(not gradient.any(), f"the gradient of {name!r} is not 0 where the masks leave nothing.")  # NaN is true


@SUITE
def wrong_mask_refused(case: LossCase) -> None:
    """A mask of another shape, or of numbers, is an error; it is not broadcast."""
    inputs = case.inputs()
    for keep in case.keeps:
        shape = tuple(inputs[keep].shape)
        for wrong in (inputs[keep][:1], inputs[keep].to(torch.int64)):
            demand(
                case.refuses(inputs | {keep: wrong}),
                f"it takes {keep}= of {wrong.dtype}, shape {tuple(wrong.shape)}, where {shape} of bool is right.",
            )


@SUITE
def chunked(case: LossCase) -> None:
    """Computed in chunks of any size, value and gradients are those of the whole, also where the size does not divide
    the rows.
    """
    option, sizes = case.chunked
    inputs = case.inputs()
    value, gradients = float(case.value(inputs)), case.gradients(inputs)
    for size in sizes:
        part = float(case.value(inputs, **{option: size}))
        demand(near(part, value, 1e-9), f"it gives {part!r} with {option}={size}, and {value!r} without.")
        demand_same_gradients(gradients, case.gradients(inputs, **{option: size}), f"with {option}={size}", rtol=1e-8)


@SUITE
def stateful(case: LossCase) -> None:
    """A call changes the state that it is said to have, and nothing else: two objects share none."""
    if isinstance(case.state, tuple):
        inputs = case.inputs()
        before = copy.deepcopy(inputs)
        case.make()(**inputs)
        unmoved = set(case.state) - changed_names(before, inputs)
        demand(not unmoved, f"a call left {', '.join(sorted(unmoved))} as it was, and it is said to be the state.")
        return
    one, other = _object(case), _object(case)
    fresh = copy.deepcopy(other.state_dict())
    one(**case.inputs(0))
    demand(
        bool(changed_names(fresh, one.state_dict())),
        "a call leaves its state_dict() as it was: no state, or a hidden one.",
    )
    shared = changed_names(fresh, other.state_dict())
    demand(not shared, f"a call of one object changed {', '.join(sorted(map(str, shared)))} of another.")


@SUITE
def resumed(case: LossCase) -> None:
    """A loss that was saved and loaded goes on as one that never was: nothing that counts is outside its state."""
    if isinstance(case.state, tuple):
        loss, inputs = case.make(), case.inputs()
        first, second = loss(**copy.deepcopy(inputs)), loss(**copy.deepcopy(inputs))
        demand(
            torch.equal(first, second),
            f"it gives {shown(first)}, then {shown(second)} for the same {', '.join(case.state)}: it remembers more.",
        )
        return
    never_stopped, loaded = _object(case), _object(case)
    never_stopped(**case.inputs(0))
    loaded.load_state_dict(copy.deepcopy(never_stopped.state_dict()))
    for seed in (1, 2, 1):
        expected, value = never_stopped(**case.inputs(seed)), loaded(**case.inputs(seed))
        demand(
            torch.equal(expected, value),
            f"it gives {shown(value)} after its state was loaded, {shown(expected)} where it was never stopped.",
        )


def _named(options: dict[str, str]) -> str:
    return "".join(f" {name}={value!r}" for name, value in options.items())


def _object(case: LossCase) -> Any:
    made = case.make()
    lacks = [name for name in ("state_dict", "load_state_dict") if not hasattr(made, name)]
    demand(not lacks, f"a loss with a state needs {' and '.join(lacks)}.")
    return made
