"""Tables of training texts: JSONL, CSV, TSV, Parquet, a ``datasets.Dataset``, a pandas frame.

The first column is the query and the second its positive, unless ``query_column`` and ``positive_column`` say
otherwise; more positives are more rows. Columns named ``negative``, ``negative_1``, ``negative_2`` ... hold explicit
negatives, an empty cell there is none. A column ``label``, ``grade`` or ``relevance`` beyond these grades the second
column, so that ``(anchor, document, 0)`` is an explicit negative and no positive. All other columns are named in the
notes.

Texts have no ids in a table: equal texts are one row or column, and the ids are made of their content
(:func:`~litotes.data.text_table.text_id`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from litotes.core.checks import nearest
from litotes.core.errors import DataError
from litotes.data.column_names import check_column, check_column_names
from litotes.data.judgements import Gathered
from litotes.data.lines import BadLine, check_text, skip_or_raise, take_number
from litotes.data.table_sources import TableSource

__all__ = ["Columns", "choose_columns", "read_table"]

_NEGATIVE = re.compile(r"negative(_\d+)?")
_GRADES = ("label", "grade", "relevance")


@dataclass(frozen=True)
class Columns:
    """Which columns are read as what."""

    query: str
    positive: str
    negatives: list[str]
    grade: str | None = None
    unused: list[str] = field(default_factory=list)


def read_table(
    sources: list[TableSource],
    *,
    query_column: str | None = None,
    positive_column: str | None = None,
    skip_bad_lines: bool = False,
) -> Gathered:
    """Read one or several tables of the same columns as one set.

    Raises:
        DataError: a column that is not there, a cell that holds no text, a file that is cut.
    """
    found = Gathered(sources[0].form, graded=False)
    for source in sources:
        names = source.columns(skip_bad_lines)
        columns = choose_columns(names, str(source.place), query_column, positive_column)
        used = [columns.query, columns.positive, *columns.negatives, *filter(None, [columns.grade])]
        found.graded |= columns.grade is not None
        found.facts["columns"] = {"query": columns.query, "positive": columns.positive, "negatives": columns.negatives}
        if columns.grade:
            found.facts["columns"]["grade"] = columns.grade
        if columns.unused:
            found.facts["columns_not_used"] = columns.unused
        for number, fields in source.rows(used, found.notes, skip_bad_lines):
            try:
                _add(found, columns, fields, source.place, number)
            except BadLine as error:
                skip_or_raise(source.place, number, error, found.notes, skip_bad_lines)
    return found


def choose_columns(
    names: list[str], where: str, query_column: str | None = None, positive_column: str | None = None
) -> Columns:
    """Which of the columns ``names`` are query, positive, negatives and grade."""
    check_column_names(names, where)
    for option, wanted in (("query_column", query_column), ("positive_column", positive_column)):
        if wanted is not None:
            check_column(names, wanted, option, where)
    if len(names) < 2:
        hint = " Are its columns divided by semicolons? Save it with commas." if names and ";" in names[0] else ""
        raise DataError(f"{where}: one column, {', '.join(map(repr, names))}. Expected a query and a positive.{hint}")
    query = query_column or (names[0] if names[0] != positive_column else names[1])
    positive = positive_column or names[1]
    if query == positive:
        raise DataError(f"{where}: query and positive are both the column {query!r}. Name both columns.")
    rest = [name for name in names if name not in (query, positive)]
    negatives = [name for name in rest if _NEGATIVE.fullmatch(name)]
    grade = next((name for name in rest if name.lower() in _GRADES), None)
    unused = [name for name in rest if name not in negatives and name != grade]
    return Columns(query, positive, negatives, grade, unused)


def _add(found: Gathered, columns: Columns, fields: dict[str, Any], place: Path, number: int) -> None:
    query, positive = _text(fields, columns.query), _text(fields, columns.positive)
    grade = 1.0 if columns.grade is None else _grade(fields, columns.grade)
    names = [name for name in fields if _NEGATIVE.fullmatch(name) and name not in (columns.query, columns.positive)]
    negatives = [_text(fields, name) for name in names if not _is_missing(fields[name])]
    row = found.queries.add_text(query, place, number)
    found.judgements.add(row, found.documents.add_text(positive, place, number), grade, place, number)
    for negative in negatives:
        found.judgements.add(row, found.documents.add_text(negative, place, number), 0.0, place, number)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str) and value.strip():
        return check_text(value, name)
    if name not in fields:
        near = nearest(name, fields)
        raise BadLine(f"no {name!r} in this line. Expected a text.{f' Did you mean {near!r}?' if near else ''}")
    is_blank = value is None or isinstance(value, str)
    raise BadLine(f"the column {name!r} {'is empty' if is_blank else f'holds {value!r:.60}'}. Expected a text.")


def _is_missing(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and value != value)


def _grade(fields: dict[str, Any], name: str) -> float:
    value = fields.get(name)
    return take_number(str(int(value) if isinstance(value, bool) else value), name)
