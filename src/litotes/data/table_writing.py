"""Named columns written as a table: JSONL, CSV, TSV or Parquet by the ending of the name, whole or not at all.

A cell that is None or NaN is missing: ``null`` in JSONL and Parquet, nothing between the commas elsewhere.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from litotes.core.errors import DataError, LitotesError
from litotes.data.table_sources import JSON_LINES, TABLE_ENDINGS
from litotes.data.writing import open_text, write_file

__all__ = ["check_table_name", "csv_cell", "write_columns"]


def write_columns(path: str | os.PathLike[str], columns: Mapping[str, Sequence[Any]]) -> None:
    """Write columns of one length under their names; ``.gz`` after the ending compresses (not Parquet).

    Raises:
        LitotesError: another ending, or a folder stands there.
        DataError: a cell that the format cannot hold; the message names column and row.
    """
    check_table_name(path)
    plain = Path(path).name.removesuffix(".gz").lower()
    if plain.endswith(".parquet"):
        table = pa.table({name: _arrow(name, values) for name, values in columns.items()})
        write_file(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))
        return
    lines = _json_lines if plain.endswith(JSON_LINES) else _tsv_lines if plain.endswith(".tsv") else _csv_lines

    def write(temporary: Path) -> None:
        with _opened(temporary, is_zipped=Path(path).name.endswith(".gz")) as file:
            file.writelines(lines(columns))

    write_file(path, write)


def check_table_name(path: str | os.PathLike[str]) -> None:
    """Refuse a name that does not say in which format to write."""
    name = Path(path).name.lower()
    if not name.removesuffix(".gz").endswith(TABLE_ENDINGS) or name.endswith(".parquet.gz"):
        raise LitotesError(
            f"{os.fspath(path)}: the ending says how a table is written. Known: {', '.join(TABLE_ENDINGS)}; .gz after "
            "it compresses, except Parquet, which is compressed as it is."
        )


def csv_cell(text: str) -> str:
    """A cell of RFC 4180; ``csv.writer`` leaves a bare carriage return unquoted, which its own reader then refuses."""
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def _rows(columns: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    for cells in zip(*columns.values(), strict=True):
        yield tuple(map(_plain, cells))


def _json_lines(columns: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    for cells in _rows(columns):
        yield json.dumps(dict(zip(columns, cells, strict=True)), ensure_ascii=False, default=str) + "\n"


def _csv_lines(columns: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    for cells in _with_header(columns):
        yield ",".join(csv_cell(_text(cell)) for cell in cells) + "\n"


def _tsv_lines(columns: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    for number, cells in enumerate(_with_header(columns)):
        texts = [_text(cell) for cell in cells]
        for name, text in zip(columns, texts, strict=True):
            if any(c in text for c in "\t\r\n"):
                raise DataError(
                    f"The column {name!r} holds a tab or a line break in row {number - 1}, which a TSV cannot hold. "
                    "Write a .csv or .jsonl."
                )
        yield "\t".join(texts) + "\n"


def _with_header(columns: Mapping[str, Sequence[Any]]) -> Iterable[tuple[Any, ...]]:
    yield tuple(columns)
    yield from _rows(columns)


def _plain(cell: Any) -> Any:
    """A cell as JSON and CSV know it: numbers of Python, None for what is missing."""
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, np.ndarray):
        return cell.tolist()
    return None if isinstance(cell, float) and cell != cell else cell


def _text(cell: Any) -> str:
    if isinstance(cell, dict | list):
        return json.dumps(cell, ensure_ascii=False, default=str)
    return "" if cell is None else str(cell)


def _arrow(name: str, values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array([_plain(value) for value in values])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"The column {name!r} holds cells of several types, which Parquet cannot hold ({reason}). Write a .jsonl."
        ) from None


@contextlib.contextmanager
def _opened(path: Path, is_zipped: bool) -> Iterator[IO[str]]:
    if not is_zipped:
        with open_text(path) as file:
            yield file
        return
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as zipped:  # no name, no time inside
        with io.TextIOWrapper(zipped, encoding="utf-8", newline="\n") as file:
            yield file
