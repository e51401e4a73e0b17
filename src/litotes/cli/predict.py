"""``litotes predict``: the classes of new rows, beside the rows.

The model is what ``load_model`` of its recipe gives: it has ``classes_``, ``predict`` and ``predict_proba``, and takes
texts where it was trained on texts, numbers ``[n, d]`` where on numbers.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from litotes.cli import options
from litotes.cli.answers import Table, answer
from litotes.cli.training_doors import split_names
from litotes.core.errors import LitotesError

__all__ = ["predict", "register"]

_LABEL = "predicted_label"
_SHOWN = 20  # classes that are shown with their counts


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="predict", epilog="Example: litotes predict models/tickets new.csv --proba --out answers.csv")(
        predict
    )


def predict(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", show_default=False, help="The folder that litotes train wrote.")
    ],
    table: options.LabelledData,
    out: Annotated[
        str,
        typer.Option(metavar="TABLE", help="Where the answers go: .csv, .tsv, .jsonl or .parquet.", show_default=False),
    ],
    proba: Annotated[bool, typer.Option("--proba", help="Add the probability of every class.")] = False,
    text: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of the texts.", show_default="as it was in training"),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(metavar="COLUMN,...", help="Columns of numbers.", show_default="as they were in training"),
    ] = None,
    device: options.Device = "auto",
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"] | None,
        typer.Option(help="Precision of the encoder of texts.", show_default="as it was in training"),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Texts embedded at once.", show_default="as it was in training")
    ] = None,
    skip_bad_lines: options.SkipBadLines = False,
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Give every row of a table its class.

    The answers are the table's own columns, predicted_label, and with --proba a column proba.CLASS for each class. The
    labels of the table, if it has any, are not looked at.
    """
    from litotes.core.run_folder import RunFolder
    from litotes.data.labelled_table import read_labelled_table, write_labelled_table
    from litotes.data.table_writing import check_table_name
    from litotes.recipes.load_model import load_model

    check_table_name(out)
    columns = _columns(RunFolder.open(model, create=False), text, split_names(features))
    rows = read_labelled_table(table, label=None, **columns, skip_bad_lines=skip_bad_lines)
    classifier = load_model(model, device=device)
    if not hasattr(classifier, "classes_"):
        raise LitotesError(f"{model}: a {type(classifier).__name__}, which tells no classes apart.")
    _set_encoder(classifier, {"dtype": dtype, "batch_size": batch_size})
    classes = [str(name) for name in classifier.classes_]
    names = [_LABEL, *(f"proba.{name}" for name in classes if proba)]
    taken = next((name for name in names if name in rows.columns), None)
    if taken is not None:
        raise LitotesError(f"{table}: has a column {taken!r} already, which is for the answers. Rename it.")
    inputs = rows.features if rows.texts is None else rows.texts
    labels = [str(label) for label in classifier.predict(inputs)]
    extra: dict[str, Any] = {_LABEL: labels}
    if proba:
        shares = classifier.predict_proba(inputs)
        extra |= {f"proba.{name}": shares[:, place].tolist() for place, name in enumerate(classes)}
    write_labelled_table(out, rows, extra=extra)
    counts = Counter(labels).most_common()
    facts = {"verb": "predict", "model": str(model), "table": table, "out": out, "rows": len(rows)}
    more = f"; {_SHOWN} of {len(counts)} classes:" if len(counts) > _SHOWN else ":"
    title = f"{out}: {len(rows):,} rows{f', {rows.notes}' if rows.notes else ''}{more}"
    answer(json, {**facts, "labels": dict(counts)}, Table(["predicted", "rows"], counts[:_SHOWN], title))


def _set_encoder(classifier: Any, embedding: dict[str, Any]) -> None:
    """How the encoder before a classifier of texts works, where that was asked for."""
    from litotes.models import TextEncoder

    for _, step in getattr(classifier, "steps", ()):
        if isinstance(step, TextEncoder):
            step.set_params(**{name: value for name, value in embedding.items() if value is not None})


def _columns(run: Any, text: str | None, features: list[str] | None) -> dict[str, Any]:
    """Which columns to read: those that were named, or those of the training."""
    if text is not None and features is not None:
        raise LitotesError("A model reads texts or numbers: give --text or --features, not both.")
    if text is not None or features is not None:
        return {"text": text, "features": features}
    known = run.record.get("data", {}).get("reading", {})
    if not (known.get("text") or known.get("features")):
        raise LitotesError(
            f"{Path(run.path)}: does not say which columns it was trained on. Name them with --text or --features."
        )
    return {"text": known["text"], "features": known["features"]}
