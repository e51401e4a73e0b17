"""A table of examples with one class label each: texts or numbers, the labels, and every column to write back.

What :func:`~litotes.data.load` is for judgements, :func:`read_labelled_table` is for classes: a file or a live table,
whose rows keep their places (``tickets.csv:17``), so that whoever finds something wrong can say where it stands.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from litotes.core.errors import DataError, LitotesError
from litotes.core.fingerprint import digest, digest_texts
from litotes.core.progress import say
from litotes.data.column_names import check_column, check_column_names
from litotes.data.labelled_cells import LabelledCells
from litotes.data.lines import skip_or_raise
from litotes.data.table_sources import DatasetRows, TableSource, check_table_path, live_table, table_file
from litotes.data.table_writing import write_columns

__all__ = ["LabelledTable", "read_labelled_table", "write_labelled_table"]

_IDS = ("id", "_id", "idx", "index", "", "Unnamed: 0")  # what tables call the number of a row: no feature of it
_SHOWN = 8  # names of feature columns that are said


@dataclass(frozen=True, eq=False)
class LabelledTable:
    """Examples by position; everything by row has one length.

    Attributes:
        name: what the set is called.
        ids: one a row, none twice: from the ``id_column``, else the row's position.
        texts: the text of each row, or None.
        features: float32 ``[n, d]``, or None.
        labels: the class of each row as text; empty where the table was read without a label column.
        columns: every column of the original, as its cells were read (None or NaN where a cell is missing).
        places: where each row stands, ``file:line``.
        origin: where the table came from.
        label_column, text_column, feature_columns, id_column: which columns were read as what.
        label_values: what stands in the original for a class, where that is not its text (a number, say).
        notes: what the reader counted.
    """

    name: str
    ids: list[str]
    texts: list[str] | None
    features: np.ndarray | None
    labels: list[str]
    columns: dict[str, list[Any]]
    places: list[str]
    origin: str
    label_column: str | None = None
    text_column: str | None = None
    feature_columns: tuple[str, ...] = ()
    id_column: str | None = None
    label_values: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_arrays(
        cls,
        labels: Sequence[Any],
        *,
        texts: Sequence[str] | None = None,
        features: Any = None,
        name: str = "table",
    ) -> Self:
        """A table of what is in memory; rows are called by their position.

        Raises:
            DataError: lengths that differ, or features that are not finite numbers ``[n, d]``.
        """
        rows = len(labels)
        matrix = None if features is None else np.asarray(features, dtype=np.float32)
        if matrix is not None and (matrix.ndim != 2 or not np.isfinite(matrix).all()):
            raise DataError(f"{name}: features are finite numbers [rows, columns]. Got the shape {matrix.shape}.")
        for what, values in (("texts", texts), ("features", matrix)):
            if values is not None and len(values) != rows:
                raise DataError(f"{name}: {rows} labels and {len(values)} {what}. Give one of each a row.")
        given = [str(label) for label in labels]
        columns: dict[str, list[Any]] = {} if texts is None else {"text": list(texts)}
        return cls(
            name=name,
            ids=[str(row) for row in range(rows)],
            texts=None if texts is None else list(texts),
            features=matrix,
            labels=given,
            columns={**columns, "label": given},
            places=[f"{name}:{row}" for row in range(rows)],
            origin=name,
            label_column="label",
            text_column=None if texts is None else "text",
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def classes(self) -> list[str]:
        """The labels that occur, in the order of their text."""
        return sorted(set(self.labels))

    @cached_property
    def parts(self) -> dict[str, str]:
        """Fingerprints of what decides the numbers, by part."""
        found = {"labels": digest_texts(self.labels), "ids": digest_texts(self.ids)}
        if self.texts is not None:
            found["texts"] = digest_texts(self.texts)
        if self.features is not None:
            found["features"] = digest(list(self.feature_columns), self.features)
        return found

    @property
    def fingerprint(self) -> str:
        """One digest of all the parts."""
        return digest(self.parts)

    def select(self, rows: Any) -> Self:
        """The rows at these positions, in this order, or those where a bool mask is True."""
        at = np.asarray(rows)
        at = np.flatnonzero(at) if at.dtype == bool else at.astype(np.int64)

        def some(values: list[Any]) -> list[Any]:
            return [values[row] for row in at.tolist()]

        return replace(
            self,
            ids=some(self.ids),
            texts=None if self.texts is None else some(self.texts),
            features=None if self.features is None else self.features[at],
            labels=some(self.labels) if self.labels else [],
            columns={name: some(values) for name, values in self.columns.items()},
            places=some(self.places),
        )


def read_labelled_table(
    source: Any,
    *,
    label: str | None,
    text: str | None = None,
    features: Sequence[str] | None = None,
    id_column: str | None = None,
    skip_bad_lines: bool = False,
) -> LabelledTable:
    """Read a table and say what it was taken for.

    Args:
        source: a file (JSONL, CSV, TSV, Parquet; each but the last may be gzipped), a ``datasets.Dataset`` or a pandas
            ``DataFrame``.
        label: the column of classes; None reads a table without labels, such as one to predict.
        text: the column of texts.
        features: columns of numbers, or of lists of numbers of one length. Without these and ``text``: every column of
            numbers but the label and the ids.
        id_column: the column that names the rows; by default they are called by their position.
        skip_bad_lines: count rows that miss a label, a text or a number in the notes instead of refusing them.

    Raises:
        DataError: a column that is not there, or ``file:line: ...`` for a cell that does not hold what it should.
    """
    table, name = _table_of(source)
    where, notes = str(table.place), Counter[str]()
    numbers, columns = _read_all(table, notes, skip_bad_lines)
    wanted = [
        ("label", label),
        ("text", text),
        ("id_column", id_column),
        *(("features", one) for one in features or ()),
    ]
    for option, column in wanted:
        if column is not None:
            check_column(list(columns), column, option, where)
    if not numbers:
        raise DataError(f"{where}: the table has no rows.")
    cells = LabelledCells(columns, len(numbers))
    names = table.class_names(label) if isinstance(table, DatasetRows) and label is not None else None
    labels = [] if label is None else cells.labels(label, names)
    texts = None if text is None else cells.texts(text)
    ids = [str(row) for row in range(len(numbers))] if id_column is None else cells.ids(id_column)
    chosen = list(features or ())
    if text is None and features is None:
        chosen = cells.columns_of_numbers({label, id_column, *_IDS})
        if not chosen:
            raise DataError(f"{where}: no column of numbers beside the label. Name the column of texts with text=.")
    matrix = cells.numbers(chosen) if chosen else None
    for row in sorted(cells.problems):
        skip_or_raise(table.place, numbers[row], cells.problems[row], notes, skip_bad_lines)
    found = LabelledTable(
        name=name,
        ids=ids,
        texts=texts,
        features=matrix,
        labels=labels,
        columns=columns,
        places=[f"{where}:{number}" for number in numbers],
        origin=where,
        label_column=label,
        text_column=text,
        feature_columns=tuple(chosen),
        id_column=id_column,
        label_values={} if label is None else _label_values(labels, columns[label], names),
        notes=dict(notes),
    )
    if cells.problems:
        found = found.select([row for row in range(len(numbers)) if row not in cells.problems])
    if not len(found):
        raise DataError(f"{where}: all {len(numbers):,} rows were skipped, the first because {cells.problems[0]}")
    _say_what(found, table.form)
    return found


def write_labelled_table(
    path: str | os.PathLike[str],
    table: LabelledTable,
    keep: Any = None,
    labels: Sequence[str] | None = None,
    extra: Mapping[str, Sequence[Any]] | None = None,
) -> None:
    """Write the original columns again, with rows left out, other labels, or more columns.

    Args:
        path: ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet``; all but the last also with ``.gz``.
        keep: bool ``[n]``, True for the rows that are written; None: all.
        labels: the label of each of the n rows; a class is written as it stood in the original.
        extra: more columns by name, n cells each.

    Raises:
        LitotesError: an extra column that the table has already, other labels for a table that was read without, or
            anything of another length.
    """
    columns: dict[str, Sequence[Any]] = dict(table.columns)
    if labels is not None:
        if table.label_column is None:
            raise LitotesError(f"{table.origin}: read without a label column, so there is none to write labels into.")
        _check_length("labels", labels, table)
        columns[table.label_column] = [
            before if new == old else table.label_values.get(new, new)
            for before, old, new in zip(table.columns[table.label_column], table.labels, labels, strict=True)
        ]
    for name, values in (extra or {}).items():
        if name in columns:
            raise LitotesError(f"{table.origin}: has a column {name!r} already. Rename it, or leave it out.")
        _check_length(f"cells of {name!r}", values, table)
        columns[name] = values
    if keep is not None:
        mask = np.asarray(keep)
        if mask.dtype != bool:
            raise LitotesError(f"keep is a bool for every row. Got an array of {mask.dtype}.")
        _check_length("entries of keep", mask, table)
        rows = np.flatnonzero(mask).tolist()
        columns = {name: [values[row] for row in rows] for name, values in columns.items()}
    write_columns(path, columns)


def _check_length(what: str, values: Sequence[Any] | np.ndarray, table: LabelledTable) -> None:
    if len(values) != len(table):
        raise LitotesError(f"{table.origin}: {len(table):,} rows and {len(values):,} {what}. Give one a row.")


def _table_of(source: Any) -> tuple[TableSource, str]:
    """The source of rows, and what the set is called."""
    if isinstance(source, str | os.PathLike):
        path = Path(source).expanduser()
        if path.is_dir():
            raise DataError(f"{path}: a folder. Name the table in it.")
        check_table_path(path)
        return table_file(path), path.name.removesuffix(".gz").rsplit(".", 1)[0]
    table = live_table(source)
    if table is None:
        raise LitotesError(
            "The 'source' parameter of read_labelled_table must be a path, a datasets.Dataset or a pandas.DataFrame. "
            f"Got {type(source).__name__} instead."
        )
    return table, table.form


def _read_all(table: TableSource, notes: Counter[str], skip_bad_lines: bool) -> tuple[list[int], dict[str, list[Any]]]:
    """The number of every row and its cells by column; None where a line of JSON has no such field."""
    names = table.columns(skip_bad_lines)
    check_column_names(names, str(table.place))
    numbers: list[int] = []
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for number, fields in table.rows(names, notes, skip_bad_lines):
        for name in fields.keys() - columns.keys():
            columns[name] = [None] * len(numbers)
        for name, cells in columns.items():
            cells.append(fields.get(name))
        numbers.append(number)
    return numbers, columns


def _named(features: Sequence[str] | None) -> list[tuple[str, str]]:
    return [("features", column) for column in features or ()]


def _label_values(labels: list[str], cells: list[Any], names: list[str] | None) -> dict[str, Any]:
    """What a class is written as in the original, where that is not its text."""
    values: dict[str, Any] = {name: number for number, name in enumerate(names or ())}
    for label, cell in zip(labels, cells, strict=True):
        if label and label != cell:
            values.setdefault(label, cell)
    return values


def _say_what(table: LabelledTable, form: str) -> None:
    read = [] if table.text_column is None else [f"text: {table.text_column!r}"]
    if table.feature_columns:
        named, more = table.feature_columns[:_SHOWN], len(table.feature_columns) - _SHOWN
        read.append(f"features: {', '.join(map(repr, named))}{f' and {more} more' if more > 0 else ''}")
    counts = [f"{len(table):,} rows"]
    counts += [f"{len(table.classes)} classes in {table.label_column!r}"] if table.label_column else []
    counts += [f"{count:,} {name.replace('_', ' ')}" for name, count in table.notes.items()]
    what = f" ({', '.join(read)})" if read else ""
    say(f"{table.origin}: read as {form}{what}: {', '.join(counts)}.")
