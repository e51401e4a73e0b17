"""The options that every recipe for a text encoder has: which model, how it reads, how it is trained."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from litotes.core import Config
from litotes.core.config import NameOrPlace
from litotes.core.errors import LitotesError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from litotes.training import RoundsArguments

__all__ = ["EncoderOptions", "TrainingOptions"]

_LOOP = ("gradient_accumulation_steps", "save_steps", "logging_steps", "seed")


class EncoderOptions(Config):
    """Which encoder, and how it reads texts."""

    encoder: Annotated[str, NameOrPlace()] = Field(
        "builtin:minilm", description="Where to start: a sentence-transformers name or folder."
    )
    query_prompt: str | None = Field(None, description="Put before every query; by default the encoder's own.")
    corpus_prompt: str | None = Field(None, description="Put before every document; by default the encoder's own.")
    query_length: int | None = Field(None, ge=1, description="Most tokens of a query; by default the encoder's own.")
    corpus_length: int | None = Field(
        None, ge=1, description="Most tokens of a document; by default the encoder's own."
    )
    device: str = Field("auto", description="auto, cpu, cuda or mps.")
    dtype: Literal["auto", "float32", "bfloat16"] = Field("auto", description="What to compute in; auto is float32.")
    batch_size: int = Field(32, ge=1, description="Texts at a time where texts are only embedded.")

    def load(self, live: SentenceTransformer | None = None) -> SentenceTransformer:
        """The model, weights in float32, or ``live``; given prompts and lengths are set on it, and saved with it.

        Raises:
            LitotesError: the model has no length to set.
        """
        from litotes.models import load_sentence_transformer
        from litotes.models.model_fingerprint import input_module

        model = live
        if model is None:
            model = load_sentence_transformer(self.encoder, device=self.device, dtype="float32")
        for role, prompt in (("query", self.query_prompt), ("document", self.corpus_prompt)):
            if prompt is not None:
                model.prompts[role] = prompt
        for role, length in (("query", self.query_length), ("document", self.corpus_length)):
            module = input_module(model, role)
            if length is not None and not hasattr(module, f"{role}_length"):
                raise LitotesError(f"A {type(module).__name__} reads whole texts; it has no {role} length to set.")
            if length is not None:
                setattr(module, f"{role}_length", length)
        return model

    @property
    def autocast(self) -> bool:
        """Whether to compute in bfloat16; the weights stay float32."""
        return self.dtype == "bfloat16"


class TrainingOptions(EncoderOptions):
    """How long and how fast, in the words of ``TrainingArguments``."""

    learning_rate: float = Field(2e-5, gt=0, description="The highest learning rate.")
    num_train_epochs: int = Field(1, ge=1, description="Passes over the training rows.")
    max_steps: int = Field(0, ge=0, description="Optimiser steps; if positive it counts instead of the epochs.")
    per_device_train_batch_size: int = Field(32, ge=1, description="Training rows a batch.")
    gradient_accumulation_steps: int = Field(
        1, ge=1, description="Batches an optimiser step; each keeps its own in-batch negatives."
    )
    warmup_steps: float = Field(0.1, ge=0, description="Steps of linear warm-up; below 1 a share of all steps.")
    weight_decay: float = Field(0.01, ge=0, description="Weight decay, not on biases and normalisations.")
    max_grad_norm: float = Field(1.0, gt=0, description="The gradient's norm is clipped to this.")
    trained_layers: int | None = Field(None, ge=1, description="Train only so many last layers; by default everything.")
    save_steps: int = Field(50, ge=1, description="A checkpoint to resume from, every so many steps.")
    logging_steps: int = Field(10, ge=1, description="A line in log.jsonl, every so many steps.")
    seed: int = Field(0, ge=0, description="Of batches, draws, dropout and the rows held out.")

    def train_last_layers_only(self, model: SentenceTransformer) -> None:
        """Freeze what ``trained_layers`` leaves out, on both sides of the model."""
        from torch import nn

        from litotes.models.last_layers import train_last_layers
        from litotes.models.model_fingerprint import pipeline

        for role in ("query", "document"):
            if self.trained_layers is not None:
                train_last_layers(nn.Sequential(*pipeline(model, role)), self.trained_layers)

    def steps_of_epoch(self, rows: int, batch_size: int | None = None) -> int:
        """Optimiser steps of one pass over so many training rows."""
        batches = math.ceil(rows / (batch_size or self.per_device_train_batch_size))
        return math.ceil(batches / self.gradient_accumulation_steps)

    def total_steps(self, rows: int) -> int:
        """Optimiser steps of the run over so many training rows."""
        return self.max_steps or self.steps_of_epoch(rows) * self.num_train_epochs

    def warmup(self, total_steps: int) -> int:
        """Steps of warm-up in a run of ``total_steps``."""
        return math.ceil(self.warmup_steps * total_steps) if self.warmup_steps < 1 else int(self.warmup_steps)

    def trainer_arguments(self) -> dict[str, Any]:
        """The options as ``TrainingArguments`` takes them."""
        same = ("learning_rate", "num_train_epochs", "per_device_train_batch_size", "weight_decay", "max_grad_norm")
        words = {name: getattr(self, name) for name in (*same, *_LOOP)}
        warmup = self.warmup_steps if self.warmup_steps < 1 else int(self.warmup_steps)
        return {**words, "max_steps": self.max_steps or -1, "warmup_steps": warmup, "bf16": self.autocast}

    def rounds_arguments(self, checkpoints: str | Path, steps: int, **rest: Any) -> RoundsArguments:
        """The options as :class:`litotes.training.Rounds` takes them for a run of ``steps``; ``rest`` replaces them."""
        from litotes.training import RoundsArguments

        words = {name: getattr(self, name) for name in _LOOP} | rest
        return RoundsArguments(output_dir=str(checkpoints), max_steps=steps, **words)
