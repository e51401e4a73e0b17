"""The observed cells of a partly observed matrix.

Rows are anchors (queries, users, samples, head-relation pairs), columns are candidates (documents, items, classes,
tails). A few cells were observed; everything else is negative by convention only. The matrix holds the observed cells,
sorted by row and column, and answers questions about many cells at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Literal

import numpy as np

from litotes.core.checks import check_choice
from litotes.core.errors import DataError, LitotesError
from litotes.core.fingerprint import digest
from litotes.core.ids import Ids
from litotes.core.label_sources import LabelSources

__all__ = ["Duplicates", "LabelMatrix"]

Duplicates = Literal["refuse", "max", "last", "sum"]
_BLOCK = 1 << 20  # cells looked up at once: sorted, they meet the sorted keys in order and stay in the cache


class LabelMatrix(LabelSources):
    """Immutable observed cells in CSR form; every edit returns a new matrix.

    A cell whose grade is at least ``min_grade`` is a positive; an observed cell below it is an explicit negative (a
    judged 0). Equal duplicates merge and are counted in ``n_merged``; contradicting ones are refused, or settled by
    ``duplicates="max" | "last" | "sum"`` (``"sum"`` also adds equal ones).

    Args:
        row_ids, col_ids: the ids of all rows and columns, observed or not.
        rows, cols: int64 positions of the observed cells, any order, shape ``[cells]``.
        grades: their grades, finite in float32, shape ``[cells]``; default 1 everywhere.
        min_grade: the smallest grade of a positive.
        duplicates: what to do with one cell observed twice.
        lines: where each cell stood (line numbers), for the error on contradictions.

    Raises:
        LitotesError: positions outside the ids, grades that are not finite, contradictions, more cells than an int64
            key can tell apart.
    """

    def __init__(
        self,
        row_ids: Ids | Iterable[object],
        col_ids: Ids | Iterable[object],
        rows: np.ndarray | Sequence[int],
        cols: np.ndarray | Sequence[int],
        grades: np.ndarray | Sequence[float] | None = None,
        *,
        min_grade: float = 1.0,
        duplicates: Duplicates = "refuse",
        lines: np.ndarray | Sequence[int] | None = None,
    ) -> None:
        check_choice("LabelMatrix", "duplicates", duplicates, ("refuse", "max", "last", "sum"))
        self.row_ids = row_ids if isinstance(row_ids, Ids) else Ids(row_ids)
        self.col_ids = col_ids if isinstance(col_ids, Ids) else Ids(col_ids)
        self.min_grade = float(min_grade)
        if self.n_rows * self.n_cols >= 2**63:
            raise LitotesError(
                f"A matrix of {self.n_rows} rows and {self.n_cols} columns has too many cells to number in 63 bits."
            )
        keys = self._keys(rows, cols)
        values = np.ones(len(keys)) if grades is None else np.asarray(grades, dtype=np.float64)
        if len(values) != len(keys):
            raise LitotesError(f"{len(keys)} cells came with {len(values)} grades; there must be one grade a cell.")
        fits = np.abs(values) <= np.finfo(np.float32).max  # NaN compares false
        if not fits.all():
            bad = int(np.flatnonzero(~fits)[0])
            raise DataError(
                f"The grade of cell {self._name(keys[bad])} is {values[bad]}; grades must be finite in float32."
            )
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1) != 0)
        self.n_merged = len(keys) - len(first)
        if self.n_merged:
            values = self._settle(keys, values, first, duplicates, None if lines is None else np.asarray(lines)[order])
            keys = keys[first]
        self._sorted_keys = keys
        self.indices = keys % self.n_cols if self.n_cols else keys
        self.grades = values.astype(np.float32)
        self.indptr = np.searchsorted(keys, np.arange(self.n_rows + 1, dtype=np.int64) * self.n_cols)
        for array in (self._sorted_keys, self.indices, self.grades, self.indptr):
            array.flags.writeable = False

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.row_ids)

    @property
    def n_cols(self) -> int:
        """Number of columns."""
        return len(self.col_ids)

    def __len__(self) -> int:
        """Number of observed cells."""
        return len(self._sorted_keys)

    def __repr__(self) -> str:
        return f"LabelMatrix({self.n_rows} rows x {self.n_cols} cols, {len(self)} observed cells)"

    @cached_property
    def fingerprint(self) -> str:
        """Digest of ids, cells, grades and ``min_grade``."""
        return digest(self.ids_fingerprint, self._sorted_keys, self.grades, self.min_grade)

    @property
    def ids_fingerprint(self) -> str:
        """Digest of the row and column ids: what positions mean."""
        return digest(self.row_ids.fingerprint, self.col_ids.fingerprint)

    # --- looking up ---------------------------------------------------------------------------------------------

    def is_observed(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Which of the cells were observed, exactly; int64 ``[cells]`` in, bool ``[cells]`` out."""
        return self._find(rows, cols) >= 0

    def is_positive(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Which of the cells are observed positives; bool ``[cells]``."""
        return self.grades_at(rows, cols) >= self.min_grade  # NaN compares false

    def grades_at(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """The grades of the cells, NaN where unobserved; float32 ``[cells]``."""
        found = self._find(rows, cols)
        if not len(self):
            return np.full(found.shape, np.nan, dtype=np.float32)
        return np.where(found >= 0, self.grades[found], np.float32(np.nan))

    def positives(self, row: int) -> np.ndarray:
        """Columns of the row's positives, ascending."""
        inside = self._slice(row)
        return self.indices[inside][self.grades[inside] >= self.min_grade]

    def negatives(self, row: int) -> np.ndarray:
        """Columns of the row's explicit negatives, ascending."""
        inside = self._slice(row)
        return self.indices[inside][self.grades[inside] < self.min_grade]

    def positive_counts(self) -> np.ndarray:
        """Number of positives a row; int64 ``[n_rows]``."""
        rows, _ = self.positive_cells()
        return np.bincount(rows, minlength=self.n_rows)

    def positive_cells(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of all positives, by row, then column."""
        positive = self.grades >= self.min_grade
        return self._cell_rows[positive], self.indices[positive]

    def cells(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, columns and grades of all observed cells, by row, then column."""
        return self._cell_rows, self.indices, self.grades

    # --- editing ------------------------------------------------------------------------------------------------

    def with_cells(
        self,
        rows: np.ndarray,
        cols: np.ndarray,
        grades: np.ndarray | None = None,
        *,
        duplicates: Duplicates = "refuse",
    ) -> LabelMatrix:
        """More observed cells; ``duplicates="last"`` lets the new grade win."""
        rows, cols = _positions("Row", rows), _positions("Column", cols)
        grades = np.ones(len(rows)) if grades is None else np.asarray(grades, dtype=np.float64)
        return self._new(
            np.concatenate([self._cell_rows, rows]),
            np.concatenate([self.indices, cols]),
            np.concatenate([self.grades, grades]),
            duplicates,
        )

    def without_cells(self, rows: np.ndarray, cols: np.ndarray) -> LabelMatrix:
        """The matrix as if these cells had never been observed; cells that were not are ignored."""
        found = self._find(rows, cols)
        stays = np.ones(len(self), dtype=bool)
        stays[found[found >= 0]] = False
        return self._new(self._cell_rows[stays], self.indices[stays], self.grades[stays])

    def select_rows(self, positions: np.ndarray) -> LabelMatrix:
        """The rows at these positions, in this order, with all columns."""
        positions = np.asarray(positions, dtype=np.int64)
        if len(positions) and (positions.min() < 0 or positions.max() >= self.n_rows):
            raise LitotesError(
                f"Row positions must lie in [0, {self.n_rows}). Got {positions.min()}..{positions.max()}."
            )
        lengths = np.diff(self.indptr)[positions]
        rows = np.repeat(np.arange(len(positions)), lengths)
        inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        cells = np.repeat(self.indptr[positions], lengths) + inside
        ids = Ids(self.row_ids[i] for i in positions)
        return LabelMatrix(ids, self.col_ids, rows, self.indices[cells], self.grades[cells], min_grade=self.min_grade)

    def with_columns(self, ids: Iterable[object]) -> LabelMatrix:
        """The matrix with more columns at its right; nothing is observed in them."""
        col_ids = Ids([*self.col_ids, *ids])
        rows, cols, grades = self.cells()
        return LabelMatrix(self.row_ids, col_ids, rows, cols, grades, min_grade=self.min_grade)

    # --- inside -------------------------------------------------------------------------------------------------

    def _new(
        self, rows: np.ndarray, cols: np.ndarray, grades: np.ndarray, duplicates: Duplicates = "refuse"
    ) -> LabelMatrix:
        return LabelMatrix(
            self.row_ids, self.col_ids, rows, cols, grades, min_grade=self.min_grade, duplicates=duplicates
        )

    @cached_property
    def _cell_rows(self) -> np.ndarray:
        return np.repeat(np.arange(self.n_rows), np.diff(self.indptr))

    def _slice(self, row: int) -> slice:
        if not 0 <= row < self.n_rows:
            raise LitotesError(f"Row {row} is outside [0, {self.n_rows}).")
        return slice(self.indptr[row], self.indptr[row + 1])

    def _keys(self, rows: np.ndarray | Sequence[int], cols: np.ndarray | Sequence[int]) -> np.ndarray:
        rows, cols = _positions("Row", rows), _positions("Column", cols)
        if rows.shape != cols.shape or rows.ndim != 1:
            raise LitotesError(f"Rows and columns must be two lists of one length. Got {rows.shape} and {cols.shape}.")
        for name, values, size in (("Row", rows, self.n_rows), ("Column", cols, self.n_cols)):
            if len(values) and (values.min() < 0 or values.max() >= size):
                raise LitotesError(f"{name} positions must lie in [0, {size}). Got {values.min()}..{values.max()}.")
        return rows * self.n_cols + cols

    def _find(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Where the cells stand among the observed ones, -1 for those that do not."""
        keys = self._keys(rows, cols)
        found = np.full(len(keys), -1, dtype=np.int64)
        if not len(self):
            return found
        for start in range(0, len(keys), _BLOCK):
            block = keys[start : start + _BLOCK]
            order = np.argsort(block)
            block = block[order]
            place = np.searchsorted(self._sorted_keys, block)
            place[place == len(self)] = 0
            place[self._sorted_keys[place] != block] = -1
            found[start : start + _BLOCK][order] = place
        return found

    def _settle(
        self, keys: np.ndarray, values: np.ndarray, first: np.ndarray, how: Duplicates, lines: np.ndarray | None
    ) -> np.ndarray:
        """One grade for each group of equal keys (groups begin at ``first``)."""
        if how == "sum":
            return np.add.reduceat(values, first)
        highest = np.maximum.reduceat(values, first)
        if how == "max":
            return highest
        if how == "last":
            return values[np.append(first[1:], len(values)) - 1]
        contradicts = np.flatnonzero(highest != np.minimum.reduceat(values, first))
        if len(contradicts):
            start = first[contradicts[0]]
            other = start + int(np.flatnonzero(values[start:] != values[start])[0])
            where = "" if lines is None else f" (lines {lines[start]} and {lines[other]})"
            raise DataError(
                f"The cell {self._name(keys[start])} was judged {values[start]:g} and {values[other]:g}{where}. "
                f'Mend one of them, or pass duplicates="max", "last" or "sum".'
            )
        return values[first]

    def _name(self, key: int) -> str:
        row, col = divmod(int(key), self.n_cols)
        return f"({self.row_ids[row]!r}, {self.col_ids[col]!r})"


def _positions(side: str, values: np.ndarray | Sequence[int]) -> np.ndarray:
    """Positions as int64; numbers that are not whole are refused, never cut."""
    found = np.asarray(values)
    if found.size and found.dtype.kind not in "iu":
        raise LitotesError(f"{side} positions must be whole numbers. Got {found.dtype}.")
    return found.astype(np.int64, copy=False)
