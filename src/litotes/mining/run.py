"""Mining into a run folder, shard by shard: what was made stays made when the program is killed."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable, Container, Mapping
from typing import Any

import numpy as np

from litotes.core import Candidates, Collection, RunFolder
from litotes.core import progress as core_progress
from litotes.core.candidate_run import CANDIDATES, JUDGEMENTS, miner_shard
from litotes.core.candidates import data_parts
from litotes.core.checks import check_int
from litotes.core.errors import StaleError
from litotes.core.fingerprint import difference
from litotes.mining.named import Miner, check_name

__all__ = ["changes", "check_same_data", "mine_into", "settings"]

_REASONS = {
    "short_rows": "rows got fewer than asked",
    "excluded_positive": "observed positives left out",
    "excluded_twin": "text twins of positives left out",
    "zero_score": "candidates share no word with their query",
    "rows_no_text": "rows have no text",
    "rows_not_in_run": "rows are not in the run file",
    "unknown_columns": "documents of the run file are not in this data",
    "below_min_score": "below min_score",
    "above_max_score": "above max_score",
}


def mine_into(
    run: RunFolder,
    miner: Miner,
    data: Collection,
    shard_rows: int = 512,
    *,
    force: bool = False,
    config: Mapping[str, Any] | None = None,
    say: Callable[[str], None] = core_progress.say,
) -> dict[str, Any]:
    """Mine all rows of ``data`` into ``candidates/<name>/`` of the run, or go on where a killed run stopped.

    Every shard holds the candidates of ``shard_rows`` rows, and all miners of a run cut alike (the first one decides).
    Nothing is done when the part is there already and was made from the same things.

    Args:
        force: make the part again where it was made from other things; judgements of the old candidates go with them.
        config: what ``run.json`` records of the command; by default the miner's parameters.
        say: takes one line of text for people.

    Returns:
        The summary that ``run.json`` keeps: ``cells``, ``rows``, and ``counts`` of what was excluded and why.

    Raises:
        StaleError: the run is about other data, or a part of this name was made from something else (which is named).
    """
    check_int("mine_into", "shard_rows", shard_rows, at_least=1)
    key = f"{CANDIDATES}/{check_name(type(miner).__name__, miner.name)}"
    fingerprints = {**data_parts(data), **miner.fingerprint(data)}
    remake = force and key in run.stages and fingerprints != run.stages[key]["fingerprints"]
    gone = {key, *_judgements(run)} if remake else set()
    check_same_data(run, data, besides=gone)
    shard_rows = _cut_of(run, besides=gone) or shard_rows
    if remake:
        _drop_judgements(run, say)
    else:
        _check_same_miner(run, key, miner, fingerprints)
    stage = run.stage(
        key,
        verb="mine",
        config={**(settings(miner) if config is None else config), "shard_rows": shard_rows},
        fingerprints=fingerprints,
        shards=max(1, -(-data.n_rows // shard_rows)),
        seed=getattr(miner, "seed", None),
        force=remake,
    )
    if stage.done:
        say(f"{miner.name}: already mined, {stage.record['summary']['cells']:,} candidates.")
        return stage.record["summary"]
    with core_progress.Progress(f"Mining with {miner.name}", total=data.n_rows) as bar:
        pending = stage.pending
        bar.done = data.n_rows - sum(len(_rows_of(shard, shard_rows, data)) for shard in pending)
        for shard in pending:
            rows = _rows_of(shard, shard_rows, data)
            stage.write(shard, miner_shard(miner.mine(data, rows), miner.name))
            bar.advance(len(rows))
    summary = _summary(stage.tables(), data)
    stage.finish(summary)
    say(_sentence(miner.name, summary))
    return summary


def check_same_data(run: RunFolder, data: Collection, besides: Container[str] = ()) -> None:
    """Refuse data that is not what the run's stages were made from; the stages ``besides`` may differ.

    Raises:
        StaleError: names the parts that differ.
    """
    ours = data_parts(data)
    for key, record in run.stages.items():
        theirs = {part: record["fingerprints"][part] for part in ours if part in record["fingerprints"]}
        differs = difference(ours, theirs) if theirs and key not in besides else []
        if differs:
            raise StaleError(
                f"{run.path}: {key} was made from another data set or split: the {' and the '.join(differs)} differ. "
                "Give the data that this folder is about, or another --out."
            )


def changes(differs: list[str], theirs: Mapping[str, str], ours: Mapping[str, str]) -> str:
    """Which parts differ, with both values where they are short enough to read."""

    def change(part: str) -> str:
        then, now = theirs.get(part, "nothing"), ours.get(part, "nothing")
        shown = f" ({then} there, {now} now)" if max(len(then), len(now)) < 24 else ""
        return f"the {part}{shown}"

    return f"{', '.join(map(change, differs))} differ{'s' * (len(differs) == 1)}"


def settings(part: object) -> dict[str, Any]:
    """The constructor's parameters of a miner or judge as ``run.json`` can hold them."""
    names = [name for name in inspect.signature(type(part)).parameters if hasattr(part, name)]
    values = {name: getattr(part, name) for name in names}
    plain = {name: value for name, value in values.items() if isinstance(value, str | int | float | bool | None)}
    others = {name: _plain(value) for name, value in values.items() if name not in plain}
    return {"kind": getattr(part, "kind", type(part).__name__), **plain, **others}


