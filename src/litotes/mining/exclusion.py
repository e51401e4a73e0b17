"""What every miner shares: from scores to proposed cells, and what may never be proposed.

A miner says how well each column fits a row. This module decides which of those cells become candidates:

1. a column that is an observed positive of the row, or a text twin of one, is never proposed;
2. neither is a column without content, nor one whose score is above ``max_score``;
3. the columns left are ranked by score, equal scores by column index, and those at ranks ``skip + 1 .. skip + top``
   are taken. Ranks count from 1 **after** 1 and 2, so skipping ten never means skipping ten positives;
4. of these, the ones below ``min_score`` are dropped. A row that ends with fewer than ``top`` cells is counted as
   short, and is never filled with something else.

A miner that can see every score uses :func:`top_of_scores`; one that gets a list of the best (an approximate index, a
run file) uses :func:`top_of_cells`; one that excluded for itself (exact search) wraps its answer with
:meth:`Chosen.from_padded`. All end in :func:`propose`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.checks import check_float, check_int
from litotes.core.errors import LitotesError
from litotes.core.places import places_in_groups

__all__ = ["Allowed", "Chosen", "Window", "propose", "row_positions", "top_of_cells", "top_of_scores"]


@dataclass(frozen=True)
class Window:
    """Which ranks and scores a miner proposes; the parameters that all miners have in common."""

    top: int = 50
    skip: int = 0
    min_score: float | None = None
    max_score: float | None = None

    @classmethod
    def checked(
        cls, owner: str, top: int, skip: int, min_score: float | None = None, max_score: float | None = None
    ) -> Window:
        """The window, or an error in the name of the miner whose parameters these are."""
        check_int(owner, "top", top, at_least=1)
        check_int(owner, "skip", skip, at_least=0)
        if min_score is not None:
            min_score = check_float(owner, "min_score", min_score)
        if max_score is not None:
            max_score = check_float(owner, "max_score", max_score, at_least=min_score)
        return cls(int(top), int(skip), min_score, max_score)

    @property
    def depth(self) -> int:
        """How many of the allowed columns must be ranked."""
        return self.skip + self.top

    def parts(self) -> dict[str, str]:
        """The window's share of a miner's fingerprint."""
        return {name: str(getattr(self, name)) for name in ("top", "skip", "min_score", "max_score")}


@dataclass(frozen=True)
class Allowed:
    """Which columns may be proposed for each of some rows.

    ``indptr`` int64 [n_rows + 1] and ``cols`` int64 [...] list per row, sorted, what is never a negative;
    ``usable`` bool [n_cols] says which columns have content.
    """

    indptr: np.ndarray
    cols: np.ndarray
    usable: np.ndarray
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Collection, rows: np.ndarray) -> Allowed:
        """What ``data`` allows for ``rows`` (positions). Where no column has content, as with items, all are usable."""
        starts, every = data.never_negative()
        sizes = starts[rows + 1] - starts[rows]
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        cols = every[np.repeat(starts[rows] - indptr[:-1], sizes) + np.arange(indptr[-1])]
        usable = np.ones(data.n_cols, dtype=bool) if data.cols.table is None else data.cols_with_content
        positives = int(data.labels.positive_counts()[rows].sum())
        counts = {
            "excluded_positive": positives,
            "excluded_twin": int(indptr[-1]) - positives,
            "excluded_no_text": int((~usable).sum()) * len(rows),
        }
        return cls(indptr, cols, usable, counts)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    def forbids(self, row: np.ndarray, col: np.ndarray) -> np.ndarray:
        """Whether each cell must not be proposed, bool [n]; ``row`` counts within these rows, ``col`` over the data."""
        n_cols = len(self.usable)
        keys = np.repeat(np.arange(self.n_rows), np.diff(self.indptr)) * n_cols + self.cols
        asked = row.astype(np.int64) * n_cols + col
        place = np.searchsorted(keys, asked)
        inside = place < len(keys)
        inside[inside] = keys[place[inside]] == asked[inside]
        return inside | ~self.usable[col]

    def part(self, start: int, stop: int) -> Allowed:
        """The rows from ``start`` up to ``stop``; the counts stay with the whole."""
        low, high = self.indptr[start], self.indptr[stop]
        return Allowed(self.indptr[start : stop + 1] - low, self.cols[low:high], self.usable)


@dataclass(frozen=True)
class Chosen:
    """Cells taken, flat: sorted by row, then rank. ``row`` counts within the rows that were asked for."""

    row: np.ndarray  # int64 [n]
    col: np.ndarray  # int64 [n]
    score: np.ndarray  # float64 [n]
    rank: np.ndarray  # int32 [n], from 1
    counts: dict[str, int]

    @classmethod
    def from_padded(
        cls,
        scores: np.ndarray,
        cols: np.ndarray,
        keep: np.ndarray,
        window: Window,
        counts: dict[str, int] | None = None,
    ) -> Chosen:
        """From arrays [n_rows, <= top], best first from rank ``skip + 1`` on, whose holes ``keep`` marks."""
        row, place = np.nonzero(keep)
        taken = cls(row, cols[keep].astype(np.int64), scores[keep].astype(np.float64), place + window.skip + 1, {})
        return taken._closed(len(keep), window, counts or {})

    @classmethod
    def join(cls, parts: list[Chosen], sizes: list[int]) -> Chosen:
        """One after the other; ``sizes`` says how many rows each part was asked for."""
        offsets = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        shifted = zip(parts, offsets, strict=True)
        columns = [(part.row + offset, part.col, part.score, part.rank) for part, offset in shifted]
        row, col, score, rank = (np.concatenate(column) for column in zip(*columns, strict=True))
        names = dict.fromkeys(name for part in parts for name in part.counts)
        return cls(row, col, score, rank, {name: sum(part.counts.get(name, 0) for part in parts) for name in names})

    def with_silent_rows(self, count: int) -> Chosen:
        """The same cells; ``count`` more rows were asked for and could not be mined at all, so they are short."""
        return replace(self, counts={**self.counts, "short_rows": self.counts["short_rows"] + count})

    def with_scores(self, scores: np.ndarray) -> Chosen:
        """The same cells in the same order with other numbers to show for them."""
        return replace(self, score=scores)

    def _closed(self, n_rows: int, window: Window, counts: dict[str, int]) -> Chosen:
        """Drop what is below ``min_score``, and count the rows that ended short."""
        keep = np.ones(len(self.row), dtype=bool) if window.min_score is None else self.score >= window.min_score
        row = self.row[keep]
        short = int((np.bincount(row, minlength=n_rows) < window.top).sum())
        below = counts.get("below_min_score", 0) + int((~keep).sum())
        counts = {"above_max_score": 0, **counts, "below_min_score": below, "short_rows": short}
        return Chosen(row, self.col[keep], self.score[keep], self.rank[keep].astype(np.int32), counts)


def top_of_scores(scores: np.ndarray, allowed: Allowed, window: Window) -> Chosen:
    """The window of each row of a dense block of scores, float64 [n_rows, n_cols]. The block is overwritten."""
    if np.isnan(scores).any():
        row, col = np.argwhere(np.isnan(scores))[0]
        raise LitotesError(f"The score of row {row}, column {col} is not a number; a miner cannot rank it.")
    scores[:, ~allowed.usable] = -np.inf
    scores[np.repeat(np.arange(allowed.n_rows), np.diff(allowed.indptr)), allowed.cols] = -np.inf
    above = 0
    if window.max_score is not None:
        too_high = scores > window.max_score
        above = int(too_high.sum())
        scores[too_high] = -np.inf
    row, col = _best_cells(scores, min(window.depth, scores.shape[1]))
    return _windowed(row, col, scores[row, col], allowed.n_rows, window, {"above_max_score": above})


def top_of_cells(row: np.ndarray, col: np.ndarray, score: np.ndarray, allowed: Allowed, window: Window) -> Chosen:
    """The window of ragged lists: cells (row within the rows asked for, column or -1 for none, score), in any order.

    A cell that stands twice in one row is taken once, with its better score.
    """
    found = np.flatnonzero(col >= 0)
    found = found[~allowed.forbids(row[found], col[found])]
    above = 0
    if window.max_score is not None:
        fits = score[found] <= window.max_score
        above, found = int((~fits).sum()), found[fits]
    row, col, score = row[found].astype(np.int64), col[found].astype(np.int64), score[found].astype(np.float64)
    if np.isnan(score).any():
        raise LitotesError("A score in the list of candidates is not a number; a miner cannot rank it.")
    order = np.lexsort((-score, col, row))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(row[order]) != 0) | (np.diff(col[order]) != 0)
    once = order[first]
    return _windowed(row[once], col[once], score[once], allowed.n_rows, window, {"above_max_score": above})


def propose(chosen: Chosen, rows: np.ndarray, name: str, data: Collection, counts: dict[str, int]) -> Candidates:
    """The cells as :class:`Candidates` of the miner ``name``, assumed negative, with the counts of both arguments."""
    return Candidates.build(
        row=rows[chosen.row],
        col=chosen.col,
        miner=name,
        score=chosen.score,
        rank=chosen.rank,
        assumed=-1,
        data=data,
        counts={**chosen.counts, **counts},
    )


def row_positions(data: Collection, rows: np.ndarray | None) -> np.ndarray:
    """The rows to mine as int64 positions, ascending; None means all."""
    if rows is None:
        return np.arange(data.n_rows, dtype=np.int64)
    rows = np.asarray(rows)
    if rows.size and (rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= data.n_rows):
        raise LitotesError(f"rows must be positions from 0 to {data.n_rows - 1}. Got {rows!r} instead.")
    return np.unique(rows.astype(np.int64))


def _best_cells(scores: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``depth`` best cells of each row, -inf never; of equals at the edge, those of the lowest columns."""
    if depth == 0 or scores.shape[0] == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    edge = np.partition(scores, scores.shape[1] - depth, axis=1)[:, scores.shape[1] - depth, None]
    row, col = np.nonzero(scores > edge)
    tie_row, tie_col = np.nonzero((scores == edge) & (edge > -np.inf))
    places_left = depth - np.bincount(row, minlength=len(scores))
    place = np.arange(len(tie_row)) - np.searchsorted(tie_row, tie_row)
    fits = place < places_left[tie_row]
    return np.concatenate([row, tie_row[fits]]), np.concatenate([col, tie_col[fits]])


def _windowed(
    row: np.ndarray, col: np.ndarray, score: np.ndarray, n_rows: int, window: Window, counts: dict[str, int]
) -> Chosen:
    """Rank within each row by score, then column, and cut the window."""
    order, place = places_in_groups(row, score, ties=col)
    rank = place + 1
    inside = (rank > window.skip) & (rank <= window.depth)
    taken = order[inside]
    return Chosen(row[taken], col[taken], score[taken], rank[inside], {})._closed(n_rows, window, counts)
