r"""Hard negatives by BM25: passages that share words with the query (Robertson and Zaragoza 2009).

.. math::
    \mathrm{idf}(t) = \ln\Bigl(1 + \frac{N - n_t + 0.5}{n_t + 0.5}\Bigr), \qquad
    s(q, d) = \sum_{t \in q} \mathrm{idf}(t)\, \frac{f_{td}\,(k_1 + 1)}{f_{td} + k_1 (1 - b + b\,|d| / \overline{|d|})}

The sum runs over the query's terms with their multiplicity; :math:`|d|` counts terms, and the mean length counts empty
passages too. This is ``bm25s.BM25(method="atire", idf_method="lucene", dtype="float64")``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.checks import check_float
from litotes.core.errors import LitotesError, require
from litotes.core.fingerprint import digest
from litotes.mining.blocks import best_of_blocks
from litotes.mining.exclusion import Allowed, Window, propose, row_positions
from litotes.mining.named import check_name
from litotes.models.bm25_index import BM25Index, Tokenizer, index_folder

__all__ = ["BM25Miner", "bm25_scores"]

_MAPPED_ABOVE = 200_000  # passages; an index of so many takes about a gigabyte


def bm25_scores(
    documents: Sequence[str],
    queries: Sequence[str],
    k1: float = 1.2,
    b: float = 0.75,
    stop_words: str | Sequence[str] | None = None,
    stemmer: str | None = None,
) -> np.ndarray:
    """BM25 of every query with every document, float64 ``[queries, documents]``.

    Equal documents get bitwise equal scores. Documents without any term score 0.

    Raises:
        LitotesError: a parameter out of its range, or no document at all.

    >>> bm25_scores(["red fox", "blue fox"], ["red red zebra"]).round(4).tolist()
    [[1.3863, 0.0]]
    """
    require("bm25s", extra="retrieval")
    _check_constants("bm25_scores", k1, b)
    if not len(documents):
        raise LitotesError("bm25_scores got no documents; there is nothing to score.")
    terms = Tokenizer.checked("bm25_scores", stop_words, stemmer)
    index = BM25Index.build(terms(documents), k1, b)
    scores = np.zeros((len(queries), len(documents)))
    for line, query in zip(scores, terms(queries), strict=True):
        line[:] = index.scores(query)
    return scores


@dataclass(frozen=True)
class BM25Miner:
    """The passages that BM25 ranks highest for each query, observed positives and their text twins left out.

    All columns are ranked by score, equal scores by column index. Passages that share no word with the query stand last
    and are proposed only where nothing else remains; ``counts["zero_score"]`` says how often (``min_score`` bars them).

    Args:
        top: candidates a row; skip: best-ranked ones to pass over.
        min_score, max_score: bounds on the score, both included.
        k1, b: saturation of term counts, and share of length normalisation.
        stop_words: ``"english"``, words, or None for no stop words; stemmer: a Snowball algorithm's name, or None.
        memory_map: keep the index in the cache folder and map it; None does so above 200,000 passages.
        name: what the candidates' columns and the run's folder are called.
    """

    top: int = 50
    skip: int = 0
    min_score: float | None = None
    max_score: float | None = None
    k1: float = 1.2
    b: float = 0.75
    stop_words: str | tuple[str, ...] | None = None
    stemmer: str | None = None
    memory_map: bool | None = None
    name: str = "bm25"
    kind: ClassVar[str] = "bm25"
    _built: dict[str, tuple[np.ndarray, BM25Index]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require("bm25s", extra="retrieval")
        check_name("BM25Miner", self.name)
        _check_constants("BM25Miner", self.k1, self.b)
        object.__setattr__(self, "stop_words", self._tokenizer().stop_words)
        self._window()

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """What decides the scores and the choice, by part."""
        return {
            "miner": self.kind,
            **self._window().parts(),
            "texts of rows": data.rows.fingerprint,
            "texts of columns": data.cols.fingerprint,
            **self.parameters(),
        }

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """The best-ranked columns of ``rows`` (positions; None for all)."""
        wanted = row_positions(data, rows)
        asked = wanted[data.rows_with_content[wanted]]
        allowed = Allowed.of(data, asked)
        shown = "Ranking by BM25" if rows is None else None
        chosen = best_of_blocks(lambda block: self.scores(data, block), data, asked, allowed, self._window(), shown)
        counts = {
            **allowed.counts,
            "rows_no_text": len(wanted) - len(asked),
            "zero_score": int((chosen.score == 0).sum()),
        }
        return propose(chosen.with_silent_rows(len(wanted) - len(asked)), asked, self.name, data, counts)

    def scores(self, data: Collection, rows: np.ndarray) -> np.ndarray:
        """BM25 of each of ``rows`` (positions) with every column, float64 ``[rows, n_cols]``; 0 where a text lacks."""
        passages, index = self._prepared(data)
        scores = np.zeros((len(rows), data.n_cols))
        queries = self._tokenizer()(data.row_texts[row] or "" for row in rows)
        for line, query in zip(scores, queries, strict=True):
            line[passages] = index.scores(query)
        return scores

    def parameters(self) -> dict[str, str]:
        """What decides the scores besides the texts, by part."""
        import bm25s

        names = ("k1", "b", "stop_words", "stemmer")
        return {**{name: str(getattr(self, name)) for name in names}, "bm25s": bm25s.__version__}

    def _window(self) -> Window:
        return Window.checked("BM25Miner", self.top, self.skip, self.min_score, self.max_score)

    def _tokenizer(self) -> Tokenizer:
        return Tokenizer.checked("BM25Miner", self.stop_words, self.stemmer)

    def _prepared(self, data: Collection) -> tuple[np.ndarray, BM25Index]:
        """The passages of ``data`` and their index: the one made last, one mapped from the cache, or a new one."""
        key = digest(data.cols.fingerprint, self.parameters())
        if key not in self._built:
            passages = _passages(data)
            mapped = len(passages) > _MAPPED_ABOVE if self.memory_map is None else self.memory_map
            index = BM25Index.open(index_folder(key)) if mapped else None
            if index is None:
                terms = self._tokenizer()(data.col_texts[col] or "" for col in passages)
                index = BM25Index.build(terms, self.k1, self.b)
                if mapped:
                    index.save(index_folder(key))
                    index = BM25Index.open(index_folder(key)) or index
            self._built.clear()
            self._built[key] = passages, index
        return self._built[key]


def _passages(data: Collection) -> np.ndarray:
    """The columns that are passages: those with a text, be it blank. An id that is only named in the labels is none."""
    listed = [body is not None or text is not None for body, text in zip(data.col_bodies, data.col_texts, strict=True)]
    if not any(text is not None for text in data.col_texts):
        raise LitotesError(
            "BM25 needs columns with texts, and no column of this data has one. Mine with --miner dense."
        )
    return np.flatnonzero(listed)


def _check_constants(owner: str, k1: float, b: float) -> None:
    check_float(owner, "k1", k1, at_least=0)
    check_float(owner, "b", b, at_least=0, at_most=1)
