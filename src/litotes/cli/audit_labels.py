"""``litotes audit labels``, and what ``litotes audit apply`` does with its review: for tables with one class a row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from litotes.cli import options
from litotes.cli.answers import Table, answer
from litotes.cli.run_record import bind_data, recorded, resolved
from litotes.core.errors import LitotesError, StaleError

if TYPE_CHECKING:
    from litotes.auditing.label_audit import LabelAudit
    from litotes.data.labelled_table import LabelledTable

__all__ = ["apply_to_table", "labels"]

_PAIRS = 5  # of the noise matrix, for people at the terminal


def labels(
    table: options.LabelledData,
    label: options.Label,
    out: Annotated[str, typer.Option(metavar="AUDIT", show_default=False, help="The folder that the audit goes to.")],
    text: options.Text = None,
    features: options.Features = None,
    pred_probs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Probabilities of a model that did not see the row it answers for: an .npy with a column for each "
            "class in order (numbers by value, texts by character), or a table as litotes predict --proba writes it.",
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(metavar="TABLE", show_default=False, help="Rows that are known to be right, same columns."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="A detector: elr, small-loss, neighbours, pred-probs or cleanlab, options after a colon, such as "
            "neighbours:n_neighbors=10; may be given several times.",
            show_default="a fixed combination",
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Rows of a list at most.")] = 1000,
    near: Annotated[float, typer.Option(help="Share of word triples from which two texts are near-duplicates.")] = 0.7,
    id_column: options.IdColumn = None,
    encoder: options.Encoder = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    batch_size: options.BatchSize = 32,
    skip_bad_lines: options.SkipBadLines = False,
    force: options.Force = False,
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Audit class labels: which look wrong, what they look like, and which rows speak against them.

    Writes a report, the labels in order (CSV and JSON Lines), a noise matrix, and near-duplicates with different
    labels. The data stays as it is.
    """
    from litotes.auditing.label_audit import label_audit
    from litotes.auditing.label_inputs import read_inputs
    from litotes.core.run_folder import RunFolder
    from litotes.models.encoder import resolve_encoder

    columns = None if features is None else [name.strip() for name in features.split(",") if name.strip()]
    reading: dict[str, Any] = {"label": label, "text": text, "features": columns, "id_column": id_column}
    inputs = read_inputs(table, **reading, pred_probs=pred_probs, reference=reference, skip_bad_lines=skip_bad_lines)
    if encoder is not None and text is None:
        raise LitotesError(f"--encoder {encoder} embeds texts, and no column of texts is named; add --text COLUMN.")
    run = RunFolder.open(out)
    bind_data(run, inputs.table, table, None, {**reading, "skip_bad_lines": skip_bad_lines})
    computing: dict[str, Any] = {"device": device, "dtype": dtype, "batch_size": batch_size}
    options_now = {
        "table": resolved(table),
        "label": label,
        "out": str(run.path.absolute()),
        "text": text,
        "features": features,
        "pred_probs": None if pred_probs is None else resolved(pred_probs),
        "reference": None if reference is None else resolved(reference),
        "by": list(by) if by else None,
        "top": top,
        "near": near,
        "id_column": id_column,
        "encoder": None if encoder is None else resolved(encoder),
        **computing,
        "skip_bad_lines": skip_bad_lines,
        "force": force,
        "seed": seed,
    }
    said: list[str] = []
    with recorded(run, "audit labels", options_now):
        ready = None if text is None else resolve_encoder(encoder or "builtin:minilm", **computing)
        made = label_audit(
            inputs, ready, by=by or None, out=run, top=top, near=near, seed=seed, force=force, say=said.append
        )
    _tell(json, out, run.path, made, said)


def apply_to_table(audit: str, reviewed: str, out: str, moved: str | None, json: bool) -> None:
    """Bring a review of class labels back into its table."""
    from litotes.auditing.label_apply import apply_label_review

    done = apply_label_review(_table_of(audit, moved), audit, reviewed, out)
    verdicts = sum(count for of_list in done.verdicts.values() for count in of_list.values())
    dropped = sum(change["is"] is None for change in done.changes)
    facts = {
        "verb": "audit apply",
        "audit": str(audit),
        "out": str(out),
        "table": str(done.path),
        "verdicts": done.verdicts,
        "changes": len(done.changes),
        "dropped": dropped,
        "confirmed": done.confirmed,
        "rows": len(done.table),
        "history": f"{out}/history.jsonl",
    }
    answer(
        json,
        facts,
        f"{done.path}: {verdicts:,} verdicts, {len(done.changes) - dropped:,} labels changed, {dropped:,} rows left "
        f"out, {done.confirmed:,} confirmed; {len(done.table):,} rows now.",
        f"What changed stands in {out}/history.jsonl",
    )


def _tell(json: bool, out: str, folder: Path, made: LabelAudit, said: list[str]) -> None:
    facts = made.facts
    lists = facts["lists"]
    counts = {name: {key: of[key] for key in ("found", "ordered", "rows") if key in of} for name, of in lists.items()}
    pairs = [
        [pair["given_label"], pair["predicted_label"], pair["rows"], f"{pair['share']:.1%}"]
        for pair in facts["noise_pairs"][:_PAIRS]
    ]
    rows = [
        [lists[name]["title"], of["rows"], number, counted, f"{name}.csv"]
        for name, of in counts.items()
        for counted, number in of.items()
        if counted != "rows"
    ]
    answer(
        json,
        {
            "verb": "audit labels",
            "out": str(out),
            "page": str(folder / "report.html"),
            "rows": facts["data"]["rows"],
            "issues": facts["issues"],
            "by": facts["settings"]["by"],
            "lists": counts,
            "noise_pairs": facts["noise_pairs"],
        },
        *said,
        f"{facts['data']['name']}: {facts['issues']:,} of {facts['data']['rows']:,} labels look wrong "
        f"({facts['share']:.1%}), by {' and '.join(facts['settings']['by'])}.",
        Table(["", "rows", "of", "", "list"], rows),
        *([Table(["given", "looks like", "rows", "of the given class"], pairs)] if pairs else []),
        f"Open {folder / 'report.html'}",
        f"Next: fill in the verdicts, then litotes audit apply {out} REVIEWED.csv --out CLEANED",
    )


def _table_of(audit: str, moved: str | None) -> LabelledTable:
    """The table that an audit is about, read again from where it was, or from ``moved``.

    Raises:
        LitotesError: the audit was made in Python and does not say where the table is, or the table is gone.
        StaleError: what lies there now is not what was audited.
    """
    from litotes.core.fingerprint import difference
    from litotes.core.run_folder import RunFolder
    from litotes.data.labelled_table import read_labelled_table

    known = RunFolder.open(audit, create=False).record.get("data")
    if known is None:
        raise LitotesError(
            f"{audit}: was made in Python and does not say where its table is. Apply its review there too: "
            "apply_label_review(table, audit, reviewed, out)."
        )
    source = resolved(moved) if moved else known["source"]
    if not Path(source).exists():
        raise LitotesError(f"{source}: the data of {audit} is not there any more. Say where it is with --data PATH.")
    reading = dict(known["reading"])
    if reading["text"] is None and reading["features"] is None and "features" not in known["parts"]:
        reading["features"] = []  # labels and probabilities were enough
    table = read_labelled_table(source, **reading)
    differs = difference(table.parts, known["parts"])
    if differs:
        raise StaleError(
            f"{source}: not the table that {audit} was made from: the {' and the '.join(differs)} differ. Restore it, "
            "or say where it is with --data PATH."
        )
    return table
