"""``litotes recipes``: the published systems, and what each is made of."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from litotes.cli import options
from litotes.cli.answers import Table, answer

__all__ = ["recipes", "register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="recipes", epilog="Example: litotes recipes star-adore")(recipes)


def recipes(
    slug: Annotated[
        str | None, typer.Argument(metavar="[SLUG]", show_default=False, help="One system; without it, all.")
    ] = None,
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """List the published systems, or show one.

    One system: what it does, its commands, its options with their defaults and the paper's values, its claims and the
    verdicts that were recorded.
    """
    from litotes.claims import recorded_verdicts
    from litotes.recipes.catalogue import find, table

    if slug is None:
        rows = [{**row, "claims": recorded_verdicts(row["system"])} for row in table()]
        works = sum(row["state"] == "works" for row in rows)
        shown = [[row["system"], row["door"], row["state"], row["claims"], row["what it does"]] for row in rows]
        title = f"{len(rows)} systems, {works} of them working"
        headings = ["system", "door", "state", "claims", "what it does"]
        answer(json, {"verb": "recipes", "recipes": rows}, Table(headings, shown, title))
        return
    row = find(slug)
    facts: dict[str, Any] = {
        "verb": "recipes",
        "system": row.slug,
        "title": row.title,
        "paper": row.paper,
        "door": row.door,
        "state": row.state,
        "what it does": row.sentence,
        "commands": {},
    }
    parts: list[object] = [f"{row.title} ({row.slug})", row.paper, row.sentence, f"State: {row.state}"]
    for command in row.commands if row.state == "works" else ():
        settings = _settings(command)
        facts["commands"][command] = settings
        shown = [
            [name, _text(about["default"]), _text(about["paper"]), about["help"]] for name, about in settings.items()
        ]
        parts.append(Table(["option", "default", "paper's", "what it is"], shown, title=f"litotes train {command}"))
    facts["claims"] = _claims(row.slug)
    if facts["claims"]:
        shown = [[claim["says"], claim["data"], claim["verdict"]] for claim in facts["claims"]]
        parts.append(Table(["claim", "data", "verdict"], shown, title=f"litotes reproduce {row.slug}"))
    answer(json, facts, *parts)


def _claims(slug: str) -> list[dict[str, str]]:
    """The claims of a system with their recorded verdicts."""
    from litotes.claims.recorded import recorded
    from litotes.claims.registry import claims_of, slugs_with_claims

    if slug not in slugs_with_claims():
        return []
    verdicts = {record["name"]: record["verdict"] for record in (recorded(slug) or {"claims": []})["claims"]}
    return [
        {
            "name": claim.name,
            "says": claim.says,
            "data": claim.data,
            "verdict": verdicts.get(claim.name, "not yet recorded"),
        }
        for claim in claims_of(slug).claims
    ]


def _settings(command: str) -> dict[str, dict[str, Any]]:
    """The options of a command's config: default, the paper's value where the preset names another, help."""
    from litotes.recipes.training_command import find_training_command

    config = find_training_command(command).config
    paper = config.presets.get("paper", {})
    return {
        name: {
            "default": None if field.is_required() else field.default,
            "paper": paper.get(name, ""),
            "help": field.description or "",
        }
        for name, field in config.model_fields.items()
    }


def _text(value: object) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
