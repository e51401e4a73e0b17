"""The slow, obvious miner that every fast one must equal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from litotes.core import Collection
from litotes.core.text import normalise

__all__ = ["double_loop"]


def double_loop(
    score: Callable[[int, int], float],
    data: Collection,
    top: int,
    skip: int = 0,
    min_score: float = -np.inf,
    max_score: float = np.inf,
) -> list[tuple[int, int, float, int]]:
    """(row, col, score, rank) cell by cell, from nothing but the labels and the texts."""
    found = []
    for row in range(data.n_rows):
        same = {normalise(data.col_texts[col] or "") for col in data.labels.positives(row)} - {""}
        ranked = []
        for col in range(data.n_cols):
            text = data.col_texts[col]
            if col in data.labels.positives(row) or (text and normalise(text) in same):
                continue
            if data.cols.table is not None and text is None:
                continue
            if score(row, col) <= max_score:
                ranked.append((-score(row, col), col))
        for rank, (minus, col) in enumerate(sorted(ranked), start=1):
            if skip < rank <= skip + top and -minus >= min_score:
                found.append((row, col, -minus, rank))
    return found
