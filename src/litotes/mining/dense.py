"""Hard negatives by a dense encoder: what lies nearest to the query, by exact search (as ANCE, Xiong et al. 2021)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.errors import LitotesError, require
from litotes.mining.exact_search import search
from litotes.mining.exclusion import Allowed, Chosen, Window, propose, row_positions
from litotes.mining.named import check_name
from litotes.models.collection_vectors import CollectionVectors
from litotes.models.encoder import resolve_encoder

__all__ = ["DenseMiner", "encoder_parts"]


@dataclass(frozen=True)
class DenseMiner:
    """The columns whose vectors are nearest to the row's, observed positives and their text twins left out.

    Rows and columns are encoded once, and again when the data or the encoder changed: a live model is looked at each
    time. The cells do not depend on how rows are cut into shards.

    Args:
        encoder: a name, a folder, ``builtin:minilm``, ``vectors:FOLDER``, a live SentenceTransformer or a function; see
            :func:`litotes.models.encoder.resolve_encoder`, which also explains the options from ``query_prompt`` on.
        top: candidates a row; skip: best-ranked ones to pass over.
        min_score, max_score: bounds on the score, both included; what is above is left out before ranking.
        encoder_fingerprint: a name for what a function computes; without one it is asked anew each time.
        name: what the candidates' columns and the run's folder are called.
    """

    encoder: Any = "builtin:minilm"
    top: int = 50
    skip: int = 0
    min_score: float | None = None
    max_score: float | None = None
    query_prompt: str | None = None
    corpus_prompt: str | None = None
    query_length: int | None = None
    corpus_length: int | None = None
    similarity: Literal["cosine", "dot"] | None = None
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int = 32
    store: bool | None = None
    encoder_fingerprint: str | None = None
    name: str = "dense"
    kind: ClassVar[str] = "dense"
    _vectors: CollectionVectors = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require("faiss", extra="retrieval")
        check_name("DenseMiner", self.name)
        self._window()
        object.__setattr__(self, "_vectors", vectors_of(self))

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """What decides the vectors and the choice, by part."""
        return {"miner": self.kind, **self._window().parts(), **encoder_parts(self._vectors, data)}

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """The nearest columns of ``rows`` (positions; None for all)."""
        if not data.cols_with_content.any():
            raise LitotesError("Dense mining needs columns with content, and no column of this data has any.")
        wanted = row_positions(data, rows)
        asked = wanted[data.rows_with_content[wanted]]
        allowed = Allowed.of(data, asked)
        counts: dict[str, int] = {}
        found = search(
            self._vectors.rows(data)[asked],
            self._vectors.cols(data),
            self.top,
            exclude=(allowed.indptr, allowed.cols),
            usable=allowed.usable,
            skip=self.skip,
            max_score=self.max_score,
            counts=counts,
            description="Searching" if rows is None else None,
        )
        silent = len(wanted) - len(asked)
        chosen = Chosen.from_padded(*found, self._window(), {"above_max_score": counts["above_max_score"]})
        return propose(
            chosen.with_silent_rows(silent), asked, self.name, data, {**allowed.counts, "rows_no_text": silent}
        )

    def _window(self) -> Window:
        return Window.checked("DenseMiner", self.top, self.skip, self.min_score, self.max_score)


def vectors_of(miner: Any) -> CollectionVectors:
    """The vectors that a miner's encoder and its options give; every miner that embeds has these options."""
    encoder = resolve_encoder(
        miner.encoder,
        query_prompt=miner.query_prompt,
        corpus_prompt=miner.corpus_prompt,
        query_length=miner.query_length,
        corpus_length=miner.corpus_length,
        similarity=miner.similarity,
        device=miner.device,
        dtype=miner.dtype,
        batch_size=miner.batch_size,
        store=miner.store,
        fingerprint=miner.encoder_fingerprint,
    )
    return CollectionVectors(encoder)


def encoder_parts(vectors: CollectionVectors, data: Collection) -> dict[str, str]:
    """The share of data and encoder in a miner's fingerprint; a function without a name is never the same twice."""
    parts = {"texts of rows": data.rows.fingerprint, "texts of columns": data.cols.fingerprint}
    for role in ("query", "document"):
        found = vectors.encoder.fingerprint(role)
        unknown = {"function": f"without a name, process {os.getpid()}, {time.monotonic_ns()} ns"}
        parts |= {f"{role} {name}": value for name, value in (found or unknown).items()}
    return parts
