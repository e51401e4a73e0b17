"""Tables written: the columns query, positive and, where there are explicit negatives, negative.

A query has as many lines as it has positives or negatives, whichever are more; where there are fewer positives they
come round again, where there are fewer negatives the cell is empty.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from litotes.core.collection import Collection
from litotes.core.errors import LitotesError
from litotes.data.table_writing import csv_cell
from litotes.data.training_rows import TrainingRows
from litotes.data.writing import json_line, open_text, write_file

__all__ = ["write_table"]

Line = tuple[str | None, ...]

_BLOCK = 4096  # lines of Parquet packed at once


def write_table(
    path: str | os.PathLike[str], data: Collection, form: Literal["jsonl", "csv", "parquet"]
) -> dict[str, int]:
    """Write a table, whole or not at all.

    Returns:
        What could not be written, counted by reason: queries without a positive or without text, documents not judged.

    Raises:
        LitotesError: there is not a single pair of a query and a positive that both have text.
    """
    rows = TrainingRows(data, one_id_a_text=True)
    with_negatives = any(row.negatives for row in rows)
    names = ["query", "positive", "negative"] if with_negatives else ["query", "positive"]
    write = {"jsonl": _write_jsonl, "csv": _write_csv, "parquet": _write_parquet}[form]
    if not any(row.positives for row in rows):
        raise LitotesError("Not a single pair of a query and a positive with texts: there is no table to write.")
    write_file(path, lambda temporary: write(temporary, names, _lines(rows, data, with_negatives)))
    return dict(rows.left_out)


def _lines(rows: TrainingRows, data: Collection, with_negatives: bool) -> Iterator[Line]:
    texts = data.col_texts
    without_positive = 0
    for row in rows:
        positives, negatives = row.positives, row.negatives
        if not positives:
            without_positive += 1
            continue
        for place in range(max(len(positives), len(negatives))):
            line = (row.query, texts[positives[place % len(positives)]])
            negative = texts[negatives[place]] if place < len(negatives) else None
            yield (*line, negative) if with_negatives else line
    if without_positive:
        rows.left_out["queries_without_positive"] = without_positive


def _write_jsonl(path: Path, names: list[str], lines: Iterable[Line]) -> None:
    with open_text(path) as file:
        for line in lines:
            file.write(json_line(dict(zip(names, line, strict=True))))


def _write_csv(path: Path, names: list[str], lines: Iterable[Line]) -> None:
    with open_text(path) as file:
        for line in itertools.chain([tuple(names)], lines):
            file.write(",".join(csv_cell(text or "") for text in line) + "\n")


def _write_parquet(path: Path, names: list[str], lines: Iterable[Line]) -> None:
    schema = pa.schema([(name, pa.string()) for name in names])

    def block(held: list[Line]) -> pa.Table:
        return pa.table([pa.array(column, pa.string()) for column in zip(*held, strict=True)], schema=schema)

    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        held: list[Line] = []
        for line in lines:
            held.append(line)
            if len(held) == _BLOCK:
                writer.write_table(block(held))
                held = []
        if held:
            writer.write_table(block(held))
