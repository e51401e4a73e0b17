"""Tevatron's training files: a query with its positive and negative passages a line.

``{"query_id": ..., "query": ..., "positive_passages": [{"docid": ..., "title": ..., "text": ...}], "negative_passages":
[...]}``. Positive passages are positives, negative ones explicit negatives. A passage that stands on many lines is one
document; under one id it must always have the same title and text.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

from litotes.core.candidates import Candidates
from litotes.core.collection import Collection
from litotes.data.judgements import Gathered
from litotes.data.lines import BadLine, parse_object, parsed_lines, take_id, take_text
from litotes.data.training_rows import TrainingRows
from litotes.data.writing import json_line, open_text, write_file

__all__ = ["read_tevatron", "write_tevatron"]

Passage = tuple[str, str, str]


def read_tevatron(paths: list[Path], *, skip_bad_lines: bool = False) -> Gathered:
    """Read one or several files as one set.

    Raises:
        DataError: a file is missing or cut, holds a line that is none, or one id for two texts.
    """
    found = Gathered("Tevatron", titles=True, graded=False)

    def parse(line: str) -> tuple[str, str, list[Passage], list[Passage]]:
        fields = parse_object(line)
        name, query = take_id(fields, "query_id", found.notes), take_text(fields, "query")
        positives = _passages(fields, "positive_passages", found.notes)
        return name, query, positives, _passages({"negative_passages": [], **fields}, "negative_passages", found.notes)

    for path in paths:
        for number, (row, query, positives, negatives) in parsed_lines(path, parse, found.notes, skip_bad_lines):
            found.queries.add(row, query, path, number)
            for passages, grade in ((positives, 1.0), (negatives, 0.0)):
                for col, title, text in passages:
                    found.documents.add(col, text, path, number, title)
                    found.judgements.add(row, col, grade, path, number)
    found.notes.pop("repeated_document_ids", None)  # the same passage on many lines is this format's way
    return found


def write_tevatron(
    path: str | os.PathLike[str], data: Collection, candidates: Candidates | None = None
) -> dict[str, int]:
    """Write one line a query, whole or not at all; with ``candidates`` their cells are the negatives.

    Returns:
        What could not be written, counted by reason (:class:`~litotes.data.training_rows.TrainingRows`).
    """
    rows = TrainingRows(data, candidates)
    ids, titles, bodies = data.col_ids, data.col_titles, data.col_bodies

    def passages(cols: list[int]) -> list[dict[str, str]]:
        return [{"docid": ids[col], "title": titles[col], "text": bodies[col] or ""} for col in cols]

    def write(temporary: Path) -> None:
        with open_text(temporary) as file:
            for row in rows:
                fields = {"query_id": data.row_ids[row.row], "query": row.query}
                positives, negatives = passages(row.positives), passages(row.negatives)
                file.write(json_line({**fields, "positive_passages": positives, "negative_passages": negatives}))

    write_file(path, write)
    return dict(rows.left_out)


def _passages(fields: dict[str, Any], name: str, notes: Counter[str]) -> list[Passage]:
    if name not in fields:
        take_text(fields, name)  # says which fields there are
    passages = fields[name]
    if not isinstance(passages, list) or not all(isinstance(passage, dict) for passage in passages):
        raise BadLine(f"the field {name!r} is {passages!r:.60}. Expected a list of objects with docid, title, text.")
    return [(take_id(p, "docid", notes), take_text(p, "title", default=""), take_text(p, "text")) for p in passages]
