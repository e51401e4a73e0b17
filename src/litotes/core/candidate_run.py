"""Candidates in a run folder: what a shard of a miner or judge holds, and how all of them are read together."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from litotes.core.candidates import Candidates
from litotes.core.errors import LitotesError
from litotes.core.run_folder import RunFolder, Stage

__all__ = ["judge_shard", "load_run", "miner_shard", "shard_candidates"]

CANDIDATES, JUDGEMENTS = "candidates", "judgements"


def miner_shard(found: Candidates, miner: str) -> pa.Table:
    """What ``candidates/<miner>/NNNN.parquet`` holds: ``row, col, assumed, score, rank``, counts in the metadata."""
    names = {f"score.{miner}": "score", f"rank.{miner}": "rank"}
    return _renamed(found.to_table().select(["row", "col", "assumed", *names]), names)


def judge_shard(found: Candidates, judge: str) -> pa.Table:
    """What ``judgements/<judge>/NNNN.parquet`` holds: ``row, col, judge`` and ``trust`` where the judge gives one."""
    names = {f"judge.{judge}": "judge", f"trust.{judge}": "trust"}
    names = {column: short for column, short in names.items() if column in found.table.column_names}
    table = found.table.select(["row", "col", "assumed", *names])
    spoken = Candidates(table, made_from=found.made_from)  # the miners' counts stay with the miners
    return _renamed(spoken.to_table(), names)


def shard_candidates(table: pa.Table, name: str) -> Candidates:
    """The reverse of :func:`miner_shard` and :func:`judge_shard`, for the miner or judge of this name."""
    return Candidates.from_table(_long_names(table, name))


def load_run(path: str | Path) -> Candidates:
    """All miners and judges of a run, one row a cell.

    Raises:
        LitotesError: the folder holds no candidates, or a stage that is not finished.
    """
    run = RunFolder.open(path, create=False)
    keys = [key for key in run.stages if key.split("/")[0] in (CANDIDATES, JUDGEMENTS)]
    unfinished = [key for key in keys if not run.stages[key]["done"]]
    if unfinished:
        raise LitotesError(f"{path}: {', '.join(unfinished)} is not finished. Run: litotes resume {path}")
    if not any(key.startswith(CANDIDATES) for key in keys):
        raise LitotesError(f"{path}: no candidates here yet. Run: litotes mine DATA --out {path}")
    parts = [_load_stage(run, key) for key in keys]
    return parts[0].merge(*parts[1:])


def _load_stage(run: RunFolder, key: str) -> Candidates:
    name = key.split("/", 1)[1]
    shards = [shard_candidates(table, name) for table in Stage(run, key).tables()]
    return shards[0].merge(*shards[1:])


def _long_names(table: pa.Table, name: str) -> pa.Table:
    short = ("score", "rank", "judge", "trust")
    return _renamed(table, {column: f"{column}.{name}" for column in short})


def _renamed(table: pa.Table, names: dict[str, str]) -> pa.Table:
    renamed = table.rename_columns([names.get(column, column) for column in table.column_names])
    return renamed.replace_schema_metadata(table.schema.metadata)  # which renaming drops
