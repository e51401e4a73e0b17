"""``litotes clean``: a table whose rows are dropped, or labelled anew, where their neighbours speak against them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from litotes.cli import options
from litotes.cli.answers import Table, answer
from litotes.core.checks import check_choice
from litotes.core.errors import DataError, LitotesError

if TYPE_CHECKING:
    import numpy as np

    from litotes.data.labelled_table import LabelledTable
    from litotes.recipes.classification.tacred_noise import NeighbourCleaner

__all__ = ["clean", "register"]

_KINDS = ("neighbours",)
_PLACES = ("reference", "predictions")  # options of the spec that name a table and a column
_SHOWN = 20  # classes that are shown with their counts


def register(app: typer.Typer) -> None:
    """Add the verb."""
    example = (
        "litotes clean tickets.csv --text body --label queue "
        "--by neighbours:strategy=extrinsic,reference=checked.csv --action relabel --out cleaned.csv"
    )
    app.command(name="clean", epilog=f"Example: {example}")(clean)


def clean(
    table: options.LabelledData,
    label: options.Label,
    out: Annotated[
        str,
        typer.Option(
            metavar="TABLE", help="Where the cleaned table goes: .csv, .tsv, .jsonl or .parquet.", show_default=False
        ),
    ],
    by: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="neighbours, options after a colon: neighbours:strategy=extrinsic,reference=checked.csv, "
            "or neighbours:predictions=COLUMN for those of a model of your own.",
        ),
    ] = "neighbours",
    action: Annotated[
        Literal["drop", "relabel"], typer.Option(help="Leave flagged rows out, or give them the label of the vote.")
    ] = "drop",
    negative_label: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL",
            help="The class of what is nothing else; its members are examined, and the others taken for right.",
            show_default="every row is examined",
        ),
    ] = None,
    text: options.Text = None,
    features: options.Features = None,
    id_column: options.IdColumn = None,
    flags: Annotated[
        str | None,
        typer.Option(metavar="TABLE", help="Where to list what was flagged, and why.", show_default=False),
    ] = None,
    standardize: Annotated[
        bool, typer.Option(help="Bring columns of numbers to mean 0 and deviation 1 before distances are taken.")
    ] = True,
    encoder: options.Encoder = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    batch_size: options.BatchSize = 32,
    skip_bad_lines: options.SkipBadLines = False,
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Drop or relabel the rows of a table that their nearest neighbours speak against.

    Extrinsic: a clean reference speaks, a table with the same columns, none of whose rows is in the data. Intrinsic:
    the rows of the other classes that a cross-validated model takes for the negative one point at their neighbours.
    """
    import numpy as np

    from litotes.core.spec import build, parse_spec
    from litotes.data.labelled_table import read_labelled_table, write_labelled_table
    from litotes.data.table_writing import check_table_name, write_columns
    from litotes.recipes.classification.tacred_noise import NeighbourCleaner

    spec = parse_spec(by)
    check_choice("--by", "kind", spec.kind, _KINDS)
    typed = {name: value for name, value in spec.options.items() if name not in _PLACES}
    fixed: dict[str, Any] = {"action": action, "random_state": seed}
    if negative_label is not None:
        fixed["negative_label"] = negative_label
    twice = next((name for name in typed if name in fixed and name != "random_state"), None)
    if twice is not None:
        raise LitotesError(f"{twice} stands in --by and as --{twice.replace('_', '-')}. Give it once.")
    places = {name: spec.options[name] for name in _PLACES if name in spec.options}
    made = build(NeighbourCleaner, typed, "neighbours", **{name: fixed[name] for name in fixed if name not in typed})
    _check_options(made)
    if flags is not None and Path(flags).absolute() == Path(out).absolute():
        raise LitotesError(f"--flags {flags}: is where the cleaned table goes. Give another file.")
    for path in filter(None, (out, flags)):
        check_table_name(path)
        if Path(path).exists() and any(Path(path).samefile(read) for read in (table, places.get("reference", table))):
            raise LitotesError(f"{path}: is what is read. Give another file to write.")
    columns = None if features is None else [name.strip() for name in features.split(",") if name.strip()]
    how: dict[str, Any] = {"label": label, "text": text, "features": columns, "skip_bad_lines": skip_bad_lines}
    rows = read_labelled_table(table, **how, id_column=id_column)
    clean_rows = None
    if "reference" in places:
        by_id = id_column if (encoder or "").startswith("vectors:") else None  # else the reference needs no ids
        clean_rows = read_labelled_table(places["reference"], **how, id_column=by_id)
        clean_rows = _apart(rows, clean_rows, made.overlap)
    if "predictions" in places:
        if columns is None and places["predictions"] in rows.feature_columns:
            raise LitotesError(
                f"predictions={places['predictions']} is a column of numbers, and without --features or --text every "
                "such column is a feature. Name those to compare by with --features."
            )
        made.set_params(predictions=_predicted(rows, places["predictions"]))
    embedding = {"batch_size": batch_size, "device": device, "dtype": dtype}
    inputs, clean_inputs = _inputs(rows, clean_rows, encoder, embedding, standardize)
    if clean_rows is not None:
        made.set_params(reference=(clean_inputs, np.array(clean_rows.labels)))
    given = np.array(rows.labels)
    _, labels = made.fit_resample(inputs, given)
    kept = np.zeros(len(rows), dtype=bool)
    kept[made.sample_indices_] = True
    if action == "drop":
        write_labelled_table(out, rows, keep=kept)
    else:
        write_labelled_table(out, rows, labels=[str(one) for one in labels])
    if flags is not None:
        write_columns(flags, _flag_columns(rows, clean_rows, made))
    facts = _facts(table, out, action, rows, made, labels)
    answer(json, facts, *_lines(facts))


