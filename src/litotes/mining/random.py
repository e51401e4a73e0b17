"""Random negatives: a draw without replacement from the columns that a row may have.

Each row walks through its own random order of the columns, which is a pure function of (seed, row): neither the blocks
nor the order of the rows matters, and nothing is kept between draws. Random columns are mostly easy; they are the
control that every harder miner has to beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.checks import check_int
from litotes.core.seeds import uniform_hash
from litotes.mining.exclusion import Allowed, Chosen, Window, propose, row_positions, top_of_cells
from litotes.mining.named import check_name

__all__ = ["RandomMiner"]

_BLOCK_ROWS = 1 << 14
_ROUNDS = 12  # with 6, pairs of draws from a handful of columns are measurably uneven; from 10 on they are not


@dataclass(frozen=True)
class RandomMiner:
    """``top`` columns a row, each equally likely, observed positives and their text twins left out.

    The score is the place in the row's random order, negated; it says nothing about how hard a column is.

    Args:
        top: candidates a row; skip: draws to pass over (the next ``skip`` of the same order are other columns).
        seed: another seed, another draw.
        name: what the candidates' columns and the run's folder are called.
    """

    top: int = 50
    skip: int = 0
    seed: int = 0
    name: str = "random"
    kind: ClassVar[str] = "random"

    def __post_init__(self) -> None:
        check_name("RandomMiner", self.name)
        check_int("RandomMiner", "seed", self.seed)
        self._window()

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """What decides the draw, by part."""
        parts = {"miner": self.kind, "top": str(self.top), "skip": str(self.skip), "seed": str(self.seed)}
        return {**parts, "texts of columns": data.cols.fingerprint}

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """The drawn columns of ``rows`` (positions; None for all)."""
        rows = row_positions(data, rows)
        allowed = Allowed.of(data, rows)
        blocks = [(start, min(start + _BLOCK_ROWS, len(rows))) for start in range(0, max(len(rows), 1), _BLOCK_ROWS)]
        parts = [self._drawn(rows[start:stop], allowed.part(start, stop)) for start, stop in blocks]
        chosen = Chosen.join(parts, [stop - start for start, stop in blocks])
        return propose(chosen, rows, self.name, data, allowed.counts)

    def _window(self) -> Window:
        return Window.checked("RandomMiner", self.top, self.skip)

    def _drawn(self, rows: np.ndarray, allowed: Allowed) -> Chosen:
        """Walk far enough that ``depth`` columns are left when every forbidden one has been met."""
        usable = np.flatnonzero(allowed.usable)
        lengths = np.minimum(self._window().depth + np.diff(allowed.indptr), len(usable))
        row = np.repeat(np.arange(len(rows)), lengths)
        place = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        col = usable[_permuted(self.seed, rows[row], place, len(usable))]
        return top_of_cells(row, col, -place.astype(np.float64), allowed, self._window())


def _permuted(seed: int, rows: np.ndarray, places: np.ndarray, n: int) -> np.ndarray:
    """Where a random permutation of ``range(n)``, one for each (seed, row), sends ``places``; int64, any one shape.

    A Feistel network is a permutation of a square domain (Luby and Rackoff 1988); a value outside ``range(n)`` is sent
    on until it falls inside, which gives a permutation of ``range(n)`` (cycle walking, Black and Rogaway 2002).
    """
    bits = np.uint64((max(n - 1, 1).bit_length() + 1) // 2)
    mask = (np.uint64(1) << bits) - np.uint64(1)
    value, outside = places.astype(np.uint64), np.arange(len(places))
    while len(outside):
        left, right = value[outside] >> bits, value[outside] & mask
        for number in range(_ROUNDS):
            mixed = uniform_hash(seed, number, rows[outside], right.astype(np.int64))
            left, right = right, left ^ (mixed & mask)
        value[outside] = (left << bits) | right
        outside = outside[value[outside] >= n]
    return value.astype(np.int64)
