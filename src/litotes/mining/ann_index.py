"""An approximate index over some of the columns, built the same way each time."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from litotes.mining.exclusion import Allowed, Chosen, Window, top_of_cells
from litotes.mining.row_products import row_products

__all__ = ["AnnIndex", "AnnSettings"]

_CENTROID_POINTS = 39  # fewer vectors a list than this, and k-means is not worth its name
_SLACK = 8
_DEEPEST = 8192  # a query that lacks candidates at this depth stays short
_BLOCK_CELLS = 1 << 19


@dataclass(frozen=True)
class AnnSettings:
    """``kind`` ``hnsw`` or ``ivf``, and the knobs of each."""

    kind: str
    links: int
    ef_construction: int
    ef_search: int
    n_lists: int | None
    n_probe: int | None
    seed: int


@dataclass(frozen=True)
class AnnIndex:
    """A faiss index by inner product, and the columns that its entries are."""

    index: Any
    columns: np.ndarray  # int64 [entries]
    vectors: np.ndarray  # float32 [m, d], of all columns
    settings: AnnSettings

    @classmethod
    def build(cls, vectors: np.ndarray, usable: np.ndarray, settings: AnnSettings) -> AnnIndex:
        """Index the usable rows of ``vectors`` float32 ``[m, d]``; the index holds a copy of them."""
        import faiss

        columns = np.flatnonzero(usable)
        used = vectors if len(columns) == len(vectors) else vectors[columns]
        width = vectors.shape[1]
        if settings.kind == "hnsw":
            index = faiss.IndexHNSWFlat(width, settings.links, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction = settings.ef_construction
            index.hnsw.rng = faiss.RandomGenerator(settings.seed)
            with _one_thread():  # several threads link the graph in the order in which they happen to arrive
                index.add(used)
        else:
            n_lists = settings.n_lists or round(4 * math.sqrt(len(used)))
            n_lists = max(1, min(n_lists, len(used) // _CENTROID_POINTS))
            index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, n_lists, faiss.METRIC_INNER_PRODUCT)
            index.cp.seed, index.cp.spherical = settings.seed, True
            index.train(used)
            index.add(used)
            index.nprobe = min(n_lists, settings.n_probe or max(32, n_lists // 8))
        return cls(index, columns, vectors, settings)

    def best(self, queries: np.ndarray, allowed: Allowed, window: Window) -> Chosen:
        """The window of each query, float32 ``[n, d]``, as far as the index finds it.

        Excluded cells are fetched on top of what is wanted. A query that still lacks some asks four times as deep while
        the index has more to give.
        """
        limit = len(self.columns)
        need = np.minimum(window.depth + np.diff(allowed.indptr) + _SLACK, limit)
        depths = np.minimum(1 << np.ceil(np.log2(need)).astype(np.int64), limit)
        cells, pending = [], np.arange(len(queries))
        while len(pending):
            depth = int(depths[pending].min())
            rows = pending[depths[pending] == depth][: max(1, _BLOCK_CELLS // depth)]
            cols = self._nearest(queries[rows], depth)
            row, col = np.repeat(rows, depth)[cols.ravel() >= 0], cols[cols >= 0]
            score = row_products(queries, self.vectors, row, col)
            fits = ~allowed.forbids(row, col)
            if window.max_score is not None:
                fits &= score <= window.max_score
            lacks = np.bincount(row[fits], minlength=len(queries))[rows] < window.depth
            again = rows[lacks & (cols >= 0).all(axis=1) & (depth < min(limit, _DEEPEST))]
            depths[again] = min(4 * depth, limit)
            pending = np.setdiff1d(pending, np.setdiff1d(rows, again))
            settled = ~np.isin(row, again)
            cells.append((row[settled], col[settled], score[settled]))
        nothing = np.zeros(0, dtype=np.int64)
        row, col, score = (np.concatenate(column) for column in zip(*cells, strict=True)) if cells else [nothing] * 3
        return top_of_cells(row, col, score, allowed, window)

    def _nearest(self, queries: np.ndarray, depth: int) -> np.ndarray:
        """Columns of about the ``depth`` best of each query, int64 ``[n, depth]``, in any order; -1 for none."""
        if self.settings.kind == "hnsw":
            self.index.hnsw.efSearch = max(self.settings.ef_search, depth)
        _, places = self.index.search(queries, depth)
        return np.where(places >= 0, self.columns[places], -1)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
