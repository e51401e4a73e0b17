r"""How well the words of a query and of a document match, in a few numbers a cell; no neural network is involved.

=================  =====================================================================================
``bm25``           BM25 with the miner's defaults
``bm25_rank``      log of the document's rank by it, among all documents
``tfidf``          cosine of tf-idf vectors (1 + log tf, smoothed idf)
``lsa_N``          cosine after latent semantic analysis: the tf-idf vectors on their first N singular vectors
``overlap``        share of the query's distinct words that the document has
``idf_overlap``    the same, each word counting as its IDF
``title_overlap``  share of the query's distinct words that the title has
``length``         log(1 + number of words of the document)
=================  =====================================================================================

Statistics (document frequencies, mean length, singular vectors) are those of the collection that is scored, as for any
retriever; nothing of them is saved with a model. The same data gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from litotes.core import Collection
from litotes.core.checks import nearest
from litotes.core.errors import LitotesError, require
from litotes.core.fingerprint import digest
from litotes.core.text import words
from litotes.models.bm25_index import BM25Index

if TYPE_CHECKING:
    import scipy.sparse

__all__ = ["FEATURE_SETS", "CellFeatures", "MatchFeatures", "feature_names"]

_NAMES = ("bm25", "bm25_rank", "tfidf", "overlap", "idf_overlap", "title_overlap", "length")
FEATURE_SETS = {
    "all": ("bm25", "tfidf", "lsa_30", "lsa_100", "lsa_200", "overlap", "idf_overlap", "title_overlap", "length"),
    "lexical": ("bm25", "overlap", "idf_overlap", "title_overlap"),
}
"""By name: what a relevance model looks at, and what a pool that was made by matching words knows."""

_K1, _B = 1.2, 0.75
_CELLS_AT_ONCE = 1 << 16


class CellFeatures(Protocol):
    """Numbers about cells of a collection."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each number."""
        ...

    def table(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """float32 ``[cells, names]``."""
        ...


def feature_names(asked: str, data: Collection) -> tuple[str, ...]:
    """The features that a text stands for: ``all``, ``lexical``, or names joined by commas.

    The two sets leave the titles out where no document has one.

    Raises:
        LitotesError: an unknown name, with the nearest there is.

    """
    if asked in FEATURE_SETS:
        has_titles = any(data.col_titles)
        return tuple(name for name in FEATURE_SETS[asked] if has_titles or name != "title_overlap")
    names = tuple(dict.fromkeys(name.strip() for name in asked.split(",") if name.strip()))
    for name in names:
        _check(name)
    if not names:
        raise LitotesError(f"No feature was named. Write {', '.join(FEATURE_SETS)}, or names joined by commas.")
    return names


class MatchFeatures:
    """The features above, of any collection with texts; what was made for the last one is kept.

    Args:
        names: which, in this order.
        beside: others whose statistics these share, so that they are made once for both.
    """

    def __init__(self, names: Sequence[str], *, beside: MatchFeatures | None = None) -> None:
        require("bm25s", "scipy", "sklearn", extra="retrieval")
        self.names = tuple(names)
        for name in self.names:
            _check(name)
        self._made: dict[str, _Statistics] = {} if beside is None else beside._made

    def table(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """float32 ``[cells, names]``; a missing text counts as an empty one."""
        statistics = self._of(data)
        rows, cols = np.asarray(rows, dtype=np.int64), np.asarray(cols, dtype=np.int64)
        found = np.empty((len(rows), len(self.names)), dtype=np.float32)
        for start in range(0, len(rows), _CELLS_AT_ONCE):
            block = slice(start, start + _CELLS_AT_ONCE)
            for place, name in enumerate(self.names):
                found[block, place] = statistics.feature(name)(rows[block], cols[block])
        return found

    def _of(self, data: Collection) -> _Statistics:
        key = digest(data.rows.fingerprint, data.cols.fingerprint)
        if key not in self._made:
            self._made.clear()
            self._made[key] = _Statistics(data)
        return self._made[key]


class _Statistics:
    """What the features of one collection are made from, each part when it is first asked for."""

    def __init__(self, data: Collection) -> None:
        self._queries, self._documents = ([text or "" for text in texts] for texts in (data.row_texts, data.col_texts))
        self._titles = data.col_titles
        self._bm25_of: tuple[int, np.ndarray] | None = None

    def feature(self, name: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """The function of rows and columns that gives this feature."""
        if name.startswith("lsa_"):
            return lambda rows, cols: self._lsa(int(name.removeprefix("lsa_")), rows, cols)
        return {
            "bm25": lambda rows, cols: self._bm25(rows, cols, ranks=False),
            "bm25_rank": lambda rows, cols: self._bm25(rows, cols, ranks=True),
            "tfidf": lambda rows, cols: _sparse_products(*self._tfidf, rows, cols),
            "overlap": lambda rows, cols: _sparse_products(self._asked, self._in_documents, rows, cols),
            "idf_overlap": lambda rows, cols: _sparse_products(self._asked_by_idf, self._in_documents, rows, cols),
            "title_overlap": lambda rows, cols: _sparse_products(self._asked, self._in_titles, rows, cols),
            "length": lambda rows, cols: np.log1p(self._lengths[cols]),
        }[name]

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        """Every word of a document, a title or a query."""
        texts = [*self._documents, *self._titles, *self._queries]
        return {word: place for place, word in enumerate(sorted({word for text in texts for word in words(text)}))}

    @cached_property
    def _in_documents(self) -> scipy.sparse.csr_array:
        return self._occurrences(self._documents)

    @cached_property
    def _in_titles(self) -> scipy.sparse.csr_array:
        return self._occurrences(self._titles)

    @cached_property
    def _asked(self) -> scipy.sparse.csr_array:
        """Each query's distinct words, of a sum of 1."""
        return _of_sum_one(self._occurrences(self._queries))

    @cached_property
    def _asked_by_idf(self) -> scipy.sparse.csr_array:
        """The same, each word counting as its IDF."""
        return _of_sum_one(self._occurrences(self._queries).multiply(self._idf[None, :]).tocsr())

    @cached_property
    def _lengths(self) -> np.ndarray:
        return np.array([len(words(text)) for text in self._documents])

    @cached_property
    def _idf(self) -> np.ndarray:
        """BM25's, of every word of the vocabulary; a word that no document has counts most."""
        n, having = len(self._documents), np.asarray(self._in_documents.sum(axis=0)).ravel()
        return np.log1p((n - having + 0.5) / (having + 0.5))

    @cached_property
    def _index(self) -> BM25Index:
        return BM25Index.build([words(text) for text in self._documents], _K1, _B)

    @cached_property
    def _tfidf(self) -> tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]:
        """tf-idf vectors of length 1 of the queries and of the documents."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(analyzer=words, vocabulary=self._vocabulary or {"": 0}, sublinear_tf=True)
        documents = vectorizer.fit_transform(self._documents)
        return vectorizer.transform(self._queries).tocsr(), documents.tocsr()

    @cached_property
    def _latent(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Vectors of queries and documents by the number of singular vectors, filled as they are asked for."""
        return {}

    def _lsa(self, width: int, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        if width not in self._latent:
            from sklearn.decomposition import TruncatedSVD

            queries, documents = self._tfidf
            svd = TruncatedSVD(max(1, min(width, *documents.shape)), random_state=0)
            with np.errstate(divide="ignore", invalid="ignore"):  # its explained variance, of a corpus of equal texts
                svd.fit(documents)
            self._latent[width] = _unit(svd.transform(queries)), _unit(svd.transform(documents))
        queries, documents = self._latent[width]
        return (queries[rows] * documents[cols]).sum(axis=1)

    def _bm25(self, rows: np.ndarray, cols: np.ndarray, ranks: bool) -> np.ndarray:
        found = np.empty(len(rows))
        order = np.argsort(rows, kind="stable")
        asked, starts = np.unique(rows[order], return_index=True)
        for row, cells in zip(asked.tolist(), np.split(order, starts)[1:], strict=True):
            scores = self._scores(row)
            own = scores[cols[cells]]
            if ranks:
                own = np.log(1 + len(scores) - np.searchsorted(np.sort(scores), own, side="right"))
            found[cells] = own
        return found

    def _scores(self, row: int) -> np.ndarray:
        if self._bm25_of is None or self._bm25_of[0] != row:
            self._bm25_of = row, self._index.scores(words(self._queries[row]))
        return self._bm25_of[1]

    def _occurrences(self, texts: list[str]) -> scipy.sparse.csr_array:
        """Which text has which word, as 1.0; ``[texts, vocabulary]``."""
        import scipy.sparse

        places = [sorted({self._vocabulary[word] for word in words(text)}) for text in texts]
        sizes = np.cumsum([0, *map(len, places)])
        columns = np.fromiter((place for row in places for place in row), dtype=np.int64, count=sizes[-1])
        shape = (len(texts), max(1, len(self._vocabulary)))
        return scipy.sparse.csr_array((np.ones(sizes[-1]), columns, sizes), shape=shape)


def _sparse_products(
    queries: scipy.sparse.csr_array, documents: scipy.sparse.csr_array, rows: np.ndarray, cols: np.ndarray
) -> np.ndarray:
    """The inner product of each cell's two sparse vectors, float64 ``[cells]``."""
    return np.asarray(queries[rows].multiply(documents[cols]).sum(axis=1)).ravel()


def _of_sum_one(weights: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """Each row divided by its sum; a row without words stays empty."""
    total = np.asarray(weights.sum(axis=1)).ravel()
    shares = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    return weights.multiply(shares[:, None]).tocsr()


def _unit(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)


def _check(name: str) -> None:
    """Refuse a feature that there is not."""
    width = name.removeprefix("lsa_")
    if name in _NAMES or (name.startswith("lsa_") and width.isdecimal() and int(width) > 0):
        return
    near = nearest(name, [*_NAMES, *FEATURE_SETS["all"]])
    hint = f" Did you mean {near!r}?" if near else ""
    raise LitotesError(f"There is no feature {name!r}. There is: {', '.join(_NAMES)}, lsa_N.{hint}")
