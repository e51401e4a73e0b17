"""Rows cut into blocks that fit in memory. How they are cut never changes what is found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from litotes.core import Collection
from litotes.core.progress import Progress
from litotes.mining.exclusion import Allowed, Chosen, Window, top_of_scores

__all__ = ["best_of_blocks"]

_BLOCK_CELLS = 1 << 23  # 64 MiB of float64 scores


def best_of_blocks(
    score: Callable[[np.ndarray], np.ndarray],
    data: Collection,
    rows: np.ndarray,
    allowed: Allowed,
    window: Window,
    description: str | None = None,
) -> Chosen:
    """The window of each of ``rows``, where ``score`` gives a block's scores, float64 ``[block rows, n_cols]``.

    ``description`` names the work on a progress bar; None shows none (whoever calls shard by shard has a bar already).
    """
    step = max(1, _BLOCK_CELLS // max(data.n_cols, 1))
    parts, sizes = [], []
    with Progress(description or "", total=len(rows)) as bar:
        for start in range(0, max(len(rows), 1), step):
            block = rows[start : start + step]
            parts.append(top_of_scores(score(block), allowed.part(start, start + len(block)), window))
            sizes.append(len(block))
            if description:
                bar.advance(len(block))
    return Chosen.join(parts, sizes)
