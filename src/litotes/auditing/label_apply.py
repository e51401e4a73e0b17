"""A person's verdicts on class labels become a new folder with the table in its own format and columns.

The folder holds the table under its own name, ``history.jsonl`` with a line a row that was changed or confirmed, and
``reviews.json``. The labels written are those of the audited table with the whole history replayed over them: so that
applying a review twice changes nothing the second time, and another review of the same audit builds on the first.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from litotes.auditing.review import ReviewedRow, audit_facts, read_review
from litotes.core.checks import nearest
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.core.files import read_json, write_json
from litotes.core.fingerprint import difference, digest_file
from litotes.data.labelled_table import LabelledTable, write_labelled_table
from litotes.data.lines import parse_object, raw_lines
from litotes.data.writing import json_line, new_folder, open_text

__all__ = ["AppliedLabels", "apply_label_review"]

HISTORY, REVIEWS = "history.jsonl", "reviews.json"


@dataclass(frozen=True)
class AppliedLabels:
    """What became of a review of class labels.

    Attributes:
        table: the rows that are kept, with their new labels.
        changes: one mapping a row with another label, or without one any more, as ``history.jsonl`` holds it.
        confirmed: rows that a person looked at and whose label stays.
        verdicts: how often each verdict was given, by list.
        path: the table that was written; None where nothing was.
    """

    table: LabelledTable
    changes: Sequence[Mapping[str, Any]]
    confirmed: int
    verdicts: Mapping[str, Mapping[str, int]]
    path: Path | None = None


class _Change(NamedTuple):
    """What a verdict makes of a row: its new label, None to leave it out."""

    row: int
    now: str | None
    by: ReviewedRow


def apply_label_review(
    data: LabelledTable,
    audit: str | os.PathLike[str],
    reviewed: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
) -> AppliedLabels:
    """Bring the verdicts of ``reviewed`` into the table that ``audit`` is about.

    Args:
        data: the table that was audited.
        audit: the audit's folder.
        reviewed: CSV or JSON Lines; see :func:`litotes.auditing.review.read_review`.
        out: a new folder, or one that an earlier review of this audit was written to; None writes nothing.

    Raises:
        StaleError: the audit is of other data, or ``out`` was made from other data.
        DataError: ``file:line`` of a verdict that cannot be read or carried out.
        LitotesError: ``out`` is a folder of something else or that of the data, there is no verdict, or no row is left.
    """
    facts = audit_facts(audit)
    differs = difference(facts["data"]["parts"], data.parts)
    if differs:
        raise StaleError(
            f"{os.fspath(audit)} is an audit of other data: the {' and the '.join(differs)} differ. Give the table and "
            "columns that it was made from, or audit this table."
        )
    rows = read_review(audit, reviewed)
    if not rows:
        raise LitotesError(f"No row of {os.fspath(reviewed)} has a verdict. Fill in the column 'verdict' of some rows.")
    folder = None if out is None else Path(out)
    told = [] if folder is None else _told(folder, data)
    before = _replayed(data, told)
    changes = _changes(data, before, rows)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    review = {
        "review": Path(reviewed).name,
        "digest": digest_file(reviewed),
        "audit": os.fspath(Path(audit).absolute()),
        "kind": "labels",
        "data_fingerprint": data.fingerprint,
    }
    lines = [_line(change, data, before, review, now) for change in changes]
    history = [*told, *(line for line in lines if not _is_told(line, told))]
    after = _replayed(data, history)
    keep = np.array([label is not None for label in after], dtype=bool)
    if not keep.any():
        raise LitotesError(f"{os.fspath(reviewed)}: no row would be left. Keep some of them.")
    labels = [old if new is None else new for old, new in zip(data.labels, after, strict=True)]
    path = None
    if folder is not None:
        path = _write(folder, data, keep, labels, history, review | {"at": now, "verdicts": _counted(rows)})
    changed = [line for line in lines if line["was"] != line["is"]]
    table = replace(data, labels=labels).select(keep)
    return AppliedLabels(table, changed, len(lines) - len(changed), _counted(rows), path)


def _changes(data: LabelledTable, before: Sequence[str | None], rows: Sequence[ReviewedRow]) -> list[_Change]:
    """One change a row that a verdict speaks of; verdicts on single rows come before those on pairs.

    Raises:
        DataError: an unknown new label, or two verdicts that give a row different labels.
    """
    place = {name: row for row, name in enumerate(data.ids)}
    decided: dict[int, _Change] = {}

    def decide(row: int, now: str | None, said: ReviewedRow) -> None:
        known = decided.setdefault(row, _Change(row, now, said))
        if known.now != now:
            raise DataError(
                f"{said.place}: the row {data.ids[row]!r} would become {_word(now)} here and {_word(known.now)} at "
                f"{known.by.place}. Mend one of them."
            )

    for said in rows:
        if said.list != "label-issues" or said.verdict == "unsure":
            continue
        row = place[said.found["id"]]
        if said.verdict != "wrong" and said.new_label:
            raise DataError(
                f"{said.place}: {said.verdict!r} with the new label {said.new_label!r}. Only 'wrong' takes one; leave "
                "it empty."
            )
        if said.verdict == "drop":
            decide(row, None, said)
        elif said.verdict == "right":
            decide(row, data.labels[row], said)
        else:
            decide(row, _new_label(data, row, said), said)
    single = {row: change.now for row, change in decided.items()}
    for said in rows:
        if said.verdict not in ("first", "other"):
            continue
        first, other = place[said.found["id"]], place[said.found["other_id"]]
        source, target = (first, other) if said.verdict == "first" else (other, first)
        label = single.get(source, before[source])
        if label is None:
            raise DataError(
                f"{said.place}: the row {data.ids[source]!r}, whose label the other one would get, is left out. "
                "Mend one of them."
            )
        if target not in single:  # a word on that very row comes first
            decide(target, label, said)
    return list(decided.values())


def _new_label(data: LabelledTable, row: int, said: ReviewedRow) -> str:
    """The label that ``wrong`` gives: the one written, or the predicted one."""
    label = said.new_label or said.found["predicted_label"]
    if label not in data.classes and label not in data.label_values:
        near = nearest(label, data.classes)
        hint = f" Did you mean {near!r}?" if near else ""
        raise DataError(
            f"{said.place}: the new label {label!r} is none of the {len(data.classes):,} classes of the data.{hint} "
            "Write one of them."
        )
    if label == data.labels[row]:
        why = "is the given one" if said.new_label else "would be the predicted one, which is the given one"
        raise DataError(f"{said.place}: 'wrong', and the new label {label!r} {why}. Write another into 'new_label'.")
    return label


def _told(out: Path, data: LabelledTable) -> list[dict[str, Any]]:
    """The history that ``out`` begins with: its own, or that of the folder of the data.

    Raises:
        LitotesError: there is something that no review wrote, or it is the folder of the data.
        StaleError: it was made from other data.
    """
    origin = Path(data.origin)
    if origin.is_file() and origin.resolve().parent == out.resolve():
        raise LitotesError(f"{out} is the folder of the data, {origin}. Name a folder of its own.")
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        made_by_a_review = origin.is_file() and (origin.parent / REVIEWS).exists()
        return _lines(origin.parent / HISTORY) if made_by_a_review else []
    if not (out / REVIEWS).exists():
        raise LitotesError(f"{out}: there is something that no review wrote. Name a new folder.")
    differs = difference(data.parts, read_json(out / REVIEWS)["made_from"])
    if differs:
        raise StaleError(
            f"{out}: was made from other data than this audit is about: the {' and the '.join(differs)} differ. "
            "Name a new folder."
        )
    return _lines(out / HISTORY)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [parse_object(raw.decode()) for _, raw in raw_lines(path)] if path.exists() else []


def _replayed(data: LabelledTable, history: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """The label of each row after all that was said of this very data; None where it is left out."""
    labels: list[str | None] = list(data.labels)
    place = {name: row for row, name in enumerate(data.ids)}
    for line in history:
        if line["data_fingerprint"] == data.fingerprint:
            labels[place[line["id"]]] = line["is"]
    return labels


def _line(
    change: _Change, data: LabelledTable, before: Sequence[str | None], review: Mapping[str, Any], at: str
) -> dict[str, Any]:
    """A change as ``history.jsonl`` holds it."""
    return {
        "at": at,
        "id": data.ids[change.row],
        "place": data.places[change.row],
        "was": before[change.row],
        "is": change.now,
        "list": change.by.list,
        "key": change.by.key,
        "verdict": change.by.verdict,
        "note": change.by.note,
        **review,
    }


def _is_told(line: Mapping[str, Any], told: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last that is told of this row is the same word of the same review."""
    same = ("data_fingerprint", "id")
    last = [old for old in told if all(old[name] == line[name] for name in same)]
    return bool(last) and all(last[-1][name] == line[name] for name in ("digest", "key", "is"))


