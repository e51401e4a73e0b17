"""What every loss owes, whatever it promises; :mod:`litotes.testing.loss_promises` has the promises."""

from __future__ import annotations

import copy

import torch

from litotes.testing.check import demand
from litotes.testing.largest_tensor import LargestTensor
from litotes.testing.loss_case import SUITE, LossCase
from litotes.testing.same_tensors import changed_names, demand_same_gradients, near, shown


@SUITE
def equals_reference(case: LossCase) -> None:
    """The value is that of the slow and obvious version, for five draws of inputs in float64."""
    assert case.reference is not None
    for seed in range(5):
        inputs = case.inputs(seed)
        value, expected = float(case.value(inputs)), float(case.reference(**inputs))
        demand(
            near(value, expected, 1e-10), f"it gives {value!r} for inputs of seed {seed}, the reference {expected!r}."
        )


@SUITE
def same_result_twice(case: LossCase) -> None:
    """A second call with the same inputs gives the same value and gradients: nothing is drawn or remembered."""
    inputs = case.inputs()
    first, second = case.value(inputs), case.value(inputs)
    demand(
        torch.equal(first, second), f"it gives {shown(first)}, and called again with the same inputs {shown(second)}."
    )
    demand_same_gradients(case.gradients(inputs), case.gradients(inputs), "called again with the same inputs")


@SUITE
def inputs_unchanged(case: LossCase) -> None:
    """A call leaves every tensor that it was given as it was."""
    inputs = case.inputs()
    before = copy.deepcopy(inputs)
    case.make()(**inputs)
    changed = changed_names(before, inputs) - set(case.state if isinstance(case.state, tuple) else ())
    demand(not changed, f"a call changed its argument {', '.join(sorted(changed))}.")


@SUITE
def finite_at_extremes(case: LossCase) -> None:
    """Where every differentiable input is 1e4 or -1e4, value and gradient are finite in float32, or the stated error
    comes.
    """
    for sign in (1, -1):
        inputs = case.inputs(dtype=torch.float32)
        inputs |= {name: sign * 1e4 * inputs[name].sign() for name in case.floats}
        try:
            value, gradients = case.value(inputs), case.gradients(inputs)
        except Exception as error:
            if case.raises_at_extremes is not None and isinstance(error, case.raises_at_extremes):
                continue
            raise
        demand(
            case.raises_at_extremes is None,
            f"it gives {shown(value)} at {sign * 1e4:g}, and {case.raises_at_extremes} was announced.",
        )
        demand(bool(value.isfinite()), f"it gives {shown(value)} at {sign * 1e4:g} times the signs of the inputs.")
        for name, gradient in gradients.items():
            bad = int((~gradient.isfinite()).sum())
            demand(not bad, f"{bad} of {gradient.numel()} gradients of {name!r} are not finite at {sign * 1e4:g}.")


@SUITE
def half_precision(case: LossCase) -> None:
    """bfloat16 inputs are computed in float32: the value is that of the same numbers in float64 to four digits, the
    gradients are finite and bfloat16.
    """
    for seed in range(4):  # of one draw the value may be right by chance
        inputs = case.inputs(seed, torch.bfloat16)
        value, exact = float(case.value(inputs)), float(case.value(case.cast(inputs, torch.float64)))
        demand(
            near(value, exact, 1e-4),
            f"it gives {value!r} for bfloat16 inputs, {exact!r} for the same numbers in float64; compute in float32.",
        )
        for name, gradient in case.gradients(inputs).items():
            finite = bool(gradient.isfinite().all())
            demand(finite, f"the gradient of {name!r} is not finite for bfloat16 inputs.")
            demand(gradient.dtype == torch.bfloat16, f"the gradient of {name!r} is {gradient.dtype}, not bfloat16.")


@SUITE
def memory(case: LossCase) -> None:
    """No tensor on the way, forwards or backwards, is larger than four times all differentiable inputs together or
    than rows x the rows of all of them: rows x columns x width is never made, from width 3 on.
    """
    inputs = case.large_inputs()
    floats = [inputs[name] for name in case.floats]
    rows = [len(x) for x in floats if x.ndim]
    limit = max(4 * sum(x.numel() for x in floats), max(rows, default=1) * sum(rows))
    with LargestTensor() as largest:
        case.gradients(inputs)
    shapes = ", ".join(f"{name} {tuple(inputs[name].shape)}" for name in case.floats)
    demand(
        largest.numel <= limit,
        f"for {shapes} it makes a tensor of {largest.numel:,} numbers, shape {largest.shape}; {limit:,} are allowed.",
    )


@SUITE
def nan_stays_visible(case: LossCase) -> None:
    """A NaN in an entry that the value depends on makes the value NaN, or is refused: it is never passed over."""
    inputs = case.inputs()
    for name, gradient in case.gradients(inputs).items():
        places = gradient.nonzero()
        for place in places[:: max(1, len(places) // 5)].tolist():
            broken = inputs | {name: inputs[name].clone()}
            broken[name][tuple(place)] = torch.nan
            try:
                value = case.value(broken)
            except Exception:  # noqa: BLE001  refusing a NaN is one way to show it
                continue
            demand(bool(value.isnan()), f"it gives {shown(value)} where {name!r} holds NaN at {place}, which counts.")


@SUITE
def reductions_agree(case: LossCase) -> None:
    """The entries of ``reduction="none"`` add up to ``"sum"``, and ``"mean"`` is not outside their range."""
    inputs = case.inputs()
    each, total, mean = (case.value(inputs, reduction=how) for how in ("none", "sum", "mean"))
    demand(each.ndim > 0, "its reduction 'none' gives one number.")
    demand(
        near(float(each.sum()), float(total), 1e-9),
        f"its entries add up to {float(each.sum())!r}, and reduction='sum' gives {float(total)!r}.",
    )
    low, high = float(each.min()), float(each.max())
    demand(
        low - 1e-9 <= float(mean) <= high + 1e-9, f"its mean {float(mean)!r} is outside its entries, {low} to {high}."
    )


@SUITE
def wrong_reduction_refused(case: LossCase) -> None:
    """A misspelt reduction is an error, not the default."""
    demand(case.refuses(case.inputs(), reduction="average"), "it takes reduction='average'.")
