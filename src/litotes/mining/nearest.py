"""The nearest points of every query by Euclidean or cosine distance: exact, in blocks, ties by distance and index.

1. Blocks of queries meet all points in ``faiss.knn``, which keeps the best of each query; the matrix of distances is
   never held. For Euclidean distance the points are moved to their mean and scaled first, which changes no order and
   keeps float32 from cancelling.
2. What was fetched is measured again in float64 by one row-wise distance (:mod:`litotes.mining.cell_distances`) that
   does not depend on how blocks are cut, then sorted by distance and index.
3. A query whose k-th distance lies within float32's error of what was not fetched (many equal points, say) is scanned
   whole; see :mod:`litotes.mining.nearest_scan`. So are sparse vectors.

So the answer is the same for every way to cut the blocks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from litotes.core.checks import check_choice, check_int
from litotes.core.errors import ArrayError, require
from litotes.core.progress import Progress
from litotes.mining.cell_distances import METRICS, Vectors
from litotes.mining.nearest_scan import best_cells, scan

__all__ = ["Neighbours", "nearest"]

_SLACK = 8  # fetched beyond what is needed, so that an ordinary query sees past its own ties
_DEEPEST = 2048  # a query that needs more is scanned
_BLOCK_CELLS = 1 << 17  # fetched cells of one block of queries


class Neighbours(NamedTuple):
    """The nearest points of n queries, nearest first.

    Attributes:
        cols: positions of the points, int64 ``[n, k]``; 0 where ``keep`` is false.
        distances: float64 ``[n, k]``; infinite where ``keep`` is false. Cosine distance is 1 minus the cosine.
        keep: bool ``[n, k]``; false where there are fewer than k points.
    """

    cols: np.ndarray
    distances: np.ndarray
    keep: np.ndarray

    def within(self, distance: float | None) -> Neighbours:
        """Without those that are farther than ``distance``; None leaves all."""
        if distance is None:
            return self
        keep = self.keep & (self.distances <= distance)
        return Neighbours(np.where(keep, self.cols, 0), np.where(keep, self.distances, np.inf), keep)


def nearest(
    queries: Any,
    points: Any,
    k: int,
    *,
    metric: str = "euclidean",
    own: np.ndarray | None = None,
    chunk: int | None = None,
    description: str | None = None,
) -> Neighbours:
    """The k nearest of ``points`` for each query; all of them where there are fewer.

    Args:
        queries, points: numbers ``[n, width]`` and ``[m, width]``: arrays, tensors, or sparse matrices (which are
            scanned, much slower). Distances are those of the numbers as given, computed in float64.
        metric: ``euclidean`` or ``cosine``; a vector of zeros has the cosine 0 with everything.
        own: int64 ``[n]``, which point each query is itself, -1 for none; no query is its own neighbour. Another point
            with equal numbers is one.
        chunk: queries that are looked at together; changes memory and nothing else.
        description: names the work on a progress bar; None shows none.

    Raises:
        ArrayError: NaN or infinity, two widths, vectors so long that their distances overflow.

    >>> nearest(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 1.0], [9.0, 9.0]]), k=2).distances
    array([[1., 5.]])
    """
    check_int("nearest", "k", k, at_least=1)
    check_choice("nearest", "metric", metric, METRICS)
    if chunk is not None:
        check_int("nearest", "chunk", chunk, at_least=1)
    asked, known = Vectors.of(queries, metric, "queries"), Vectors.of(points, metric, "points")
    if asked.width != known.width:
        raise ArrayError(f"Vectors of two widths: queries have {asked.width}, points {known.width} numbers.")
    own = _checked_own(own, len(asked), len(known))
    cols = np.zeros((len(asked), k), dtype=np.int64)
    keys = np.full((len(asked), k), np.inf)
    fetch = min(k + _SLACK + int((own >= 0).any()), len(known))
    with Progress(description or "", len(asked), "queries") as bar:
        rest = np.arange(len(asked))
        if fetch and fetch <= _DEEPEST and not (asked.is_sparse or known.is_sparse):
            rest = _fetch_blocks(asked, known, own, fetch, chunk, cols, keys, bar if description else None)
        for rows, row_cols, row_keys in scan(asked, rest, known, own, k, chunk):
            cols[rows], keys[rows] = row_cols, row_keys
            if description:
                bar.advance(len(rows))
    keep = keys < np.inf
    return Neighbours(np.where(keep, cols, 0), asked.distances(keys), keep)


def _fetch_blocks(
    asked: Vectors,
    known: Vectors,
    own: np.ndarray,
    fetch: int,
    chunk: int | None,
    cols: np.ndarray,
    keys: np.ndarray,
    bar: Progress | None,
) -> np.ndarray:
    """Fill ``cols`` and ``keys`` where the fetched points settle them; the queries that they do not."""
    require("faiss", extra="labels")
    import faiss

    k = cols.shape[1]
    reduced = known.reduced()
    metric = faiss.METRIC_L2 if reduced.is_euclidean else faiss.METRIC_INNER_PRODUCT
    step = min(chunk or _BLOCK_CELLS, max(1, _BLOCK_CELLS // fetch))
    unsettled = []
    for start in range(0, len(asked), step):
        rows = np.arange(start, min(start + step, len(asked)))
        block = reduced.of(asked, rows)
        fetched, found = faiss.knn(block, reduced.points, fetch, metric)
        place, col = np.repeat(np.arange(len(rows)), fetch), found.ravel()
        exact = asked.keys(known, rows[place], col)
        exact[col == own[rows][place]] = np.inf
        best_cols, best = best_cells(place, col, exact, len(rows), k)
        settled = np.full(len(rows), fetch == len(known))
        settled |= reduced.is_beyond(fetched[:, -1], best[:, -1], block)
        cols[rows[settled]], keys[rows[settled]] = best_cols[settled], best[settled]
        unsettled.append(rows[~settled])
        if bar is not None:
            bar.advance(int(settled.sum()))
    return np.concatenate(unsettled) if unsettled else np.zeros(0, dtype=np.int64)


def _checked_own(own: np.ndarray | None, n_queries: int, n_points: int) -> np.ndarray:
    if own is None:
        return np.full(n_queries, -1, dtype=np.int64)
    own = np.asarray(own)
    fits = own.shape == (n_queries,) and own.dtype.kind in "iu"
    if not fits or (len(own) and not -1 <= own.min() <= own.max() < n_points):
        raise ArrayError(f"own must hold for each of {n_queries} queries a point below {n_points}, or -1.")
    return own.astype(np.int64)
