"""Batches whose lines come from one source each, so that in-batch negatives are of the query's own kind.

When questions, titles and claims stand in one batch, most negatives are told apart by their style alone. Here every
batch is cut from one source (a task, a site, a language); the batches of all sources come in random order.

sentence-transformers draws from one data set at a time when it is given several (``multi_dataset_batch_sampler``). That
needs a table for each; this one needs a word for each line, so ids, masks and drawn negatives stay those of one
collection. It enters the trainer at the same door: ``batch_sampler=source_batch_sampler(sources)``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.core.checks import check_int, nearest
from litotes.core.errors import DataError, LitotesError
from litotes.core.seeds import rng
from litotes.training.batches import ShuffledBatches

if TYPE_CHECKING:
    from litotes.core import Collection

__all__ = ["SourceBatches", "source_batch_sampler", "sources_of_rows"]


class SourceBatches(ShuffledBatches):
    """Every line once an epoch, in batches of one source each; the order depends on nothing but seed and epoch.

    A source of n lines gives ceil(n / batch_size) batches that differ by one line at most: none is a small rest.

    Args:
        sources: the source of each line, by its position; ``[lines]``, words or numbers.
        batch_size: most lines a batch.
        seed: of the order.

    Raises:
        LitotesError: there is no line.
    """

    def __init__(self, sources: Sequence[Any] | np.ndarray, batch_size: int, *, seed: int = 0) -> None:
        check_int("SourceBatches", "batch_size", batch_size, at_least=1)
        self.sources, numbers = np.unique(np.asarray(sources), return_inverse=True)
        self._lines = [np.flatnonzero(numbers == number) for number in range(len(self.sources))]
        self._parts = [-(-len(lines) // batch_size) for lines in self._lines]
        super().__init__(np.arange(len(numbers)), batch_size, seed=seed)

    def __len__(self) -> int:
        """Batches an epoch."""
        return sum(self._parts)

    def __iter__(self) -> Iterator[list[int]]:
        batches: list[np.ndarray] = []
        for number, (lines, parts) in enumerate(zip(self._lines, self._parts, strict=True)):
            shuffled = rng(self.seed, "source batches", self.epoch, number).permutation(lines)
            batches += np.array_split(shuffled, parts)
        order = rng(self.seed, "order of source batches", self.epoch).permutation(len(batches))
        first, self._resume_at = self._resume_at, 0
        for place in range(first, len(order)):
            self._given = place + 1
            yield batches[order[place]].tolist()


def source_batch_sampler(sources: Sequence[Any] | np.ndarray) -> Callable[..., SourceBatches]:
    """What ``SentenceTransformerTrainingArguments(batch_sampler=...)`` takes, for lines of ``Collection.pairs()``.

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
    if drop_last:
        raise LitotesError("Batches of one source leave no small rest to drop: set dataloader_drop_last=False.")
    rows = np.asarray(dataset["label"])[:, 0]
    if rows.max() >= len(of_row):
        raise LitotesError(f"There are sources for {len(of_row)} rows, and a line is of row {rows.max()}.")
    return SourceBatches(of_row[rows], batch_size, seed=seed)
