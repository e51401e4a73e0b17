"""The best documents of every query by inner product: exact, in blocks, with cells left out.

1. Blocks of queries meet blocks of documents in ``faiss.knn``, which keeps only the best of each query; memory grows
   with neither side. A query with many excluded cells fetches deeper than its neighbours, in a block of its own kind.
2. What was fetched is scored again by one row-wise product that does not depend on how blocks are cut, then sorted by
   score and column.
3. A query whose k-th score lies within ``1e-5`` of what was not fetched (many equal documents, say) is scanned whole;
   see :mod:`litotes.mining.exact_scan`.

So the answer, scores and ties included, is the same for every way to cut the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from litotes.core.checks import check_int
from litotes.core.errors import LitotesError, require
from litotes.core.progress import Progress
from litotes.mining.exact_scan import Exclusion, scan_rows
from litotes.mining.row_products import row_products

__all__ = ["search"]

_SLACK = 8  # fetched beyond what is needed, so that an ordinary query sees past its own ties
_DEEPEST = 2048  # a query that needs more is scanned
_BLOCK_CELLS = 1 << 19  # fetched cells of one block of queries: about 30 MiB of working memory
_COPY_BYTES = 64 << 20  # documents of one block, where unusable ones have to be left out of it
TOLERANCE = 1e-5  # of |query| * longest document: above the difference of two float32 products of the same vectors


def search(
    queries: np.ndarray,
    documents: np.ndarray,
    k: int,
    *,
    exclude: tuple[np.ndarray, np.ndarray] | None = None,
    usable: np.ndarray | None = None,
    skip: int = 0,
    min_score: float | None = None,
    max_score: float | None = None,
    block_queries: int = 4096,
    block_documents: int | None = None,
    counts: dict[str, int] | None = None,
    description: str | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The documents at ranks ``skip + 1 .. skip + k`` of each query, best first, ties by column.

    Args:
        queries, documents: float ``[n, d]`` and ``[m, d]``; give rows of length 1 for cosine. float32 in C order is
            read in place, anything else is copied.
        exclude: CSR ``(indptr [n + 1], cols)`` of what a query may not get. Ranks count what is left.
        usable: bool ``[m]``; the others are left out for all queries.
        max_score: documents above it are left out before ranking; min_score: what is below it is dropped afterwards.
        counts: receives ``above_max_score`` (cells left out) and ``scanned_rows``.
        description: names the work on a progress bar; None shows none.

    Returns:
        scores float32 ``[n, k]``, columns int64 ``[n, k]``, keep bool ``[n, k]``. Where ``keep`` is false nothing was
        left to return, or only something below ``min_score``: the column is 0 and the score minus infinity.

    Raises:
        LitotesError: NaN or infinity in the vectors, two widths, arrays that do not fit each other.
    """
    require("faiss", extra="retrieval")
    check_int("search", "k", k, at_least=1)
    check_int("search", "skip", skip, at_least=0)
    check_int("search", "block_queries", block_queries, at_least=1)
    queries, documents = _checked(queries, "queries"), _checked(documents, "documents")
    if len(queries) and len(documents) and queries.shape[1] != documents.shape[1]:
        raise LitotesError(
            f"Vectors of two widths: queries have {queries.shape[1]}, documents {documents.shape[1]} numbers."
        )
    corpus = _Corpus.of(documents, usable, block_documents)
    exclusion = Exclusion.of(exclude, len(queries), len(documents))
    tolerance = TOLERANCE * _lengths(queries) * _lengths(documents).max(initial=0.0)
    if tolerance.max(initial=0.0) > TOLERANCE * np.finfo(np.float32).max:
        raise LitotesError("The vectors are so long that their inner products overflow float32; scale them down.")

    depth = skip + k
    scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    cols = np.zeros((len(queries), k), dtype=np.int64)
    above, scanned = 0, []
    need = np.minimum(depth + exclusion.sizes, corpus.n_usable)
    with Progress(description or "", len(queries), "queries") as bar:
        for rows, fetch in _query_blocks(need, corpus.n_usable, block_queries):
            found = _best_of_block(queries, rows, corpus, fetch, exclusion, max_score)
            complete = (fetch == corpus.n_usable) | (found.unseen + tolerance[rows] < found.edge(depth))
            scores[rows[complete]], cols[rows[complete]] = found.window(skip, depth, complete)
            above += int(found.above[complete].sum())
            scanned.append(rows[~complete])
            if description:
                bar.advance(int(complete.sum()))
        rest = np.sort(np.concatenate([*scanned, np.flatnonzero(_too_deep(need, corpus.n_usable))]))
        for rows, row_scores, row_cols, row_above in scan_rows(
            queries, rest, documents, corpus.usable, exclusion, depth, tolerance, max_score
        ):
            scores[rows], cols[rows] = row_scores[:, skip:], row_cols[:, skip:]
            above += row_above
            if description:
                bar.advance(len(rows))
    if counts is not None:
        counts.update(above_max_score=above, scanned_rows=len(rest))
    keep = scores > -np.inf if min_score is None else (scores > -np.inf) & (scores >= min_score)
    scores[~keep], cols[~keep] = -np.inf, 0
    return scores, cols, keep


