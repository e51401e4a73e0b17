"""An inverted index for BM25, in memory or mapped from disk, built with ``bm25s``.

``bm25s`` keeps, for each term, the passages that hold it and what the term adds to their score. A query's scores are
the sums over its terms, in the query's order, in float64: passages of equal text get bitwise equal scores.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.core.checks import check_choice
from litotes.core.errors import MachineError, require
from litotes.core.files import cache_folder, make_folder
from litotes.core.text import words

if TYPE_CHECKING:
    import bm25s

__all__ = ["BM25Index", "Tokenizer", "index_folder"]


@dataclass(frozen=True)
class Tokenizer:
    """Text to terms: the words of :func:`litotes.core.text.words`, less stop words, stemmed; both only where asked for.

    Args:
        stop_words: ``"english"`` (the list of ``bm25s``), a tuple of words, or None.
        stemmer: a Snowball algorithm by its name (``"english"``, ``"german"`` ...), or None. Needs PyStemmer.
    """

    stop_words: str | tuple[str, ...] | None = None
    stemmer: str | None = None

    @classmethod
    def checked(cls, owner: str, stop_words: str | Iterable[str] | None, stemmer: str | None) -> Tokenizer:
        """The tokenizer, or an error in the name of the miner whose parameters these are."""
        if isinstance(stop_words, str):
            check_choice(owner, "stop_words", stop_words, ["english"])
        elif stop_words is not None:
            stop_words = tuple(sorted({word.lower() for word in stop_words}))
        if stemmer is not None:
            require("Stemmer", extra="retrieval")
            check_choice(owner, "stemmer", stemmer, importlib.import_module("Stemmer").algorithms())
        return cls(stop_words, stemmer)

    def __call__(self, texts: Iterable[str]) -> list[list[str]]:
        """The terms of each text, repeated as often as they occur."""
        stopped = self._stopped()
        lists = [[word for word in words(text) if word not in stopped] for text in texts]
        if self.stemmer is None:
            return lists
        stem = importlib.import_module("Stemmer").Stemmer(self.stemmer).stemWords
        return [stem(found) for found in lists]

    def _stopped(self) -> frozenset[str]:
        if self.stop_words == "english":
            from bm25s.stopwords import STOPWORDS_EN

            return frozenset(STOPWORDS_EN)
        return frozenset(self.stop_words or ())


class BM25Index:
    """Scores of passages for queries. ``engine`` is None where no passage holds a term: every score is 0 then."""

    def __init__(self, engine: bm25s.BM25 | None, n_documents: int) -> None:
        self._engine, self.n_documents = engine, n_documents

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]], k1: float, b: float) -> BM25Index:
        """Index the term lists of passages, empty ones included (they count in N and in the mean length)."""
        vocabulary: dict[str, int] = {}
        ids = [[vocabulary.setdefault(term, len(vocabulary)) for term in terms] for terms in documents]
        if not vocabulary:
            return cls(None, len(ids))
        import bm25s

        engine = bm25s.BM25(k1=k1, b=b, method="atire", idf_method="lucene", dtype="float64")
        engine.index((ids, vocabulary), create_empty_token=False, show_progress=False)
        return cls(engine, len(ids))

    @classmethod
    def open(cls, folder: Path) -> BM25Index | None:
        """The index saved in ``folder``, mapped into memory; None where there is none, or none that is whole."""
        import bm25s

        try:
            engine = bm25s.BM25.load(folder, mmap=True, show_progress=False)
        except (OSError, ValueError, KeyError):  # absent, cut short or not readable: it is built again
            return None
        return cls(engine, engine.scores["num_docs"])

    def save(self, folder: Path) -> None:
        """Write the index to ``folder``, whole or not at all."""
        if self._engine is None:
            return
        make_folder(folder.parent)
        try:
            partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
            try:
                self._engine.save(partial, show_progress=False)
                shutil.rmtree(folder, ignore_errors=True)
                os.replace(partial, folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            raise MachineError(f"{folder}: the BM25 index cannot be written ({error.strerror or error}).") from error

    def scores(self, terms: Sequence[str]) -> np.ndarray:
        """float64 [n_documents]: the score of every passage for one query. A term that no passage holds adds 0."""
        if self._engine is None:
            return np.zeros(self.n_documents)
        vocabulary: dict[str, Any] = self._engine.vocab_dict
        known = [vocabulary[term] for term in terms if term in vocabulary]
        return self._engine.get_scores_from_ids(known)


def index_folder(key: str) -> Path:
    """Where the index of this digest is kept."""
    return cache_folder("bm25") / key
