"""The negatives on offer to each row, and draws from them that need no generator's state.

A draw is a pure function of (seed, epoch, line, table number): every cell gets a random number from
:func:`litotes.core.seeds.uniform_hash`, and the k smallest of a line's row are drawn. So it does not matter that
loaders collate ahead, or that a resumed run never collates the batches it skips.
"""

from __future__ import annotations

import numpy as np

from litotes.core import Candidates
from litotes.core.errors import LitotesError
from litotes.core.fingerprint import digest
from litotes.core.seeds import uniform_hash

__all__ = ["NegativeTable"]


class NegativeTable:
    """Candidates of one moment of training, numbered, with the batch from which they are drawn.

    Args:
        candidates: the cells on offer; those whose ``assumed`` is +1 are no negatives and are left out.
        n_rows: rows of the data.
        number: which table of the run this is; 0 is the one that training began with.
        from_batch: the first batch, counted over the whole run, that draws from it.
        weighted: draw in proportion to the column ``weight`` (a null or 0 is never drawn) instead of uniformly.
    """

    def __init__(
        self, candidates: Candidates, n_rows: int, number: int = 0, from_batch: int = 0, weighted: bool = False
    ) -> None:
        self.candidates, self.number, self.from_batch = candidates, number, from_batch
        negative = np.asarray(candidates.assumed) < 0
        weights = _weights(candidates) if weighted else None
        if weights is not None:
            negative &= weights > 0
        rows, cols = np.asarray(candidates.row)[negative], np.asarray(candidates.col)[negative]
        order = np.lexsort((cols, rows))
        self.rows, self.cols = rows[order], cols[order]
        self.indptr = np.searchsorted(self.rows, np.arange(n_rows + 1))
        self.weights = None if weights is None else weights[negative][order]

    @property
    def fingerprint(self) -> str:
        """Digest of what can be drawn, and how."""
        return digest(self.rows, self.cols, self.weights)

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """How many negatives each row can choose from; int64, the shape of ``rows``."""
        return self.indptr[np.asarray(rows) + 1] - self.indptr[np.asarray(rows)]

    def draw(
        self,
        rows: np.ndarray,
        k: int,
        *,
        seed: int,
        epoch: int,
        repeat: bool = False,
        lines: np.ndarray | None = None,
    ) -> np.ndarray:
        """``k`` different columns for each row; int64 ``[rows, k]``.

        Uniform over the row's negatives, or weighted as successive draws without replacement (Efraimidis and Spirakis
        2006: the k smallest of -log(u) / weight). With ``repeat``, a row that has fewer than ``k`` goes round its own.
        ``lines`` (int64, the shape of ``rows``) tells lines of one row apart: each draws anew. Without, a row asked
        twice gets the same.

        Raises:
            LitotesError: a row has fewer than ``k`` negatives (none, with ``repeat``).
        """
        rows = np.asarray(rows, dtype=np.int64)
        sizes = self.counts(rows)
        short = rows[sizes < (1 if repeat else k)]
        if len(short):
            raise LitotesError(f"Table {self.number} of negatives offers fewer than {k} to rows {short[:5].tolist()}.")
        place = np.repeat(np.arange(len(rows)), sizes)
        starts = np.cumsum(sizes) - sizes
        cells = np.arange(sizes.sum()) - np.repeat(starts - self.indptr[rows], sizes)
        cols = self.cols[cells]
        key = uniform_hash(seed, epoch, (rows if lines is None else lines)[place], cols, self.number)
        if self.weights is not None:
            uniform = (key.astype(np.float64) + 0.5) / 2.0**64
            key = -np.log(uniform) / self.weights[cells]
        drawn = cols[np.lexsort((cols, key, place))]
        inside = np.arange(k)[None, :] % np.maximum(sizes, 1)[:, None]
        return drawn[starts[:, None] + inside]


def _weights(candidates: Candidates) -> np.ndarray:
    weights = np.nan_to_num(candidates.column("weight"), nan=0.0)
    if (weights < 0).any() or not np.isfinite(weights).all():
        raise LitotesError("Weights of candidates must be finite and not negative; null or 0 is never drawn.")
    return weights
