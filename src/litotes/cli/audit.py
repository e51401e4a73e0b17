"""``litotes audit``: what is wrong with the labels one has, and a person's verdicts brought back into the data."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from litotes.cli import options
from litotes.cli.answers import Table, answer
from litotes.cli.audit_labels import apply_to_table, labels
from litotes.cli.run_record import bind_data, load_data, recorded, reload_data, resolved, resolved_spec

__all__ = ["apply", "labels", "register", "retrieval"]


def register(app: typer.Typer) -> None:
    """Add the group of verbs."""
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    example = "litotes audit retrieval data/scifact --encoder builtin:minilm --out audit/"
    group.command(name="retrieval", epilog=f"Example: {example}")(retrieval)
    labels_example = "litotes audit labels tickets.csv --text body --label queue --out audit/"
    group.command(name="labels", epilog=f"Example: {labels_example}")(labels)
    group.command(name="apply", epilog="Example: litotes audit apply audit/ reviewed.csv --out cleaned/")(apply)
    app.add_typer(group, name="audit", help="Find what is wrong with one's labels, and bring a review back into them.")


def retrieval(
    data: options.Data,
    out: Annotated[str, typer.Option(metavar="AUDIT", show_default=False, help="The folder that the audit goes to.")],
    encoder: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What embeds: a sentence-transformers name or folder, builtin:minilm, or vectors:FOLDER.",
        ),
    ] = "builtin:minilm",
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            show_default=False,
            help="A further judge, such as cross-encoder:model=NAME; may be given several times.",
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(min=1, help="Candidates a query from each retriever, and from the neighbours of positives.")
    ] = 50,
    limit: Annotated[int, typer.Option(min=1, help="Rows of a list at most.")] = 1000,
    near: Annotated[
        float, typer.Option(help="Share of word triples from which two documents are near-duplicates.")
    ] = 0.7,
    depth: Annotated[
        int, typer.Option(min=1, help="First ranks of a retriever that count as found, for pooling bias.")
    ] = 10,
    reach: Annotated[
        int, typer.Option(min=1, help="A positive that ranks below this by every retriever is beyond reach.")
    ] = 100,
    split: Annotated[str, typer.Option(help="Which judgements to audit.")] = "test",
    query_prompt: options.QueryPrompt = None,
    corpus_prompt: options.CorpusPrompt = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    batch_size: options.BatchSize = 32,
    query_column: options.QueryColumn = None,
    positive_column: options.PositiveColumn = None,
    min_grade: options.MinGrade = 1.0,
    duplicates: options.Duplicates = "refuse",
    skip_bad_lines: options.SkipBadLines = False,
    force: options.Force = False,
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Audit relevance judgements: what nobody labelled, what should not be, and what cannot be measured.

    Mines, judges and reports in one go: suspected false negatives and false positives, near-duplicates, text twins,
    queries that cannot be answered or told apart, and which retriever the labels come from. The data stays as it is.
    """
    from litotes.auditing.own_folder import check_outside
    from litotes.auditing.retrieval_audit import audit_retrieval
    from litotes.core.run_folder import RunFolder
    from litotes.judging.named import judge_from_spec
    from litotes.models.encoder import resolve_encoder

    reading = {
        "query_column": query_column,
        "positive_column": positive_column,
        "min_grade": min_grade,
        "duplicates": duplicates,
        "skip_bad_lines": skip_bad_lines,
    }
    computing: dict[str, Any] = {"device": device, "dtype": dtype, "batch_size": batch_size}
    prompts: dict[str, Any] = {"query_prompt": query_prompt, "corpus_prompt": corpus_prompt}
    settings: dict[str, Any] = {"top": top, "limit": limit, "near": near, "depth": depth, "reach": reach, "seed": seed}
    collection = load_data(data, split, **reading)
    check_outside(out, collection)
    run = RunFolder.open(out)
    bind_data(run, collection, data, split, reading)
    options_now = {
        "data": resolved(data),
        "out": str(run.path.absolute()),
        "encoder": resolved(encoder),
        "by": [resolved_spec(spec) for spec in by or ()],
        **settings,
        "split": split,
        **prompts,
        **computing,
        **reading,
        "force": force,
    }
    said: list[str] = []
    with recorded(run, "audit retrieval", options_now):
        ready = resolve_encoder(encoder, **prompts, **computing)
        judges = [judge_from_spec(spec, **computing) for spec in by or ()]
        made = audit_retrieval(collection, ready, out=run, by=judges, force=force, say=said.append, **settings)
    lists = made.facts["lists"]
    counts = {name: {key: of[key] for key in ("found", "ordered", "rows") if key in of} for name, of in lists.items()}
    rows = [
        [lists[name]["title"], of["rows"], number, counted, f"{name}.csv"]
        for name, of in counts.items()
        for counted, number in of.items()
        if counted != "rows"
    ]
    facts = {
        "verb": "audit retrieval",
        "out": str(out),
        "page": str(run.path / "report.html"),
        "lists": counts,
        "pooling": made.pooling,
    }
    answer(
        json,
        facts,
        *said,
        Table(["", "rows", "of", "", "list"], rows, f"{collection.name}, split {split}"),
        made.pooling["says"],
        f"Open {run.path / 'report.html'}",
        f"Next: fill in the verdicts, then litotes audit apply {out} REVIEWED.csv --out CLEANED",
    )


def apply(
    audit: Annotated[str, typer.Argument(metavar="AUDIT", show_default=False, help="The folder of an audit.")],
    reviewed: Annotated[
        str,
        typer.Argument(
            metavar="REVIEWED", show_default=False, help="Its rows with verdicts filled in: CSV or JSON Lines."
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            metavar="FOLDER",
            show_default=False,
            help="Where the new data goes; one that an earlier review of this audit made is built on.",
        ),
    ],
    data: options.MovedData = None,
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Bring a person's verdicts back into the data, as a new folder with its history.

    history.jsonl in it says of every change what it was, what it is, by which review and from which audit.
    """
    from litotes.auditing.apply import apply_review
    from litotes.auditing.review import audit_facts
    from litotes.core.run_folder import RunFolder

    if audit_facts(audit)["audit"] == "labels":
        apply_to_table(audit, reviewed, out, data, json)
        return
    done = apply_review(reload_data(RunFolder.open(audit, create=False), data), audit, reviewed, out)
    verdicts = sum(count for of_list in done.verdicts.values() for count in of_list.values())
    queries = len({change["query_id"] for change in done.changes})
    facts = {
        "verb": "audit apply",
        "audit": str(audit),
        "out": str(out),
        "verdicts": done.verdicts,
        "changes": len(done.changes),
        "confirmed": done.confirmed,
        "judgements": len(done.data.labels),
        "history": f"{out}/history.jsonl",
    }
    answer(
        json,
        facts,
        f"{out}: {verdicts:,} verdicts, {len(done.changes):,} judgements of {queries:,} queries changed, "
        f"{done.confirmed:,} confirmed; {len(done.data.labels):,} judgements now.",
        f"What changed stands in {out}/history.jsonl",
    )
