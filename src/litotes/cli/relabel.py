"""``litotes export --relabel-below``: suspected false negatives become judgements, with a history of what changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from litotes.cli.run_record import load_data
from litotes.core import Candidates, Collection, RunFolder
from litotes.core.errors import LitotesError
from litotes.core.files import write_atomically
from litotes.core.progress import say

__all__ = ["relabel"]


def relabel(
    run: RunFolder, found: Candidates, data: Collection, below: float, combine: str, format: str, out: str, force: bool
) -> dict[str, Any]:
    """Write the data to ``out`` with candidates trusted less than ``below`` as positives of the lowest positive grade.

    A candidate that a person judged not relevant keeps that judgement. The other splits of a BEIR folder are written as
    they are. ``history.jsonl`` says of each new judgement by whom and how sure.
    """
    from litotes.data.export import export as export_data

    trust = found.combined(combine)
    wanted = (trust < below) & (found.assumed < 0)
    judged = data.labels.is_observed(found.row, found.col)
    new = found.filter(wanted & ~judged)
    if not len(new):
        raise LitotesError(f"No candidate has a trust below {below:g}, so there is nothing to relabel.")
    kept = int((wanted & judged).sum())
    if kept:
        say(f"{kept:,} suspected candidates were judged not relevant before, and stay so.")
    labels = data.labels.with_cells(new.row, new.col, np.full(len(new), data.labels.min_grade))
    split = data.split or "train"
    splits = {**_other_splits(run, split), split: data.with_labels(labels)}
    written = export_data(splits, format, out, force=force)
    write_atomically(Path(out) / "history.jsonl", _history(run, new, data, combine, split))
    facts = {"new_judgements": len(new), "queries_touched": len(np.unique(new.row)), "kept_judged_negatives": kept}
    return {
        **facts,
        "splits": list(splits),
        "left_out": written["left_out"],
        "history": str(Path(out) / "history.jsonl"),
    }


def _other_splits(run: RunFolder, split: str) -> dict[str, Collection]:
    """The other splits of the BEIR folder that the run is about."""
    from litotes.data.beir import beir_splits, looks_like_beir

    known = run.record["data"]
    folder = Path(known["source"])
    if not folder.is_dir() or not looks_like_beir(folder):
        return {}
    return {name: load_data(str(folder), name, **known["reading"]) for name in beir_splits(folder) if name != split}


def _history(run: RunFolder, new: Candidates, data: Collection, combine: str, split: str) -> str:
    """One line a new judgement: which cell, what it became, how far each judge trusted it to be a negative, whence."""
    calibrations = {name: run.stages[f"judgements/{name}"]["summary"].get("calibration") for name in new.trusted_by}
    trust, by_judge = new.combined(combine), {name: new.column(f"trust.{name}") for name in new.trusted_by}
    lines = []
    for i in range(len(new)):
        line = {
            "query_id": data.row_ids[new.row[i]],
            "document_id": data.col_ids[new.col[i]],
            "split": split,
            "was": None,
            "is": data.labels.min_grade,
            "trust": float(trust[i]),
            "trust_by_judge": {name: float(values[i]) for name, values in by_judge.items() if not np.isnan(values[i])},
            "calibrations": calibrations,
            "run": str(run.path.absolute()),
            "data_fingerprint": data.fingerprint,
        }
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)
