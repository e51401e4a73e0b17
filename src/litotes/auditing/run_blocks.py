"""A run's candidates with everything the judges said, a shard's rows at a time, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator

from litotes.core import Candidates, RunFolder
from litotes.core.candidate_run import CANDIDATES, JUDGEMENTS, shard_candidates
from litotes.core.errors import LitotesError
from litotes.core.run_folder import Stage

__all__ = ["run_blocks"]


def run_blocks(run: RunFolder) -> Iterator[Candidates]:
    """The cells of a run in blocks of whole rows, each cell once with all its columns.

    All stages of a run are cut alike, so shard ``i`` of each holds the same rows.

    Raises:
        LitotesError: the run holds no candidates, or a stage that is not finished.
    """
    keys = [key for key in run.stages if key.split("/")[0] in (CANDIDATES, JUDGEMENTS)]
    if not any(key.startswith(f"{CANDIDATES}/") for key in keys):
        raise LitotesError(f"{run.path}: no candidates here yet. Run: litotes mine DATA --out {run.path}")
    unfinished = [key for key in keys if not run.stages[key]["done"]]
    if unfinished:
        raise LitotesError(f"{run.path}: {', '.join(unfinished)} is not finished. Run: litotes resume {run.path}")
    names = [key.split("/", 1)[1] for key in keys]
    for tables in zip(*(Stage(run, key).tables() for key in keys), strict=True):
        parts = [shard_candidates(table, name) for table, name in zip(tables, names, strict=True)]
        yield parts[0].merge(*parts[1:])
