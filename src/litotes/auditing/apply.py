"""``apply_review``: a person's verdicts become a new data folder that says of every change where it comes from.

The folder is the old one with new judgements: texts and other splits are copied as they are, ``qrels/SPLIT.tsv`` is
written anew, ``history.jsonl`` gets a line a change, and ``reviews.json`` names the reviews that went in. Applying a
review twice changes nothing the second time; another review of the same audit, applied to the same folder, builds on
the first; and what an earlier audit changed stays in the history of a later one.
"""

from __future__ import annotations

import datetime
import importlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from litotes.auditing.own_folder import check_outside
from litotes.auditing.review import Change, ReviewedRow, audit_facts, read_review
from litotes.core import Collection, LabelMatrix
from litotes.core.candidates import data_parts
from litotes.core.errors import LitotesError, StaleError
from litotes.core.files import read_json, write_json
from litotes.core.fingerprint import difference, digest_file
from litotes.data.beir import beir_splits, looks_like_beir, write_beir, write_beir_judgements
from litotes.data.lines import parse_object, raw_lines
from litotes.data.load import load
from litotes.data.writing import grade_text, json_line, new_folder, open_text

__all__ = ["APPLIERS", "Applied", "apply_review"]

HISTORY, REVIEWS = "history.jsonl", "reviews.json"

APPLIERS: dict[str, tuple[str, str]] = {"retrieval": ("litotes.auditing.retrieval_review", "changes_of")}
"""Kind of an audit of judgements -> module and function ``(labels, rows) -> list[Change]``: what its verdicts do.

An audit of another kind of data has an applier of its own: :func:`litotes.auditing.label_apply.apply_label_review`.
"""


@dataclass(frozen=True)
class Applied:
    """What became of a review.

    Attributes:
        data: the collection with its new judgements.
        changes: one mapping a changed cell, as ``history.jsonl`` holds it.
        confirmed: cells that a person looked at and that have the grade that they say already.
        verdicts: how often each verdict was given, by list.
        folder: where it was written; None where nothing was.
    """

    data: Collection
    changes: Sequence[Mapping[str, Any]]
    confirmed: int
    verdicts: Mapping[str, Mapping[str, int]]
    folder: Path | None = None


def apply_review(
    data: Collection,
    audit: str | os.PathLike[str],
    reviewed: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
) -> Applied:
    """Bring the verdicts of ``reviewed`` into the data that ``audit`` is about.

    Args:
        data: the data that was audited.
        audit: the audit's folder.
        reviewed: CSV or JSON Lines; see :func:`litotes.auditing.review.read_review`.
        out: a new folder, or one that an earlier review of this audit was written to; None writes nothing.

    Raises:
        StaleError: the audit is of other data, or ``out`` was made from other data.
        DataError: ``file:line`` of a verdict that cannot be read or carried out.
        LitotesError: ``out`` is a folder of something else or lies in that of the data; there is no verdict; no
            judgement would be left.
    """
    facts = audit_facts(audit)
    if facts["audit"] not in APPLIERS:
        raise LitotesError(
            f"{os.fspath(audit)} is an audit of {facts['audit']}, not of judgements. Apply its review with "
            "litotes audit apply, or in Python with apply_label_review."
        )
    if data.split is None and data.notes.get("format") == "BEIR":
        raise LitotesError("A review is applied to one split. Load the data with the split that was audited.")
    differs = difference(facts["data"]["parts"], data_parts(data))
    if differs:
        raise StaleError(
            f"{os.fspath(audit)} is an audit of other data: the {' and the '.join(differs)} differ. Give the data and "
            "split that it was made from, or audit this data."
        )
    rows = read_review(audit, reviewed)
    if not rows:
        raise LitotesError(f"No row of {os.fspath(reviewed)} has a verdict. Fill in the column 'verdict' of some rows.")
    earlier = None if out is None else _earlier(Path(out), data)
    before = data.labels if earlier is None else _over_ids_of(data, earlier)
    module, function = APPLIERS[facts["audit"]]
    changes: list[Change] = getattr(importlib.import_module(module), function)(before, rows)
    after = _changed(before, changes)
    if not len(after):
        raise LitotesError(f"{os.fspath(reviewed)}: no judgement would be left. Keep some of the queries.")
    result = data.with_labels(after)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    review = {
        "review": Path(reviewed).name,
        "digest": digest_file(reviewed),
        "audit": os.fspath(Path(audit).absolute()),
        "kind": facts["audit"],
        "data_fingerprint": data.fingerprint,
        "split": data.split or "train",
    }
    lines = [_line(change, data.labels, review, now) for change in changes]
    changed = [line for line in lines if line["was"] != line["is"]]
    counts = _counted(rows)
    if out is not None:
        source = Path(data.origin) if earlier is None else Path(out)
        _write(Path(out), source, data, result, lines, {"at": now, **review, "verdicts": counts})
    return Applied(result, changed, len(lines) - len(changed), counts, None if out is None else Path(out))


