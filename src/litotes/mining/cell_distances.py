"""Vectors, and the one distance between a row and a column that does not depend on the block they stand in.

A *key* orders like the distance: the squared Euclidean distance, or 1 minus the cosine. It is computed from the numbers
as given, in float64, summed in one order; equal pairs have equal keys. What faiss compares is a *reduced* copy in
float32, whose error is bounded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from litotes.core.errors import ArrayError

__all__ = ["METRICS", "Reduced", "Vectors", "as_rows"]

METRICS = ("euclidean", "cosine")

_PIECE_BYTES = 16 << 20  # numbers in float64 that are held at once
_LONGEST = 1e150  # its square is a float64


@dataclass(frozen=True)
class Vectors:
    """Rows of numbers, dense or CSR, with their lengths.

    Attributes:
        rows: ``[n, width]``.
        lengths: Euclidean length of each row, float64 ``[n]``.
        is_euclidean: the metric; else it is the cosine.
    """

    rows: Any
    lengths: np.ndarray
    is_euclidean: bool

    @classmethod
    def of(cls, rows: Any, metric: str, name: str) -> Vectors:
        """Checked; ``name`` is what they are called in an error."""
        rows = as_rows(rows, name)
        made = cls(rows, np.zeros(rows.shape[0]), metric == "euclidean")
        for start, stop in made.pieces():
            block = rows[start:stop].astype(np.float64)
            with np.errstate(over="ignore", invalid="ignore"):
                squares = block.multiply(block) if made.is_sparse else block * block
                made.lengths[start:stop] = np.sqrt(np.asarray(squares.sum(axis=1)).ravel())
            bad = np.flatnonzero(~(made.lengths[start:stop] < _LONGEST))
            if len(bad):
                wrong = start + int(bad[0])
                is_long = np.isfinite(rows[wrong].data if made.is_sparse else rows[wrong].astype(np.float64)).all()
                what = "Numbers too large to be squared" if is_long else "NaN or infinity"
                raise ArrayError(f"{what} in row {wrong} of the {name} (from 0).")
        return made

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    @property
    def width(self) -> int:
        """Numbers a row."""
        return int(self.rows.shape[1])

    @property
    def is_sparse(self) -> bool:
        """Whether the rows are a sparse matrix."""
        return not isinstance(self.rows, np.ndarray)

    def pieces(self, size: int = _PIECE_BYTES) -> list[tuple[int, int]]:
        """Stretches of rows that take ``size`` bytes each as float64."""
        step = max(1, size // (8 * max(self.width, 1)))
        return [(start, min(start + step, len(self))) for start in range(0, len(self), step)]

    def float64(self, which: Any) -> Any:
        """Some rows in float64; of length 1 for the cosine, zeros staying zeros."""
        block = self.rows[which].astype(np.float64)
        if self.is_euclidean:
            return block
        scale = 1 / np.where(self.lengths[which] > 0, self.lengths[which], 1.0)
        return block.multiply(scale[:, None]).tocsr() if self.is_sparse else block * scale[:, None]

    def keys(self, points: Vectors, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """The key of each cell ``(self[rows[i]], points[cols[i]])``, float64 ``[cells]``."""
        found = np.empty(len(rows))
        step = max(1, _PIECE_BYTES // (8 * max(self.width, 1)))
        for start in range(0, len(rows), step):
            a = _dense(self.float64(rows[start : start + step]))
            b = _dense(points.float64(cols[start : start + step]))
            if self.is_euclidean:
                a -= b
                found[start : start + step] = np.einsum("ij,ij->i", a, a)
            else:
                found[start : start + step] = np.maximum(1 - np.einsum("ij,ij->i", a, b), 0.0)
        return found

    def distances(self, keys: np.ndarray) -> np.ndarray:
        """Distances from keys."""
        return np.sqrt(keys) if self.is_euclidean else keys

    def reduced(self) -> Reduced:
        """A float32 copy to search in; dense vectors only."""
        if not self.is_euclidean:
            return Reduced(self._moved(np.zeros(self.width), 1.0), np.zeros(self.width), 1.0, False)
        n = len(self)
        centre: np.ndarray = self.rows.mean(axis=0, dtype=np.float64) if n else np.zeros(self.width)
        if self.rows.dtype == np.float32:  # then moving float32 rows by it loses nothing, and is cheap
            centre = centre.astype(np.float32).astype(np.float64)
        sides = [side.astype(np.float64) for side in (self.rows.max(axis=0), self.rows.min(axis=0))] if n else []
        reach = max((np.abs(side - centre).max(initial=0.0) for side in sides), default=0.0)
        scale = 2.0 ** -np.ceil(np.log2(reach)) if reach > 0 else 1.0
        return Reduced(self._moved(centre, scale), centre, scale, True)

    def _moved(self, centre: np.ndarray, scale: float, which: np.ndarray | None = None) -> np.ndarray:
        """Rows moved and scaled, float32."""
        n = len(self) if which is None else len(which)
        moved = np.empty((n, self.width), dtype=np.float32)
        in_float32 = self.is_euclidean and self.rows.dtype == np.float32 and 2.0**-60 < scale < 2.0**60
        in_float32 = in_float32 and bool((centre == centre.astype(np.float32)).all())
        step = max(1, _PIECE_BYTES // (8 * max(self.width, 1)))
        for start in range(0, n, step):
            part = slice(start, start + step)
            rows = part if which is None else which[part]
            if in_float32:
                np.subtract(self.rows[rows], centre.astype(np.float32), out=moved[part])
                moved[part] *= np.float32(scale)
            else:
                moved[part] = (self.float64(rows) - centre) * scale
        return moved


@dataclass(frozen=True)
class Reduced:
    """Points in float32, moved by ``centre`` and scaled; what faiss searches."""

    points: np.ndarray
    centre: np.ndarray
    scale: float
    is_euclidean: bool

    def of(self, queries: Vectors, rows: np.ndarray) -> np.ndarray:
        """Some queries, moved and scaled likewise; float32 ``[rows, width]``."""
        return queries._moved(self.centre, self.scale, rows)

    def is_beyond(self, farthest: np.ndarray, keys: np.ndarray, queries: np.ndarray) -> np.ndarray:
        """Whether no point that faiss left out, whose farthest answer is ``farthest``, can be as near as ``keys``.

        A sum of ``width`` products in float32 is wrong by no more than a few rounding steps for each accumulator of the
        machine. A point that could be as near as ``d`` is at most ``|q| + d`` long, which bounds its products.
        """
        rounding = float(np.finfo(np.float32).eps) * (16 + queries.shape[1] / 4)
        if not self.is_euclidean:
            return 1 - farthest.astype(np.float64) > keys + 4 * rounding
        with np.errstate(invalid="ignore", over="ignore"):
            wanted = keys * self.scale**2
            lengths = np.linalg.norm(queries.astype(np.float64), axis=1)
            error = rounding * (2 * lengths + np.sqrt(wanted)) ** 2 + 1e-30
            return np.isfinite(farthest) & (farthest > wanted + error)


def as_rows(rows: Any, name: str) -> Any:
    """An array or CSR matrix of numbers ``[n, width]``; tensors are taken off their device and graph."""
    if hasattr(rows, "detach"):
        rows = rows.detach().cpu()
        rows = (rows.float() if rows.is_floating_point() and rows.element_size() < 4 else rows).numpy()
    if hasattr(rows, "tocsr"):
        rows = rows.tocsr()
        if not rows.has_canonical_format:
            rows = rows.copy()  # the caller's stays as it is
            rows.sum_duplicates()
    else:
        rows = np.asarray(rows)
    if rows.ndim != 2 or not rows.shape[1] or rows.dtype.kind not in "fiub":
        raise ArrayError(f"The {name} must be numbers of shape [n, width]. Got {rows.dtype} of shape {rows.shape}.")
    return rows


def _dense(block: Any) -> np.ndarray:
    return block if isinstance(block, np.ndarray) else block.toarray()
