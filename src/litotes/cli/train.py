"""``litotes train COMMAND``: every training command of the catalogue, its options made from its configuration.

Help texts, types and defaults exist once, in the pydantic config beside the algorithm; how the data is read depends on
the door of the recipe (:mod:`litotes.cli.training_doors`). ``litotes train --help`` reads the catalogue only; a
command's own module is imported when that command is named.
"""

from __future__ import annotations

import inspect
import typing
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from litotes.cli import options
from litotes.cli.answers import answer
from litotes.cli.run_record import bind_data, recorded, resolved
from litotes.cli.training_doors import door_of
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


def train(command: str, *, data: str, out: str, preset: str | None = None, json: bool = False, **settings: Any) -> None:
    """Train ``command`` on ``data`` into ``out``.

    ``settings`` are options of its door (how the data is read) and of its config, those that were given.
    """
    from litotes.core.run_folder import RunFolder
    from litotes.models.cell_model import is_ranker
    from litotes.recipes.training_command import find_training_command

    found = find_training_command(command)
    door = door_of(found.recipe.door)
    reading = {name: settings.pop(name, default) for name, (_, default) in door.options.items()}
    given = {name: value for name, value in settings.items() if value is not None}
    for name, value in given.items():  # a place is found from anywhere; all else stays as it was typed
        if name in found.config.model_fields:
            given[name] = _found_from_anywhere(value, found.config.model_fields[name])
    config = found.config(**given) if preset is None else found.config.preset(preset, **given)
    source = door.read(data, **reading)
    options_now = {
        "command": command,
        "data": resolved(data),
        "out": str(Path(out).absolute()),
        **source.options,
        **config.model_dump(mode="json"),
    }
    run = RunFolder.open(out)
    bind_data(run, source.data, data, source.split, source.how)
    with recorded(run, "train", options_now):
        found.train(source.data, config, run, **source.inputs)
    summary = run.stages[f"train/{command}"]["summary"]
    facts = {"verb": "train", "command": command, "out": str(out), **summary, "config": config.model_dump(mode="json")}
    step, searched = door.next.format(data=data, out=out), f"--encoder {out}"
    if searched in step and is_ranker(out):  # it orders what an encoder finds
        step = step.replace(searched, f"--encoder {config.encoder} --rerank {out}")
    answer(json, facts, *door.lines(command, out, summary), f"Next: {step}")


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
    door = door_of(row.door)

    def run(**values: Any) -> None:
        train(command, **values)

    presets = ", ".join(found.config.presets)
    shared = {
        "data": (door.data, inspect.Parameter.empty),
        "out": (
            Annotated[str, typer.Option(metavar="FOLDER", help="Where the model goes.", show_default=False)],
            inspect.Parameter.empty,
        ),
        **door.options,
        "preset": (
            Annotated[str | None, typer.Option(help=f"Named values: {presets or 'none here'}.", show_default=False)],
            None,
        ),
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
    from litotes.recipes.catalogue import find_command

    words = f"litotes train {command} {door_of(find_command(command).door).example}"
    return f"Example: {words} --out models/{command}"


def _found_from_anywhere(value: Any, field: Any) -> Any:
    from litotes.core.config import NameOrPlace

    marks = [mark for mark in field.metadata if isinstance(mark, NameOrPlace)]
    return resolved(value) if marks and value not in marks[0].words else value


def _field_option(name: str, field: Any) -> tuple[Any, None]:
    """A field of the config as an option that is None when not given; its default is shown, never passed."""
    kind = _typed(field.annotation)
    shown = "required" if field.is_required() else False if field.default is None else _as_typed(field.default)
    flag = f"--{name.replace('_', '-')}"
    names = (flag, f"--no-{flag[2:]}") if kind is bool else (flag,)
    declared = f"{names[0]}/{names[1]}" if len(names) == 2 else names[0]
    option = typer.Option(declared, help=field.description or "", show_default=shown)
    return Annotated[kind | None, option], None


def _as_typed(value: Any) -> str:
    """A default as one would type it: several values with commas between."""
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


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
