"""TREC lines: judgements (query, iteration, document, grade) and runs (query, Q0, document, rank, score, tag).

Columns are divided by blanks or tabs. A run is ``{query id: {document id: score}}``, what trec_eval, ir-measures and
ranx take; ranks in a file are not trusted, the scores decide.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from litotes.core.errors import DataError, LitotesError
from litotes.core.files import write_atomically
from litotes.data.judgements import Judgements
from litotes.data.lines import BadLine, excerpt, parsed_lines, take_number
from litotes.data.writing import open_text, plain_id

__all__ = ["read_run", "read_trec_judgements", "write_run"]


def read_run(path: str | os.PathLike[str], *, skip_bad_lines: bool = False) -> dict[str, dict[str, float]]:
    """The scores of a TREC run file (gzipped or not), queries and documents in the file's order.

    Raises:
        DataError: a line without six columns, a score that is no finite number, a document twice under one query, or
            not a single line.
    """
    path = Path(path)
    run: dict[str, dict[str, float]] = {}
    for number, (query, document, score) in parsed_lines(path, _run_line, Counter(), skip_bad_lines):
        scores = run.setdefault(query, {})
        if document in scores:
            raise DataError.at(path, number, _twice(path, query, document))
        scores[document] = score
    if not run:
        raise DataError(f"{path}: the run is empty. Expected lines of query, Q0, document, rank, score, tag.")
    return run


def write_run(path: str | os.PathLike[str], run: Mapping[str, Mapping[str, float]], tag: str = "litotes") -> None:
    """Write a TREC run, whole or not at all: documents by falling score (equal ones as given), ranks from 1.

    Scores are written so that they read back exactly.

    Raises:
        LitotesError: an id or the tag holds blanks, or a score is not finite.
    """
    plain_id(tag, "a TREC run file")

    def write(temporary: Path) -> None:
        with open_text(temporary) as file:
            for query, scores in run.items():
                plain_id(query, "a TREC run file")
                for rank, (document, score) in enumerate(sorted(scores.items(), key=lambda item: -item[1]), start=1):
                    plain_id(document, "a TREC run file")
                    if not math.isfinite(score):
                        raise LitotesError(f"The score of ({query!r}, {document!r}) is {score}; scores must be finite.")
                    file.write(f"{query} Q0 {document} {rank} {float(score)!r} {tag}\n")

    write_atomically(path, write)


def read_trec_judgements(path: Path, judgements: Judgements, notes: Counter[str], skip_bad_lines: bool) -> None:
    """Add the judgements of a TREC qrels file.

    Raises:
        DataError: a line without four columns, a grade that is no number, or not a single line.
    """
    before = len(judgements)
    for number, (query, document, grade) in parsed_lines(path, _judgement_line, notes, skip_bad_lines):
        judgements.add(query, document, grade, path, number)
    if len(judgements) == before:
        raise DataError(
            f"{path}: there is not a single judgement. Expected lines of query, iteration, document, grade."
        )


def _run_line(line: str) -> tuple[str, str, float]:
    query, _, document, _, score, _ = _columns(line, 6, "query, Q0, document, rank, score, tag")
    return query, document, take_number(score, "score")


def _judgement_line(line: str) -> tuple[str, str, float]:
    query, _, document, grade = _columns(line, 4, "query, iteration, document, grade")
    return query, document, take_number(grade, "grade")


def _columns(line: str, width: int, names: str) -> list[str]:
    cells = line.split()
    if len(cells) != width:
        there = f"{len(cells)} column{'s' * (len(cells) != 1)}"
        raise BadLine(f"{there}: {excerpt(line)}. Expected {width} columns: {names}.")
    return cells


def _twice(path: Path, query: str, document: str) -> str:
    """The message about a document that stands twice; only now is the first line looked up."""
    lines = parsed_lines(path, _run_line, Counter(), skip_bad_lines=True)
    first = next(number for number, (q, d, _) in lines if (q, d) == (query, document))
    return f"the document {document!r} stands here again under the query {query!r}, first in line {first}. Remove one."