def _write(
    out: Path,
    data: LabelledTable,
    keep: np.ndarray,
    labels: Sequence[str],
    history: Sequence[dict[str, Any]],
    review: dict[str, Any],
) -> Path:
    """The new folder, whole; in one that a review wrote the history goes first, so that a kill can be repeated."""
    name = Path(data.origin).name if Path(data.origin).is_file() else "table.csv"
    again = out.exists() and (out / REVIEWS).exists()
    old = read_json(out / REVIEWS)["reviews"] if again else []
    if not again and Path(data.origin).is_file() and (Path(data.origin).parent / REVIEWS).exists():
        old = read_json(Path(data.origin).parent / REVIEWS)["reviews"]
    known = any((each["digest"], each["data_fingerprint"]) == (review["digest"], data.fingerprint) for each in old)
    with new_folder(out, force=again) as partial:
        with open_text(partial / HISTORY) as file:
            file.writelines(map(json_line, history))
        write_json(partial / REVIEWS, {"made_from": data.parts, "reviews": old if known else [*old, review]})
        write_labelled_table(partial / name, data, keep=keep, labels=labels)
    return out / name


def _counted(rows: Sequence[ReviewedRow]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        of_list = counts.setdefault(row.list, {})
        of_list[row.verdict] = of_list.get(row.verdict, 0) + 1
    return counts


def _word(label: str | None) -> str:
    return "left out" if label is None else repr(label)
