"""``litotes resume``: go on with whatever a run folder was stopped in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from litotes.cli import options
from litotes.cli.answers import answer
from litotes.core.errors import LitotesError
from litotes.core.progress import say

__all__ = ["register", "resume"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="resume", epilog="Example: litotes resume runs/scifact")(resume)


def resume(run: options.Run, json: options.Json = False, seed: options.Seed = 0) -> None:
    """Go on with a run that was stopped.

    Its unfinished commands are repeated with their recorded options, seeds included. Shards that were written whole are
    kept, so that the result is the same as if nothing had happened.
    """
    from litotes.core.run_folder import RunFolder, Stage

    folder = RunFolder.open(run, create=False)
    commands = folder.record.get("commands", [])
    is_damaged = any(Stage(folder, key).pending for key in folder.stages)  # a shard lost after its command was done
    again = ("mine", "judge", "audit retrieval", "audit labels") if is_damaged else ()
    waiting = [command for command in commands if not command["done"] or command["verb"] in again]
    if not waiting:
        answer(
            json,
            {"verb": "resume", "run": str(run), "resumed": []},
            f"{run}: nothing to resume, every command is done.",
        )
        return
    for position, command in enumerate(waiting):
        say(f"Going on with: litotes {command['verb']} (begun {command['begun']})")
        is_last = position == len(waiting) - 1
        _verb(command["verb"])(**command["options"], json=json and is_last)


def _verb(name: str) -> Callable[..., Any]:
    from litotes.cli.audit import labels, retrieval
    from litotes.cli.demo import demo
    from litotes.cli.evaluate import evaluate
    from litotes.cli.judge import judge
    from litotes.cli.mine import mine
    from litotes.cli.train import train

    verbs: dict[str, Callable[..., Any]] = {
        "audit labels": labels,
        "audit retrieval": retrieval,
        "demo": demo,
        "evaluate": evaluate,
        "judge": judge,
        "mine": mine,
        "train": train,
    }
    if name not in verbs:
        raise LitotesError(f"run.json names a command {name!r} that this version of litotes cannot resume.")
    return verbs[name]
