"""Our one training loop, for systems of several models or optimisers; one model and one optimiser take a Trainer.

A round is one call of a step function on one batch. It returns the losses by learner; each loss moves the parameters of
its own learner and of no other, with that learner's optimiser, schedule and clipping. Checkpoints are safetensors and
JSON, and a run that was stopped goes on to the same bytes as one that never was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState

from litotes.core.checks import check_int
from litotes.core.errors import LitotesError
from litotes.core.progress import Progress
from litotes.core.seeds import seed_everything
from litotes.training.checkpoints import (
    commit_checkpoint,
    last_checkpoint,
    load_checkpoint,
    new_checkpoint,
    write_checkpoint,
)
from litotes.training.learner import Learner

__all__ = ["Batches", "Rounds", "RoundsArguments", "Step"]

Step = Callable[[Any, TrainerState], Tensor | Mapping[str, Tensor]]


class Batches(Protocol):
    """What rounds iterate over: a batch sampler, whose order is a function of the epoch."""

    def __len__(self) -> int:
        """Batches an epoch."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """The batches of the epoch."""
        ...

    def set_epoch(self, epoch: int) -> None:
        """The epoch of the next iteration."""
        ...


@dataclass(frozen=True)
class RoundsArguments:
    """Options of the loop under the names of ``transformers.TrainingArguments``; callbacks read them.

    Attributes:
        output_dir: where ``checkpoint-<step>`` folders go.
        num_train_epochs: passes over the batches; ``max_steps``, if positive, counts instead.
        gradient_accumulation_steps: batches that make one optimiser step; losses are averaged over them.
        save_steps: a checkpoint after so many steps (0: none); ``save_total_limit`` of them are kept.
        logging_steps: mean losses are logged after so many steps; a learner that rested in some of them has the mean of
            the others.
        bf16: run the step function under bfloat16 autocast.
        seed: of torch, numpy and Python at the beginning (models are made before, by the caller).
    """

    output_dir: str
    num_train_epochs: int = 1
    max_steps: int = 0
    gradient_accumulation_steps: int = 1
    save_steps: int = 0
    save_total_limit: int = 2
    logging_steps: int = 10
    bf16: bool = False
    device: str = "cpu"
    seed: int = 0
    dataloader_num_workers: int = 0
    dataloader_persistent_workers: bool = False
    collates_ahead: ClassVar[bool] = False  # a trainer's loader does

    def __post_init__(self) -> None:
        for name in ("num_train_epochs", "gradient_accumulation_steps", "save_total_limit", "logging_steps"):
            check_int("RoundsArguments", name, getattr(self, name), at_least=1)
        for name in ("max_steps", "save_steps"):
            check_int("RoundsArguments", name, getattr(self, name), at_least=0)


class Rounds:
    """The loop.

    Args:
        learners: models by name, each with its optimiser, schedule and clipping.
        step: ``step(batch, state) -> losses``: ``{learner: loss}`` for the learners that move in this round (the others
            rest, so systems can alternate by ``state.global_step``), or one loss that moves all of them.
        batches: what to iterate over; its order must be a function of the epoch alone.
        args: options.
        callbacks: ``TrainerCallback``s; they get the model (a ``ModuleDict`` of several), the batches as
            ``train_dataloader``, and ``state`` as in the Trainer. On a save, ``args.output_dir`` is where the
            checkpoint is being made.
        collate: turns what ``batches`` give into what ``step`` takes; called one batch at a time, never ahead.
    """

    def __init__(
        self,
        learners: Mapping[str, Learner],
        step: Step,
        batches: Batches,
        args: RoundsArguments,
        *,
        callbacks: Sequence[TrainerCallback] = (),
        collate: Callable[[Any], Any] | None = None,
    ) -> None:
        self.learners, self.step, self.batches, self.args = dict(learners), step, batches, args
        self.callbacks, self.collate = list(callbacks), collate
        updates = max(-(-len(batches) // args.gradient_accumulation_steps), 1)
        self.updates_per_epoch = updates
        self.state = TrainerState(global_step=0, epoch=0.0, max_steps=args.max_steps or updates * args.num_train_epochs)
        self.state.num_train_epochs = -(-self.state.max_steps // updates)
        self._control = TrainerControl()
        self._sums: dict[str, list[float]] = {}  # since the last log, by loss: its sum, and of how many updates

    def train(self, resume: bool = True) -> TrainerState:
        """Train to the end, from the last checkpoint in ``output_dir`` if there is one and ``resume`` is not false.

        Raises:
            LitotesError: a loss or a gradient is NaN or infinite; the message names the step and the learner.
        """
        seed_everything(self.args.seed)
        checkpoint = last_checkpoint(Path(self.args.output_dir)) if resume else None
        if checkpoint is not None:
            self._restore(checkpoint)
        with Progress("Training", total=self.state.max_steps, unit="steps") as bar:
            bar.advance(self.state.global_step)
            self._tell("on_train_begin")
            while self.state.global_step < self.state.max_steps and not self._control.should_training_stop:
                self._train_epoch(bar)
            self._tell("on_train_end")
        return self.state

    def _train_epoch(self, bar: Progress) -> None:
        epoch, done = divmod(self.state.global_step, self.updates_per_epoch)
        self._tell("on_epoch_begin")
        self.batches.set_epoch(epoch)
        for updates, group in enumerate(_groups(self.batches, self.args.gradient_accumulation_steps), start=1):
            if updates <= done:  # of a resumed epoch: the order is taken up, nothing is collated
                continue
            self._tell("on_step_begin")
            self._update(group)
            self.state.global_step += 1
            self.state.epoch = epoch + updates / self.updates_per_epoch
            self._tell("on_step_end")
            bar.advance()
            self._log_and_save()
            if self.state.global_step >= self.state.max_steps or self._control.should_training_stop:
                break
        self._tell("on_epoch_end")

    def _update(self, group: list[Any]) -> None:
        moved: set[str] = set()
        for learner in self.learners.values():
            learner.model.train(learner.optimizer is not None)
        for batch in group:
            batch = batch if self.collate is None else self.collate(batch)
            with torch.autocast(torch.device(self.args.device).type, torch.bfloat16, enabled=self.args.bf16):
                losses = self.step(batch, self.state)
            moved |= self._backward(losses, len(group))
        for name in sorted(moved):
            norm = self.learners[name].step()
            self._refuse_nonfinite(norm, f"gradient of {name!r}")

    def _backward(self, losses: Tensor | Mapping[str, Tensor], parts: int) -> set[str]:
        trained = [name for name, learner in self.learners.items() if learner.optimizer is not None]
        shares = {"loss": (losses, trained)} if isinstance(losses, Tensor) else {n: (x, [n]) for n, x in losses.items()}
        for i, (name, (loss, movers)) in enumerate(shares.items()):
            unknown = [mover for mover in movers if mover not in trained]
            if unknown:
                raise LitotesError(f"The step gave a loss for {unknown}, which is no learner with an optimiser.")
            value = float(loss.detach())
            self._refuse_nonfinite(value, "loss" if name == "loss" else f"loss of {name!r}")
            total, updates = self._sums.get(name, (0.0, 0.0))
            self._sums[name] = [total + value / parts, updates + 1 / parts]
            inputs = [parameter for mover in movers for parameter in self.learners[mover].parameters]
            if loss.requires_grad:
                (loss / parts).backward(inputs=inputs, retain_graph=i + 1 < len(shares))
        return {mover for _, movers in shares.values() for mover in movers}

    def _refuse_nonfinite(self, value: float, what: str) -> None:
        if value != value or value in (float("inf"), float("-inf")):
            raise LitotesError(
                f"The {what} is {value} at step {self.state.global_step + 1}. Lower the learning rate, clip the "
                "gradient, or look at the batch; checkpoints up to the last save are good."
            )

    def _log_and_save(self) -> None:
        step, last = self.state.global_step, self.state.global_step >= self.state.max_steps
        if step % self.args.logging_steps == 0 or last:
            logs = {name: total / updates for name, (total, updates) in self._sums.items()}
            logs |= {f"learning_rate.{name}": x.learning_rate for name, x in self.learners.items() if x.optimizer}
            self._sums.clear()
            self.state.log_history.append({"step": step, "epoch": self.state.epoch, **logs})
            self._tell("on_log", logs=logs)
        if self._control.should_save or (self.args.save_steps and step % self.args.save_steps == 0):
            self._control.should_save = False
            self._save()

    def _save(self) -> None:
        draft = new_checkpoint(Path(self.args.output_dir), self.state.global_step)
        entry = {"step": self.state.global_step, "sums": self._sums, "log_history": self.state.log_history}
        self._tell("on_save", replace(self.args, output_dir=str(draft.parent)))
        write_checkpoint(draft, self.learners, {**entry, "max_steps": self.state.max_steps})
        commit_checkpoint(draft, keep=self.args.save_total_limit)

    def _restore(self, checkpoint: Path) -> None:
        entry = load_checkpoint(checkpoint, self.learners)
        if entry["max_steps"] != self.state.max_steps:
            raise LitotesError(
                f"{checkpoint} belongs to a run of {entry['max_steps']} steps, this one has {self.state.max_steps}: "
                "its learning rates were others. Train into another folder."
            )
        self.state.global_step, self.state.log_history = entry["step"], entry["log_history"]
        self.state.epoch = entry["step"] / self.updates_per_epoch
        self._sums = entry["sums"]

    def _tell(self, event: str, args: RoundsArguments | None = None, **news: Any) -> None:
        models = {name: learner.model for name, learner in self.learners.items()}
        model = next(iter(models.values())) if len(models) == 1 else nn.ModuleDict(models)
        for callback in self.callbacks:
            told = getattr(callback, event)(
                args or self.args, self.state, self._control, model=model, train_dataloader=self.batches, **news
            )
            self._control = told or self._control


def _groups(batches: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The batches in lists of ``size``; the last may be shorter."""
    group: list[Any] = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
