"""``litotes export``: training data of a run's candidates, or its data with suspected false negatives as judgements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from litotes.cli import options
from litotes.cli.answers import answer
from litotes.cli.run_record import reload_data
from litotes.core.checks import check_choice
from litotes.core.errors import LitotesError
from litotes.core.progress import say

if TYPE_CHECKING:
    from litotes.core import Candidates, Collection, RunFolder

__all__ = ["export", "register"]

_LAYOUTS = ("n-tuple", "triplet", "labeled-pair", "labeled-list")
_FILES = ("flagembedding", "tevatron")
_FORMATS = (*_LAYOUTS, *_FILES, "trec", "beir")
_TUPLE = 5  # negatives a line of n-tuple


def register(app: typer.Typer) -> None:
    """Add the verb."""
    example = "litotes export runs/scifact --negatives 5 --min-trust 0.5 --format n-tuple --out train.parquet"
    app.command(name="export", epilog=f"Example: {example}")(export)


def export(
    run: options.Run,
    out: Annotated[str, typer.Option(metavar="PATH", show_default=False, help="A file; a folder for beir.")],
    format: Annotated[str, typer.Option(help=", ".join(_FORMATS) + ".")] = "n-tuple",
    negatives: Annotated[
        int | None, typer.Option(min=1, help="At most so many a query.", show_default="5 for n-tuple, else all")
    ] = None,
    min_trust: Annotated[
        float | None, typer.Option(min=0, max=1, help="Only candidates trusted at least so far.", show_default=False)
    ] = None,
    drop_margin: Annotated[bool, typer.Option("--drop-margin", help="Drop what a margin judge would drop.")] = False,
    combine: Annotated[Literal["min", "mean"], typer.Option(help="How the judges' trust becomes one number.")] = "min",
    relabel_below: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, show_default=False, help="Write the data with candidates trusted less than this as positives."
        ),
    ] = None,
    accept_foreign_calibration: Annotated[
        bool,
        typer.Option(
            "--accept-foreign-calibration", help="Relabel though the probabilities were fitted on other data."
        ),
    ] = False,
    miner: Annotated[
        str | None, typer.Option(metavar="NAME", help="For trec: whose ranking to write.", show_default=False)
    ] = None,
    data: options.MovedData = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Write training data, or the data with its judgements repaired.

    Without --relabel-below the candidates that pass --min-trust and --drop-margin become negatives. With it the data
    itself is written, and candidates that are almost surely answers become judgements.
    """
    from litotes.core import Candidates, RunFolder

    check_choice("litotes export", "format", format, _FORMATS)
    folder = RunFolder.open(run, create=False)
    was_there = Path(out).is_file()
    if miner is not None and format != "trec":
        raise LitotesError(f"--miner says whose ranking --format trec writes; --format {format} has no use for it.")
    if relabel_below is not None:
        _check_relabel(format, min_trust, drop_margin, negatives)
    found = Candidates.load(folder.path)
    if relabel_below is not None:
        from litotes.cli.relabel import relabel

        _refuse_foreign(folder, found, accept_foreign_calibration)
        facts = relabel(folder, found, reload_data(folder, data), relabel_below, combine, format, out, force)
    else:
        kept = _kept(folder, found, min_trust, drop_margin, combine)
        if format == "beir" and min_trust is None and not drop_margin:
            say(
                "Every candidate is written as judged not relevant, suspects too; --min-trust or --drop-margin chooses."
            )
        if negatives is None and format == "n-tuple":  # a line has room for as many as the longest row
            negatives = _TUPLE
        kept = kept if negatives is None else kept.top(negatives)
        facts = {
            "candidates": len(found),
            "kept": len(kept),
            **_write(kept, reload_data(folder, data), format, out, miner, force),
        }
    shown = ", ".join(f"{name.replace('_', ' ')}: {value:,}" for name, value in facts.items() if isinstance(value, int))
    said = f"{out} ({shown}{'; it replaced a file' if was_there else ''})"
    answer(json, {"verb": "export", "run": str(run), "format": format, "out": str(out), **facts}, said)


