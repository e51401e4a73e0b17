"""Pairs and their negatives as training columns, in the four formats of sentence-transformers.

================  =======================================  ===================================  ====================
format            one line for each                        columns after the anchor             with scores
================  =======================================  ===================================  ====================
``triplet``       pair and negative                        positive, ``negative``               and ``scores``
``n-tuple``       pair that has all its negatives          positive, ``negative_1`` ... ``_n``  and ``scores``
``labeled-pair``  pair, then each negative of the anchor   document, ``label`` (1 or 0)         ``score`` for label
``labeled-list``  pair that has a negative                 documents, ``labels``                ``scores`` for labels
================  =======================================  ===================================  ====================

The column of positives or documents keeps the name that the positives had.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from litotes.compat.chosen_negatives import Cells
from litotes.compat.training_pairs import TrainingPairs
from litotes.core.errors import LitotesError

if TYPE_CHECKING:
    import datasets

__all__ = ["FORMATS", "Lines", "lay_out"]

FORMATS = ("triplet", "n-tuple", "labeled-pair", "labeled-list")

_Columns = tuple[pa.Array, pa.Array, dict[str, pa.Array]]

_PART_BYTES = 1 << 30  # Arrow's strings count their bytes in 31 bits, so a long column is made in parts


@dataclass(frozen=True)
class Lines:
    """Each pair beside each negative of its anchor, as places among the pairs and among the negatives."""

    counts: np.ndarray  # int64 [pairs]: negatives of each
    pair: np.ndarray  # int64 [lines], ascending
    negative: np.ndarray  # int64 [lines]

    @classmethod
    def of(cls, pairs: Cells, negatives: Cells, n_rows: int) -> Lines:
        """Both are sorted by row."""
        of_row = np.bincount(negatives.row, minlength=n_rows)
        counts = of_row[pairs.row]
        pair = np.repeat(np.arange(len(pairs)), counts)
        inside = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
        return cls(counts, pair, (np.cumsum(of_row) - of_row)[pairs.row[pair]] + inside)

    def whole(self, width: int) -> Lines:
        """Only the pairs that have ``width`` negatives."""
        keep = self.counts[self.pair] == width
        return Lines(np.where(self.counts == width, width, 0), self.pair[keep], self.negative[keep])


def lay_out(
    data: TrainingPairs, pairs: Cells, negatives: Cells, form: str, width: int, with_scores: bool
) -> datasets.Dataset:
    """The dataset of one format; pairs and negatives are sorted by row, and ``width`` negatives make an n-tuple whole.

    Raises:
        LitotesError: the dataset's own names are those of columns that the format adds.
    """
    import datasets

    anchors, documents = pa.array(data.anchors, pa.large_string()), pa.array(data.documents, pa.large_string())
    tables = []
    for part in _parts(pairs, negatives, data.n_rows, max(_longest(anchors), _longest(documents))):
        layout = _Layout(anchors, documents, *part, Lines.of(*part, data.n_rows))
        first, second, added = layout.columns(form, width, with_scores)
        clash = [name for name in added if name in (data.anchor_name, data.positive_name)]
        if clash:
            raise LitotesError(
                f"The format {form!r} adds a column {clash[0]!r}, and the dataset has one. "
                f"Rename it first: dataset.rename_column({clash[0]!r}, ...)."
            )
        tables.append(pa.table({data.anchor_name: first, data.positive_name: second, **added}))
    return datasets.Dataset(pa.concat_tables(tables))


@dataclass(frozen=True)
class _Layout:
    """Some of the rows: texts of all, pairs and negatives of these."""

    anchors: pa.LargeStringArray
    documents: pa.LargeStringArray
    pairs: Cells
    negatives: Cells
    lines: Lines

    def columns(self, form: str, width: int, with_scores: bool) -> _Columns:
        """The column of anchors, the one of positives or documents, and those that the format adds."""
        if form == "triplet":
            return self._triplets(with_scores)
        if form == "n-tuple":
            return self._tuples(width, with_scores)
        return self._labelled_pairs(with_scores) if form == "labeled-pair" else self._labelled_lists(with_scores)

    def _triplets(self, with_scores: bool) -> _Columns:
        pair, negative = self.pairs.take(self.lines.pair), self.negatives.take(self.lines.negative)
        added = {"negative": _texts(self.documents, negative.col)}
        if with_scores:
            added["scores"] = _lists(np.column_stack([pair.score, negative.score]).ravel(), np.full(len(pair), 2))
        return _texts(self.anchors, pair.row), _texts(self.documents, pair.col), added

    def _tuples(self, width: int, with_scores: bool) -> _Columns:
        lines = self.lines.whole(width)
        pair, negative = self.pairs.take(lines.counts > 0), self.negatives.take(lines.negative)
        cols = negative.col.reshape(-1, width)
        added = {f"negative_{i + 1}": _texts(self.documents, cols[:, i]) for i in range(width)}
        if with_scores:
            scores = np.column_stack([pair.score, negative.score.reshape(-1, width)])
            added["scores"] = _lists(scores.ravel(), np.full(len(pair), width + 1))
        return _texts(self.anchors, pair.row), _texts(self.documents, pair.col), added

    def _labelled_pairs(self, with_scores: bool) -> _Columns:
        every, label = self.pairs.joined(self.negatives), np.repeat([1, 0], [len(self.pairs), len(self.negatives)])
        order = np.lexsort((-label, every.row))
        every = every.take(order)
        added = {"score": _numbers(every.score)} if with_scores else {"label": _numbers(label[order])}
        return _texts(self.anchors, every.row), _texts(self.documents, every.col), added

    def _labelled_lists(self, with_scores: bool) -> _Columns:
        counts = self.lines.counts[self.lines.counts > 0]
        pair, negative = self.pairs.take(self.lines.counts > 0), self.negatives.take(self.lines.negative)
        starts = np.cumsum(counts) - counts  # before which negatives the positives go
        cols = np.insert(negative.col, starts, pair.col)
        if with_scores:
            added = {"scores": _lists(np.insert(negative.score, starts, pair.score), counts + 1)}
        else:
            added = {"labels": _lists(np.insert(np.zeros(len(negative), dtype=np.int64), starts, 1), counts + 1)}
        return _texts(self.anchors, pair.row), _lists(_texts(self.documents, cols), counts + 1), added


def _parts(pairs: Cells, negatives: Cells, n_rows: int, longest: int) -> Iterator[tuple[Cells, Cells]]:
    """Pairs and negatives of some rows at a time, so that no column of a part is longer than ``_PART_BYTES``."""
    of_row = [np.bincount(cells.row, minlength=n_rows) for cells in (pairs, negatives)]
    bytes_of_row = of_row[0] * (of_row[1] + 1) * longest
    part_of_row = np.cumsum(bytes_of_row) // _PART_BYTES
    borders = [0, *(np.flatnonzero(np.diff(part_of_row)) + 1), n_rows]
    for ends in itertools.pairwise(borders):
        inside = [slice(*np.searchsorted(cells.row, ends)) for cells in (pairs, negatives)]
        yield pairs.take(inside[0]), negatives.take(inside[1])


def _longest(texts: pa.LargeStringArray) -> int:
    return pc.max(pc.binary_length(texts)).as_py() or 0


def _texts(texts: pa.LargeStringArray, places: np.ndarray) -> pa.StringArray:
    return texts.take(pa.array(places)).cast(pa.string())


def _numbers(values: np.ndarray) -> pa.Array:
    return pa.array(values.astype(np.float64) if values.dtype.kind == "f" else values)


def _lists(values: np.ndarray | pa.Array, lengths: np.ndarray) -> pa.ListArray:
    """Lists of these lengths, one after the other."""
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), _numbers(values) if isinstance(values, np.ndarray) else values)
