"""The contract suite of a loss: :func:`check_loss`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from litotes.core.checks import check_choice
from litotes.core.errors import LitotesError
from litotes.testing import loss_checks, loss_promises  # noqa: F401  they fill the suite
from litotes.testing.check import Check, check_reason
from litotes.testing.loss_case import SUITE, Inputs, LossCase, Masked
from litotes.testing.loss_case import left_out as entries_left_out

__all__ = ["check_loss"]

_PROMISES = ("row_wise", "permutable", "differentiable", "direction", "masked", "chunked", "stateful")
_CHUNKS = ("chunk", "block", "tile")
_SIZES = (1, 2, 3, 1000)

_CHECKS_OF = {  # what is left out where a promise is not made
    "row_wise": ["row_wise"],
    "permutable": ["permutable"],
    "differentiable": ["differentiable"],
    "direction": ["direction"],
    "masked": ["masked", "nothing_left", "wrong_mask_refused"],
    "chunked": ["chunked"],
    "stateful": ["stateful", "resumed"],
}


def check_loss(
    loss: Callable[..., Any],
    make_inputs: Callable[[torch.Generator], Inputs],
    promises: Mapping[str, Any] | Iterable[str],
    *,
    left_out: Mapping[str, str] | None = None,
    measure: Callable[[Inputs], Any] | None = None,
    reference: Callable[..., Any] | None = None,
    make_large: Callable[[torch.Generator], Inputs] | None = None,
    raises_at_extremes: type[Exception] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    name: str | None = None,
) -> list[Check]:
    """Checks of a loss: what it promises, and what every loss owes (finite at 1e4, bfloat16, memory, no side effects).

    Promises, as names or as ``{name: detail}`` (``True`` finds the detail in the inputs):

    - ``row_wise``: a batch is its rows. Detail: the inputs that have one entry a row; by default every tensor as long
      as the first differentiable one.
    - ``permutable``: the order of columns does not matter. Detail: the inputs whose second axis is permuted; by default
      every tensor with as many columns as the first differentiable one.
    - ``differentiable``: the gradient is that of finite differences. Detail: the inputs that get a gradient; by default
      every float tensor. What the mathematics holds constant is an argument of its own, and not named here.
    - ``direction``: +1 or -1, whether steps down the gradient raise or lower ``measure``.
    - ``masked``: what a mask leaves out does not exist. Detail: ``{"keep": "scores"}``, which input's entries (or rows,
      by a mask of its leading axes) each mask leaves out; or a function of the inputs that gives, for inputs by name,
      a bool mask of the entries that must not count. Compulsory for a loss with an argument ``keep`` or ``keep_...``.
    - ``chunked``: an option cuts the work and changes nothing. Detail: its name, or ``{name: sizes}``. To be made or
      left out by a loss with an argument ``chunk...``, ``block...`` or ``tile...``.
    - ``stateful``: ``True`` for a ``loss`` that is a factory of objects with ``state_dict`` and ``load_state_dict``;
      or the names of arguments that a call changes. Without it a loss must give the same result twice.

    Args:
        loss: ``loss(**inputs)`` gives one number.
        make_inputs: makes arguments of a call from a seeded generator: a few rows, where masks leave something out;
            every argument ``keep`` or ``keep_...`` that the loss takes is among them.
        promises: see above.
        left_out: the promises that are not made, each with the reason. All but ``stateful`` must be made or left out.
        measure: what training shall raise or lower, a number made of the inputs. By default the mean score of the
            ``positives`` minus that of the others, over the kept cells.
        reference: a slow and obvious version of the same loss, called with the same arguments.
        make_large: inputs of some 64 rows for the memory check; by default the usual ones are repeated.
        raises_at_extremes: the error that comes in place of numbers that are not finite.
        expected_failures: the checks that fail and shall not, for now: name and reason. One that holds is a failure.
        name: what messages call the loss.

    Raises:
        LitotesError: a promise that is unknown, neither made nor left out, left out without a reason, or that lacks
            what it needs.
    """
    called = name or getattr(loss, "__name__", None) or type(loss).__name__
    promised = dict(promises) if isinstance(promises, Mapping) else dict.fromkeys(promises, True)
    left_out = dict(left_out or {})
    for promise in (*promised, *left_out):
        check_choice("check_loss", "promises", promise, _PROMISES)
    inputs = make_inputs(torch.Generator().manual_seed(0))
    is_factory = promised.get("stateful") is True
    parameters = {*inspect.signature(_call(loss() if is_factory else loss)).parameters, *inputs}
    _check_complete(called, promised, left_out, parameters)
    _check_masks_made(called, parameters, inputs)
    state = promised.get("stateful", ())
    floats = _names(called, "differentiable", promised.get("differentiable", True), inputs, _float_tensors(inputs))
    masks = _masked(called, promised["masked"], inputs, floats) if "masked" in promised else None
    case = LossCase(
        name=called,
        loss=loss,
        make_inputs=make_inputs,
        floats=floats,
        keeps=tuple(name for name in inputs if _is_keep(name)),
        masked=masks,
        columns=_names(called, "permutable", promised.get("permutable", ()), inputs, _alike(inputs, floats[0], 1)),
        rows=_names(called, "row_wise", promised.get("row_wise", ()), inputs, _alike(inputs, floats[0], 0)),
        sign=_sign(promised.get("direction", 1)),
        measure=_measure(called, measure, inputs, floats, masks) if "direction" in promised else None,
        chunked=_chunked(called, promised.get("chunked"), parameters),
        state=state if state is True else _names(called, "stateful", state, inputs, ()),
        reference=reference,
        make_large=make_large,
        raises_at_extremes=raises_at_extremes,
        has_reduction="reduction" in parameters,
    )
    if case.keeps and "masked" in (expected_failures or {}):
        raise LitotesError(f"{called} takes {case.keeps[0]!r}; that 'masked' fails cannot be expected, only mended.")
    without = [check for promise, checks in _CHECKS_OF.items() if promise not in promised for check in checks]
    without += [] if reference is not None else ["equals_reference"]
    without += ["same_result_twice"] if "stateful" in promised else []
    without += [] if case.has_reduction else ["reductions_agree", "wrong_reduction_refused"]
    return SUITE.over(case, without=without, expected_failures=expected_failures)


def _check_complete(called: str, promised: dict[str, Any], left_out: dict[str, str], parameters: set[str]) -> None:
    for promise, reason in left_out.items():
        check_reason("left_out", promise, reason)
        if promise in promised:
            raise LitotesError(f"{called} both makes the promise {promise!r} and leaves it out.")
    keeps = sorted(filter(_is_keep, parameters))
    if keeps and "masked" not in promised:
        raise LitotesError(
            f"{called} takes {keeps[0]!r}, so it must promise 'masked': what a mask leaves out does not exist."
        )
    chunks = sorted(name for name in parameters if name.startswith(_CHUNKS))
    needed = {"row_wise", "permutable", "differentiable", "direction"} | ({"chunked"} if chunks else set())
    missing = sorted(needed - promised.keys() - left_out.keys())
    if missing:
        raise LitotesError(
            f"{called} says nothing of {', '.join(map(repr, missing))}. Add what it promises to promises=, and the "
            "rest with the reason to left_out={...}."
        )


def _check_masks_made(called: str, parameters: set[str], inputs: Inputs) -> None:
    unmade = sorted(name for name in filter(_is_keep, parameters) if not isinstance(inputs.get(name), Tensor))
    if unmade:
        raise LitotesError(
            f"{called} takes {unmade[0]!r}, and make_inputs makes no such mask, so nothing would be known of it. "
            "Add one that leaves something out."
        )


def _call(loss: Callable[..., Any]) -> Callable[..., Any]:
    return loss.forward if isinstance(loss, nn.Module) else loss


def _is_keep(name: str) -> bool:
    return name == "keep" or name.startswith("keep_")


def _float_tensors(inputs: Inputs) -> tuple[str, ...]:
    return tuple(name for name, x in inputs.items() if isinstance(x, Tensor) and x.is_floating_point() and x.ndim)


def _alike(inputs: Inputs, first: str, axis: int) -> tuple[str, ...]:
    """The tensors that are as long as ``first`` along ``axis``."""

    def length(x: Any) -> int | None:
        return x.shape[axis] if isinstance(x, Tensor) and x.ndim > axis else None

    return tuple(name for name, x in inputs.items() if length(x) is not None and length(x) == length(inputs[first]))


def _names(called: str, promise: str, detail: Any, inputs: Inputs, default: tuple[str, ...]) -> tuple[str, ...]:
    """The names of inputs that a promise is about."""
    names = default if detail is True else (detail,) if isinstance(detail, str) else tuple(detail)
    unknown = [name for name in names if not isinstance(inputs.get(name), Tensor)]
    if unknown or (detail is True and not names):
        what = f"{', '.join(map(repr, unknown))}, no tensor" if unknown else "no tensor that fits"
        raise LitotesError(f"{called}: {promise!r} is about {what} among the inputs: {', '.join(inputs)}.")
    return names


def _masked(called: str, detail: Any, inputs: Inputs, floats: tuple[str, ...]) -> Any:
    if callable(detail):
        return detail
    if detail is True:
        keeps = [name for name in inputs if _is_keep(name)]
        detail = {
            keep: [f for f in floats if inputs[f].shape[: inputs[keep].ndim] == inputs[keep].shape] for keep in keeps
        }
    found = {keep: _names(called, "masked", names, inputs, ()) for keep, names in detail.items()}
    if not found or not all(found.values()):
        raise LitotesError(
            f"{called}: say which input's entries each mask leaves out, as in promises={{'masked': {{'keep': "
            f"'scores'}}}}, and let make_inputs make the masks. Inputs: {', '.join(inputs)}."
        )
    _names(called, "masked", tuple(found), inputs, ())
    for keep, name in ((keep, name) for keep, names in found.items() for name in names):
        mask, shape = tuple(inputs[keep].shape), tuple(inputs[name].shape)
        if shape[: len(mask)] != mask:
            raise LitotesError(
                f"{called}: {keep!r} of shape {mask} is no mask of the leading axes of {name!r}, {shape}. Give "
                "promises={'masked': function}, which makes of the inputs a bool mask of the entries that do not count."
            )
    return found


def _sign(direction: Any) -> int:
    if direction not in (1, -1):
        raise LitotesError(f"The direction of a loss is +1 or -1. Got {direction!r} instead.")
    return int(direction)


def _measure(
    called: str,
    measure: Callable[[Inputs], Any] | None,
    inputs: Inputs,
    floats: tuple[str, ...],
    masks: Masked | None,
) -> Callable[[Inputs], Any]:
    if measure is not None:
        return measure
    scores, positives = floats[0], inputs.get("positives")
    if not isinstance(positives, Tensor) or positives.shape != inputs[scores].shape or positives.dtype != torch.bool:
        raise LitotesError(
            f"{called}: pass measure=, what training shall raise or lower, a number made of the inputs; there is no "
            f"bool mask 'positives' of the shape of {scores!r} to make it from."
        )

    def gap(inputs: Inputs) -> Tensor:
        without = entries_left_out(masks, inputs).get(scores)
        keep = torch.ones_like(inputs["positives"]) if without is None else ~without
        good, bad = inputs["positives"] & keep, ~inputs["positives"] & keep
        return inputs[scores][good].mean() - inputs[scores][bad].mean()

    return gap


def _chunked(called: str, detail: Any, parameters: set[str]) -> tuple[str, tuple[int, ...]]:
    if detail is None:
        return "", ()
    if detail is True:
        detail = next((name for name in sorted(parameters) if name.startswith(_CHUNKS)), "")
    option, sizes = next(iter(detail.items())) if isinstance(detail, Mapping) else (detail, _SIZES)
    if option not in parameters:
        raise LitotesError(f"{called}: 'chunked' is about an option of the loss. Got {option!r}.")
    return option, tuple(sizes)