def _earlier(out: Path, data: Collection) -> Collection | None:
    """What an earlier review wrote to ``out``; None where nothing is there."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        check_outside(out, data)
        return None
    if not (out / REVIEWS).exists():
        raise LitotesError(f"{out}: there is something that no review wrote. Name a new folder.")
    made_from = read_json(out / REVIEWS)["made_from"]
    differs = difference(data_parts(data), made_from)
    if differs:
        raise StaleError(
            f"{out}: was made from other data than this audit is about: the {' and the '.join(differs)} differ. "
            "Name a new folder."
        )
    return load(out, split=data.split or "train", min_grade=data.labels.min_grade)


def _over_ids_of(data: Collection, other: Collection) -> LabelMatrix:
    """The judgements of ``other`` over the ids of ``data``."""
    rows, cols, grades = other.labels.cells()
    return LabelMatrix(
        data.row_ids,
        data.col_ids,
        data.row_ids.positions(other.row_ids.values)[rows],
        data.col_ids.positions(other.col_ids.values)[cols],
        grades,
        min_grade=data.labels.min_grade,
    )


def _changed(labels: LabelMatrix, changes: Sequence[Change]) -> LabelMatrix:
    """The labels with every change made, in order; a change to None takes the judgement out."""
    final = {(change.row, change.col): change.now for change in changes}
    gone = np.array([cell for cell, grade in final.items() if grade is None], dtype=np.int64).reshape(-1, 2)
    kept = np.array([cell for cell, grade in final.items() if grade is not None], dtype=np.int64).reshape(-1, 2)
    grades = np.array([grade for grade in final.values() if grade is not None], dtype=np.float64)
    return labels.without_cells(*gone.T).with_cells(*kept.T, grades, duplicates="last")


def _line(change: Change, labels: LabelMatrix, review: Mapping[str, Any], at: str) -> dict[str, Any]:
    """A change as ``history.jsonl`` holds it."""
    said = {"list": change.by.list, "key": change.by.key, "verdict": change.by.verdict, "note": change.by.note}
    return {
        "at": at,
        "query_id": labels.row_ids[change.row],
        "document_id": labels.col_ids[change.col],
        "was": _plain(change.was),
        "is": _plain(change.now),
        **said,
        **review,
    }


def _plain(grade: float | None) -> float | int | None:
    """A grade as people write it: 1 rather than 1.0."""
    return None if grade is None else json.loads(grade_text(grade))


def _counted(rows: Sequence[ReviewedRow]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        of_list = counts.setdefault(row.list, {})
        of_list[row.verdict] = of_list.get(row.verdict, 0) + 1
    return counts


def _write(out: Path, source: Path, base: Collection, result: Collection, lines: list, review: dict[str, Any]) -> None:
    """The new folder, whole; in one that a review wrote only judgements and records are written anew.

    The history goes first, and what it says last of a cell is not entered twice, so that a program killed between two
    files can simply be repeated.
    """
    split = result.split or "train"
    again = out.exists() and source.resolve() == out.resolve()
    with new_folder(out, force=again) as partial:
        if not again and looks_like_beir(source):
            _copy(source, partial, split)
        elif not again:
            write_beir(partial, result)
        (partial / "qrels").mkdir(exist_ok=True)
        write_beir_judgements(partial / "qrels" / f"{split}.tsv", result)
        with open_text(partial / HISTORY) as file:
            file.writelines(map(json_line, _history(source / HISTORY, lines)))
        write_json(partial / REVIEWS, {"made_from": data_parts(base), "reviews": _reviews(source / REVIEWS, review)})


def _copy(source: Path, target: Path, split: str) -> None:
    """Texts and the judgements of other splits, byte for byte."""
    (target / "qrels").mkdir()
    texts = [source / f"{name}.jsonl{gz}" for name in ("corpus", "queries") for gz in ("", ".gz")]
    others = [path for name, path in beir_splits(source).items() if name != split]
    for path in [*filter(Path.exists, texts), *others]:
        shutil.copyfile(path, target / path.relative_to(source))


def _history(path: Path, new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The old lines, and the new of each cell unless they repeat the last that are said of it."""
    old = [parse_object(raw.decode()) for _, raw in raw_lines(path)] if path.exists() else []
    before, now = _by_cell(old), _by_cell(new)
    told = {cell for cell, lines in now.items() if _repeats(lines, before.get(cell, [])[-len(lines) :])}
    return [*old, *(line for line in new if _cell(line) not in told)]


def _repeats(new: Sequence[Mapping[str, Any]], last: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the same review says the same of a cell again: nothing changes by it, or a killed program had entered the
    change and not made it yet.
    """

    def told(lines: Sequence[Mapping[str, Any]], *names: str) -> list[tuple[Any, ...]]:
        return [tuple(line.get(name) for name in ("digest", "key", "is", *names)) for line in lines]

    changes_nothing = new[0]["was"] == new[-1]["is"]
    return told(new) == told(last) if changes_nothing else told(new, "was") == told(last, "was")


def _by_cell(lines: Sequence[dict[str, Any]]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    cells: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line in lines:
        cells.setdefault(_cell(line), []).append(line)
    return cells


def _cell(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in ("split", "query_id", "document_id"))


def _reviews(path: Path, review: dict[str, Any]) -> list[dict[str, Any]]:
    old = read_json(path)["reviews"] if path.exists() else []
    same = ("digest", "data_fingerprint", "split")
    known = any(all(each[name] == review[name] for name in same) for each in old)
    return old if known else [*old, review]
