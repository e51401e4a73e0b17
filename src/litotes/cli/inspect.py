"""``litotes inspect``: what is in a data set, and what looks wrong with it. Nothing is written."""

from __future__ import annotations

from typing import Annotated

import typer

from litotes.cli import options
from litotes.cli.answers import answer
from litotes.cli.run_record import load_data

__all__ = ["inspect", "register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="inspect", epilog="Example: litotes inspect data/scifact --split train")(inspect)


def inspect(
    data: options.Data,
    split: Annotated[str, typer.Option(help="Which judgements to look at.")] = "train",
    query_column: options.QueryColumn = None,
    positive_column: options.PositiveColumn = None,
    min_grade: options.MinGrade = 1.0,
    duplicates: options.Duplicates = "refuse",
    skip_bad_lines: options.SkipBadLines = False,
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Count what a data set holds, and say what looks wrong. Nothing is written."""
    from litotes.data.inspect import inspect as inspect_data

    collection = load_data(
        data,
        split,
        query_column=query_column,
        positive_column=positive_column,
        min_grade=min_grade,
        duplicates=duplicates,
        skip_bad_lines=skip_bad_lines,
    )
    found = inspect_data(collection)
    answer(json, {"verb": "inspect", "data": data, **found.to_dict()}, *found.lines())
