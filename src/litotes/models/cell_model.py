"""Models that give one logit for each cell of a collection, with gradient: what a system of several rankers trains.

A cell model is whatever scores (row, column): a cross-encoder on the two texts (:class:`PairRanker`), a small network
on match features (:mod:`.feature_ranker`), or something of one's own.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from litotes.core import Collection
from litotes.core.errors import LitotesError
from litotes.models.cross_encoder import PairModel, load_cross_encoder
from litotes.models.loading import no_loading_bars
from litotes.models.model_fingerprint import tokenizer_digest, weights_digest
from litotes.models.resting import resting

__all__ = ["CellModel", "PairRanker", "cell_scores", "load_cell_model"]

TEXTS = ("query text", "document text")


class CellModel(nn.Module, ABC):
    """A module from cells of a collection to logits."""

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """What it looks at, by names; two models with equal ``inputs`` see the same of a cell."""

    @abstractmethod
    def forward(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> Float[Tensor, " cells"]:
        """Raw logits of the cells (positions, int64 ``[cells]``), float32, with gradient."""

    @abstractmethod
    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the model, so that :func:`load_cell_model` reads it."""

    def prepare(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> None:
        """These cells will be scored many times: do now what can be done once."""

    def sizes(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """How much work each cell is; cells of like size are scored together."""
        return np.zeros(len(rows))

    def fingerprint(self) -> dict[str, str]:
        """What decides its logits besides the data, by part."""
        return {"model": type(self).__name__, "inputs": ", ".join(self.inputs), "weights": weights_digest([self])}


class PairRanker(CellModel):
    """A cross-encoder on the texts of a cell; a missing text counts as an empty one.

    Args:
        pairs: the cross-encoder with gradient, and which part of it is trained.
    """

    def __init__(self, pairs: PairModel) -> None:
        super().__init__()
        self.pairs = pairs

    @property
    def inputs(self) -> tuple[str, ...]:
        """The two texts."""
        return TEXTS

    def forward(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> Float[Tensor, " cells"]:
        """Raw logits."""
        queries, documents = data.row_texts, data.col_texts
        return self.pairs([(queries[row] or "", documents[col] or "") for row, col in zip(rows, cols, strict=True)])

    def sizes(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Length of the two texts."""
        queries, documents = (np.array([len(text or "") for text in side]) for side in (data.row_texts, data.col_texts))
        return queries[rows] + documents[cols]

    def save(self, folder: str | os.PathLike[str]) -> None:
        """As ``CrossEncoder(folder)`` reads it."""
        with no_loading_bars():
            self.pairs.model.save_pretrained(os.fspath(folder))

    def fingerprint(self) -> dict[str, str]:
        """Weights, tokenizer and the longest pair."""
        model = self.pairs.model
        own = {"tokenizer": tokenizer_digest(model[0]), "max_length": str(model.max_seq_length)}
        return {**super().fingerprint(), **own}


def load_cell_model(folder: str | os.PathLike[str], *, device: str = "auto") -> CellModel:
    """The model in a folder: a feature ranker, or else whatever ``CrossEncoder`` loads.

    Raises:
        LitotesError: there is neither.
    """
    from litotes.models.feature_ranker import FEATURES_FILE, FeatureRanker

    path = Path(folder)
    if not path.is_dir():
        raise LitotesError(f"{path}: no such folder; a ranker was expected there.")
    if (path / FEATURES_FILE).is_file():
        return FeatureRanker.load(path, device=device)
    return PairRanker(PairModel(load_cross_encoder(path, device=device, seed=None)))


def cell_scores(
    model: CellModel, data: Collection, rows: np.ndarray, cols: np.ndarray, *, batch_size: int = 64
) -> np.ndarray:
    """The logits of cells without dropout and without gradient; float64 ``[cells]``. The model is left in its mode."""
    rows, cols = np.asarray(rows, dtype=np.int64), np.asarray(cols, dtype=np.int64)
    scores = np.empty(len(rows))
    order = np.lexsort((cols, rows, -model.sizes(data, rows, cols)))
    with resting(model):
        for start in range(0, len(order), batch_size):
            cells = order[start : start + batch_size]
            scores[cells] = model(data, rows[cells], cols[cells]).double().cpu().numpy()
    return scores
