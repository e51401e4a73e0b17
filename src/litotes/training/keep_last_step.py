"""The state after the last step, kept as a checkpoint, so that a stage that is over is not trained again."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

__all__ = ["KeepLastStep"]


class KeepLastStep(TrainerCallback):
    """Callback of ``Rounds``: asks for a checkpoint after the last step, whatever ``save_steps`` is.

    A recipe of several stages calls ``train()`` of each again after a kill; one that was over restores its last step.
    """

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask for it."""
        control.should_save = control.should_save or state.global_step >= state.max_steps