def _kept(folder: RunFolder, found: Candidates, min_trust: float | None, drop_margin: bool, combine: str) -> Candidates:
    """The candidates that pass both thresholds; a threshold without its judge is an error."""
    import numpy as np

    if min_trust is not None:
        trust = found.combined(combine)
        unjudged = int(np.isnan(trust).sum())
        if unjudged:
            say(f"{unjudged:,} of {len(found):,} candidates have no trust and are left out: no judge could say.")
        found = found.filter(trust >= min_trust)
    if drop_margin:
        margins = [name for name in found.judges if _kind(folder, name) == "margin"]
        if not margins:
            raise LitotesError(
                f"--drop-margin: no margin judge has seen this run. Run: litotes judge {folder.path} --by margin"
            )
        for name in margins:
            found = found.filter(~(found.column(f"judge.{name}") < 0))
    if not len(found):
        raise LitotesError("No candidate is left: all were dropped. Lower --min-trust, or leave out --drop-margin.")
    return found


def _check_relabel(format: str, min_trust: float | None, drop_margin: bool, negatives: int | None) -> None:
    """Relabelling writes the whole data as judgements; options that choose negatives have no use there."""
    if format not in ("beir", "trec"):
        raise LitotesError(f"--relabel-below writes judgements, and --format {format} holds none; use --format beir.")
    given = {"--min-trust": min_trust is not None, "--drop-margin": drop_margin, "--negatives": negatives is not None}
    unused = [option for option, is_given in given.items() if is_given]
    if unused:
        raise LitotesError(f"{' and '.join(unused)} choose negatives, which --relabel-below does not write; leave out.")


def _refuse_foreign(folder: RunFolder, found: Candidates, accepted: bool) -> None:
    """Judgements are not made from probabilities that were fitted on other data, unless the user says so."""
    for name in found.trusted_by:
        said = folder.stages[f"judgements/{name}"]["summary"].get("calibration", "")
        if "not on your data" in said and not accepted:
            raise LitotesError(
                f"The probabilities of {name} are {said}, so they should not become judgements unseen. Look at the "
                f"report, fit them with litotes judge {folder.path} --by {name} --calibrate QRELS, or pass "
                "--accept-foreign-calibration."
            )


def _write(kept: Candidates, data: Collection, format: str, out: str, miner: str | None, force: bool) -> dict[str, Any]:
    """Write the candidates in one format; returns how much that was, and what could not be written, counted."""
    import numpy as np

    from litotes.data import write_flagembedding, write_tevatron, write_trec_run
    from litotes.data.export import export as export_data

    if format in _LAYOUTS:
        return {"lines": _write_dataset(kept.to_dataset(format, data), Path(out))}
    if format == "trec":
        write_trec_run(out, data, kept, miner)
        named = miner or kept.miners[0]
        return {"lines": int((~np.isnan(kept.column(f"rank.{named}"))).sum())}
    if format == "beir":
        judged = data.labels.is_observed(kept.row, kept.col)
        negative = kept.filter((kept.assumed < 0) & ~judged)
        labels = data.labels.with_cells(negative.row, negative.col, [0.0] * len(negative))
        return {
            "judged_negative": len(negative),
            "left_out": export_data(data.with_labels(labels), "beir", out, force=force)["left_out"],
        }
    left_out = {"flagembedding": write_flagembedding, "tevatron": write_tevatron}[format](out, data, kept)
    return {"left_out": left_out}


def _write_dataset(dataset: Any, path: Path) -> int:
    """A dataset as Parquet, JSONL or CSV, by the ending of the file's name; whole or not at all."""
    from litotes.core.files import write_atomically

    writers = {".parquet": "to_parquet", ".jsonl": "to_json", ".json": "to_json", ".csv": "to_csv"}
    if path.suffix not in writers:
        raise LitotesError(f"{path}: the ending says how to write it, and must be one of {', '.join(writers)}.")
    if path.suffix == ".csv" and "labels" in dataset.column_names:
        raise LitotesError(
            f"{path}: a CSV file cannot hold labeled-list, whose cells are lists. Write .parquet or .jsonl."
        )
    options_now = {".csv": {"index": False}, ".parquet": {}}.get(path.suffix, {"force_ascii": False})

    def write(temporary: Path) -> None:
        getattr(dataset, writers[path.suffix])(str(temporary), **options_now)

    write_atomically(path, write)
    return len(dataset)


def _kind(folder: RunFolder, name: str) -> str:
    return folder.stages[f"judgements/{name}"]["fingerprints"].get("judge", "")