@dataclass(frozen=True)
class _Corpus:
    """The documents, and how they are cut."""

    documents: np.ndarray
    usable: np.ndarray | None  # None: all
    n_usable: int
    step: int

    @classmethod
    def of(cls, documents: np.ndarray, usable: np.ndarray | None, step: int | None) -> _Corpus:
        if usable is not None:
            usable = np.asarray(usable)
            if usable.dtype != bool or usable.shape != (len(documents),):
                raise LitotesError(
                    f"usable must be {len(documents)} booleans. Got {usable.dtype} of shape {usable.shape}."
                )
            usable = None if usable.all() else usable
        n_usable = len(documents) if usable is None else int(usable.sum())
        if step is None:  # whole where nothing is copied
            step = len(documents) if usable is None else _COPY_BYTES // max(4 * documents.shape[1], 1)
        else:
            check_int("search", "block_documents", step, at_least=1)
        return cls(documents, usable, n_usable, max(step, 1))

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Usable documents and their columns; what is left out of a stretch costs a copy of the rest of it."""
        for start in range(0, len(self.documents), self.step):
            block = self.documents[start : start + self.step]
            columns = np.arange(start, start + len(block))
            here = None if self.usable is None else self.usable[start : start + self.step]
            if here is None or here.all():
                yield block, columns
            elif here.any():
                yield block[here], columns[here]


@dataclass(frozen=True)
class _Found:
    """What was fetched for a block of queries, sorted by score and column; what is left out stands last, at -inf."""

    scores: np.ndarray  # float32 [b, fetch]
    cols: np.ndarray  # int64 [b, fetch]
    unseen: np.ndarray  # float32 [b]: no document that was not fetched scored higher in the fetching
    above: np.ndarray  # int64 [b]: documents above max_score

    def edge(self, depth: int) -> np.ndarray:
        """The score at rank ``depth``; -inf where there are not so many."""
        return self.scores[:, depth - 1] if depth <= self.scores.shape[1] else np.full(len(self.scores), -np.inf)

    def window(self, skip: int, depth: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores and columns of ranks ``skip + 1 .. depth``, ``[rows, depth - skip]``, filled up with -inf."""
        scores, cols = self.scores[rows, skip:depth], self.cols[rows, skip:depth]
        lack = ((0, 0), (0, depth - skip - scores.shape[1]))
        return np.pad(scores, lack, constant_values=-np.inf), np.pad(cols, lack)


def _best_of_block(
    queries: np.ndarray, rows: np.ndarray, corpus: _Corpus, fetch: int, exclusion: Exclusion, max_score: float | None
) -> _Found:
    block = queries[rows]
    fetched, cols = _fetch(block, corpus, fetch)
    scores = row_products(block, corpus.documents, np.repeat(np.arange(len(rows)), fetch), cols.ravel()).reshape(
        cols.shape
    )
    scores[exclusion.contains(rows, cols)] = -np.inf
    above = np.zeros(len(rows), dtype=np.int64)
    if max_score is not None:
        too_high = scores > max_score
        above = too_high.sum(axis=1)
        scores[too_high] = -np.inf
    order = np.lexsort((cols, -scores), axis=1)
    return _Found(np.take_along_axis(scores, order, 1), np.take_along_axis(cols, order, 1), fetched[:, -1], above)


def _fetch(block: np.ndarray, corpus: _Corpus, fetch: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``fetch`` usable documents of highest inner product, as float32 rounding sees it; best first."""
    import faiss

    if corpus.step >= len(corpus.documents) and corpus.usable is None:
        return faiss.knn(block, corpus.documents, fetch, faiss.METRIC_INNER_PRODUCT)
    heap = faiss.ResultHeap(len(block), fetch, keep_max=True)
    for documents, columns in corpus.blocks():
        scores, places = faiss.knn(block, documents, min(fetch, len(documents)), faiss.METRIC_INNER_PRODUCT)
        heap.add_result(scores, columns[places])
    heap.finalize()
    return heap.D, heap.I


def _query_blocks(need: np.ndarray, n_usable: int, block_queries: int) -> Iterator[tuple[np.ndarray, int]]:
    """Rows of like need, and how deep to fetch for them: a power of two that leaves some slack."""
    if not n_usable:
        return
    wanted = np.where(_too_deep(need, n_usable), 0, need + _SLACK)
    fetches = np.minimum(1 << np.ceil(np.log2(np.maximum(wanted, 1))).astype(np.int64), n_usable)
    for fetch in np.unique(fetches[wanted > 0]):
        rows = np.flatnonzero((fetches == fetch) & (wanted > 0))
        step = min(block_queries, max(1, _BLOCK_CELLS // int(fetch)))
        for start in range(0, len(rows), step):
            yield rows[start : start + step], int(fetch)


def _too_deep(need: np.ndarray, n_usable: int) -> np.ndarray:
    return (need + _SLACK > _DEEPEST) & (n_usable > _DEEPEST)


def _checked(vectors: np.ndarray, name: str) -> np.ndarray:
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or vectors.dtype.kind != "f":
        raise LitotesError(
            f"The {name} of a search must be floats of shape [n, width]. Got {vectors.dtype} of shape {vectors.shape}."
        )
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    for start in range(0, len(vectors), 8192):
        finite = np.isfinite(vectors[start : start + 8192]).all(axis=1)
        if not finite.all():
            raise LitotesError(
                f"NaN or infinity in row {start + int(np.flatnonzero(~finite)[0])} of the {name} (from 0)."
            )
    return vectors


def _lengths(vectors: np.ndarray) -> np.ndarray:
    """Length of each row, float64 ``[n]``, in blocks."""
    parts = [np.linalg.norm(vectors[i : i + 8192].astype(np.float64), axis=1) for i in range(0, len(vectors), 8192)]
    return np.concatenate(parts) if parts else np.zeros(0)
