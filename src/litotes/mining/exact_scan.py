"""Queries that a fixed depth cannot settle: many documents of one score, or a great many excluded cells.

Each such query meets every document once, in blocks. Whatever may still enter its best (within the tolerance of a
float32 product) is scored by the row-wise product, and the best are kept by score and column. Slower than fetching.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from litotes.core.errors import LitotesError
from litotes.mining.row_products import row_products

__all__ = ["Exclusion", "scan_rows"]

_ROWS, _DOCUMENTS = 64, 1 << 14  # a block of scores takes 4 MiB


@dataclass(frozen=True)
class Exclusion:
    """Cells that may not be returned, CSR over the queries."""

    indptr: np.ndarray
    cols: np.ndarray
    n_cols: int

    @classmethod
    def of(cls, exclude: tuple[np.ndarray, np.ndarray] | None, n_rows: int, n_cols: int) -> Exclusion:
        """Checked; None excludes nothing."""
        if exclude is None:
            return cls(np.zeros(n_rows + 1, dtype=np.int64), np.zeros(0, dtype=np.int64), n_cols)
        indptr, cols = (np.asarray(part, dtype=np.int64) for part in exclude)
        fits = (
            indptr.shape == (n_rows + 1,)
            and indptr[0] == 0
            and indptr[-1] == len(cols)
            and (np.diff(indptr) >= 0).all()
        )
        if not fits or (len(cols) and (cols.min() < 0 or cols.max() >= n_cols)):
            raise LitotesError(f"exclude must be CSR (indptr, cols) of {n_rows} queries over {n_cols} documents.")
        return cls(indptr, cols, n_cols)

    @property
    def sizes(self) -> np.ndarray:
        """How many cells each query may not get, int64 ``[n]``."""
        return np.diff(self.indptr)

    def cells(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The excluded cells of these queries: place within ``rows``, and column."""
        sizes = self.sizes[rows]
        place = np.repeat(np.arange(len(rows)), sizes)
        inside = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return place, self.cols[self.indptr[rows][place] + inside]

    def contains(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Which cells (query ``rows[i]``, columns ``cols[i]``) are excluded; bool, the shape of ``cols``."""
        place, excluded = self.cells(rows)
        if not len(excluded):
            return np.zeros(cols.shape, dtype=bool)
        keys = np.sort(place * self.n_cols + excluded)
        asked = np.arange(len(rows))[:, None] * self.n_cols + cols
        at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        return keys[at] == asked


def scan_rows(
    queries: np.ndarray,
    rows: np.ndarray,
    documents: np.ndarray,
    usable: np.ndarray | None,
    exclusion: Exclusion,
    depth: int,
    tolerance: np.ndarray,
    max_score: float | None,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, int]]:
    """For blocks of ``rows``: the rows, scores and columns of their ``depth`` best, and how many were too high."""
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS]
        yield block, *_scan_block(queries, block, documents, usable, exclusion, depth, tolerance[block], max_score)


def _scan_block(
    queries: np.ndarray,
    rows: np.ndarray,
    documents: np.ndarray,
    usable: np.ndarray | None,
    exclusion: Exclusion,
    depth: int,
    tolerance: np.ndarray,
    max_score: float | None,
) -> tuple[np.ndarray, np.ndarray, int]:
    mine = queries[rows]
    excluded_place, excluded_col = exclusion.cells(rows)
    best_scores = np.full((len(rows), depth), -np.inf, dtype=np.float32)
    best_cols = np.zeros((len(rows), depth), dtype=np.int64)
    above = 0
    for start in range(0, len(documents), _DOCUMENTS):
        rough = mine @ documents[start : start + _DOCUMENTS].T
        if usable is not None:
            rough[:, ~usable[start : start + _DOCUMENTS]] = -np.inf
        here = (excluded_col >= start) & (excluded_col < start + _DOCUMENTS)
        rough[excluded_place[here], excluded_col[here] - start] = -np.inf
        if max_score is not None:
            sure = rough > max_score + tolerance[:, None]
            above += int(sure.sum())
            rough[sure] = -np.inf
        floor = np.maximum(best_scores[:, -1] - tolerance, _floor(rough, depth, tolerance, max_score))
        place, col = np.nonzero((rough >= floor[:, None]) & (rough > -np.inf))
        col += start
        scores = row_products(mine, documents, place, col)
        if max_score is not None:
            fits = scores <= max_score
            above += int((~fits).sum())
            place, col, scores = place[fits], col[fits], scores[fits]
        best_scores, best_cols = _merge(best_scores, best_cols, place, col, scores)
    return best_scores, best_cols, above


def _floor(rough: np.ndarray, depth: int, tolerance: np.ndarray, max_score: float | None) -> np.ndarray:
    """A rough score below which no document of this block can be among the ``depth`` best of its query."""
    if depth > rough.shape[1]:
        return np.full(len(rough), -np.inf)
    surely_allowed = rough if max_score is None else np.where(rough <= max_score - tolerance[:, None], rough, -np.inf)
    return np.partition(surely_allowed, -depth, axis=1)[:, -depth] - 2 * tolerance


def _merge(
    best_scores: np.ndarray, best_cols: np.ndarray, place: np.ndarray, col: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The best of both, sorted by score and column."""
    n_rows, depth = best_scores.shape
    kept_place, kept = np.nonzero(best_scores > -np.inf)
    place = np.concatenate([kept_place, place])
    col = np.concatenate([best_cols[kept_place, kept], col])
    scores = np.concatenate([best_scores[kept_place, kept], scores])
    order = np.lexsort((col, -scores, place))
    place, col, scores = place[order], col[order], scores[order]
    rank = np.arange(len(place)) - np.searchsorted(place, np.arange(n_rows))[place]
    inside = rank < depth
    merged_scores = np.full((n_rows, depth), -np.inf, dtype=np.float32)
    merged_cols = np.zeros((n_rows, depth), dtype=np.int64)
    merged_scores[place[inside], rank[inside]] = scores[inside]
    merged_cols[place[inside], rank[inside]] = col[inside]
    return merged_scores, merged_cols
