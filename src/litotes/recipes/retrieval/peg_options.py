"""The options of PEG (:mod:`.peg`), and which of them contradict each other."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from litotes.core.errors import LitotesError
from litotes.recipes.retrieval.options import TrainingOptions

__all__ = ["PegConfig"]


class PegConfig(TrainingOptions):
    """PEG: warm-up, filter, hard negatives, and a large batch whose negatives are weighed progressively."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            "per_device_train_batch_size": 13_334,  # with H = 5 these are 80,004 documents
            "num_negatives": 5,
            "learning_rate": 1e-5,
            "save_steps": 500,
        }
    }

    learning_rate: float = Field(5e-5, gt=0, description="The highest learning rate, of the warm-up too.")
    num_train_epochs: int = Field(3, ge=1, description="Passes over the training pairs after the warm-up.")
    per_device_train_batch_size: int = Field(64, ge=1, description="B: training pairs a batch.")
    mini_batch_size: int = Field(
        32, ge=0, description="Texts encoded at a time, with cached gradients; 0: the whole batch at once."
    )
    max_bytes: int = Field(2**26, ge=2**16, description="Working memory of the loss; no matrix of scores is held.")
    temperature: float = Field(0.02, gt=0, description="Tau, divides the similarities.")
    similarity: Literal["auto", "cosine", "dot"] = Field(
        "auto", description="What vectors are compared by, here and in the result; auto: as the encoder does."
    )
    symmetric: bool = Field(
        False, description="Take the mean with the loss of each positive over the queries of the batch."
    )
    in_batch_epochs: int = Field(1, ge=0, description="Warm-up: passes with in-batch negatives alone; 0: none.")
    in_batch_steps: int = Field(0, ge=0, description="Steps of the warm-up; if positive it counts instead.")
    filter_top: int | None = Field(
        None,
        ge=1,
        description="Drop pairs whose positive has so many unlabelled documents above it, by the warm model.",
    )
    filter_min_score: float | None = Field(None, description="Drop pairs that the warm model scores lower.")
    num_negatives: int = Field(5, ge=0, description="H: hard negatives drawn for each pair; 0: in-batch only.")
    miner: Literal["dense", "bm25", "random"] = Field(
        "dense", description="What finds them when no candidates are given; dense: with the warm model."
    )
    range_min: int = Field(10, ge=0, description="Mining passes over so many of the best unlabelled documents.")
    range_max: int = Field(100, ge=1, description="Mining goes down to this rank.")
    relative_margin: float | None = Field(
        None, description="Drop mined ones that score above the positive less this share of it, as likely positives."
    )
    min_trust: float | None = Field(None, ge=0, le=1, description="Leave out candidates that judges trust less.")
    short: Literal["refuse", "drop", "repeat"] = Field(
        "refuse", description="What to do with rows short of candidates."
    )
    refresh_epochs: int = Field(0, ge=0, description="Mine again after so many epochs; 0: once.")
    beta_start: float = Field(0.0, description="Beta at the beginning; 0: all negatives weigh the same.")
    beta_end: float = Field(3.0, description="Beta at the end; positive: hard negatives weigh more, negative: less.")
    beta_shape: Literal["linear", "cosine", "step"] = Field(
        "linear", description="How beta goes from one to the other."
    )
    beta_step_at: float = Field(0.5, ge=0, le=1, description="Progress at which the shape 'step' jumps.")
    which: Literal["all_negatives", "hard_negatives", "in_batch_negatives"] = Field(
        "all_negatives", description="Which negatives are weighed; the others keep weight 1."
    )
    weight_norm: Literal["mean", "none"] = Field(
        "mean", description="Scale the weights of a query's negatives to mean 1, or do not."
    )
    level: Literal["pair", "query"] = Field("pair", description="Weigh each negative, or each query by its mean.")
    margin: float | None = Field(
        None, description="In each batch, leave out negatives that score above the positive by more than this."
    )
    ratio: float | None = Field(
        None, gt=0, description="In each batch, leave out negatives that score above this many times the positive."
    )
    source_column: str | None = Field(None, description="Batches of one source: a column of the rows' table.")
    source_separator: str | None = Field(None, description="Or the part of a row's id before this separator.")

    def model_post_init(self, context: Any) -> None:
        """Refuse what contradicts itself.

        Raises:
            LitotesError: an empty mining window; a list to refresh or to guard that nothing is drawn from, or that the
                model does not mine; batches without negatives, or without those to weigh; two ways to tell sources.
        """
        mines, hard = self.refresh_epochs or self.relative_margin is not None, self.num_negatives
        warms_up, weighs = self.in_batch_epochs or self.in_batch_steps, self.beta_start or self.beta_end
        refused = {
            "mines at ranks range_min < rank <= range_max. "
            f"Got {self.range_min} and {self.range_max}: no rank.": self.range_min >= self.range_max,
            "with num_negatives=0 mines nothing: no refresh_epochs and no relative_margin.": mines and not hard,
            f"refreshes and guards what the model mines: with miner={self.miner!r} leave refresh_epochs and "
            "relative_margin out.": mines and self.miner != "dense",
            "with batches of one pair has no negatives in the batch: the loss of the warm-up is always 0, and with "
            "num_negatives=0 every loss. Raise per_device_train_batch_size, or set in_batch_epochs=0, in_batch_steps=0 "
            "and num_negatives above 0.": self.per_device_train_batch_size == 1 and (warms_up or not hard),
            "with num_negatives=0 has no hard negatives to weigh. Choose another which, or raise "
            "num_negatives.": self.which == "hard_negatives" and weighs and not hard,
            "tells sources by source_column or by source_separator, not by both.": (
                None not in (self.source_column, self.source_separator)
            ),
        }
        for why, wrong in refused.items():
            if wrong:
                raise LitotesError(f"PEG {why}")