def _check_options(made: NeighbourCleaner) -> None:
    """Values that the estimator refuses, in its own sentence."""
    try:
        made._validate_params()
    except ValueError as error:
        raise LitotesError(f"--by: {error}") from None


def _inputs(
    rows: LabelledTable,
    clean_rows: LabelledTable | None,
    encoder: str | None,
    embedding: dict[str, Any],
    standardize: bool,
) -> tuple[np.ndarray, np.ndarray | None]:
    """The vectors that distances are taken of, of the data and of the reference."""
    import numpy as np

    if rows.texts is not None:
        from litotes.models.encoder import resolve_encoder

        embed = resolve_encoder(encoder or "builtin:minilm", **embedding)
        found, clean_found = embed.encode(rows.texts, "document", ids=rows.ids), None
        if clean_rows is not None and clean_rows.texts is not None:
            clean_found = embed.encode(clean_rows.texts, "document", ids=clean_rows.ids)
        return found, clean_found
    if encoder is not None:
        raise LitotesError(f"--encoder {encoder} embeds texts, and no column of texts is named; add --text COLUMN.")
    assert rows.features is not None  # the reader refuses a table without texts and numbers
    found, clean_found = rows.features, None if clean_rows is None else clean_rows.features
    if clean_rows is not None and clean_rows.feature_columns != rows.feature_columns:
        missing = sorted(set(rows.feature_columns) ^ set(clean_rows.feature_columns))
        raise DataError(
            f"{clean_rows.origin}: has other columns of numbers than {rows.origin}: {', '.join(missing[:5])}. Name "
            "those of both with --features."
        )
    if not standardize:
        return found, clean_found
    mean, deviation = found.mean(axis=0, dtype=np.float64), found.std(axis=0, dtype=np.float64)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return (found - mean) / deviation, None if clean_found is None else (clean_found - mean) / deviation


