"""Negatives drawn anew for every batch: k columns for each positive cell, none of which is a positive of its row.

A miner looks at all columns and lists candidates once; a sampler is asked again and again while training runs. Its
chance comes from the generator that it is given and from nowhere else, so a saved generator is all that a resumed run
needs. Each draw takes one number from it, so a batch that is cut in two gives what it gives at once.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.checks import check_float, check_int
from litotes.core.errors import DataError, LitotesError
from litotes.mining.free_columns import FreeColumns

__all__ = ["MinedNegativeSampler", "NegativeSampler", "PopularityNegativeSampler", "UniformNegativeSampler"]


class NegativeSampler(Protocol):
    """Draws negatives for positive cells."""

    def sample(self, rows: np.ndarray, cols: np.ndarray, k: int, generator: np.random.Generator) -> np.ndarray:
        """Columns int64 ``[n, k]`` for the cells (``rows[i]``, ``cols[i]``), int64 ``[n]`` each.

        None is an observed positive of its row, or has the text of one. ``cols`` are the positives' columns: a sampler
        may draw what is like *that* positive.

        Raises:
            LitotesError: a row has no column to draw; the message names it.
        """
        ...


class UniformNegativeSampler:
    """Every column that the row may have, equally likely; k independent draws, so a column may come twice.

    Args:
        data: positives, their text twins and columns without content are never drawn.
    """

    def __init__(self, data: Collection) -> None:
        self.data = data
        self._free = FreeColumns(data)

    def sample(self, rows: np.ndarray, cols: np.ndarray, k: int, generator: np.random.Generator) -> np.ndarray:
        """Columns int64 ``[n, k]`` for positive cells; see :class:`NegativeSampler`."""
        rows, k = _asked(self, rows, cols, k)
        _refuse_empty(self, rows, self._free.room, "every column is a positive of it, the text of one, or empty")
        return self._free.at(rows, generator.random((len(rows), k)))


class PopularityNegativeSampler:
    """Columns in proportion to ``count ** power``, the count being the rows whose observed positive a column is.

    A column that is nobody's positive is never drawn. k independent draws, so a column may come twice.

    Args:
        data: as for :class:`UniformNegativeSampler`.
        power: flattens (below 1) or sharpens; 0.75 is word2vec's (Mikolov et al. 2013, section 2.2), 0 is uniform over
            the columns that are anybody's positive.
    """

    def __init__(self, data: Collection, power: float = 0.75) -> None:
        self.data = data
        self.power = check_float("PopularityNegativeSampler", "power", power, at_least=0.0)
        counts = np.bincount(data.labels.positive_cells()[1], minlength=data.n_cols)
        shares = counts / counts.max(initial=1)  # a power of a count overflows; one of a share may become 0
        smallest = np.finfo(np.float64).tiny
        self._free = FreeColumns(data, np.where(counts > 0, np.maximum(shares**power, smallest), 0.0))

    def sample(self, rows: np.ndarray, cols: np.ndarray, k: int, generator: np.random.Generator) -> np.ndarray:
        """Columns int64 ``[n, k]`` for positive cells; see :class:`NegativeSampler`."""
        rows, k = _asked(self, rows, cols, k)
        why = "every column is a positive of it, the text of one, empty, or nobody's positive"
        _refuse_empty(self, rows, self._free.room, why)
        return self._free.at(rows, generator.random((len(rows), k)))


class MinedNegativeSampler:
    """The candidates of the row, equally likely; k independent draws, so a column may come twice.

    Args:
        candidates: what to draw from; those assumed positive are left out.
        data: the collection that they were mined from.

    Raises:
        StaleError: the candidates were made from other data.
        DataError: a candidate is an observed positive or has the text of one.
    """

    def __init__(self, candidates: Candidates, data: Collection) -> None:
        candidates.check_data(data)
        negative = candidates.assumed < 0
        rows, self._cols = candidates.row[negative], candidates.col[negative]
        wrong = np.flatnonzero(data.is_positive(rows, self._cols))
        if len(wrong):
            row, col = data.row_ids[rows[wrong[0]]], data.col_ids[self._cols[wrong[0]]]
            raise DataError(
                f"{len(wrong)} candidates are observed positives or have the text of one, for example {col!r} for "
                f"{row!r}. Drop them from the candidates."
            )
        self.data = data
        self._indptr = np.searchsorted(rows, np.arange(data.n_rows + 1))

    def sample(self, rows: np.ndarray, cols: np.ndarray, k: int, generator: np.random.Generator) -> np.ndarray:
        """Columns int64 ``[n, k]`` for positive cells; see :class:`NegativeSampler`."""
        rows, k = _asked(self, rows, cols, k)
        sizes = np.diff(self._indptr)
        _refuse_empty(self, rows, sizes, "it has no candidate")
        place = (generator.random((len(rows), k)) * sizes[rows][:, None]).astype(np.int64)
        return self._cols[self._indptr[rows][:, None] + place]


class _OverData(Protocol):
    data: Collection


def _asked(sampler: _OverData, rows: np.ndarray, cols: np.ndarray, k: int) -> tuple[np.ndarray, int]:
    """The rows and k, checked."""
    name, data = type(sampler).__name__, sampler.data
    rows, cols = np.asarray(rows), np.asarray(cols)
    for side, positions, size in (("rows", rows, data.n_rows), ("cols", cols, data.n_cols)):
        fits = positions.shape == (rows.size,)
        if positions.size:
            fits = fits and positions.dtype.kind in "iu" and 0 <= positions.min() <= positions.max() < size
        if not fits:
            raise LitotesError(
                f"{name}.sample takes the rows and columns of positive cells, two lists of positions of one length; "
                f"{side} must lie in [0, {size}). Got {positions!r}."
            )
    return rows.astype(np.int64), check_int(name, "k", k, at_least=1)


def _refuse_empty(sampler: _OverData, rows: np.ndarray, room: np.ndarray, why: str) -> None:
    empty = np.unique(rows[room[rows] == 0])
    if len(empty):
        raise LitotesError(
            f"{type(sampler).__name__} has nothing to draw for row {sampler.data.row_ids[empty[0]]!r}: {why}. "
            f"Leave such rows out of the batch; it has {len(empty)} of them."
        )
