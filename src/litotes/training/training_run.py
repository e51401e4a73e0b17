"""A model that is trained into a run folder: what it is made from, its checkpoints, its log, and when it is done.

The folder's top holds the deliverable, ``run.json`` the stage ``train/<command>`` with the resolved configuration,
``checkpoints/`` what a killed run goes on from until the model is whole.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from litotes.core import RunFolder
from litotes.core.errors import LitotesError, StaleError
from litotes.core.fingerprint import difference
from litotes.core.progress import Progress

__all__ = ["ReportTraining", "TrainingRun"]


class TrainingRun:
    """The stage of one training in a run folder; made again, it goes on with what is there.

    Args:
        run: the folder, or where to make it.
        command: what ``litotes train`` calls it.
        config: every option as it was resolved.
        made_from: fingerprints of data and models by part.

    Raises:
        StaleError: the folder holds a model that was trained with other options or from other things.
    """

    def __init__(
        self, run: RunFolder | str | Path, command: str, config: Mapping[str, Any], made_from: Mapping[str, str]
    ) -> None:
        self.run = run if isinstance(run, RunFolder) else RunFolder.open(run)
        key, parts = f"train/{command}", {**made_from, **{name: str(value) for name, value in config.items()}}
        other = next((k for k in self.run.stages if k.startswith("train/") and k != key), None)
        if other is not None:
            raise StaleError(f"{self.run.path} holds a model of {other}. Train into another folder.")
        known = self.run.stages.get(key, {}).get("fingerprints", parts)
        differs = [_change(name, known.get(name), parts.get(name)) for name in difference(parts, known)]
        if differs:
            raise StaleError(
                f"{self.run.path} holds a model that was trained with another {', another '.join(differs)}. "
                "Train into another folder, or remove this one."
            )
        self.stage = self.run.stage(
            key, verb=f"train {command}", config=config, fingerprints=parts, shards=0, seed=config.get("seed")
        )
        if self.done:  # killed after it was finished and before it had tidied up
            shutil.rmtree(self.checkpoints, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Where the deliverable goes."""
        return self.run.path

    @property
    def checkpoints(self) -> Path:
        """What a killed run goes on from."""
        return self.run.path / "checkpoints"

    @property
    def done(self) -> bool:
        """Whether the deliverable is whole."""
        return self.stage.done

    def finish(self, summary: Mapping[str, Any]) -> None:
        """The deliverable lies in the folder: close the stage and remove the checkpoints."""
        self.stage.finish(summary)
        shutil.rmtree(self.checkpoints, ignore_errors=True)


class ReportTraining(TrainerCallback):
    """Writes what the trainer logs into ``log.jsonl``, and moves a bar (``Rounds`` has its own: ``bar=False``).

    Raises:
        LitotesError: the logged loss is NaN or infinite; the message names the step.
    """

    def __init__(self, run: RunFolder, bar: bool = True) -> None:
        self._run, self._bar = run, Progress("Training", unit="steps") if bar else None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the bar where training goes on."""
        if self._bar is not None:
            self._bar.total = state.max_steps
            self._bar.__enter__()
            self._bar.done = state.global_step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """One step further."""
        if self._bar is not None:
            self._bar.advance()

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """One line in the log; a loss that is no number ends the training."""
        logs = dict(logs or {})
        self._run.log("training", step=state.global_step, **logs)
        for name in ("loss", "train_loss"):
            if not math.isfinite(logs.get(name, 0.0)):
                raise LitotesError(
                    f"The loss is {logs[name]} by step {state.global_step}. Lower the learning rate, or look at the "
                    "data; checkpoints before it are good."
                )

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)


def _change(name: str, then: str | None, now: str | None) -> str:
    shown = then is not None and now is not None and max(len(then), len(now)) < 24
    return f"{name} ({then} there, {now} now)" if shown else name
