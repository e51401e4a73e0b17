"""The options of CET (:mod:`.cet`), and which of them a model on texts would not read."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from litotes.core.config import NameOrPlace
from litotes.core.errors import LitotesError
from litotes.recipes.retrieval.options import TrainingOptions

__all__ = ["RATES", "CetConfig"]

RATES = {"features": 1e-2, "texts": 1e-4}
"""Learning rates where none is given."""

_RATE = "by default 0.01 for features and 0.0001 for a cross-encoder."


class CetConfig(TrainingOptions):
    """CET: a ranker and a model of what was put before the annotators correct each other's negatives."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            "model": "bert-base-uncased",
            "selection_model": "bert-base-uncased",
            "learning_rate": 3e-6,
            "selection_learning_rate": 3e-6,
            "per_device_train_batch_size": 32,
            "num_train_epochs": 1,
            "warmup_steps": 10_000,
            "max_length": 288,
            "query_length": 32,
            "dropout": 0.2,
            "save_steps": 10_000,
        }
    }

    encoder: Annotated[str, NameOrPlace()] = Field("builtin:minilm", description="What the miner 'dense' embeds with.")
    model: Annotated[str, NameOrPlace("features")] = Field(
        "builtin:minilm", description="The relevance model: a cross-encoder's name, or features."
    )
    selection_model: Annotated[str, NameOrPlace("features")] = Field(
        "features", description="The selection model: features, or a name as for the other one."
    )
    query_length: int | None = Field(
        None, ge=1, description="Most tokens of a query, read by whichever model; by default there is no limit."
    )
    features: str = Field("all", description="What a relevance model on features sees: all, lexical, or names.")
    selection_inputs: str = Field(
        "lexical",
        description="What a selection model on features sees: lexical, all, names, or same: what the other one sees.",
    )
    hidden: int = Field(32, ge=1, description="Hidden units of a relevance model on features.")
    selection_hidden: int = Field(16, ge=1, description="Hidden units of a selection model on features.")
    max_length: int | None = Field(None, ge=4, description="Most tokens a cross-encoder reads; by default its own.")
    dropout: float | None = Field(None, ge=0, lt=1, description="Of both models; by default their own.")
    debias_ratio: float = Field(
        10.0, gt=0, allow_inf_nan=False, description="T, temperature of the weights; below 1 they may run away."
    )
    max_weight: Annotated[float, Field(ge=1)] | Literal["none"] | None = Field(
        None, description="Cap of the weights, at best 20; none by default, as in the paper (none and inf say so)."
    )
    normalize_weights: bool = Field(False, description="Scale the weights of a batch to mean 1.")
    weighting: Literal["cet", "none"] = Field("cet", description="none: train the relevance model alone, unweighted.")
    num_negatives: int = Field(1, ge=1, description="Negatives drawn for each labelled positive of a batch.")
    miner: Literal["dense", "bm25", "random"] = Field("dense", description="Finds negatives when none are given.")
    top: int = Field(100, ge=1, description="Depth of the list that negatives are drawn from.")
    skip: int = Field(0, ge=0, description="First ranks to leave out of it; 100 with top 100: ranks 101 to 200.")
    min_trust: float | None = Field(None, ge=0, le=1, description="Leave out candidates that judges trust less.")
    short: Literal["refuse", "drop", "repeat"] = Field(
        "refuse", description="What to do with rows short of candidates."
    )
    learning_rate: float | None = Field(None, gt=0, description=f"The highest learning rate; {_RATE}")  # type: ignore[assignment]
    selection_learning_rate: float | None = Field(None, gt=0, description=f"Of the selection model; {_RATE}")
    per_device_train_batch_size: int = Field(
        16, ge=1, description="Labelled positives a batch, each with its negatives."
    )
    num_train_epochs: int = Field(3, ge=1, description="Passes over the labelled positives.")
    rerank: int = Field(100, ge=1, description="Documents of BM25 that are reranked to measure the held-out rows.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        for role, of in (
            ("model", ("features", "hidden")),
            ("selection_model", ("selection_inputs", "selection_hidden")),
        ):
            unread = [name for name in of if getattr(self, name) != type(self).model_fields[name].default]
            if getattr(self, role) != "features" and unread:
                raise LitotesError(
                    f"CetConfig: {unread[0]}={getattr(self, unread[0])!r} is of a {role} on features, and {role} is "
                    f"{getattr(self, role)!r}, which reads texts. Leave it out, or choose {role}='features' "
                    f"(--{role.replace('_', '-')} features)."
                )

    @field_validator("max_weight", mode="before")
    @classmethod
    def _uncapped(cls, value: Any) -> Any:
        """One spelling of no cap, so that a run is known again however it was written."""
        return None if str(value).lower() in ("none", "inf", "infinity") else value

    @property
    def cap(self) -> float | None:
        """The cap of the weights, if there is one."""
        return None if isinstance(self.max_weight, str) else self.max_weight
