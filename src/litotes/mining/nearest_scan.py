"""Queries that a fixed depth cannot settle: many equal points, a very deep k, or sparse vectors.

Each such query meets every point in blocks by a matrix product in float64. Whatever may still enter its best, within
that product's error, is measured by the row-wise distance, and the best are kept by distance and index.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from litotes.mining.cell_distances import Vectors

__all__ = ["best_cells", "scan"]

_ROWS = 64
_POINT_BYTES = 32 << 20  # points of one block, as float64
_POINTS = 1 << 14  # and how many at most: a block of keys takes 8 MiB


def scan(
    asked: Vectors, rows: np.ndarray, known: Vectors, own: np.ndarray, k: int, chunk: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For blocks of ``rows``: the rows, and columns and keys of their k best; a missing one has the key infinity."""
    step = min(chunk or _ROWS, _ROWS)
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        yield block, *_scan_block(asked, block, known, own[block], k)


def best_cells(
    place: np.ndarray, col: np.ndarray, keys: np.ndarray, n_rows: int, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k cells of each row with the lowest key, ties by column; columns and keys ``[n_rows, k]``."""
    order = np.lexsort((col, keys, place))
    place, col, keys = place[order], col[order], keys[order]
    rank = np.arange(len(place)) - np.searchsorted(place, np.arange(n_rows))[place]
    inside = rank < k
    best_cols, best = np.zeros((n_rows, k), dtype=np.int64), np.full((n_rows, k), np.inf)
    best_cols[place[inside], rank[inside]] = col[inside]
    best[place[inside], rank[inside]] = keys[inside]
    return best_cols, best


def _scan_block(
    asked: Vectors, rows: np.ndarray, known: Vectors, own: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    cols, keys = np.zeros((len(rows), k), dtype=np.int64), np.full((len(rows), k), np.inf)
    queries = asked.float64(rows)
    rounding = 16 * float(np.finfo(np.float64).eps) * (16 + asked.width)
    for start, stop in _point_blocks(known):
        rough = _rough_keys(asked, queries, rows, known, start, stop)
        here = (own >= start) & (own < stop)
        rough[here, own[here] - start] = np.inf
        bound = np.minimum(keys[:, -1], _kth(rough, k))
        scale = (2 * asked.lengths[rows] + np.sqrt(bound)) ** 2 if asked.is_euclidean else 1.0
        place, col = np.nonzero((rough <= (bound + rounding * scale)[:, None]) & (rough < np.inf))
        found = asked.keys(known, rows[place], col + start)
        old_place, old = np.nonzero(keys < np.inf)
        cols, keys = best_cells(
            np.concatenate([old_place, place]),
            np.concatenate([cols[old_place, old], col + start]),
            np.concatenate([keys[old_place, old], found]),
            len(rows),
            k,
        )
    return cols, keys


def _point_blocks(known: Vectors) -> list[tuple[int, int]]:
    blocks = [(0, len(known))] if known.is_sparse else known.pieces(_POINT_BYTES)
    return [(at, min(at + _POINTS, stop)) for start, stop in blocks for at in range(start, stop, _POINTS)]


def _rough_keys(
    asked: Vectors, queries: np.ndarray, rows: np.ndarray, known: Vectors, start: int, stop: int
) -> np.ndarray:
    """Keys by a matrix product, float64 ``[rows, stop - start]``."""
    products = queries @ known.float64(slice(start, stop)).T
    products = products if isinstance(products, np.ndarray) else products.toarray()
    if not asked.is_euclidean:
        return 1 - products
    return asked.lengths[rows][:, None] ** 2 + known.lengths[start:stop][None, :] ** 2 - 2 * products


def _kth(keys: np.ndarray, k: int) -> np.ndarray:
    """The k-th lowest of each row; infinity where a row is shorter."""
    if keys.shape[1] < k:
        return np.full(len(keys), np.inf)
    return np.partition(keys, k - 1, axis=1)[:, k - 1]