def _apart(rows: LabelledTable, clean_rows: LabelledTable, overlap: str) -> LabelledTable:
    """The reference without texts of the data, or an error: vectors of equal texts may differ in their last bits."""
    import numpy as np

    from litotes.core.text import normalise

    if rows.texts is None or clean_rows.texts is None:
        return clean_rows
    ours = {normalise(text): place for text, place in zip(rows.texts, rows.places, strict=True)}
    theirs = [normalise(text) for text in clean_rows.texts]
    shared = np.array([text in ours for text in theirs], dtype=bool)
    if shared.any() and overlap == "refuse":
        first = int(shared.argmax())
        raise DataError(
            f"The reference overlaps the data: {clean_rows.places[first]} has the text of {ours[theirs[first]]}; rows "
            f"of the reference whose text is in both: {int(shared.sum())}. Leave them out of one of the two, or add "
            "overlap=drop to --by."
        )
    return clean_rows.select(~shared)


def _predicted(rows: LabelledTable, column: str) -> np.ndarray:
    import numpy as np

    from litotes.data.column_names import check_column

    check_column(list(rows.columns), column, "predictions", rows.origin)
    return np.array([None if cell is None else str(cell) for cell in rows.columns[column]], dtype=object)


def _flag_columns(
    rows: LabelledTable, clean_rows: LabelledTable | None, made: NeighbourCleaner
) -> dict[str, list[Any]]:
    """One row for each that was flagged: where it stands, its labels, and who spoke against it."""
    import numpy as np

    speakers = rows if clean_rows is None else clean_rows
    flagged, votes = np.flatnonzero(made.flagged_).tolist(), made.votes_
    first = np.searchsorted(votes.row, flagged)
    last = np.searchsorted(votes.row, flagged, side="right")
    reasons = [
        "; ".join(
            f"{made.classes_[votes.label[at]]} ({speakers.places[votes.by[at]]}, {votes.distance[at]:.4g} away)"
            for at in range(start, min(stop, start + made.n_neighbors))
        )
        for start, stop in zip(first.tolist(), last.tolist(), strict=True)
    ]
    return {
        "place": [rows.places[row] for row in flagged],
        "id": [rows.ids[row] for row in flagged],
        "given_label": [rows.labels[row] for row in flagged],
        "new_label": [str(made.relabel_[row]) if row in made.relabel_ else "" for row in flagged],
        "reason": reasons,
    }


def _facts(
    table: str, out: str, action: str, rows: LabelledTable, made: NeighbourCleaner, labels: np.ndarray
) -> dict[str, Any]:
    before, after = Counter(rows.labels), Counter(str(label) for label in labels)
    names = sorted({*before, *after}, key=lambda name: (-before[name], name))
    return {
        "verb": "clean",
        "data": table,
        "out": out,
        "strategy": made.strategy,
        "action": action,
        "rows": len(rows),
        "examined": int(made.examined_.sum()),
        "flagged": int(made.flagged_.sum()),
        "with_new_label": len(made.relabel_),
        "written": len(labels),
        "predictions": made.predictions_from_,
        "false_negatives": None if made.false_negatives_ is None else len(made.false_negatives_),
        "reference": made.reference_balance_,
        "labels": {name: {"before": before[name], "after": after[name]} for name in names},
    }


def _lines(facts: dict[str, Any]) -> list[object]:
    how = (
        f"{facts['false_negatives']:,} rows of other classes look negative ({facts['predictions']}); "
        if (facts["false_negatives"] is not None)
        else ""
    )
    done = (
        f"{facts['flagged']:,} left out"
        if facts["action"] == "drop"
        else f"{facts['with_new_label']:,} of {facts['flagged']:,} flagged rows have another label"
    )
    title = f"{facts['out']}: {facts['rows']:,} rows, {facts['examined']:,} examined; {how}{done}."
    counts = [[name, count["before"], count["after"]] for name, count in facts["labels"].items()][:_SHOWN]
    return [Table(["label", "before", "after"], counts, title)]
