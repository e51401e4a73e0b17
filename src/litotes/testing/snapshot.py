"""What a collection holds, taken before a part works on it, so that a change shows."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from litotes.core import Collection

__all__ = ["changed_parts", "snapshot", "with_truth"]


def snapshot(data: Collection) -> dict[str, Any]:
    """Copies of everything that a miner or a judge reads, by part."""
    rows, cols, grades = data.labels.cells()
    indptr, never = data.never_negative()
    return copy.deepcopy(
        {
            "labels": [rows, cols, grades, data.labels.min_grade],
            "ids of rows": data.row_ids.values,
            "ids of columns": data.col_ids.values,
            "texts of rows": data.row_texts,
            "texts of columns": data.col_texts,
            "content of rows": data.rows_with_content,
            "content of columns": data.cols_with_content,
            "twins": [data.first_twin, indptr, never],
            "tables": [None if side.table is None else side.table.to_pylist() for side in (data.rows, data.cols)],
            "name": data.name,
            "notes": data.notes,
        }
    )


def changed_parts(before: dict[str, Any], data: Collection) -> list[str]:
    """The parts that are no longer as they were."""
    after = snapshot(data)
    return [part for part, was in before.items() if not _equal(was, after[part])]


def with_truth(data: Collection) -> Collection:
    """The same collection with a complete truth in which every cell is a positive, which nobody may read."""
    rows, cols = np.divmod(np.arange(data.n_rows * data.n_cols), data.n_cols)
    truth = type(data.labels)(data.row_ids, data.col_ids, rows, cols)
    return Collection(data.labels, data.rows.table, data.cols.table, name=data.name, truth=truth)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and bool((one == other).all())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)
