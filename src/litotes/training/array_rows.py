"""Rows of numbers, dense or sparse, from which batches are taken as tensors; and which rows to watch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from litotes.core.seeds import rng
from litotes.training.batches import ShuffledBatches

__all__ = ["ArrayRows", "TurnBatches", "stratified_tenth"]

_BLOCK = 1024  # rows that a network is asked about at a time


class ArrayRows:
    """A matrix ``[rows, features]``, or an array whose first axis are rows; float32 where it leaves.

    Args:
        values: of numpy, or sparse of scipy; a sparse one stays so, and each batch of it is made dense.
        device: where batches go.
    """

    def __init__(self, values: Any, device: str) -> None:
        self.is_sparse, self.device = not isinstance(values, np.ndarray), device
        self._values: Any = values.tocsr() if self.is_sparse else _float32(values).to(device)

    def __len__(self) -> int:
        return self._values.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row."""
        return tuple(self._values.shape[1:])

    def take(self, rows: np.ndarray | Sequence[int] | slice) -> Tensor:
        """Some rows."""
        if self.is_sparse:
            return _float32(self._values[rows].toarray()).to(self.device)
        if isinstance(rows, slice):
            return self._values[rows]
        return self._values[torch.as_tensor(rows, dtype=torch.int64, device=self._values.device)]

    def blocks(self) -> Iterator[Tensor]:
        """All rows in order, some at a time."""
        for start in range(0, len(self), _BLOCK):
            yield self.take(slice(start, start + _BLOCK))


class TurnBatches(ShuffledBatches):
    """Batches for several networks, each of which passes over all rows in its own order; the names take turns.

    An epoch is ``names[0]``'s whole pass, then that of the next. The batches of a pass are of nearly one size (65 rows
    by 64 are 33 and 32), so that none is too small for statistics of a batch.

    Args:
        rows: positions.
        batch_size: rows a batch, at most.
        names: whose turn it is, given with each batch; one name for networks that share their batches.
        seed: of the orders.
    """

    def __init__(self, rows: np.ndarray, batch_size: int, names: Sequence[str] = ("",), *, seed: int = 0) -> None:
        self.names = tuple(names)
        super().__init__(rows, batch_size, seed=seed)

    @property
    def steps_of_pass(self) -> int:
        """Batches of one name an epoch."""
        return -(-len(self.rows) // self.batch_size)

    def __len__(self) -> int:
        """Batches of all names an epoch."""
        return self.steps_of_pass * len(self.names)

    def __iter__(self) -> Iterator[Any]:
        for name in self.names:
            order = self.rows[rng(self.seed, "batches", name, self.epoch).permutation(len(self.rows))]
            for rows in np.array_split(order, self.steps_of_pass):
                yield name, rows


def stratified_tenth(labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Positions to hold out, ascending: ``fraction`` of all rows, in proportion to the classes.

    A class always keeps a row to learn from. Nothing is held out where ``fraction`` of the rows is less than one.

    Args:
        labels: int64, classes 0 .. C - 1.
        fraction: of the rows.
        seed: which rows.
    """
    counts = np.bincount(labels)
    shares = counts * fraction
    wanted = np.minimum(np.floor(shares).astype(np.int64), np.maximum(counts - 1, 0))
    total = len(labels) * fraction
    missing = (int(total + 0.5) if total >= 1 else 0) - int(wanted.sum())
    by_remainder = np.argsort(-(shares - wanted), kind="stable")
    for label in by_remainder[: max(missing, 0)].tolist():
        wanted[label] += wanted[label] < counts[label] - 1
    order = rng(seed, "held out").permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(by_class[rank < np.repeat(wanted, counts)])


def _float32(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.require(values, np.float32, ["C", "W"]))  # a copy only where it has to be one
