"""``export``: a collection in any format that ``load`` reads, and what the format could not hold, counted."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from litotes.core.candidates import Candidates
from litotes.core.checks import check_choice
from litotes.core.collection import Collection
from litotes.core.errors import LitotesError
from litotes.core.progress import say
from litotes.data.beir import write_beir
from litotes.data.flagembedding import write_flagembedding
from litotes.data.table_files import write_table
from litotes.data.tevatron import write_tevatron
from litotes.data.trec import write_run
from litotes.data.trec_folder import write_trec
from litotes.data.writing import check_split_names, new_folder

__all__ = ["FORMATS", "export", "write_trec_run"]

_FILES: dict[str, tuple[str, Callable[[Path, Collection], dict[str, int]]]] = {
    "flagembedding": (".jsonl", write_flagembedding),
    "tevatron": (".jsonl", write_tevatron),
    "jsonl": (".jsonl", lambda path, data: write_table(path, data, "jsonl")),
    "csv": (".csv", lambda path, data: write_table(path, data, "csv")),
    "parquet": (".parquet", lambda path, data: write_table(path, data, "parquet")),
}
_FOLDERS = {"beir": write_beir, "trec": write_trec}

FORMATS = (*_FOLDERS, *_FILES)


def export(
    data: Collection | Mapping[str, Collection], format: str, out: str | os.PathLike[str], *, force: bool = False
) -> dict[str, Any]:
    """Write ``data`` so that ``load`` reads the same labels and texts back.

    ``beir`` and ``trec`` hold everything: ids, grades, texts, documents that nobody judged. The others hold what
    training needs: ``tevatron`` ids, titles and which cells are positive or negative; ``flagembedding``, ``jsonl``,
    ``csv`` and ``parquet`` only the texts of the cells. What is lost is counted by reason, said, and returned.

    Args:
        data: one collection, or one a split.
        format: one of ``FORMATS``.
        out: a folder for ``beir``, ``trec`` and for several splits (``SPLIT.jsonl`` ...), else a file.
        force: write into a folder that is not empty; its other files stay.

    Returns:
        ``format``, ``out``, ``splits`` and ``left_out`` (``{split: {reason: number}}``).

    Raises:
        LitotesError: unknown format, a folder that is not empty, or something that the format has no way to write.
    """
    check_choice("export", "format", format, FORMATS)
    splits = {data.split or "train": data} if isinstance(data, Collection) else dict(data)
    check_split_names(splits)
    left_out: dict[str, dict[str, int]] = {split: {} for split in splits}
    if format in _FOLDERS:
        _FOLDERS[format](out, splits, force=force)
    else:
        ending, write = _FILES[format]
        if isinstance(data, Collection):
            left_out = {split: write(Path(out), data) for split in splits}
        else:
            with new_folder(out, force) as partial:
                left_out = {split: write(partial / f"{split}{ending}", part) for split, part in splits.items()}
        for split, part in splits.items():
            left_out[split].update(_flattened(part))
    for split, reasons in left_out.items():
        if reasons:
            what = ", ".join(f"{number:,} {reason.replace('_', ' ')}" for reason, number in reasons.items())
            say(f"{os.fspath(out)}: {format} does not hold all of the split {split}; left out: {what}.")
    return {"format": format, "out": os.fspath(out), "splits": list(splits), "left_out": left_out}


def write_trec_run(
    path: str | os.PathLike[str], data: Collection, candidates: Candidates, miner: str | None = None
) -> None:
    """Write the cells that one miner proposed as a TREC run under its name, with its scores.

    Raises:
        LitotesError: several miners and none named, an unknown one, or ids with blanks.
    """
    candidates.check_data(data)
    miners = candidates.miners
    if not miners:
        raise LitotesError("These candidates carry no miner's scores, so there is no run to write.")
    if miner is None and len(miners) > 1:
        raise LitotesError(
            "These candidates come from several miners; name one with --miner (in Python, miner=): "
            f"{', '.join(miners)}."
        )
    miner = check_choice("write_trec_run", "miner", miner or miners[0], miners)
    ranks, scores = candidates.column(f"rank.{miner}"), candidates.column(f"score.{miner}")
    proposed = np.flatnonzero(np.isfinite(ranks))
    proposed = proposed[np.lexsort((ranks[proposed], candidates.row[proposed]))]
    run: dict[str, dict[str, float]] = {}
    for row, col, score in zip(candidates.row[proposed], candidates.col[proposed], scores[proposed], strict=True):
        run.setdefault(data.row_ids[row], {})[data.col_ids[col]] = float(score)
    write_run(path, run, tag=miner)


def _flattened(data: Collection) -> dict[str, int]:
    """How many grades say more than positive or negative."""
    labels = data.labels
    plain = np.where(labels.grades >= labels.min_grade, 1.0, 0.0)
    lost = int((labels.grades != plain).sum())
    return {"grades_other_than_0_and_1": lost} if lost else {}
