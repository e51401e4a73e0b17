"""``litotes judge``: say of each candidate of a run how far it can be trusted to be a negative."""

from __future__ import annotations

from typing import Annotated

import typer

from litotes.cli import options
from litotes.cli.answers import answer
from litotes.cli.run_record import recorded, reload_data, resolved, resolved_spec
from litotes.core.errors import LitotesError

__all__ = ["judge", "register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="judge", epilog="Example: litotes judge runs/scifact --by document")(judge)


def judge(
    run: options.Run,
    by: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            show_default=False,
            help="document, margin, rank, cross-encoder or selection; options after a colon: cross-encoder:model=NAME, "
            "margin:relative_margin=0.05.",
        ),
    ],
    calibrate: Annotated[
        str | None,
        typer.Option(
            metavar="QRELS",
            show_default=False,
            help="Judgements of known truth (TREC or BEIR): fit the judge's probabilities to the candidates in it.",
        ),
    ] = None,
    encoder: options.Encoder = None,
    query_prompt: options.QueryPrompt = None,
    corpus_prompt: options.CorpusPrompt = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    batch_size: options.BatchSize = 32,
    data: options.MovedData = None,
    force: options.Force = False,
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Say how far each candidate can be trusted as a negative.

    A judge adds its columns and drops nothing. It fills trust only where it gives a probability: of its own, or fitted
    with --calibrate.
    """
    from litotes.core import RunFolder
    from litotes.judging import judge_from_spec, judge_into
    from litotes.judging.calibrate import calibrate as fit
    from litotes.judging.run import mined

    folder = RunFolder.open(run, create=False)
    collection = reload_data(folder, data)
    ready = None
    if encoder is not None:
        from litotes.models.encoder import resolve_encoder

        ready = resolve_encoder(
            encoder,
            query_prompt=query_prompt,
            corpus_prompt=corpus_prompt,
            device=device,
            dtype=dtype,
            batch_size=batch_size,
        )
    elif query_prompt is not None or corpus_prompt is not None:
        raise LitotesError("--query-prompt and --corpus-prompt are an encoder's; name it with --encoder.")
    chosen = judge_from_spec(by, encoder=ready, device=device, dtype=dtype, batch_size=batch_size)
    if encoder is not None and getattr(chosen, "encoder", None) is None:
        raise LitotesError(f"--by {by} embeds nothing, so --encoder {encoder} has no use here; leave it out.")
    config = {
        "by": by,
        "encoder": encoder,
        "query_prompt": query_prompt,
        "corpus_prompt": corpus_prompt,
        "calibrate": calibrate,
        "device": device,
        "dtype": dtype,
        "batch_size": batch_size,
    }
    options_now = {
        **config,
        "run": str(folder.path.absolute()),
        "by": resolved_spec(by),
        "calibrate": None if calibrate is None else resolved(calibrate),
        "encoder": None if encoder is None else resolved(encoder),
        "data": None if data is None else resolved(data),
        "force": force,
        "seed": seed,
    }
    said: list[str] = []
    with recorded(folder, "judge", options_now):
        if calibrate is not None:
            chosen = fit(chosen, mined(folder), collection, calibrate, say=said.append)
        summary = judge_into(folder, chosen, collection, force=force, say=said.append)
    facts = {"verb": "judge", "run": str(run), "judge": chosen.name, **summary}
    answer(json, facts, *said, f"Next: litotes report {run}")
