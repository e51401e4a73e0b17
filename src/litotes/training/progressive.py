r"""A constant of a loss that follows the progress of training: the strength beta of difficulty weights, for one.

With progress p = step / total steps, a schedule goes from ``start`` to ``end`` along a shape:

.. math:: \beta(p) = \beta_0 + (\beta_1 - \beta_0)\,\varphi(p), \qquad
          \varphi(p) \in \{\, p,\; (1 - \cos \pi p) / 2,\; [p \ge p_0] \,\}

The step is the optimiser's own (``state.global_step``, which lies in every checkpoint). Calls of the loss are never
counted: gradient accumulation and evaluation call it more often than there are steps. Neither are epochs or the clock,
which a resumed run would read differently.
"""

from __future__ import annotations

import math
from typing import Any, Literal

from transformers import TrainerCallback

from litotes.core.checks import check_choice, check_float
from litotes.core.errors import LitotesError

__all__ = ["ProgressSchedule", "Shape", "scheduled_value"]

Shape = Literal["linear", "cosine", "step"]
SHAPES = ("linear", "cosine", "step")


def scheduled_value(
    progress: float, start: float, end: float, shape: Shape = "linear", *, step_at: float = 0.5
) -> float:
    """The value at ``progress`` in [0, 1]: ``start`` at 0, ``end`` at 1, ``start`` throughout where both are equal.

    ``step_at`` is where ``"step"`` jumps; from there on it is ``end``.

    >>> scheduled_value(0.25, 0.0, 4.0)
    1.0
    >>> scheduled_value(0.49, 0.0, 4.0, "step"), scheduled_value(0.5, 0.0, 4.0, "step")
    (0.0, 4.0)
    """
    p = check_float("scheduled_value", "progress", progress, at_least=0.0, at_most=1.0)
    check_choice("scheduled_value", "shape", shape, SHAPES)
    phi = {"linear": p, "cosine": (1.0 - math.cos(math.pi * p)) / 2.0, "step": float(p >= step_at)}[shape]
    return end if phi == 1.0 else start + (end - start) * phi


class ProgressSchedule(TrainerCallback):
    """Sets an attribute of a loss from ``state.global_step / state.max_steps``, in a Trainer and in ``Rounds``.

    All forward passes of one optimiser step see one value, and so does an evaluation: that of the steps done so far.
    A loss with an attribute ``where`` is also told the step and its learning rate, for what its errors say.

    Args:
        loss: the object to set it on, such as a :class:`~litotes.losses.progressive.ProgressiveInfoNCELoss`.
        start: the value of the first step; end: what it goes to.
        shape: ``"linear"``, ``"cosine"`` or ``"step"``.
        step_at: progress at which ``"step"`` jumps.
        attribute: what is set.

    Raises:
        LitotesError: the loss has no such attribute, or a value that is no finite number.
    """

    def __init__(
        self,
        loss: Any,
        start: float = 0.0,
        end: float = 3.0,
        shape: Shape = "linear",
        *,
        step_at: float = 0.5,
        attribute: str = "beta",
    ) -> None:
        self.loss, self.attribute = loss, attribute
        self.start = check_float("ProgressSchedule", "start", start)
        self.end = check_float("ProgressSchedule", "end", end)
        self.shape: Shape = check_choice("ProgressSchedule", "shape", shape, SHAPES)
        self.step_at = check_float("ProgressSchedule", "step_at", step_at, at_least=0.0, at_most=1.0)
        if not hasattr(loss, attribute):
            raise LitotesError(
                f"ProgressSchedule sets {attribute!r}, which {type(loss).__name__} does not have. Name an attribute of "
                "the loss that its forward pass reads."
            )

    def value(self, progress: float) -> float:
        """The value at a progress in [0, 1]."""
        return scheduled_value(progress, self.start, self.end, self.shape, step_at=self.step_at)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The value where training begins or, resumed, goes on."""
        self._set(state, kwargs)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The value of the step that begins, before any of its forward passes."""
        self._set(state, kwargs)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The value after the step, for an evaluation that comes before the next."""
        self._set(state, kwargs)

    def _set(self, state: Any, given: dict[str, Any]) -> None:
        if state.max_steps < 1:
            raise LitotesError(
                f"ProgressSchedule needs the number of steps of the whole run, and the trainer says {state.max_steps}. "
                "Set max_steps."
            )
        setattr(self.loss, self.attribute, self.value(min(state.global_step / state.max_steps, 1.0)))
        if hasattr(self.loss, "where"):
            rates = [group["lr"] for group in getattr(given.get("optimizer"), "param_groups", ())]
            rate = f", learning rate {max(rates):.3g}" if rates else ""
            self.loss.where = f"step {min(state.global_step + 1, state.max_steps)} of {state.max_steps}{rate}"
