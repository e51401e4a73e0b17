"""The options of ELR and ELR+: defaults for a thousand rows on a CPU, and the values of the paper's runs as presets."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from litotes.recipes.classification.text_options import TextOptions
from litotes.training.array_options import ArrayOptions

__all__ = ["ELRConfig", "ELRPlusConfig", "TargetOptions"]


class TargetOptions(TextOptions, ArrayOptions):
    """What both have."""

    regularization: float = Field(3.0, ge=0, description="Lambda: how strongly the targets hold; 0: cross entropy.")
    target_momentum: float = Field(0.7, ge=0, lt=1, description="Beta: what a target keeps of itself at each visit.")
    clamp: float = Field(1e-4, gt=0, lt=0.5, description="Probabilities stay so far from 0 and 1.")
    form: Literal["log", "kl", "dot"] = Field(
        "log", description="Of the second term: the paper's, or one of those that it argues against."
    )
    memory_dtype: Literal["float32", "float16"] = Field("float32", description="What targets are stored in.")
    average_momentum: float = Field(0.997, ge=0, le=1, description="The most an average of weights keeps of itself.")
    average_ramp: float = Field(
        0.57, ge=0, description="Steps in which that rises; up to 1 a share of all; 0: a plain mean of weights first."
    )


class ELRConfig(TargetOptions):
    """ELR: one network, and a memory of what it made of each example so far."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {  # CIFAR-10 with symmetric noise
            "learning_rate": 0.02,
            "per_device_train_batch_size": 128,
            "num_train_epochs": 150,
            "schedule": "cosine-restarts",
            "average_ramp": 40_000.0,
        },
        "paper-asymmetric": {  # CIFAR-10
            "target_momentum": 0.9,
            "regularization": 1.0,
            "learning_rate": 0.02,
            "per_device_train_batch_size": 128,
            "num_train_epochs": 120,
            "schedule": "steps",
            "step_at": (1 / 3, 2 / 3),
            "step_factor": 0.01,
            "average_ramp": 40_000.0,
        },
        "paper-many-classes": {  # CIFAR-100
            "target_momentum": 0.9,
            "regularization": 7.0,
            "learning_rate": 0.02,
            "per_device_train_batch_size": 128,
            "num_train_epochs": 150,
            "schedule": "steps",
            "step_at": (80 / 150, 120 / 150),
            "step_factor": 0.01,
            "average_ramp": 40_000.0,
        },
    }

    targets: Literal["outputs", "weight-average"] = Field(
        "outputs", description="Whose probabilities move the memory: the network's, or its averaged weights'."
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Share of each label that goes to all classes alike.")


class ELRPlusConfig(TargetOptions):
    """ELR+: two networks that make each other's targets, averages of their weights, mixed examples."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {  # CIFAR-10
            "learning_rate": 0.02,
            "per_device_train_batch_size": 128,
            "num_train_epochs": 200,
            "schedule": "steps",
            "step_at": (0.75,),
            "average_ramp": 40_000.0,
        },
        "paper-many-classes": {  # CIFAR-100
            "target_momentum": 0.9,
            "regularization": 7.0,
            "regularization_ramp": 40_000.0,
            "reweight_labels": True,
            "learning_rate": 0.02,
            "per_device_train_batch_size": 128,
            "num_train_epochs": 250,
            "schedule": "steps",
            "step_at": (0.8,),
            "average_ramp": 40_000.0,
        },
    }

    weight_decay: float = Field(5e-4, ge=0, description="Weight decay, on all weights.")
    n_networks: Literal[1, 2] = Field(2, description="1: a network makes its targets with its own average.")
    partner: Literal["other", "own"] = Field("other", description="Whose average makes a network's targets.")
    mixup_alpha: float = Field(1.0, ge=0, description="a: examples are mixed with a weight from Beta(a, a); 0: not.")
    regularization_ramp: float = Field(
        0.0, ge=0, description="Steps in which the second term gains its weight; up to 1 a share of all; 0: at once."
    )
    reweight_labels: bool = Field(
        False, description="Multiply mixed labels by mixed targets, as the official code does for 100 classes."
    )
    warmup_epochs: int = Field(0, ge=0, description="Passes with cross entropy alone, unmixed, that fill the memory.")
    answer_with: Literal["networks", "averages"] = Field("networks", description="Whose logits are the answer.")
