"""The best documents of every query by inner product: exact, in blocks, with cells left out.

1. Blocks of queries meet blocks of documents, and only the best of each query are kept; memory grows with neither side.
   A query with many excluded cells fetches deeper than its neighbours, in a block of its own kind.
2. What was fetched is scored again by one row-wise product that does not depend on how blocks are cut, then sorted by
   score and column.
3. A query is settled when its k-th score lies above all that can have been left behind. Where the processor multiplies
   bfloat16 natively, most queries are settled by a product so rounded; the others are fetched in float32; and a query
   whose k-th score lies within ``1e-5`` of what was not fetched (many equal documents, say) is scanned whole.

So the answer, scores and ties included, is the same for every way to cut the blocks, and for every way to fetch. The
ways are :mod:`litotes.mining.exact_fetch` and :mod:`litotes.mining.exact_scan`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from litotes.core.checks import check_int
from litotes.core.errors import LitotesError, require
from litotes.core.progress import Progress
from litotes.mining.exact_fetch import TOLERANCE, Bfloat16Fetch, Corpus, Float32Fetch, lengths
from litotes.mining.exact_scan import Exclusion, scan_rows
from litotes.mining.row_products import row_products

__all__ = ["search"]

_SLACK = 8  # fetched beyond what is needed, so that an ordinary query sees past its own ties
_DEEPEST = 2048  # a query that needs more is scanned
_BLOCK_CELLS = 1 << 19  # fetched cells of one block of queries: about 30 MiB of working memory
_ROUGH_FROM = 1 << 34  # multiplications; fewer are done before torch is loaded
_ROUGH_WIDTH = 128  # of narrower vectors the product costs no more than keeping the best


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
    corpus = Corpus.of(documents, usable, block_documents)
    exclusion = Exclusion.of(exclude, len(queries), len(documents))
    tolerance = TOLERANCE * lengths(queries) * corpus.longest
    if tolerance.max(initial=0.0) > TOLERANCE * np.finfo(np.float32).max:
        raise LitotesError("The vectors are so long that their inner products overflow float32; scale them down.")

    depth = skip + k
    scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    cols = np.zeros((len(queries), k), dtype=np.int64)
    need = np.minimum(depth + exclusion.sizes, corpus.n_usable)
    is_deep = (need + _SLACK > _DEEPEST) & (corpus.n_usable > _DEEPEST)
    pending, above = np.flatnonzero(~is_deep & (need > 0)), 0
    with Progress(description or "", len(queries), "queries") as bar:
        for fetch in _ways_to_fetch(len(pending), corpus):
            left, seen = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
            for rows, reach in _query_blocks(pending, fetch.breadth * need[pending], corpus.n_usable, block_queries):
                found = _best_of_block(fetch, queries, rows, reach, exclusion, max_score)
                settled = (reach == corpus.n_usable) | (found.unseen < found.edge(depth))
                scores[rows[settled]], cols[rows[settled]] = found.window(skip, depth, settled)
                above += int(found.above[settled].sum())
                left.append(rows[~settled])
                seen.append(rows)
                if description:
                    bar.advance(int(settled.sum()))
                if fetch.is_rough and settled.mean() < 0.5:  # scores lie too close together for its rounding
                    left.append(np.setdiff1d(pending, np.concatenate(seen)))
                    break
            pending = np.sort(np.concatenate(left))
        pending = np.sort(np.concatenate([pending, np.flatnonzero(is_deep)]))
        for rows, row_scores, row_cols, row_above in scan_rows(
            queries, pending, documents, corpus.usable, exclusion, depth, tolerance, max_score
        ):
            scores[rows], cols[rows] = row_scores[:, skip:], row_cols[:, skip:]
            above += row_above
            if description:
                bar.advance(len(rows))
    if counts is not None:
        counts.update(above_max_score=above, scanned_rows=len(pending))
    keep = scores > -np.inf if min_score is None else (scores > -np.inf) & (scores >= min_score)
    scores[~keep], cols[~keep] = -np.inf, 0
    return scores, cols, keep


@dataclass(frozen=True)
class _Found:
    """What was fetched for a block of queries, sorted by score and column; what is left out stands last, at -inf."""

    scores: np.ndarray  # float32 [b, reach]
    cols: np.ndarray  # int64 [b, reach]
    unseen: np.ndarray  # float64 [b]: no usable document that was not fetched scores higher
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
    fetch: Float32Fetch | Bfloat16Fetch,
    queries: np.ndarray,
    rows: np.ndarray,
    reach: int,
    exclusion: Exclusion,
    max_score: float | None,
) -> _Found:
    """Fetch, score again row by row, leave out what is excluded or too high, sort."""
    block = queries[rows]
    cols, unseen = fetch(block, reach)
    places = np.repeat(np.arange(len(rows)), reach)
    scores = row_products(block, fetch.corpus.documents, places, cols.ravel()).reshape(cols.shape)
    scores[exclusion.contains(rows, cols)] = -np.inf
    too_high = scores > (np.inf if max_score is None else max_score)
    scores[too_high] = -np.inf
    order = np.lexsort((cols, -scores), axis=1)
    scores, cols = np.take_along_axis(scores, order, 1), np.take_along_axis(cols, order, 1)
    return _Found(scores, cols, unseen, too_high.sum(axis=1))


def _ways_to_fetch(n_queries: int, corpus: Corpus) -> list[Float32Fetch | Bfloat16Fetch]:
    """One after the other, each for the queries that those before have left; the rough one only where it pays."""
    exact, width = Float32Fetch(corpus), corpus.documents.shape[1]
    if n_queries * corpus.n_usable * width < _ROUGH_FROM or width < _ROUGH_WIDTH:
        return [exact]
    from litotes.models.precision import best_dtype

    rough = Bfloat16Fetch.of(corpus) if best_dtype() == "bfloat16" else None
    return [exact] if rough is None else [rough, exact]


def _query_blocks(rows: np.ndarray, wanted: np.ndarray, n_usable: int, step: int) -> Iterator[tuple[np.ndarray, int]]:
    """Blocks of ``rows`` that want about equally many documents, and how many to fetch: a power of two with slack."""
    reaches = np.minimum(1 << np.ceil(np.log2(wanted + _SLACK)).astype(np.int64), n_usable)
    for reach in np.unique(reaches).tolist():
        alike = rows[reaches == reach]
        size = min(step, max(1, _BLOCK_CELLS // reach))
        for start in range(0, len(alike), size):
            yield alike[start : start + size], reach


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
