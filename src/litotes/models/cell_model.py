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
from litotes.core.files import read_json
from litotes.models.cross_encoder import PairModel, load_cross_encoder
from litotes.models.loading import no_loading_bars
from litotes.models.model_fingerprint import tokenizer_digest, weights_digest
from litotes.models.resting import resting

__all__ = ["CellModel", "PairRanker", "cell_scores", "is_ranker", "load_cell_model"]

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
        query_length: most tokens of a query here; the saved cross-encoder has no such limit.
    """

    def __init__(self, pairs: PairModel, *, query_length: int | None = None) -> None:
        super().__init__()
        self.pairs, self.query_length = pairs, query_length
        self._cut: dict[str, str] = {}  # by query

    @property
    def inputs(self) -> tuple[str, ...]:
        """The two texts."""
        return TEXTS

    def forward(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> Float[Tensor, " cells"]:
        """Raw logits."""
        queries, documents = data.row_texts, data.col_texts
        pairs = zip(rows, cols, strict=True)
        return self.pairs([(self._query(queries[row] or ""), documents[col] or "") for row, col in pairs])

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
        if self.query_length is not None:
            own["query_length"] = str(self.query_length)
        return {**super().fingerprint(), **own}

    def _query(self, text: str) -> str:
        """The query up to its last token that is read."""
        if self.query_length is None:
            return text
        if text not in self._cut:
            tokens = self.pairs.model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
            ends = [end for _, end in tokens["offset_mapping"][: self.query_length]]
            self._cut[text] = text[: max(ends, default=0)]
        return self._cut[text]


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


def is_ranker(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds a model that reads query and document together, and so embeds neither."""
    from litotes.models.feature_ranker import FEATURES_FILE
    from litotes.models.interaction import is_interaction_ranker

    path = Path(folder)
    if (path / FEATURES_FILE).is_file() or is_interaction_ranker(path):
        return True
    library, model = (
        read_json(file) if file.is_file() else {}
        for file in (path / "config_sentence_transformers.json", path / "config.json")
    )
    if "model_type" in library:
        return bool(library["model_type"] == "CrossEncoder")
    is_encoder = (path / "modules.json").is_file()
    names = model.get("architectures") or []
    return not is_encoder and any(str(name).endswith("ForSequenceClassification") for name in names)


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
