"""``litotes report``: one page on a run's candidates and what the judges say of them."""

from __future__ import annotations

from typing import Annotated

import typer

from litotes.cli import options
from litotes.cli.answers import answer
from litotes.cli.run_record import reload_data

__all__ = ["register", "report"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="report", epilog="Example: litotes report runs/scifact")(report)


def report(
    run: options.Run,
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="QRELS",
            show_default=False,
            help="Judgements of known truth (TREC or BEIR): the page then shows the judges' precision and recall.",
        ),
    ] = None,
    data: options.MovedData = None,
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Write one page on what the judges suspect.

    It opens without network: how many candidates are suspected, where in the rankings they stand, whether the judges
    agree, and the fifty most suspicious ones side by side with the labelled answer.
    """
    from litotes.auditing import write_report
    from litotes.core import RunFolder
    from litotes.core.files import read_json
    from litotes.judging.calibrate import read_known

    folder = RunFolder.open(run, create=False)
    collection = reload_data(folder, data)
    known = None if truth is None else read_known(truth, collection.labels.min_grade)
    page = write_report(folder, collection, truth=known)
    facts = read_json(page.with_suffix(".json"))
    cells = facts["cells"]
    suspected = (
        "nothing judged yet" if cells["suspected"] is None else f"{cells['suspected']:,} suspected false negatives"
    )
    shown = {"verb": "report", "run": str(run), "page": str(page), "numbers": str(page.with_suffix(".json"))}
    answer(json, {**shown, **cells}, f"{cells['candidates']:,} candidates, {suspected}.", f"Open {page}")
