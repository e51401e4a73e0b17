"""Batches of row positions, shuffled anew every epoch by a pure function of (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from torch.utils.data import Sampler

from litotes.core.checks import check_int
from litotes.core.errors import LitotesError
from litotes.core.seeds import rng

__all__ = ["ShuffledBatches"]


class ShuffledBatches(Sampler[list[int]]):
    """Every row once an epoch, in an order that depends on nothing but the seed and the epoch.

    Its state is the epoch and how many batches of it were given. A loader that collates ahead has been given more than
    were trained on; a loop that counts its own steps resumes by them and not by this state.

    Args:
        rows: positions of the rows.
        batch_size: rows a batch; the last batch of an epoch may be smaller unless ``drop_last``.
        seed: of the order.
    """

    def __init__(self, rows: np.ndarray, batch_size: int, *, seed: int = 0, drop_last: bool = False) -> None:
        self.rows = np.asarray(rows, dtype=np.int64)
        self.batch_size = check_int("ShuffledBatches", "batch_size", batch_size, at_least=1)
        self.seed, self.drop_last, self.epoch = seed, drop_last, 0
        self._given = self._resume_at = 0  # batches of this epoch: given so far, and passed over by the next iteration
        if not len(self):
            raise LitotesError(f"ShuffledBatches has {len(self.rows)} rows, too few for one batch of {batch_size}.")

    def __len__(self) -> int:
        """Batches an epoch."""
        whole, rest = divmod(len(self.rows), self.batch_size)
        return whole + bool(rest and not self.drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        order = self.rows[rng(self.seed, "batches", self.epoch).permutation(len(self.rows))]
        first, self._resume_at = self._resume_at, 0
        for batch in range(first, len(self)):
            self._given = batch + 1
            yield order[batch * self.batch_size : (batch + 1) * self.batch_size].tolist()

    def set_epoch(self, epoch: int) -> None:
        """The epoch whose order the next iteration gives; the one that was loaded goes on where it was."""
        if epoch != self.epoch:
            self._given = self._resume_at = 0
        self.epoch = epoch

    def state_dict(self) -> dict[str, int]:
        """All that a resumed run needs."""
        return {"epoch": self.epoch, "batches": self._given}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """The next iteration goes on where :meth:`state_dict` was taken."""
        self.epoch = state["epoch"]
        self._given = self._resume_at = state["batches"]
