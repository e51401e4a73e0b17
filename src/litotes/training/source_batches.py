"""Batches whose lines come from one source each, so that in-batch negatives are of the query's own kind.

When questions, titles and claims stand in one batch, most negatives are told apart by their style alone. Here every
batch is cut from one source (a task, a site, a language); the batches of all sources come in random order.

sentence-transformers draws from one data set at a time when it is given several (``multi_dataset_batch_sampler``). That
needs a table for each; this one needs a word for each line, so ids, masks and drawn negatives stay those of one
collection. It enters the trainer at the same door: ``batch_sampler=source_batch_sampler(sources)``.

Several processes take a step together, so there its batches are of one source too, and all of them are full.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.core.checks import check_int, nearest
from litotes.core.errors import DataError, LitotesError
from litotes.core.progress import say
from litotes.core.seeds import rng
from litotes.losses.across_processes import n_processes, rank
from litotes.training.batches import ShuffledBatches

if TYPE_CHECKING:
    from litotes.core import Collection

__all__ = ["SourceBatches", "source_batch_sampler", "sources_of_rows"]


class SourceBatches(ShuffledBatches):
    """Every line once an epoch, in batches of one source each; the order depends on nothing but seed and epoch.

    A source of n lines gives ceil(n / batch_size) batches that differ by one line at most: none is a small rest.

    With several processes, or ``drop_last``, all batches are full, and those that the processes take at one step
    (``processes`` of them, one after the other, as accelerate's ``BatchSamplerShard`` hands them out) are of one source
    as well. What does not fill a step of its source is left over, other lines each epoch; ``left_over`` counts them.

    Args:
        sources: the source of each line, by its position; ``[lines]``, words or numbers.
        batch_size: most lines a batch.
        seed: of the order.
        drop_last: full batches only.
        processes: how many share the batches; None asks ``torch.distributed`` and what torchrun announces.

    Raises:
        LitotesError: there is no line, or no source fills a step.
    """

    def __init__(
        self,
        sources: Sequence[Any] | np.ndarray,
        batch_size: int,
        *,
        seed: int = 0,
        drop_last: bool = False,
        processes: int | None = None,
    ) -> None:
        check_int("SourceBatches", "batch_size", batch_size, at_least=1)
        given = n_processes() if processes is None else processes
        self.processes = check_int("SourceBatches", "processes", given, at_least=1)
        self.sources, numbers = np.unique(np.asarray(sources), return_inverse=True)
        self._lines = [np.flatnonzero(numbers == number) for number in range(len(self.sources))]
        full, step = drop_last or self.processes > 1, batch_size * self.processes
        self._steps = [len(lines) // step if full else -(-len(lines) // batch_size) for lines in self._lines]
        self.left_over = sum(len(lines) % step for lines in self._lines) if full else 0
        if full and len(numbers) and not any(self._steps):
            raise LitotesError(
                f"No source fills a step: it takes {step} lines ({self.processes} x {batch_size}), and the largest has "
                f"{max(map(len, self._lines))}. Lower the batch size, or put sources together."
            )
        super().__init__(np.arange(len(numbers)), batch_size, seed=seed, drop_last=full)
        if not full:
            self.batch_size = None  # type: ignore[assignment]  # accelerate drops batches of another size than it says

    @property
    def sampler(self) -> SourceBatches:
        """Itself: where accelerate shares a batch sampler, it names the epoch to its ``sampler`` alone."""
        return self

    def __len__(self) -> int:
        """Batches an epoch, of all processes."""
        return sum(self._steps) * self.processes

    def __iter__(self) -> Iterator[list[int]]:
        steps: list[np.ndarray] = []
        for number, (lines, parts) in enumerate(zip(self._lines, self._steps, strict=True)):
            shuffled = rng(self.seed, "source batches", self.epoch, number).permutation(lines)
            if self.drop_last:
                shuffled = shuffled[: parts * self.processes * self.batch_size]
            steps += np.array_split(shuffled, parts) if parts else []
        order = rng(self.seed, "order of source batches", self.epoch).permutation(len(steps))
        batches = [batch for place in order for batch in np.array_split(steps[place], self.processes)]
        first, self._resume_at = self._resume_at, 0
        for place in range(first, len(batches)):
            self._given = place + 1
            yield batches[place].tolist()


def source_batch_sampler(sources: Sequence[Any] | np.ndarray) -> Callable[..., SourceBatches]:
    """What ``SentenceTransformerTrainingArguments(batch_sampler=...)`` takes, for lines of ``Collection.pairs()``.

    Under DistributedDataParallel, or with ``dataloader_drop_last=True``, batches are full, and one line on stderr says
    how many lines an epoch leaves over.

    Args:
        sources: the source of each *row* of the collection, by its position (:func:`sources_of_rows`, or one's own
            array); a line has the source of its row, which its ``label`` names.
    """
    return functools.partial(_batches_of_lines, np.asarray(sources))  # which pickles, as the trainer's arguments must


def sources_of_rows(data: Collection, column: str | None = None, *, separator: str | None = None) -> np.ndarray:
    """The source of each row, ``[n_rows]``, as text; empty where it is not known.

    Args:
        column: a column of the rows' table (``data.rows.table``).
        separator: instead, the source is the part of a row's id before it: ``"faq"`` of ``"faq:0017"`` with ``":"``.

    Raises:
        LitotesError: neither or both are given; DataError: no such column, or no id holds the separator.
    """
    if (column is None) == (separator is None):
        raise LitotesError("sources_of_rows takes a column of the rows' table or a separator in their ids, one of two.")
    if separator is not None:
        parts = [row_id.partition(separator) for row_id in map(str, data.row_ids)]
        if not any(found for _, found, _ in parts):
            raise DataError(f"No row's id holds the separator {separator!r}, for example {data.row_ids[0]!r}.")
        return np.array([source if found else "" for source, found, _ in parts])
    table = data.rows.table
    names = [] if table is None else table.column_names
    if table is None or column not in names:
        hint = nearest(str(column), names)
        raise DataError(
            f"The rows have no column {column!r} to tell sources by. They have: {', '.join(names) or 'no table'}."
            f"{f' Did you mean {hint!r}?' if hint else ''}"
        )
    source = dict(zip(map(str, table["id"].to_pylist()), table[column].to_pylist(), strict=True))
    found = [source.get(str(row_id)) for row_id in data.row_ids]
    return np.array(["" if value is None else str(value) for value in found])


def _batches_of_lines(
    of_row: np.ndarray, dataset: Any, batch_size: int, drop_last: bool = False, seed: int = 0, **unused: Any
) -> SourceBatches:
    """Called by the trainer with its data set and options."""
    if "label" not in dataset.column_names:
        raise LitotesError(
            "source_batch_sampler takes lines of Collection.pairs(), whose label = [row, positive] says which row "
            f"a line belongs to. Got columns {', '.join(dataset.column_names)}."
        )
    rows = np.asarray(dataset["label"])[:, 0]
    if rows.max() >= len(of_row):
        raise LitotesError(f"There are sources for {len(of_row)} rows, and a line is of row {rows.max()}.")
    found = SourceBatches(of_row[rows], batch_size, seed=seed, drop_last=drop_last)
    if found.left_over and rank() == 0:
        say(
            f"Batches of one source: {found.left_over:,} of {len(rows):,} lines fill no step of {found.processes} x "
            f"{batch_size} and are left over in each epoch."
        )
    return found
