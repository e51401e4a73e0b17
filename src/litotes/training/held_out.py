"""Rows to watch while training: those of a split that was given, or a seeded tenth of the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.core import Collection
from litotes.core.errors import DataError
from litotes.core.seeds import rng
from litotes.evaluation import evaluate

if TYPE_CHECKING:
    import datasets

__all__ = ["HeldOut", "hold_out", "trainable_rows"]


@dataclass(frozen=True)
class HeldOut:
    """What is trained on, and what is watched.

    Attributes:
        rows: positions of the rows to train on, ascending.
        dev: what metrics are taken on; none when there are too few rows to hold any out, or when it has no rows.
        ids: of the training rows that were held out; empty when a dev split was given.
    """

    rows: np.ndarray
    dev: Collection | None
    ids: list[str]

    def metrics(self, encoder: Any) -> dict[str, float]:
        """Metrics of an encoder on the watched rows, over the full corpus; empty when there are none."""
        return {} if self.dev is None or not self.dev.n_rows else evaluate(self.dev, encoder).means

    def lines(self, data: Collection) -> datasets.Dataset:
        """The lines of ``data.pairs()`` whose row is trained on."""
        pairs = data.pairs()
        return pairs.select(np.flatnonzero(np.isin(np.asarray(pairs["label"])[:, 0], self.rows)))

    def report(self, before: dict[str, float], after: dict[str, float]) -> dict[str, Any]:
        """For ``run.json``: which rows were watched, and what came of it."""
        return {"trained_rows": len(self.rows), "held_out": self.ids, "dev_before": before, "dev_after": after}


def hold_out(data: Collection, dev: Collection | None, seed: int) -> HeldOut:
    """The rows that have a query text and a positive with text; without ``dev``, a tenth of them is held out.

    Raises:
        DataError: no row can be trained on.
    """
    trainable = trainable_rows(data)
    if not len(trainable):
        raise DataError(
            f"None of the {data.n_rows} rows has both a text and a positive with a text: there is nothing to train on. "
            "Check the split and the judgements: litotes inspect DATA"
        )
    if dev is not None or len(trainable) < 2:
        return HeldOut(trainable, dev, [])
    held = np.sort(rng(seed, "held out").permutation(trainable)[: max(1, len(trainable) // 10)])
    return HeldOut(np.setdiff1d(trainable, held), data.select_rows(held), [data.row_ids[row] for row in held])


def trainable_rows(data: Collection) -> np.ndarray:
    """The rows that have a text and a positive with a text: those of ``data.pairs()``; int64, ascending."""
    rows, cols = data.labels.positive_cells()
    return np.unique(rows[data.rows_with_content[rows] & data.cols_with_content[cols]])
