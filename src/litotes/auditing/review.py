"""A person's verdicts on the rows of an audit, read from the file that they filled in.

Any audit that writes lists (``report.json`` names them; ``LIST.jsonl`` holds their rows with keys) can be reviewed so.
What a verdict makes of the data is the business of :mod:`litotes.auditing.apply`.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litotes.core.checks import nearest
from litotes.core.errors import DataError, LitotesError
from litotes.core.files import read_json
from litotes.data.lines import BadLine, check_text, excerpt, parse_object, raw_lines, take_number

__all__ = ["Change", "ReviewedRow", "audit_facts", "read_review"]


@dataclass(frozen=True)
class ReviewedRow:
    """One row with its verdict.

    Attributes:
        place: ``file:line`` where it was said.
        list: the list that the row stands in; found: the row as the audit wrote it.
        verdict: one of the list's verdicts.
        grade: the grade that the reviewer wrote beside it, if any; note: their remark.
        new_label: the label that they wrote beside it; empty where there is none, or where a list takes none.
    """

    place: str
    key: str
    list: str
    found: Mapping[str, Any]
    verdict: str
    grade: float | None
    note: str
    new_label: str = ""


@dataclass(frozen=True)
class Change:
    """What a verdict does to one cell: positions, the grade before and now (None: not judged), and whose doing it is.

    A cell that a person confirmed has the same grade before and now.
    """

    row: int
    col: int
    was: float | None
    now: float | None
    by: ReviewedRow


def audit_facts(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """What ``report.json`` of an audit says.

    Raises:
        LitotesError: the folder holds no audit.
    """
    path = Path(folder) / "report.json"
    facts = read_json(path) if path.exists() else {}
    if not isinstance(facts, dict) or "audit" not in facts:
        raise LitotesError(
            f"{os.fspath(folder)}: not a finished audit (no report.json of one). "
            f"Make one with: litotes audit retrieval DATA --out {os.fspath(folder)}, or litotes audit labels TABLE"
        )
    return facts


def read_review(folder: str | os.PathLike[str], reviewed: str | os.PathLike[str]) -> list[ReviewedRow]:
    """The rows of ``reviewed`` (CSV, or JSON Lines by its ending) that carry a verdict, in their order.

    A row needs ``key`` and ``verdict``; ``grade``, ``new_label`` and ``note`` are read where they are; other columns
    are not. Verdicts may be written in any case, with blanks, ``-`` or ``_``. Rows of several lists may stand in one
    file.

    Raises:
        DataError: ``file:line`` of an unknown key or verdict, a grade that is none, or two verdicts on one row.
        LitotesError: the folder holds no audit.
    """
    facts = audit_facts(folder)
    rows = dict(_audited_rows(Path(folder), facts))
    path = Path(reviewed)
    is_json = path.name.removesuffix(".gz").lower().endswith((".jsonl", ".ndjson", ".json"))
    said: dict[str, ReviewedRow] = {}
    for line, fields in _json_rows(path) if is_json else _csv_rows(path):
        try:
            found = _reviewed(fields, f"{path}:{line}", rows, facts["lists"])
        except BadLine as error:
            raise DataError.at(path, line, str(error)) from None
        if found is None:
            continue
        before = said.setdefault(found.key, found)
        if (before.verdict, before.grade, before.new_label) != (found.verdict, found.grade, found.new_label):
            here, there = (
                [_with_details(each) for each in (found, before)]
                if before.verdict == found.verdict
                else [repr(each.verdict) for each in (found, before)]
            )
            raise DataError(
                f"{found.place}: {found.key} is said to be {here} here and {there} at {before.place}. Keep one of them."
            )
    return list(said.values())


def _audited_rows(folder: Path, facts: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    """Key, list and content of every row of the audit."""
    for name in facts["lists"]:
        for _, raw in raw_lines(folder / f"{name}.jsonl"):
            row = parse_object(raw.decode())
            yield row["key"], (name, row)


def _reviewed(
    fields: Mapping[str, Any],
    place: str,
    rows: Mapping[str, tuple[str, dict[str, Any]]],
    lists: Mapping[str, Any],
) -> ReviewedRow | None:
    """One row read; None where the reviewer wrote nothing."""
    verdict = " ".join(_text(fields, "verdict").replace("_", " ").replace("-", " ").casefold().split())
    if not verdict:
        return None
    key = _text(fields, "key")
    if key not in rows:
        raise BadLine(
            f"the key {excerpt(key)} is in no list of this audit. Its list was cut (a smaller --limit) or made again "
            "from other data since; review the lists as they are now."
        )
    name, row = rows[key]
    allowed = list(lists[name]["verdicts"])
    if verdict not in allowed:
        near = nearest(verdict, allowed)
        hint = f" Did you mean {near!r}?" if near else ""
        raise BadLine(
            f"the verdict {excerpt(_text(fields, 'verdict'))} is unknown. Rows of {name} take "
            f"{', '.join(map(repr, allowed))}, or nothing.{hint}"
        )
    grade = _text(fields, "grade") if lists[name]["graded"] else ""
    number = take_number(grade, "grade") if grade else None
    new_label = _text(fields, "new_label") if lists[name].get("relabels") else ""
    return ReviewedRow(place, key, name, row, verdict, number, _text(fields, "note"), new_label)


def _with_details(row: ReviewedRow) -> str:
    """A verdict with its grade, or with its new label where the one has none of either."""
    if row.new_label:
        return f"{row.verdict!r} with the new label {row.new_label!r}"
    if row.grade is None and "new_label" in row.found:
        return f"{row.verdict!r} without a new label"
    return f"{row.verdict!r} " + ("without a grade" if row.grade is None else f"with the grade {row.grade:g}")


def _text(fields: Mapping[str, Any], name: str) -> str:
    """A field as text without outer blanks; empty where it is missing or null."""
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadLine(f"{name!r} holds {excerpt(repr(value))}. Expected a text.")
    return check_text(str(value), name).strip()


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, raw in raw_lines(path):
        line = _decoded(path, number, raw)
        if not line.strip():
            continue
        try:
            fields = parse_object(line)
        except BadLine as error:
            raise DataError.at(path, number, str(error)) from None
        _check_columns(path, number, fields)
        yield number, fields


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a CSV file; divided by commas, semicolons or tabs, as its first line shows."""
    lines = [_decoded(path, number, raw) for number, raw in raw_lines(path)]
    if not lines:
        raise DataError(f"{path}: the file is empty. Expected the columns 'key' and 'verdict'.")
    mark = max(",;\t", key=lines[0].count)
    reader = csv.reader(lines, delimiter=mark, strict=True)
    names: list[str] = []
    before = 0
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not names:
                names = [cell.strip().lower() for cell in cells]
                _check_columns(path, line, names)
            elif any(cell.strip() for cell in cells):
                if len(cells) > len(names):
                    raise DataError.at(path, line, f"{len(cells)} cells under {len(names)} columns. Mend the line.")
                yield line, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        raise DataError.at(path, before + 1, f"not valid CSV ({error}). Mend the quotes.") from None


def _check_columns(path: Path, line: int, names: Any) -> None:
    lacking = [name for name in ("key", "verdict") if name not in names]
    if {"query-id", "corpus-id"} <= set(names):
        raise DataError.at(
            path,
            line,
            "these are judgements, which are not read back. Write verdicts into the audit's lists (CSV or JSON Lines).",
        )
    if lacking:
        raise DataError.at(
            path,
            line,
            f"no {' and no '.join(map(repr, lacking))}. A reviewed file has a key and a verdict in each row.",
        )


def _decoded(path: Path, number: int, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise DataError.at(path, number, "not UTF-8. Save the file as UTF-8.") from None
