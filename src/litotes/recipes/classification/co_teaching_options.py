"""The options of nested co-teaching: defaults for a thousand rows on a CPU, and the values of the paper's runs."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from litotes.core.errors import LitotesError
from litotes.recipes.classification.text_options import TextOptions
from litotes.training.array_options import ArrayOptions

__all__ = ["NestedCoTeachingConfig"]

_PAPER: dict[str, Any] = {
    "learning_rate": 0.1,
    "per_device_train_batch_size": 320,
    "num_train_epochs": 350,
    "schedule": "steps",
    "step_at": (200 / 350, 300 / 350),
    "co_teaching_learning_rate": 0.001,
    "co_teaching_epochs": 100,
    "co_teaching_step_at": (0.5,),
}


class NestedCoTeachingConfig(TextOptions, ArrayOptions):
    """Compressed features: networks whose channels are dropped, then two that teach each other."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {**_PAPER, "nested_std": 10.0},  # CIFAR-10
        "paper-many-classes": {**_PAPER, "nested_std": 100.0, "feature_dropout": 0.7},  # CIFAR-100
        "paper-clothing": {  # Clothing1M, from a network that was trained before
            "nested_std": 100.0,
            "forget_rate": 0.3,
            "learning_rate": 0.02,
            "per_device_train_batch_size": 448,
            "num_train_epochs": 30,
            "schedule": "steps",
            "step_at": (5 / 30,),
            "co_teaching_learning_rate": 0.002,
            "co_teaching_epochs": 30,
            "co_teaching_step_at": (5 / 30,),
            "freeze_batch_norm": "always",
        },
    }

    hidden: tuple[int, ...] = Field(
        (512,), description="Widths of the hidden layers, of a network that is not given; the last are the channels."
    )
    learning_rate: float = Field(0.05, gt=0, description="The highest learning rate.")
    weight_decay: float = Field(5e-4, ge=0, description="Weight decay, on all weights.")
    compression: Literal["nested", "dropout", "plain"] = Field(
        "nested", description="What stands before the head: Nested Dropout, Dropout, or nothing."
    )
    nested_std: float = Field(20.0, gt=0, description="s: width of the prior over numbers of channels.")
    nested_mu: float = Field(0.0, description="Its peak; 0 favours few channels.")
    feature_dropout: float = Field(0.3, ge=0, lt=1, description="p: share of the features that Dropout leaves out.")
    double: bool = Field(False, description="Nested Dropout after each of the last two hidden layers.")
    alternating: bool = Field(True, description="Of several nested layers mask one a batch, by a fair coin.")
    penalty: float = Field(1e-5, ge=0, description="Accuracy that one more channel must bring.")
    stages: Literal["both", "first", "co-teaching"] = Field(
        "both", description="Two networks and then co-teaching; one network alone; co-teaching from scratch."
    )
    forget_rate: float = Field(0.2, ge=0, lt=1, description="r: share of a batch that co-teaching leaves out.")
    gradual_epochs: int | None = Field(
        None, ge=0, description="Epochs in which it rises from 0; by default none, and 10 from scratch."
    )
    co_teaching_epochs: int = Field(30, ge=1, description="Passes of co-teaching after the first stage.")
    co_teaching_learning_rate: float = Field(0.005, gt=0, description="The highest learning rate of those.")
    co_teaching_step_at: tuple[float, ...] = Field(
        (0.5, 0.75), description="Shares of those epochs after which the schedule 'steps' steps."
    )
    split_batch: bool = Field(True, description="Each network judges half of a batch; or both judge all of it.")
    freeze_batch_norm: Literal["never", "co-teaching", "always"] = Field(
        "co-teaching", description="When batch normalisation stays as it is; never in co-teaching from scratch."
    )

    def model_post_init(self, context: Any) -> None:
        """Refuse two nested layers where there are not two hidden ones.

        Raises:
            LitotesError: ``double`` with one hidden layer, or with another compression; halves of a batch of one.
        """
        if self.split_batch and self.stages != "first" and self.per_device_train_batch_size < 2:
            raise LitotesError(
                "NestedCoTeachingConfig with split_batch=True gives each network half of a batch, and a batch of one "
                "has none. Raise the batch size, or pass split_batch=False."
            )
        if self.double and (self.compression != "nested" or len(self.hidden) < 2):
            raise LitotesError(
                "NestedCoTeachingConfig with double=True puts Nested Dropout after the last two hidden layers. Got "
                f"compression={self.compression!r} and hidden={self.hidden!r}."
            )

    @property
    def is_from_scratch(self) -> bool:
        """Whether co-teaching is all there is."""
        return self.stages == "co-teaching"

    @property
    def rise(self) -> int:
        """Epochs in which the forget rate rises."""
        if self.gradual_epochs is not None:
            return self.gradual_epochs
        return 10 if self.is_from_scratch else 0

    def co_teaching(self) -> NestedCoTeachingConfig:
        """The options of the second stage; from scratch it has those of the first."""
        if self.is_from_scratch:
            return self
        changes = {
            "learning_rate": self.co_teaching_learning_rate,
            "num_train_epochs": self.co_teaching_epochs,
            "step_at": self.co_teaching_step_at,
        }
        return NestedCoTeachingConfig(**{**self.model_dump(), **changes})
