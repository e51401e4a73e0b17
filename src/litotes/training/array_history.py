"""What was seen after each epoch of a fit, the best weights so far, and both in the checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn
from transformers import TrainerCallback

from litotes.core.files import read_json, write_json
from litotes.models.resting import resting

if TYPE_CHECKING:
    from litotes.training.array_task import Answer, ArrayTask
    from litotes.training.rounds import Rounds

__all__ = ["ArrayHistory"]

_FILE = "history.json"  # inside a checkpoint


@dataclass(eq=False)
class ArrayHistory(TrainerCallback):
    """Takes accuracies after each epoch, keeps the best weights, and goes into the checkpoints."""

    task: ArrayTask
    modules: Sequence[nn.Module]
    answer: Answer
    after_epoch: Callable[[dict[str, Any]], None] | None
    stage: str
    best: dict[str, tuple[nn.Module, nn.Module]] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, rounds: Rounds, after_step: Callable[[], None], save: bool) -> None:
        """Which loop it belongs to, what follows a step there, and whether epochs end with a checkpoint."""
        self.rounds, self.after_step, self.save = rounds, after_step, save

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """On resume take the records of the checkpoint."""
        if state.global_step:
            self.records = read_json(Path(args.output_dir) / f"checkpoint-{state.global_step}" / _FILE)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """After the last step of an epoch the record is made."""
        self.after_step()
        epoch, rest = divmod(state.global_step, self.rounds.updates_per_epoch)
        if rest:
            return
        record: dict[str, Any] = {"epoch": epoch, **({"stage": self.stage} if self.stage else {})}
        with resting(*self.modules):
            if self.after_epoch is not None:
                self.after_epoch(record)
            for name in self.task.watched:
                record[f"{name}_accuracy"] = self.task.accuracy(self.answer, name)
        if self.best and record["valid_accuracy"] > max((r["valid_accuracy"] for r in self.records), default=-1.0):
            for module, best in self.best.values():
                best.load_state_dict(module.state_dict())
        self.records.append(record)
        control.should_save = self.save

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Into the checkpoint that is being made."""
        write_json(Path(args.output_dir) / f"checkpoint-{state.global_step}" / _FILE, self.records)

    def with_losses(self, logged: Sequence[Mapping[str, Any]], names: list[str], steps: int) -> list[dict[str, Any]]:
        """The records, with the mean loss of each epoch."""
        by_epoch = {entry["step"] // steps: entry for entry in logged}
        found = []
        for record in self.records:
            entry = by_epoch[record["epoch"]]
            losses = {name: entry[name] for name in (*names, "loss") if name in entry}
            single = len(names) == 1
            named = {"train_loss" if single or n == "loss" else f"train_loss.{n}": x for n, x in losses.items()}
            found.append({**record, **named})
        return found
