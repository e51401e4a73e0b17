"""FlagEmbedding's training files: ``{"query": ..., "pos": [...], "neg": [...]}`` a line.

Texts have no ids there; their ids are made of their content (:func:`~litotes.data.text_table.text_id`), so equal texts
are one row or column. ``pos`` are positives, ``neg`` explicit negatives, or none where the field is missing.
``pos_scores`` and ``neg_scores`` are a teacher's opinion, no judgement: they are checked and counted, not read.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

from litotes.core.candidates import Candidates
from litotes.core.collection import Collection
from litotes.data.judgements import Gathered
from litotes.data.lines import BadLine, check_text, parse_object, parsed_lines, take_text
from litotes.data.training_rows import TrainingRows
from litotes.data.writing import json_line, open_text, write_file

__all__ = ["read_flagembedding", "write_flagembedding"]


def read_flagembedding(paths: list[Path], *, skip_bad_lines: bool = False) -> Gathered:
    """Read one or several files as one set.

    Raises:
        DataError: a file is missing or cut, or holds a line without a query or with other things than texts in lists.
    """
    found = Gathered("FlagEmbedding", graded=False)

    def parse(line: str) -> tuple[str, list[str], list[str]]:
        fields = parse_object(line)
        query = take_text(fields, "query")
        if not query.strip():
            raise BadLine("an empty query. Expected a text.")
        return query, _texts(fields, "pos", found.notes), _texts({"neg": [], **fields}, "neg", found.notes)

    for path in paths:
        for number, (query, positives, negatives) in parsed_lines(path, parse, found.notes, skip_bad_lines):
            row = found.queries.add_text(query, path, number)
            for texts, grade in ((positives, 1.0), (negatives, 0.0)):
                for text in texts:
                    col = found.documents.add_text(text, path, number)
                    found.judgements.add(row, col, grade, path, number)
    return found


def write_flagembedding(
    path: str | os.PathLike[str], data: Collection, candidates: Candidates | None = None
) -> dict[str, int]:
    """Write one line a query, whole or not at all; with ``candidates`` their cells are the negatives.

    Returns:
        What could not be written, counted by reason (:class:`~litotes.data.training_rows.TrainingRows`).
    """
    rows = TrainingRows(data, candidates, one_id_a_text=True)
    texts = data.col_texts

    def write(temporary: Path) -> None:
        with open_text(temporary) as file:
            for row in rows:
                positives = [texts[col] for col in row.positives]
                negatives = [texts[col] for col in row.negatives]
                file.write(json_line({"query": row.query, "pos": positives, "neg": negatives}))

    write_file(path, write)
    return dict(rows.left_out)


def _texts(fields: dict[str, Any], name: str, notes: Counter[str]) -> list[str]:
    if name not in fields:
        take_text(fields, name)  # says which fields there are
    texts = fields[name]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadLine(f"the field {name!r} is {texts!r:.60}. Expected a list of strings.")
    for place, text in enumerate(texts):
        if not check_text(text, name).strip():
            raise BadLine(f"the text {place + 1} of {name!r} is empty. Expected a text.")
    scores = fields.get(f"{name}_scores")
    if scores is not None:
        if not isinstance(scores, list) or len(scores) != len(texts):
            raise BadLine(
                f"the field '{name}_scores' does not hold one score for each of the {len(texts)} texts of {name!r}."
            )
        notes["lines_with_scores"] += name == "pos"
    return texts
