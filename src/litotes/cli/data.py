"""``litotes data``: the built-in data sets, and writing them out in any input format."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from litotes.cli import options
from litotes.cli.answers import Table, answer
from litotes.core.errors import LitotesError

__all__ = ["export_builtin", "list_builtin", "register"]


def register(app: typer.Typer) -> None:
    """Add the verb and its one sub-verb."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(
        invoke_without_command=True, epilog="Example: litotes data export pydocs --format beir --out data/pydocs"
    )(_listed)
    group.command(name="export", epilog="Example: litotes data export pydocs --format beir --out data/pydocs")(
        export_builtin
    )
    app.add_typer(group, name="data", help="List the built-in data sets, or export one as files.")


def _listed(context: typer.Context, json: options.Json = False, seed: options.Seed = 0) -> None:
    """List the built-in data sets: licence, origin, layout. `litotes data export` writes one as files."""
    if context.invoked_subcommand is None:
        list_builtin(json=json)


def list_builtin(json: bool = False) -> None:
    """Print the built-in sets."""
    from litotes.data.builtin import BUILTIN

    rows = [
        {
            "name": built_in.name,
            "what": built_in.what,
            "licence": built_in.licence,
            "origin": built_in.origin,
            "layout": built_in.layout,
            "how": built_in.how,
            "splits": list(built_in.splits),
            "sizes": list(built_in.sizes),
        }
        for built_in in BUILTIN.values()
    ]
    tables = [
        Table(["", ""], [[key, ", ".join(value) if isinstance(value, list) else value] for key, value in row.items()])
        for row in rows
    ]
    answer(json, {"verb": "data", "sets": rows}, *tables, "Use one as DATA: builtin:NAME")


def export_builtin(
    name: Annotated[str, typer.Argument(show_default=False, help="A built-in set, such as pydocs.")],
    out: Annotated[str, typer.Option(metavar="PATH", show_default=False, help="Where it goes.")],
    format: Annotated[str, typer.Option(help="beir, trec, flagembedding, tevatron, jsonl, csv or parquet.")] = "beir",
    size: Annotated[str, typer.Option(help="How much of it; litotes data lists the sizes.")] = "demo",
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Write a built-in set as files, in any format that litotes reads."""
    from litotes.core.checks import check_choice
    from litotes.data.builtin import BUILTIN, load_builtin
    from litotes.data.export import export

    check_choice("litotes data export", "name", name, BUILTIN)
    every = [split for split in BUILTIN[name].splits if split != "all"]
    splits: dict[str, Any] = {split: load_builtin(name, split, size) for split in every}
    if not splits:
        raise LitotesError(f"The built-in set {name} has no split to write.")
    written = export(splits, format, out, force=force)
    shown = [
        [split, collection.n_rows, collection.n_cols, len(collection.labels)] for split, collection in splits.items()
    ]
    facts = {
        "verb": "data export",
        "name": name,
        "format": format,
        "out": str(out),
        "splits": {split: collection.n_rows for split, collection in splits.items()},
        "left_out": written["left_out"],
    }
    answer(
        json,
        facts,
        Table(["split", "queries", "documents", "judgements"], shown, title=f"{name} in {out}"),
        f"Next: litotes inspect {out}",
    )
