"""Negatives drawn by id when a batch is made, in any loop: which table a batch draws from, and where training stands.

A draw is a pure function of (seed, epoch, line, table number), a line being a row and one of its positives, so that the
lines of a row do not share their negatives. Tables come and go while training lasts
(:class:`~litotes.training.refresh.RefreshNegatives`); each is drawn from by the batches from a fixed number on.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from transformers import TrainerCallback

from litotes.core import Candidates, Collection
from litotes.core.checks import check_choice, check_int
from litotes.core.errors import DataError, LitotesError
from litotes.training.held_out import trainable_rows
from litotes.training.negative_table import NegativeTable

__all__ = ["NegativeDraws", "Short", "lines_of", "position"]

Short = Literal["refuse", "drop", "repeat"]


class NegativeDraws(TrainerCallback):
    """The negatives of every batch, and a callback through which it learns the epoch.

    :class:`~litotes.training.negatives.NegativesCollator` makes a trainer's batches of them; a step of
    :class:`~litotes.training.rounds.Rounds` takes them as they are: ``draws.draw(draws.cells[lines])`` in ``collate``,
    and ``callbacks=[draws]``. A loop of one's own calls :meth:`set_epoch`. Negatives of a line change from epoch to
    epoch and are not those of another line of its row, and a resumed run draws the same.

    Args:
        data: the collection that the candidates are positions of.
        candidates: what to draw from; observed positives and their text twins among them are refused.
        k: negatives for each line.
        seed: of the draws.
        rows: positions of the rows that are trained on; None takes every row of ``data.pairs()``.
        short: what happens to a row with fewer than ``k`` candidates: ``"refuse"`` at construction, ``"drop"`` it from
            :attr:`cells`, or ``"repeat"`` the ones it has (a row with none is refused).
        weighted: draw in proportion to the candidates' ``weight`` instead of uniformly.
    """

    def __init__(
        self,
        data: Collection,
        candidates: Candidates,
        k: int = 5,
        *,
        seed: int = 0,
        rows: np.ndarray | None = None,
        short: Short = "refuse",
        weighted: bool = False,
    ) -> None:
        self._called = type(self).__name__
        self.data, self.seed, self.weighted = data, seed, weighted
        self.k = check_int(self._called, "k", k, at_least=1)
        self.short = check_choice(self._called, "short", short, ("refuse", "drop", "repeat"))
        self.rows = trainable_rows(data) if rows is None else np.unique(np.asarray(rows, dtype=np.int64))
        self.tables = [self._checked(candidates, number=0, from_batch=0)]
        self.first_fingerprint = self.tables[0].fingerprint
        enough = self.tables[0].counts(self.rows) >= self.k
        if short == "drop":
            self.rows = self.rows[enough]
        if not len(self.rows):
            raise LitotesError(f"{self._called} has no row to train on with {self.k} negatives each.")
        self._is_trained = np.zeros(data.n_rows, dtype=bool)
        self._is_trained[self.rows] = True
        self.epoch: int | None = None
        self.next_batch = self._settled_batch = 0  # counted over the whole run

    @property
    def cells(self) -> np.ndarray:
        """The lines to train on, row and positive, both with content; int64 ``[lines, 2]`` by row, then column."""
        return lines_of(self.data, self.rows)

    def draw(self, cells: np.ndarray) -> np.ndarray:
        """Negatives for the next batch, whose lines are ``cells`` (int64 ``[B, 2]``, row and positive): ``[B, k]``."""
        if self.epoch is None:
            raise LitotesError(
                f"{self._called} does not know the epoch. Pass it among the trainer's callbacks "
                "(callbacks=[...]), or call its set_epoch(epoch) in a loop of your own."
            )
        if cells.ndim != 2 or cells.shape[1] != 2 or not self._are_lines_of_ours(cells):
            raise LitotesError(
                f"{self._called} takes lines [row, positive column] of its own data, of rows that are trained on. "
                f"Got {cells[0].tolist()} first."
            )
        table = self.table_of(self.next_batch)
        self.next_batch += 1
        lines = cells @ np.array([self.data.n_cols, 1])
        repeat = self.short == "repeat"
        return table.draw(cells[:, 0], self.k, seed=self.seed, epoch=self.epoch, repeat=repeat, lines=lines)

    def set_epoch(self, epoch: int, next_batch: int | None = None) -> None:
        """An epoch begins, or goes on, with batch ``next_batch`` of the whole run (None: the one after the last)."""
        self.epoch = epoch
        self.next_batch = self._settled_batch = self.next_batch if next_batch is None else next_batch

    def table_of(self, batch: int) -> NegativeTable:
        """The table that a batch draws from: the latest whose ``from_batch`` is not after it."""
        return max((t for t in self.tables if t.from_batch <= batch), key=lambda t: (t.from_batch, t.number))

    def set_tables(self, tables: list[tuple[Candidates, int, int]]) -> None:
        """Draw from these (candidates, number, from_batch) and no others, as a run that is resumed did."""
        self.tables = [self._checked(*table) for table in tables]

    def add_table(self, candidates: Candidates, number: int, from_batch: int) -> NegativeTable:
        """From batch ``from_batch`` on, draw from these candidates; tables that nothing can draw from go away."""
        added = self._checked(candidates, number=number, from_batch=from_batch)
        oldest_used = self.table_of(min(self.next_batch, from_batch))
        self.tables = [t for t in self.tables if t.from_batch >= oldest_used.from_batch] + [added]
        return added

    # --- the trainer's events -------------------------------------------------------------------------------------

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Check the loader."""
        if args.dataloader_num_workers > 0 and args.dataloader_persistent_workers:
            raise LitotesError(
                f"{self._called} cannot work with dataloader_persistent_workers=True: workers that outlive an epoch "
                "never learn of the next one and would repeat its negatives. Set it to False."
            )

    def on_epoch_begin(self, args: Any, state: Any, control: Any, *, train_dataloader: Any, **kwargs: Any) -> None:
        """Learn the epoch and the number of the batch that is collated next, also in the middle of a resumed epoch."""
        self.set_epoch(*position(args, state, train_dataloader))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remember where training stands, in case an evaluation collates batches in between."""
        self._settled_batch = self.next_batch

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Batches of an evaluation do not count."""
        self.next_batch = self._settled_batch

    # --- inside ---------------------------------------------------------------------------------------------------

    def _checked(self, candidates: Candidates, number: int, from_batch: int) -> NegativeTable:
        candidates.check_data(self.data)
        table = NegativeTable(candidates, self.data.n_rows, number, from_batch, self.weighted)
        positive = self.data.is_positive(table.rows, table.cols)
        if positive.any():
            raise DataError(
                f"{int(positive.sum())} candidates are observed positives or have the text of one, "
                f"for example {self._name(table, positive)}. Drop them from the candidates."
            )
        empty = ~self.data.cols_with_content[table.cols]
        if empty.any():
            raise DataError(
                f"{int(empty.sum())} candidates have no text, for example {self._name(table, empty)}. Drop them."
            )
        if self.short != "drop" or number > 0:  # rows can only be dropped before training begins
            self._refuse_short(table)
        return table

    def _refuse_short(self, table: NegativeTable) -> None:
        counts, needed = table.counts(self.rows), 1 if self.short == "repeat" else self.k
        short = self.rows[counts < needed]
        if len(short):
            ids = ", ".join(repr(self.data.row_ids[row]) for row in short[:3])
            raise DataError(
                f"{len(short)} of {len(self.rows)} rows have fewer than {needed} candidates (the least has "
                f"{int(counts.min())}, k is {self.k}), for example {ids}. Lower k, mine deeper, or choose short='drop' "
                "or short='repeat'."
            )

    def _name(self, table: NegativeTable, where: np.ndarray) -> str:
        cell = int(np.flatnonzero(where)[0])
        return f"{self.data.col_ids[table.cols[cell]]!r} for {self.data.row_ids[table.rows[cell]]!r}"

    def _are_lines_of_ours(self, cells: np.ndarray) -> bool:
        inside = (cells >= 0).all() and (cells < [self.data.n_rows, self.data.n_cols]).all()
        return bool(inside and self._is_trained[cells[:, 0]].all() and self.data.is_positive(*cells.T).all())


def lines_of(data: Collection, rows: np.ndarray) -> np.ndarray:
    """The lines of ``rows``, row and positive, both with content; int64 ``[lines, 2]`` by row, then column."""
    labelled, cols = data.labels.positive_cells()
    there = np.isin(labelled, rows) & data.rows_with_content[labelled] & data.cols_with_content[cols]
    return np.stack([labelled[there], cols[there]], axis=1)


def position(args: Any, state: Any, train_dataloader: Any) -> tuple[int, int]:
    """The epoch that begins or goes on at ``state.global_step``, and the number of its next batch in the whole run."""
    batches, per_update = len(train_dataloader), args.gradient_accumulation_steps
    updates = max(-(-batches // per_update), 1)  # the last update of an epoch may hold fewer batches
    epoch, inside = divmod(state.global_step, updates)
    return epoch, epoch * batches + inside * per_update
