"""The options of every classifier of arrays: its network, how long and how fast it learns, what it watches."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field, field_validator

from litotes.core import Config
from litotes.training.learner import Schedule, linear_schedule

__all__ = ["ArrayOptions"]


class ArrayOptions(Config):
    """In the words of ``TrainingArguments``; the estimators say ``batch_size`` and ``random_state``."""

    hidden: tuple[int, ...] = Field((256,), description="Widths of the hidden layers, of a network that is not given.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of hidden units that training leaves out.")
    standardize: bool = Field(
        True,
        description="Features to mean 0 and deviation 1; sparse ones, or a network that is given, take them as is.",
    )
    optimizer: Literal["sgd", "adamw"] = Field("sgd", description="What moves the weights.")
    learning_rate: float = Field(0.02, gt=0, description="The highest learning rate.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Of sgd.")
    weight_decay: float = Field(1e-3, ge=0, description="Weight decay, on all weights.")
    per_device_train_batch_size: int = Field(64, ge=1, description="Training rows a batch, at most.")
    num_train_epochs: int = Field(60, ge=1, description="Passes over the training rows.")
    schedule: Literal["constant", "linear", "steps", "cosine-restarts"] = Field(
        "constant", description="What becomes of the learning rate."
    )
    step_at: tuple[float, ...] = Field(
        (0.5, 0.75), description="Shares of the epochs after which the schedule 'steps' steps."
    )
    step_factor: float = Field(0.1, gt=0, le=1, description="What it multiplies the learning rate by.")
    restart_epochs: int = Field(10, ge=1, description="Epochs until the schedule 'cosine-restarts' starts again.")
    restart_floor: float = Field(0.05, ge=0, le=1, description="The share of the learning rate that it goes down to.")
    max_grad_norm: float | None = Field(None, gt=0, description="The gradient's norm is clipped to this.")
    validation_fraction: float = Field(
        0.1, ge=0, lt=1, description="Of the rows of each class: held out to watch, where nothing is given to watch."
    )
    select: Literal["final", "best"] = Field(
        "final", description="Weights of the last epoch, or of the one with the best accuracy on the watched rows."
    )
    device: str = Field("auto", description="auto, cpu, cuda or mps.")
    seed: int = Field(0, ge=0, description="Of weights, batches, dropout and the rows held out.")

    @field_validator("hidden", "step_at", mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        """``512,512`` as the command line gives it, and a single number, are tuples too."""
        if isinstance(value, str):
            return [part for part in value.replace(" ", "").split(",") if part]
        return [value] if isinstance(value, int | float) else value

    @field_validator("hidden")
    @classmethod
    def _widths(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(width < 1 for width in value):
            raise ValueError("every width is 1 at least")
        return value

    def rates(self, steps_of_epoch: int) -> Schedule:
        """The factor of the learning rate as a function of a network's own steps; all but ``linear`` move by epochs."""
        total = steps_of_epoch * self.num_train_epochs
        if self.schedule == "linear":
            return linear_schedule(0, total)

        def factor(step: int) -> float:
            epoch = step // steps_of_epoch
            if self.schedule == "steps":
                passed = sum(epoch >= round(share * self.num_train_epochs) for share in self.step_at)
                return self.step_factor**passed
            if self.schedule == "cosine-restarts":
                turn = (1.0 + math.cos(math.pi * (epoch % self.restart_epochs) / self.restart_epochs)) / 2.0
                return self.restart_floor + (1.0 - self.restart_floor) * turn
            return 1.0

        return factor
