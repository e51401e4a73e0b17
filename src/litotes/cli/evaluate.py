"""``litotes evaluate``: search the full corpus, measure, compare with another encoder or a reranking, write runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from litotes.cli import options
from litotes.cli.answers import Table, answer
from litotes.cli.run_record import bind_data, load_data, recorded, resolved
from litotes.core.errors import LitotesError

if TYPE_CHECKING:
    from litotes.core import Collection
    from litotes.evaluation import Comparison, Evaluation

__all__ = ["evaluate", "register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    example = "litotes evaluate data/scifact --encoder models/adore --against builtin:minilm --out eval/"
    app.command(name="evaluate", epilog=f"Example: {example}")(evaluate)


def evaluate(
    data: options.Data,
    encoder: Annotated[
        str,
        typer.Option(metavar="NAME", show_default=False, help="What to measure: an encoder, or a TREC run file."),
    ],
    out: Annotated[str, typer.Option(metavar="FOLDER", show_default=False, help="Where results and run files go.")],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default=False, help="What to compare with: another encoder, or a TREC run file."
        ),
    ] = None,
    rerank: Annotated[
        str | None,
        typer.Option(metavar="MODEL", show_default=False, help="A cross-encoder that orders the top documents anew."),
    ] = None,
    rerank_depth: Annotated[int, typer.Option(min=1, help="Documents of each query that it reads.")] = 100,
    metrics: Annotated[str, typer.Option(help="Names of ir-measures, divided by commas.")] = "nDCG@10,RR@10,R@100",
    split: Annotated[str, typer.Option(help="Which judgements to measure by.")] = "test",
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
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Measure an encoder over the full corpus; compare it with another.

    All documents are searched for each query; the difference to --against, or what --rerank gains over the encoder
    alone, is tested query by query. Writes run files for trec_eval and evaluation.json. Prompts belong to --encoder; a
    model named by --against uses its own. Where the complete truth of a built-in set is known, the figures by it stand
    beside those by its labels.
    """
    from litotes.core.files import write_json
    from litotes.core.run_folder import RunFolder
    from litotes.evaluation import compare
    from litotes.evaluation import evaluate as measure

    if rerank is not None and against is not None:
        raise LitotesError("litotes evaluate compares two systems: give --against or --rerank, not both.")
    reading = {
        "query_column": query_column,
        "positive_column": positive_column,
        "min_grade": min_grade,
        "duplicates": duplicates,
        "skip_bad_lines": skip_bad_lines,
    }
    embedding = {"device": device, "dtype": dtype, "batch_size": batch_size}
    prompts = {"query_prompt": query_prompt, "corpus_prompt": corpus_prompt}
    collection = load_data(data, split, **reading)
    run = RunFolder.open(out)
    bind_data(run, collection, data, split, reading)
    options_now = {
        "data": resolved(data),
        "encoder": resolved(encoder),
        "out": str(run.path.absolute()),
        "against": None if against is None else resolved(against),
        "rerank": None if rerank is None else resolved(rerank),
        "rerank_depth": rerank_depth,
        "metrics": metrics,
        "split": split,
        **prompts,
        **embedding,
        **reading,
        "seed": seed,
    }
    names = [name.strip() for name in metrics.split(",") if name.strip()]
    with recorded(run, "evaluate", options_now):
        systems = {encoder: _ready(encoder, {**prompts, **embedding})}
        if against is not None and against != encoder:
            systems[against] = _ready(against, embedding)
        by = {"labels": [measure(collection, ready, names, name=name) for name, ready in systems.items()]}
        if rerank is not None:
            name = f"{encoder} + {rerank}"
            again = _reranked(collection, by["labels"][0].run, rerank, rerank_depth, device, batch_size)
            by["labels"].insert(0, measure(collection, again, names, name=name))
        runs = _write_runs(run.path, by["labels"])
        if collection.truth is not None:
            known = collection.truth
            by["complete truth"] = [
                measure(collection, found.run, names, qrels=known, name=found.name) for found in by["labels"]
            ]
        compared = {label: compare(*two, seed=seed) if len(two) == 2 else None for label, two in by.items()}
        results = {label: _facts(measured, compared[label]) for label, measured in by.items()}
        facts = {"verb": "evaluate", "data": data, "split": split, "out": str(out), "runs": runs, "by": results}
        write_json(run.path / "evaluation.json", facts)
    place = f"{collection.name}, split {split}"
    tables = [_table(measured, compared[label], f"{place}, by {label}") for label, measured in by.items()]
    answer(json, facts, *tables, f"Run files and evaluation.json are in {out}")


def _ready(name: str, embedding: dict[str, Any]) -> Any:
    """A run file as it is, an encoder loaded once.

    Raises:
        LitotesError: the folder of a model that embeds nothing.
    """
    if name.startswith("run:") or Path(name).is_file():
        return name
    from litotes.models.cell_model import is_ranker

    if is_ranker(name):
        raise LitotesError(
            f"{name} holds a ranker, which reads a query and a document together and embeds neither, so it cannot "
            f"search: give an encoder or a run file as --encoder, and --rerank {name}."
        )
    from litotes.models.encoder import resolve_encoder

    return resolve_encoder(name, **embedding)


def _reranked(
    data: Collection, run: dict[str, dict[str, float]], model: str, depth: int, device: str, batch_size: int
) -> dict[str, dict[str, float]]:
    """The run with its first documents in the model's order."""
    from litotes.evaluation.reranking import rerank, reranker

    return rerank(data, run, reranker(model, device=device, batch_size=batch_size), depth=depth)


def _write_runs(folder: Path, measured: list[Evaluation]) -> dict[str, str]:
    """One TREC run file a system, under a name that a file can have."""
    written: dict[str, str] = {}
    for evaluation in measured:
        plain = re.sub(r"[^\w.-]+", "-", Path(evaluation.name).name.removesuffix(".trec")).strip("-") or "run"
        while f"{plain}.trec" in written.values():
            plain += "-2"
        evaluation.write_run(folder / f"{plain}.trec")
        written[evaluation.name] = f"{plain}.trec"
    return written


def _facts(measured: list[Evaluation], comparison: Comparison | None) -> dict[str, Any]:
    return {
        "systems": [evaluation.to_dict() for evaluation in measured],
        "comparison": None if comparison is None else comparison.to_dict(),
    }


def _table(measured: list[Evaluation], comparison: Comparison | None, title: str) -> Table:
    title += f": {measured[0].counts['queries']:,} queries"
    if comparison is None:
        return Table(["", *measured[0].means], [[measured[0].name, *measured[0].means.values()]], title)
    heads = [
        "",
        comparison.b,
        comparison.a,
        "difference",
        f"{comparison.level:.0%} interval",
        "p",
        "better/worse/equal",
    ]
    rows = [
        [
            d.metric,
            d.mean_b,
            d.mean_a,
            f"{d.difference:+.4f}",
            f"[{d.low:+.4f}, {d.high:+.4f}]",
            f"{d.p_value:.4f}",
            f"{d.better}/{d.worse}/{d.equal}",
        ]
        for d in comparison.differences
    ]
    return Table(heads, rows, title)
