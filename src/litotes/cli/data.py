"""``litotes data``: the data sets known by name, built in or public, and writing the former in any input format."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from litotes.cli import options
from litotes.cli.answers import Table, answer
from litotes.core.errors import LitotesError

__all__ = ["export_builtin", "list_sets", "register"]


def register(app: typer.Typer) -> None:
    """Add the verb and its one sub-verb."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(
        invoke_without_command=True, epilog="Example: litotes data export pydocs --format beir --out data/pydocs"
    )(_listed)
    group.command(name="export", epilog="Example: litotes data export pydocs --format beir --out data/pydocs")(
        export_builtin
    )
    app.add_typer(group, name="data", help="List the data sets known by name, or export a built-in one as files.")


def _listed(context: typer.Context, json: options.Json = False, seed: options.Seed = 0) -> None:
    """List the data sets known by name, built in or public: licence, origin, layout, where they were looked for.

    `litotes data export` writes a built-in one as files.
    """
    if context.invoked_subcommand is None:
        list_sets(json=json)


def list_sets(json: bool = False) -> None:
    """Print the built-in sets and the public ones."""
    from litotes.data.builtin import BUILTIN
    from litotes.data.public import PUBLIC

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
    public = [
        {
            "name": row.name,
            "what": row.what,
            "licence": row.licence,
            "origin": row.origin,
            "layout": row.layout,
            "looked_for": [str(place) for place in row.places()],
            "found": None if (found := row.found()) is None else str(found),
        }
        for row in PUBLIC.values()
    ]
    tables = [
        Table(["", ""], [[key, ", ".join(value) if isinstance(value, list) else value] for key, value in row.items()])
        for row in rows
    ]
    answer(
        json,
        {"verb": "data", "sets": rows, "public": public},
        *tables,
        "Use one as DATA: builtin:NAME\n",
        Table(["", ""], [[row["name"], _described(row)] for row in public], "Public sets; none is part of litotes"),
        "Use a retrieval set that was found as DATA: NAME",
    )


def _described(row: dict[str, Any]) -> str:
    """A public set on four lines."""
    if row["found"]:
        where = f"found in {row['found']}"
    elif row["looked_for"]:
        where = f"not found; looked for {' and '.join(row['looked_for'])}"
    else:
        where = "not looked for: LITOTES_DATA, the folder that holds public sets, is not set"
    return f"{row['what']}\nlicence: {row['licence']}\norigin: {row['origin']}; {row['layout']}\n{where}"


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
