"""Where the lines of a table come from: files, a ``datasets.Dataset``, a pandas frame; one after the other, never all.

A line is a mapping from column names to what stands there. Its number is the file's line (from 1); in Parquet,
datasets and frames it is the row's position (from 0), as they count themselves.
"""

from __future__ import annotations

import contextlib
import csv
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from litotes.core.checks import nearest
from litotes.core.errors import DataError
from litotes.data.lines import BadLine, parse_object, parsed_lines, raw_lines, skip_or_raise

__all__ = [
    "JSON_LINES",
    "TABLE_ENDINGS",
    "CSVFile",
    "DatasetRows",
    "FrameRows",
    "JSONLFile",
    "ParquetFile",
    "TSVFile",
    "TableSource",
    "check_table_path",
    "live_table",
    "table_file",
]

Fields = dict[str, Any]

JSON_LINES = (".jsonl", ".ndjson", ".json")
TABLE_ENDINGS = (*JSON_LINES, ".csv", ".tsv", ".parquet")

_ROWS = 1024  # rows asked for at once from Parquet and datasets
_LONGEST_CELL = 2**31 - 1  # the csv module stops at 128 KiB unless told otherwise


class TableSource(Protocol):
    """Something with named columns and lines."""

    form: str  # as people call it
    place: Path  # what stands before the line number in a message

    def columns(self, skip_bad_lines: bool) -> list[str]:
        """The names of the columns, in order."""

    def rows(self, used: list[str], notes: Counter[str], skip_bad_lines: bool) -> Iterator[tuple[int, Fields]]:
        """Number and fields of each line that is not blank; at least the ``used`` columns."""


def table_file(path: Path) -> TableSource:
    """The source of a file, by the ending of its name."""
    endings: dict[str, Callable[[Path], TableSource]] = {".csv": CSVFile, ".tsv": TSVFile, ".parquet": ParquetFile}
    return endings.get(Path(path.name.removesuffix(".gz")).suffix.lower(), JSONLFile)(path)


def check_table_path(path: Path) -> None:
    """Refuse a path where nothing is, and a file whose ending is no table's."""
    if not path.exists():
        near = nearest(path.name, os.listdir(path.parent)) if path.parent.is_dir() else None
        raise DataError(f"{path}: no such file or folder.{f' Did you mean {path.parent / near}?' if near else ''}")
    if not path.name.removesuffix(".gz").lower().endswith(TABLE_ENDINGS):
        raise DataError(f"{path}: unknown format. Known endings: {', '.join(TABLE_ENDINGS)}, each also with .gz.")


def live_table(value: Any) -> TableSource | None:
    """The source of a dataset or a frame, None for anything else; its library is loaded already where it is one."""
    datasets, pandas = sys.modules.get("datasets"), sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return FrameRows(value)
    if datasets is not None and isinstance(value, datasets.Dataset | datasets.IterableDataset):
        return DatasetRows(value)
    return None


class JSONLFile:
    """One JSON object a line; the columns are the fields of the first."""

    form = "JSONL table"

    def __init__(self, path: Path) -> None:
        self.place = path

    def columns(self, skip_bad_lines: bool) -> list[str]:
        """The fields of the first object."""
        for _, fields in parsed_lines(self.place, parse_object, Counter(), skip_bad_lines):
            return list(fields)
        raise DataError(f"{self.place}: the file is empty. Expected one JSON object a line.")

    def rows(self, used: list[str], notes: Counter[str], skip_bad_lines: bool) -> Iterator[tuple[int, Fields]]:
        """Every object, with all its fields."""
        return parsed_lines(self.place, parse_object, notes, skip_bad_lines)


class CSVFile:
    """Comma-separated, one header line; texts with commas, quotes or line breaks are quoted (RFC 4180)."""

    form = "CSV table"

    def __init__(self, path: Path) -> None:
        self.place = path

    def columns(self, skip_bad_lines: bool) -> list[str]:
        """The header line."""
        for _, cells in self._records(Counter(), skip_bad_lines=False):
            return cells
        raise DataError(f"{self.place}: the file is empty. Expected a header line with the names of the columns.")

    def rows(self, used: list[str], notes: Counter[str], skip_bad_lines: bool) -> Iterator[tuple[int, Fields]]:
        """Every record under the header."""
        header: list[str] = []
        for number, cells in self._records(notes, skip_bad_lines):
            if not header:
                header = cells
            elif len(cells) == len(header):
                yield number, dict(zip(header, cells, strict=True))
            else:
                error = BadLine(
                    f"{len(cells)} columns where the header has {len(header)}. Quote texts that hold commas."
                )
                skip_or_raise(self.place, number, error, notes, skip_bad_lines)

    def _records(self, notes: Counter[str], skip_bad_lines: bool) -> Iterator[tuple[int, list[str]]]:
        """First line and cells of each record."""
        csv.field_size_limit(_LONGEST_CELL)
        lines = (raw.decode("utf-8", "surrogateescape") for _, raw in raw_lines(self.place))
        reader = csv.reader(lines, strict=True)
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                cut = "unexpected end" in str(error)
                what = "a quote opened here is never closed" if cut else f"not valid CSV ({error})"
                bad = BadLine(f"{what}. Write a quote inside a quoted text twice.")
                skip_or_raise(self.place, number, bad, notes, skip_bad_lines)
                continue
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                yield number, cells
            else:
                notes["blank_lines"] += 1


