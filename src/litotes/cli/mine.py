"""``litotes mine``: propose hard negatives, and file them in a run folder."""

from __future__ import annotations

from typing import Annotated

import typer

from litotes.cli import options
from litotes.cli.answers import answer
from litotes.cli.run_record import bind_data, load_data, recorded, resolved, resolved_spec
from litotes.core.errors import LitotesError

__all__ = ["mine", "register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    example = "litotes mine data/scifact --miner dense --encoder builtin:minilm --top 50 --out runs/scifact"
    app.command(name="mine", epilog=f"Example: {example}")(mine)


def mine(
    data: options.Data,
    miner: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            show_default=False,
            help="dense, bm25, random, popularity, hnsw, ivf or run:FILE.trec; options after a colon: dense:name=e5.",
        ),
    ],
    out: Annotated[
        str, typer.Option(metavar="RUN", show_default=False, help="The run folder; a second miner adds to it.")
    ],
    top: Annotated[int, typer.Option(min=1, help="Candidates a query.")] = 50,
    skip: Annotated[int, typer.Option(min=0, help="Ranks to leave out at the top.")] = 0,
    min_score: Annotated[float | None, typer.Option(help="Leave out what scores below.", show_default=False)] = None,
    max_score: Annotated[float | None, typer.Option(help="Leave out what scores above.", show_default=False)] = None,
    split: Annotated[str, typer.Option(help="Which judgements to mine for.")] = "train",
    encoder: options.Encoder = None,
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
    """Propose hard negatives for each query, into a run folder.

    A candidate that is a known positive, or has the same text as one, is never proposed. A second miner adds its cells
    to the run; another data set or split is refused.
    """
    from litotes.core.run_folder import RunFolder
    from litotes.mining import mine_into, miner_from_spec

    reading = {
        "query_column": query_column,
        "positive_column": positive_column,
        "min_grade": min_grade,
        "duplicates": duplicates,
        "skip_bad_lines": skip_bad_lines,
    }
    embedding = {"query_prompt": query_prompt, "corpus_prompt": corpus_prompt, "device": device, "dtype": dtype}
    collection = load_data(data, split, **reading)
    window = {"top": top, "skip": skip, "min_score": min_score, "max_score": max_score}
    made = miner_from_spec(miner, encoder=encoder, batch_size=batch_size, **embedding, **window, seed=seed)
    if encoder is not None and not hasattr(made, "encoder"):
        raise LitotesError(f"--miner {miner} embeds nothing, so --encoder {encoder} has no use here; leave it out.")
    run = RunFolder.open(out)
    bind_data(run, collection, data, split, reading)
    options_now = {
        "data": resolved(data),
        "miner": resolved_spec(miner),
        "out": str(run.path.absolute()),
        **window,
        "split": split,
        "encoder": None if encoder is None else resolved(encoder),
        **embedding,
        "batch_size": batch_size,
        **reading,
        "force": force,
        "seed": seed,
    }
    said: list[str] = []
    with recorded(run, "mine", options_now):
        summary = mine_into(run, made, collection, force=force, say=said.append)
    facts = {"verb": "mine", "run": str(out), "miner": made.name, **summary}
    answer(json, facts, *said, f"Next: litotes judge {out} --by document")
