"""Static lists of negatives, given or mined once into the run folder, and the cells not to be taken for any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from litotes.core import Candidates, Collection, RunFolder
from litotes.core.errors import DataError

if TYPE_CHECKING:
    from litotes.mining import Miner

__all__ = ["given_list", "mined_list", "suspected_cells"]


def given_list(
    candidates: Candidates | str | Path, data: Collection, *, top: int, min_trust: float | None = None
) -> Candidates:
    """The first ``top`` of each row among those that judges trust at least ``min_trust`` (None: all).

    Raises:
        StaleError: the candidates were made from other data.
        LitotesError: ``min_trust`` is given and no judge has given a trust.
    """
    found = _loaded(candidates, data)
    return (found if min_trust is None else found.filter(found.trust >= min_trust)).top(top)


def mined_list(miner: Miner, data: Collection, rows: np.ndarray, run: RunFolder, *, top: int) -> Candidates:
    """What the miner finds, mined into ``run`` or read from it: ``top`` non-positives of each of ``rows``.

    Raises:
        DataError: a row got fewer; the message says how deep the list can be.
    """
    from litotes.mining import mine_into

    mine_into(run, miner, data)
    found = Candidates.load(run.path)
    found = found.filter(np.isfinite(found.column(f"rank.{miner.name}")))  # others may have mined into this folder
    counts = np.bincount(found.row, minlength=data.n_rows)[rows]
    if counts.min() < top:
        row = data.row_ids[int(rows[counts.argmin()])]
        raise DataError(
            f"The static list of {row!r} has {counts.min()} documents, not top={top}: the corpus holds no more that "
            f"are not positives of it. Choose top={counts.min()} or less."
        )
    return found


def suspected_cells(candidates: Candidates | str | Path, data: Collection, *, below: float) -> np.ndarray:
    """Cells that may be positives, as ``row * n_cols + col``; int64, ascending.

    Those assumed negative that judges trust less than ``below``, and those assumed positive that they trust more.
    """
    found = _loaded(candidates, data)
    doubted = np.where(found.assumed < 0, found.trust < below, found.trust >= below)
    return np.sort(found.row[doubted] * data.n_cols + found.col[doubted])


def _loaded(candidates: Candidates | str | Path, data: Collection) -> Candidates:
    found = candidates if isinstance(candidates, Candidates) else Candidates.load(candidates)
    found.check_data(data)
    return found
