"""Scores of cells: what a margin is taken of, and what a cross-encoder says.

A :class:`PairScorer` scores pairs of texts and knows nothing of matrices. A :class:`CellScorer` scores cells of a
collection: by the product of two vectors, by BM25, or by a pair scorer on the two texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from litotes.core import Collection, LitotesError
from litotes.mining.bm25 import BM25Miner
from litotes.mining.row_products import row_products
from litotes.models.collection_vectors import CollectionVectors
from litotes.models.encoder import Encoder

__all__ = ["BM25Cells", "CellScorer", "PairCells", "PairScorer", "VectorCells"]


@runtime_checkable
class PairScorer(Protocol):
    """Anything that scores (query, document) pairs; more is more relevant.

    It may have ``fingerprint() -> dict[str, str]``, by which a run folder knows one scorer from another.
    """

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """float ``[pairs]``."""
        ...


class CellScorer(Protocol):
    """Scores cells of a collection."""

    def score(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """float64 ``[cells]``; NaN where a side has no content."""
        ...

    def fingerprint(self) -> dict[str, str]:
        """What decides the scores besides the data, by part."""
        ...


class VectorCells:
    """The product of the two vectors that an encoder makes: the cosine, for encoders that compare by it.

    The vectors of the whole collection are made at once, so that a cell has the same score in every shard.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._vectors = CollectionVectors(encoder)

    def score(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """float64 ``[cells]``; NaN where a side has no content."""
        queries, documents = self._vectors.rows(data), self._vectors.cols(data)
        if queries.shape[1] != documents.shape[1]:
            widths = f"queries have {queries.shape[1]}, documents {documents.shape[1]} numbers"
            raise LitotesError(f"Vectors of two widths: {widths}.")
        scores = row_products(queries, documents, rows, cols).astype(np.float64)
        scores[~(data.rows_with_content[rows] & data.cols_with_content[cols])] = np.nan
        return scores

    def fingerprint(self) -> dict[str, str]:
        """The encoder's parts, of both sides."""
        sides = {side: self._vectors.encoder.fingerprint(side) for side in ("query", "document")}
        return {f"{side} {part}": of for side, parts in sides.items() for part, of in parts.items()}


class BM25Cells:
    """BM25 with the miner's defaults, over the passages of the collection."""

    def __init__(self) -> None:
        self._miner = BM25Miner()

    def score(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """float64 ``[cells]``; NaN where a side has no text."""
        scores = np.full(len(rows), np.nan)
        order = np.argsort(rows, kind="stable")
        found, starts = np.unique(rows[order], return_index=True)
        for row, cells in zip(found.tolist(), np.split(order, starts)[1:], strict=True):
            scores[cells] = self._miner.scores(data, np.array([row]))[0, cols[cells]]
        scores[~(data.rows_with_content[rows] & data.cols_with_content[cols])] = np.nan
        return scores

    def fingerprint(self) -> dict[str, str]:
        """The parameters and the version of the library."""
        return {"scorer": "bm25", **self._miner.parameters()}


class PairCells:
    """A pair scorer on the two texts of each cell."""

    def __init__(self, scorer: PairScorer) -> None:
        self._scorer = scorer

    def score(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """float64 ``[cells]``; NaN where a side has no text."""
        texts = [(data.row_texts[row], data.col_texts[col]) for row, col in zip(rows, cols, strict=True)]
        pairs = [(query, document) for query, document in texts if query is not None and document is not None]
        there = np.fromiter((None not in pair for pair in texts), dtype=bool, count=len(texts))
        scores = np.full(len(texts), np.nan)
        scores[there] = self._checked(pairs)
        return scores

    def fingerprint(self) -> dict[str, str]:
        """The scorer's own parts, or at least its kind."""
        own: Any = getattr(self._scorer, "fingerprint", None)
        return dict(own()) if callable(own) else {"scorer": type(self._scorer).__qualname__}

    def _checked(self, pairs: list[tuple[str, str]]) -> np.ndarray:
        if not pairs:
            return np.zeros(0)
        scores = np.asarray(self._scorer.score(pairs), dtype=np.float64)
        kind = type(self._scorer).__name__
        if scores.shape != (len(pairs),):
            raise LitotesError(f"{kind}.score gave an array of shape {scores.shape} for {len(pairs)} pairs.")
        if not np.isfinite(scores).all():
            query, document = pairs[int(np.flatnonzero(~np.isfinite(scores))[0])]
            raise LitotesError(f"{kind}.score gave no finite number for {query[:40]!r} and {document[:40]!r}.")
        return scores
