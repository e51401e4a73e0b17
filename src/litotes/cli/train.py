"""``litotes train COMMAND``: every training command of the catalogue, its options made from its configuration.

Help texts, types and defaults exist once, in the pydantic config beside the algorithm. ``litotes train --help`` reads
the catalogue only; a command's own module is imported when that command is named.
"""

from __future__ import annotations

import inspect
import typing
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from litotes.cli import options
from litotes.cli.answers import Table, answer
from litotes.cli.run_record import bind_data, load_data, recorded, resolved
from litotes.core.checks import check_choice

__all__ = ["register", "train"]

_SIMPLE = (int, float, str, bool)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    group = typer.Typer(
        cls=_CatalogueGroup,
        rich_markup_mode=None,
        no_args_is_help=True,
        help="Train a model; each command has its own options.",
        epilog=_example("star"),
    )

    @group.callback()
    def commands() -> None:
        """Train a model; each command has its own options."""

    app.add_typer(group, name="train")


def train(
    command: str,
    *,
    data: str,
    out: str,
    split: str = "train",
    candidates: str | None = None,
    dev: str | None = None,
    preset: str | None = None,
    query_column: str | None = None,
    positive_column: str | None = None,
    min_grade: float = 1.0,
    duplicates: str = "refuse",
    skip_bad_lines: bool = False,
    json: bool = False,
    **settings: Any,
) -> None:
    """Train ``command`` on ``data`` with ``settings`` (options of its config that were given) into ``out``."""
    from litotes.core.run_folder import RunFolder
    from litotes.recipes.training_command import find_training_command

    found = find_training_command(command)
    given = {name: value for name, value in settings.items() if value is not None}
    for name, value in given.items():  # a place is found from anywhere; all else stays as it was typed
        given[name] = _found_from_anywhere(value, found.config.model_fields[name])
    config = found.config(**given) if preset is None else found.config.preset(preset, **given)
    reading = {
        "query_column": query_column,
        "positive_column": positive_column,
        "min_grade": min_grade,
        "duplicates": duplicates,
        "skip_bad_lines": skip_bad_lines,
    }
    collection = load_data(data, split, **reading)
    held_out = None if dev is None else load_data(data, dev, **reading)
    options_now = {
        "command": command,
        "data": resolved(data),
        "out": str(Path(out).absolute()),
        "split": split,
        "candidates": None if candidates is None else resolved(candidates),
        "dev": dev,
        **reading,
        **config.model_dump(mode="json"),
    }
    run = RunFolder.open(out)
    bind_data(run, collection, data, split, reading)
    with recorded(run, "train", options_now):
        found.train(collection, config, run, dev=held_out, candidates=candidates)
    summary = run.stages[f"train/{command}"]["summary"]
    facts = {"verb": "train", "command": command, "out": str(out), **summary, "config": config.model_dump(mode="json")}
    answer(json, facts, *_lines(command, out, summary), f"Next: litotes evaluate {data} --encoder {out} --out eval/")


def _lines(command: str, out: str, summary: dict[str, Any]) -> list[object]:
    """The outcome for people: where the model is, and the metrics on the watched rows before and after."""
    before, after = summary.get("dev_before", {}), summary.get("dev_after", {})
    rows = [[metric, before[metric], after[metric]] for metric in before if metric in after]
    watched = f"{command} in {out}: {summary['steps']:,} steps; on queries held out for watching:"
    return (
        [Table(["", "before", "after"], rows, watched)]
        if rows
        else [f"{command} in {out}: {summary['steps']:,} steps."]
    )


class _CatalogueGroup(TyperGroup):
    """The training commands of the catalogue; one is built when it is named."""

    def list_commands(self, ctx: Any) -> list[str]:
        from litotes.recipes.catalogue import CATALOGUE

        return [name for row in CATALOGUE if row.state == "works" for name in row.commands]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command as the list shows it: its name and one sentence."""
        if cmd_name not in self.list_commands(ctx):
            return None
        from litotes.recipes.catalogue import find_command

        listed = typer.Typer(add_completion=False, rich_markup_mode=None)
        listed.command(name=cmd_name, help=find_command(cmd_name).sentence)(lambda: None)
        return typer.main.get_command(listed)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command as it is run or asked for help: with every option of its config."""
        check_choice("litotes train", "command", args[0], self.list_commands(ctx))
        return args[0], _command(args[0]), args[1:]


def _command(command: str) -> Any:
    """The typer command whose signature is the shared options and one option a field of the config."""
    from litotes.recipes.training_command import find_training_command

    found = find_training_command(command)
    row, fields_of = found.recipe, found.config.model_fields

    def run(**values: Any) -> None:
        train(command, **values)

    presets = ", ".join(found.config.presets)
    shared = {
        "data": (options.Data, inspect.Parameter.empty),
        "out": (
            Annotated[str, typer.Option(metavar="FOLDER", help="Where the model goes.", show_default=False)],
            inspect.Parameter.empty,
        ),
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
                typer.Option(metavar="RUN", help="Run folder whose candidates are the negatives.", show_default=False),
            ],
            None,
        ),
        "preset": (
            Annotated[str | None, typer.Option(help=f"Named values: {presets or 'none here'}.", show_default=False)],
            None,
        ),
        "query_column": (options.QueryColumn, None),
        "positive_column": (options.PositiveColumn, None),
        "min_grade": (options.MinGrade, 1.0),
        "duplicates": (options.Duplicates, "refuse"),
        "skip_bad_lines": (options.SkipBadLines, False),
        "json": (options.Json, False),
    }
    fields = {name: _field_option(name, field) for name, field in fields_of.items() if name not in shared}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in {**shared, **fields}.items()
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    built = typer.Typer(add_completion=False, rich_markup_mode=None)
    built.command(name=command, help=f"{row.title} ({row.paper}). {row.sentence}", epilog=_example(command))(run)
    return typer.main.get_command(built)


def _example(command: str) -> str:
    words = f"litotes train {command} data/scifact --candidates runs/scifact --encoder builtin:minilm"
    return f"Example: {words} --out models/{command}"


def _found_from_anywhere(value: Any, field: Any) -> Any:
    from litotes.core.config import NameOrPlace

    marks = [mark for mark in field.metadata if isinstance(mark, NameOrPlace)]
    return resolved(value) if marks and value not in marks[0].words else value


def _field_option(name: str, field: Any) -> tuple[Any, None]:
    """A field of the config as an option that is None when not given; its default is shown, never passed."""
    kind = _typed(field.annotation)
    shown = "required" if field.is_required() else False if field.default is None else str(field.default)
    flag = f"--{name.replace('_', '-')}"
    names = (flag, f"--no-{flag[2:]}") if kind is bool else (flag,)
    declared = f"{names[0]}/{names[1]}" if len(names) == 2 else names[0]
    option = typer.Option(declared, help=field.description or "", show_default=shown)
    return Annotated[kind | None, option], None


def _typed(annotation: Any) -> Any:
    """The type that the command line reads: a simple one or a Literal as it is, ``X | None`` as X, others as text."""
    inner = [part for part in typing.get_args(annotation) if part is not type(None)]
    if type(None) in typing.get_args(annotation) and len(inner) == 1:
        return _typed(inner[0])
    if typing.get_origin(annotation) is Annotated:
        return _typed(typing.get_args(annotation)[0])
    if annotation in _SIMPLE or typing.get_origin(annotation) is typing.Literal:
        return annotation
    return str
