"""What a training command reads, by the door of its recipe: one row each, so that the verb itself knows no door.

A door says which options there are beside those of every command, how the data is read with them, what the recipe's
function gets, and how the outcome is told. A door without a row of its own reads as ``retrieval`` does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from litotes.cli import options
from litotes.cli.answers import Table
from litotes.cli.run_record import load_data, resolved
from litotes.core.errors import LitotesError

__all__ = ["Door", "Reading", "door_of", "split_names"]

_REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class Reading:
    """The data of one training.

    Attributes:
        data: what the recipe's function gets first.
        how: how it was read, for the record of the run.
        options: the door's options as they are repeated by ``litotes resume``, places written out.
        inputs: what else the function gets, by keyword.
        split: which split it is, if it is one.
    """

    data: Any
    how: dict[str, Any]
    options: dict[str, Any]
    inputs: dict[str, Any] = field(default_factory=dict)
    split: str | None = None


@dataclass(frozen=True)
class Door:
    """How the recipes of one door read and tell.

    Attributes:
        data: the argument DATA.
        options: annotation and default by name.
        read: ``read(data, **options)``.
        lines: ``lines(command, out, summary)``: the outcome for people.
        example: what stands between the command and ``--out`` in the example of its help.
        next: what to type next, with ``{data}`` and ``{out}``.
    """

    data: Any
    options: Mapping[str, tuple[Any, Any]]
    read: Callable[..., Reading]
    lines: Callable[[str, str, Mapping[str, Any]], list[object]]
    example: str
    next: str


def door_of(name: str) -> Door:
    """The door of this name."""
    return _DOORS.get(name, _DOORS["retrieval"])


def split_names(names: str | None) -> list[str] | None:
    """``a,b`` as names; None stays."""
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def _read_judgements(data: str, *, split: str, dev: str | None, candidates: str | None, **reading: Any) -> Reading:
    """A collection, and what to watch and to draw from."""
    return Reading(
        data=load_data(data, split, **reading),
        how=reading,
        options={
            "split": split,
            "candidates": None if candidates is None else resolved(candidates),
            "dev": dev,
            **reading,
        },
        inputs={"dev": None if dev is None else load_data(data, dev, **reading), "candidates": candidates},
        split=split,
    )


def _told_of_queries(command: str, out: str, summary: Mapping[str, Any]) -> list[object]:
    """Where the model is, and the metrics on the watched rows before and after."""
    before, after = summary.get("dev_before", {}), summary.get("dev_after", {})
    rows = [[metric, before[metric], after[metric]] for metric in before if metric in after]
    watched = f"{command} in {out}: {summary['steps']:,} steps; on queries held out for watching:"
    return (
        [Table(["", "before", "after"], rows, watched)]
        if rows
        else [f"{command} in {out}: {summary['steps']:,} steps."]
    )


def _read_labels(
    data: str,
    *,
    label: str,
    text: str | None,
    features: str | None,
    id_column: str | None,
    valid: str | None,
    skip_bad_lines: bool,
) -> Reading:
    """A table of examples with labels, and another one to validate on."""
    from litotes.data import check_classes, read_labelled_table

    if text is not None and features is not None:
        raise LitotesError("A model reads texts or numbers: give --text or --features, not both.")
    same = {"label": label, "text": text, "skip_bad_lines": skip_bad_lines}
    table = read_labelled_table(data, features=split_names(features), id_column=id_column, **same)
    columns = list(table.feature_columns) or None
    held_out = None if valid is None else read_labelled_table(valid, features=columns, **same)
    check_classes(table, held_out)
    return Reading(
        data=table,
        how={"label": label, "text": text, "features": columns, "id_column": id_column},
        options={
            "label": label,
            "text": text,
            "features": features,
            "id_column": id_column,
            "valid": None if valid is None else resolved(valid),
            "skip_bad_lines": skip_bad_lines,
        },
        inputs={"dev": held_out},
    )


def _told_of_labels(command: str, out: str, summary: Mapping[str, Any]) -> list[object]:
    """Where the model is, and every number that its training left, whole numbers as they are."""
    rows = [[name, value] for name, value in _numbers(summary)]
    return [Table(["", "value"], rows, f"{command} in {out}:")] if rows else [f"{command} in {out}."]


def _numbers(summary: Mapping[str, Any], before: str = "") -> list[tuple[str, int | float]]:
    """Name and value of the numbers, those of a group under its name."""
    found: list[tuple[str, int | float]] = []
    for name, value in summary.items():
        words = name.replace("_", " ")
        words = words if words.startswith(before) else f"{before} {words}"
        if isinstance(value, Mapping):
            found += _numbers(value, words)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append((words, value))
    return found


_DOORS = {
    "retrieval": Door(
        data=options.Data,
        options={
            "split": (Annotated[str, typer.Option(help="Which judgements to train on.")], "train"),
            "dev": (
                Annotated[
                    str | None,
                    typer.Option(
                        metavar="SPLIT", help="Judgements to watch.", show_default="a tenth of the rows, held out"
                    ),
                ],
                None,
            ),
            "candidates": (
                Annotated[
                    str | None,
                    typer.Option(
                        metavar="RUN", help="Run folder whose candidates are the negatives.", show_default=False
                    ),
                ],
                None,
            ),
            "query_column": (options.QueryColumn, None),
            "positive_column": (options.PositiveColumn, None),
            "min_grade": (options.MinGrade, 1.0),
            "duplicates": (options.Duplicates, "refuse"),
            "skip_bad_lines": (options.SkipBadLines, False),
        },
        read=_read_judgements,
        lines=_told_of_queries,
        example="data/scifact --candidates runs/scifact",
        next="litotes evaluate {data} --encoder {out} --out eval/",
    ),
    "classification": Door(
        data=options.LabelledData,
        options={
            "label": (options.Label, _REQUIRED),
            "text": (options.Text, None),
            "features": (options.Features, None),
            "valid": (
                Annotated[
                    str | None,
                    typer.Option(
                        metavar="TABLE",
                        help="Rows to validate on, with the same columns.",
                        show_default="a tenth of the rows, held out",
                    ),
                ],
                None,
            ),
            "id_column": (options.IdColumn, None),
            "skip_bad_lines": (options.SkipBadLines, False),
        },
        read=_read_labels,
        lines=_told_of_labels,
        example="tickets.csv --text body --label queue --valid checked.csv",
        next="litotes predict {out} new.csv --out answers.csv",
    ),
}
