"""The evidence of an audit as columns, cut into what was judged and what was not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["EvidenceTable"]


class EvidenceTable:
    """Cells and what is known of them, by row and column; see :mod:`litotes.auditing.evidence` for the columns.

    Args:
        table: the cells.
        min_grade: the smallest grade of a positive.
    """

    def __init__(self, table: pa.Table, min_grade: float) -> None:
        self._table, self._min_grade = table, min_grade

    def __len__(self) -> int:
        return len(self._table)

    def column(self, name: str) -> np.ndarray:
        """One column as float64 ``[cells]``; NaN where it is null, or where there is no such column."""
        if name not in self._table.column_names:
            return np.full(len(self), np.nan)
        return self._table[name].cast(pa.float64()).to_numpy()

    @property
    def row(self) -> np.ndarray:
        """Row positions, int64 ``[cells]``."""
        return self._table["row"].to_numpy()

    @property
    def col(self) -> np.ndarray:
        """Column positions, int64 ``[cells]``."""
        return self._table["col"].to_numpy()

    def unjudged(self) -> EvidenceTable:
        """The cells that nobody judged."""
        return self._where(pc.is_null(self._table["grade"]))

    def judged(self) -> EvidenceTable:
        """The cells that somebody judged."""
        return self._where(pc.is_valid(self._table["grade"]))

    def positives(self) -> EvidenceTable:
        """The cells that somebody judged relevant."""
        return self._where(pc.fill_null(pc.greater_equal(self._table["grade"], self._min_grade), False))

    def at(self, places: np.ndarray) -> EvidenceTable:
        """The cells at these places, in their order."""
        return EvidenceTable(self._table.take(pa.array(places)), self._min_grade)

    def lines(self, places: np.ndarray) -> list[dict[str, Any]]:
        """The cells at these places, each as a mapping; null is None."""
        return self._table.take(pa.array(places)).to_pylist()

    def _where(self, mask: pa.Array) -> EvidenceTable:
        return EvidenceTable(self._table.filter(mask), self._min_grade)
