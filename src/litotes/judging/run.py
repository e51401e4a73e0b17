"""Judging a run folder, shard by shard: what was judged stays judged when the program is killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from litotes.core import Candidates, Collection, LitotesError, RunFolder
from litotes.core import progress as core_progress
from litotes.core.candidate_run import CANDIDATES, JUDGEMENTS, judge_shard, shard_candidates
from litotes.core.candidates import data_parts
from litotes.core.errors import StaleError
from litotes.core.files import read_parquet
from litotes.core.fingerprint import difference, digest
from litotes.core.run_folder import Stage
from litotes.judging.named import Judge
from litotes.mining.named import check_name
from litotes.mining.run import changes, check_same_data, settings

__all__ = ["judge_into", "mined"]


def judge_into(
    run: RunFolder,
    judge: Judge,
    data: Collection,
    *,
    force: bool = False,
    config: Mapping[str, Any] | None = None,
    say: Callable[[str], None] = core_progress.say,
) -> dict[str, Any]:
    """Judge all candidates of the run into ``judgements/<name>/``, or go on where a killed run stopped.

    A shard holds ``row, col, assumed, judge`` and, where the judge gives a probability, ``trust``. What was judged is
    known by the digests of the candidates: after another miner has added its cells, judging again needs ``force``.

    Args:
        force: judge again where the judgements were made from other things.
        config: what ``run.json`` records of the command; by default the judge's parameters.
        say: takes one line of text for people.

    Returns:
        The summary that ``run.json`` keeps: ``cells``, ``judged`` (cells with a raw value), ``trusted`` (with a trust),
        and ``calibration``, in words, where there is one.

    Raises:
        LitotesError: the run holds no candidates, or a miner is not finished.
        StaleError: the run is about other data, or these judgements were made from something else (which is named).
    """
    key = f"{JUDGEMENTS}/{check_name(type(judge).__name__, judge.name)}"
    check_same_data(run, data)
    miners = _finished_miners(run)
    fingerprints = {
        **data_parts(data),
        **judge.fingerprint(),
        **{f"{CANDIDATES}/{name}": digest(stage.record["digests"]) for name, stage in miners.items()},
    }
    remake = force and key in run.stages and fingerprints != run.stages[key]["fingerprints"]
    if key in run.stages and not remake:
        _check_same(run, key, judge, fingerprints)
    shards = {stage.record["shards"] for stage in miners.values()}
    stage = run.stage(
        key,
        verb="judge",
        config=settings(judge) if config is None else config,
        fingerprints=fingerprints,
        shards=max(shards),
        force=remake,
    )
    if stage.done:
        say(f"{judge.name}: already judged, {stage.record['summary']['judged']:,} candidates.")
        return stage.record["summary"]
    with core_progress.Progress(f"Judging by {judge.name}", total=stage.record["shards"], unit="shards") as bar:
        pending = stage.pending
        bar.done = stage.record["shards"] - len(pending)
        for shard in pending:
            found = judge.judge(_shard(miners, shard), data)
            stage.write(shard, judge_shard(found, judge.name))
            bar.advance()
    summary = _summary(stage, judge, data)
    stage.finish(summary)
    say(_sentence(judge.name, summary))
    return summary


def mined(run: RunFolder) -> Candidates:
    """The candidates of all miners of a run, without what judges said of them, however far those are.

    Raises:
        LitotesError: the run holds no candidates, or a miner is not finished.
    """
    miners = _finished_miners(run)
    parts = [shard_candidates(table, name) for name, stage in miners.items() for table in stage.tables()]
    return parts[0].merge(*parts[1:])


def _finished_miners(run: RunFolder) -> dict[str, Stage]:
    """The run's miners by name, each whole, all cut alike."""
    keys = [key for key in run.stages if key.startswith(f"{CANDIDATES}/")]
    if not keys:
        raise LitotesError(f"{run.path}: no candidates here yet. Run: litotes mine DATA --out {run.path}")
    stages = {key.removeprefix(f"{CANDIDATES}/"): Stage(run, key) for key in keys}
    unfinished = [name for name, stage in stages.items() if not stage.done]
    if unfinished:
        raise LitotesError(
            f"{run.path}: mining with {', '.join(unfinished)} is not finished. Run: litotes resume {run.path}"
        )
    return stages


def _shard(miners: Mapping[str, Stage], shard: int) -> Candidates:
    """The candidates of a shard's rows, of all miners, each cell once."""
    parts = [shard_candidates(read_parquet(stage.shard_path(shard)), name) for name, stage in miners.items()]
    return parts[0].merge(*parts[1:])


def _check_same(run: RunFolder, key: str, judge: Judge, fingerprints: Mapping[str, str]) -> None:
    """Refuse judgements of this name that were made from something else, with the words that mend it."""
    theirs = run.stages[key]["fingerprints"]
    differs = difference(dict(fingerprints), theirs)
    if not differs:
        return
    if all(part.startswith(f"{CANDIDATES}/") for part in differs):
        raise StaleError(
            f"{run.path / key} was made from other candidates: {changes(differs, theirs, fingerprints)}. "
            "Judge them all again with --force."
        )
    kind = getattr(judge, "kind", judge.name)
    raise StaleError(
        f"{run.path / key} was made from something else: {changes(differs, theirs, fingerprints)}. "
        f"File this one under another name with --by {kind}:name=NAME, or judge again with --force."
    )


def _summary(stage: Stage, judge: Judge, data: Collection) -> dict[str, Any]:
    summary: dict[str, Any] = {"cells": 0, "judged": 0, "trusted": 0}
    for table in stage.tables():
        summary["cells"] += table.num_rows
        for column, what in (("judge", "judged"), ("trust", "trusted")):
            if column in table.column_names:
                summary[what] += int(np.isfinite(table[column].cast(pa.float64()).to_numpy()).sum())
    if getattr(judge, "calibrations", ()):
        summary["calibration"] = judge.says(data)  # type: ignore[attr-defined]
    return summary


def _sentence(name: str, summary: Mapping[str, Any]) -> str:
    silent = summary["cells"] - summary["judged"]
    notes = [f"{silent:,} without a value"] if silent else []
    notes.append(f"{summary['trusted']:,} with a trust" if summary["trusted"] else "raw values only, no trust")
    notes += [summary["calibration"]] if "calibration" in summary else []
    return "; ".join([f"{name}: {summary['judged']:,} candidates judged", *notes]) + "."