def _check_same_miner(run: RunFolder, key: str, miner: Miner, fingerprints: Mapping[str, str]) -> None:
    """Refuse a part of this name that was made by another miner, with the words that file it beside the first."""
    theirs = run.stages[key]["fingerprints"] if key in run.stages else fingerprints
    differs = difference(dict(fingerprints), dict(theirs))
    if differs:
        kind, path = getattr(miner, "kind", miner.name), getattr(miner, "path", None)
        spec = f"{kind}:{path},name=NAME" if path else f"{kind}:name=NAME"
        raise StaleError(
            f"{run.path / key} was made from something else: {changes(differs, theirs, fingerprints)}. "
            f"File this one under another name with --miner {spec}, or make it again with --force."
        )


def _plain(value: object) -> Any:
    return list(value) if isinstance(value, tuple | list) else type(value).__name__


def _rows_of(shard: int, shard_rows: int, data: Collection) -> np.ndarray:
    return np.arange(shard * shard_rows, min((shard + 1) * shard_rows, data.n_rows), dtype=np.int64)


def _cut_of(run: RunFolder, besides: Container[str]) -> int | None:
    """How the miners of this run have cut the rows so far."""
    mined = (record for key, record in run.stages.items() if key.startswith(f"{CANDIDATES}/") and key not in besides)
    return next((record["config"]["shard_rows"] for record in mined), None)


def _drop_judgements(run: RunFolder, say: Callable[[str], None]) -> None:
    """Forget what judges said of candidates that were made again."""
    for key in _judgements(run):
        del run.stages[key]
        run.save()
        shutil.rmtree(run.path / key, ignore_errors=True)
        say(f"{key} spoke of the old candidates and is gone; judge again.")


def _judgements(run: RunFolder) -> list[str]:
    return [key for key in run.stages if key.startswith(f"{JUDGEMENTS}/")]


def _summary(tables: Any, data: Collection) -> dict[str, Any]:
    """Cells and counts over all shards."""
    cells = 0
    counts: dict[str, int] = {}
    for table in tables:
        cells += table.num_rows
        for found in Candidates.from_table(table).counts.values():
            for reason, number in found.items():
                counts[reason] = counts.get(reason, 0) + number
    return {"rows": data.n_rows, "cells": cells, "counts": counts}


def _sentence(name: str, summary: Mapping[str, Any]) -> str:
    counts = summary["counts"]
    notes = [f"{counts[reason]:,} {words}" for reason, words in _REASONS.items() if counts.get(reason)]
    return "; ".join([f"{name}: {summary['cells']:,} candidates for {summary['rows']:,} rows", *notes]) + "."