class TSVFile:
    """Columns divided by tabs, one header line; quotes are characters like any other, texts hold no tabs or breaks."""

    form = "TSV table"

    def __init__(self, path: Path) -> None:
        self.place = path

    def columns(self, skip_bad_lines: bool) -> list[str]:
        """The header line."""
        for _, cells in parsed_lines(self.place, _cells, Counter()):
            return cells
        raise DataError(f"{self.place}: the file is empty. Expected a header line with the names of the columns.")

    def rows(self, used: list[str], notes: Counter[str], skip_bad_lines: bool) -> Iterator[tuple[int, Fields]]:
        """Every line under the header."""
        header: list[str] = []

        def parse(line: str) -> list[str]:
            cells = _cells(line)
            if header and len(cells) != len(header):
                raise BadLine(
                    f"{len(cells)} columns where the header has {len(header)}. A text here cannot hold a tab."
                )
            return cells

        for number, cells in parsed_lines(self.place, parse, notes, skip_bad_lines):
            if header:
                yield number, dict(zip(header, cells, strict=True))
            else:
                header.extend(cells)


class ParquetFile:
    """A Parquet file, block by block, only the columns that are used."""

    form = "Parquet table"

    def __init__(self, path: Path) -> None:
        self.place = path

    def columns(self, skip_bad_lines: bool) -> list[str]:
        """The columns of the schema."""
        with self._opened() as file:
            return file.schema_arrow.names

    def rows(self, used: list[str], notes: Counter[str], skip_bad_lines: bool) -> Iterator[tuple[int, Fields]]:
        """Every row, the used columns only."""
        number = 0
        with self._opened() as file:
            for batch in file.iter_batches(batch_size=_ROWS, columns=used):
                for fields in batch.to_pylist():
                    yield number, fields
                    number += 1

    @contextlib.contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        try:
            with pq.ParquetFile(self.place) as file:
                yield file
        except FileNotFoundError:
            raise DataError(f"{self.place}: no such file.") from None
        except UnicodeDecodeError as error:
            raise DataError(f"{self.place}: holds a text that is not UTF-8 ({error.reason}). Write it anew.") from None
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise DataError(f"{self.place}: not a whole Parquet file ({str(error).splitlines()[0]}).") from None


class DatasetRows:
    """A ``datasets.Dataset`` or ``IterableDataset``."""

    form = "datasets.Dataset"
    place = Path("datasets.Dataset")

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def columns(self, skip_bad_lines: bool) -> list[str]:
        """The columns, or the fields of the first row where a stream does not know them."""
        names = self._dataset.column_names or list(next(iter(self._dataset), ()))
        if not names:
            raise DataError(f"{self.place}: it has no columns. Expected a query and a positive.")
        return names

    def class_names(self, column: str) -> list[str] | None:
        """What the numbers of a ``ClassLabel`` column stand for; None for any other column."""
        names = getattr((self._dataset.features or {}).get(column), "names", None)
        return None if names is None else list(names)

    def rows(self, used: list[str], notes: Counter[str], skip_bad_lines: bool) -> Iterator[tuple[int, Fields]]:
        """Every row, the used columns only."""
        yield from enumerate(self._dataset.select_columns(used).with_format(None))


class FrameRows:
    """A pandas ``DataFrame``."""

    form = "pandas.DataFrame"
    place = Path("pandas.DataFrame")

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def columns(self, skip_bad_lines: bool) -> list[str]:
        """The columns, as text."""
        return [str(name) for name in self._frame.columns]

    def rows(self, used: list[str], notes: Counter[str], skip_bad_lines: bool) -> Iterator[tuple[int, Fields]]:
        """Every row, the used columns only; whatever pandas takes for missing is NaN."""
        missing = self._frame.isna()
        places = [self.columns(skip_bad_lines).index(name) for name in used]
        values = [self._frame.iloc[:, place] for place in places]
        absent = [missing.iloc[:, place].to_numpy() for place in places]
        for number, cells in enumerate(zip(*values, strict=True)):
            known = (float("nan") if gone[number] else cell for cell, gone in zip(cells, absent, strict=True))
            yield number, dict(zip(used, known, strict=True))


def _cells(line: str) -> list[str]:
    return line.split("\t")
