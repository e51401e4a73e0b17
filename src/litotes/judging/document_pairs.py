"""Cells as pairs of documents: the candidate beside each positive of its row, compared by name, words and meaning."""

from __future__ import annotations

import numpy as np

from litotes.core import Collection
from litotes.core.errors import LitotesError
from litotes.core.text import last_name, normalise
from litotes.judging.shingle_overlap import ShingleOverlap
from litotes.models.encoder import Encoder

__all__ = ["FEATURES", "DocumentPairs"]

NAME_WEIGHT = 0.6  # of the same name in the value: beside Jaccard and cosine, as measured on pydocs
#: What is known of a pair, and what a calibration may read.
FEATURES = ("value", "shared", "same_name", "same_name*shared", "identical", "cosine")


class DocumentPairs:
    """The documents of a collection, prepared for comparing.

    A document's text is its body; where it has none, its title. Its name is the last dotted part of the title, or the
    whole title where that has several words.

    Args:
        ngram: words in an n-gram.
        encoder: what to embed the texts with, all of them and once, so that no part of the candidates changes a number.

    Raises:
        LitotesError: no column has a text.
    """

    def __init__(self, data: Collection, ngram: int, encoder: Encoder | None) -> None:
        titles = [title.strip() for title in data.col_titles]
        texts = [(body or "").strip() or title for body, title in zip(data.col_bodies, titles, strict=True)]
        if data.n_cols and not any(texts):
            raise LitotesError(f"The document judge compares texts, and no column of {data!r} has one.")
        self.names = [_name(title) for title in titles]
        self.has_text = np.array([bool(text) for text in texts], dtype=bool)
        self._name_number = np.unique(np.array(self.names, dtype=object), return_inverse=True)[1]
        self._overlap = ShingleOverlap(texts, ngram)
        self._vectors = None if encoder is None else _unit(encoder.encode([text or None for text in texts], "document"))
        rows, cols = data.labels.positive_cells()
        kept = self.has_text[cols]
        self._positives = cols[kept]
        self._first_positive = np.searchsorted(rows[kept], np.arange(data.n_rows + 1))

    def best(self, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Each cell beside the positive of its row that it resembles most.

        Args:
            rows, cols: positions of the cells, int64 ``[cells]``.

        Returns:
            Which of the cells could be compared, int64 ``[k]``; and for each of them, ``[k]``: the column of the
            positive (``positive``), whether both have a name (``named``), and the :data:`FEATURES` (``cosine`` only
            with an encoder). Of equally similar positives the first column counts.
        """
        first, last = self._first_positive[rows], self._first_positive[rows + 1]
        counts = np.where(self.has_text[cols], last - first, 0)
        cells = np.repeat(np.arange(len(rows)), counts)
        place = np.arange(len(cells)) - np.repeat(np.cumsum(counts) - counts, counts)
        pairs = self._compared(self._positives[np.repeat(first, counts) + place], np.repeat(cols, counts))
        order = np.lexsort((place, -pairs["value"], cells))
        cells, starts = np.unique(cells, return_index=True)  # in order, the best pair of each cell stands first
        return cells, {name: values[order[starts]] for name, values in pairs.items()}

    def _compared(self, positives: np.ndarray, cols: np.ndarray) -> dict[str, np.ndarray]:
        has_name = np.array([bool(name) for name in self.names], dtype=bool)
        named = has_name[positives] & has_name[cols]
        same_name = (named & (self._name_number[positives] == self._name_number[cols])).astype(np.float64)
        shared = self._overlap.jaccard(positives, cols)
        pairs = {
            "positive": positives,
            "named": named,
            "value": shared + NAME_WEIGHT * same_name,
            "shared": shared,
            "same_name": same_name,
            "same_name*shared": same_name * shared,
            "identical": (shared == 1).astype(np.float64),
        }
        if self._vectors is not None:
            pairs["cosine"] = np.einsum("ij,ij->i", self._vectors[positives], self._vectors[cols]).astype(np.float64)
            pairs["value"] = pairs["value"] + pairs["cosine"]
        return pairs


def _name(title: str) -> str:
    return normalise(title) if len(title.split()) > 1 else last_name(title)


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
