"""A label matrix together with what its rows and columns say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from litotes.core.contents import Contents
from litotes.core.errors import DataError, LitotesError
from litotes.core.fingerprint import digest
from litotes.core.label_matrix import LabelMatrix
from litotes.core.text import normalise

if TYPE_CHECKING:
    import datasets

    from litotes.core.ids import Ids

__all__ = ["Collection"]


class Collection:
    """Labels, and tables of texts, paths or vectors under the matrix's ids; what miners, judges and recipes take.

    Args:
        labels: the observed cells.
        rows, cols: tables with a column ``id`` and one of ``text`` (columns may add ``title``), ``path`` or ``vector``.
            Either may be absent, and single ids may lack content: they are counted, and skipped by mining.
        name: what people call the data; origin: where it was read from; split: which part of it this is.
        notes: what the reader counted (lines skipped, repeated texts ...).
        truth: complete labels where they are known. Evaluation and reports may read them, no miner or judge does.
    """

    def __init__(
        self,
        labels: LabelMatrix,
        rows: pa.Table | None = None,
        cols: pa.Table | None = None,
        *,
        name: str = "",
        origin: str = "",
        split: str | None = None,
        notes: Mapping[str, Any] | None = None,
        truth: LabelMatrix | None = None,
    ) -> None:
        self.labels, self.name, self.origin, self.split = labels, name, origin, split
        self.rows = Contents(rows, labels.row_ids, "row")
        self.cols = Contents(cols, labels.col_ids, "column")
        self.notes = dict(notes or {})
        if truth is not None and truth.ids_fingerprint != labels.ids_fingerprint:
            raise LitotesError("The truth of a collection must have the same row and column ids as its labels.")
        self.truth = truth

    def __repr__(self) -> str:
        label = f"{self.name or 'unnamed'}{f', split {self.split}' if self.split else ''}"
        return f"Collection({label}: {self.n_rows} rows, {self.n_cols} columns, {len(self.labels)} judged cells)"

    @property
    def row_ids(self) -> Ids:
        """Ids of the rows (queries)."""
        return self.labels.row_ids

    @property
    def col_ids(self) -> Ids:
        """Ids of the columns (documents)."""
        return self.labels.col_ids

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.labels.n_rows

    @property
    def n_cols(self) -> int:
        """Number of columns."""
        return self.labels.n_cols

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the labels and of all content; the truth is not part of it."""
        return digest(self.labels.fingerprint, self.rows.fingerprint, self.cols.fingerprint)

    # --- content ------------------------------------------------------------------------------------------------

    @property
    def row_texts(self) -> list[str | None]:
        """The text of each row by position; None where a row has none."""
        return self.rows.texts

    @property
    def col_texts(self) -> list[str | None]:
        """The text of each column by position: title, blank, text; None where a column has none."""
        return self.cols.texts

    @property
    def col_titles(self) -> list[str]:
        """The title of each column by position; empty where it has none."""
        return self.cols.titles

    @property
    def col_bodies(self) -> list[str | None]:
        """The text of each column without its title."""
        return self.cols.bodies

    @property
    def rows_with_content(self) -> np.ndarray:
        """Which rows have content; bool ``[n_rows]``."""
        return self.rows.present

    @property
    def cols_with_content(self) -> np.ndarray:
        """Which columns have content; bool ``[n_cols]``."""
        return self.cols.present

    @cached_property
    def queries(self) -> dict[str, str]:
        """``{id: text}`` of the rows that have one, as ``InformationRetrievalEvaluator`` takes it."""
        return {key: text for key, text in zip(self.row_ids, self.row_texts, strict=True) if text is not None}

    @cached_property
    def corpus(self) -> dict[str, str]:
        """``{id: text}`` of the columns that have one."""
        return {key: text for key, text in zip(self.col_ids, self.col_texts, strict=True) if text is not None}

    @cached_property
    def relevant_docs(self) -> dict[str, set[str]]:
        """``{row id: ids of its positives}``, rows without positives left out."""
        found: dict[str, set[str]] = {}
        for row, col in zip(*self.labels.positive_cells(), strict=True):
            found.setdefault(self.row_ids[row], set()).add(self.col_ids[col])
        return found

    def pairs(self) -> datasets.Dataset:
        """One line a positive cell: ``anchor``, ``positive`` and ``label = [row, col]`` (positions).

        The label carries identity to losses that mask by id; losses that want no label ignore it.
        """
        from litotes.core.layouts import pairs_dataset

        return pairs_dataset(self)

    # --- identity -----------------------------------------------------------------------------------------------

    @cached_property
    def first_twin(self) -> np.ndarray:
        """For each column, the first column of the same normalised text; int64 ``[n_cols]``.

        Columns without text are their own.
        """
        twin = np.arange(self.n_cols, dtype=np.int64)
        seen: dict[str, int] = {}
        for col, text in enumerate(self.col_texts):
            if text is not None:
                twin[col] = seen.setdefault(normalise(text), col)
        return twin

    def is_positive(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Which cells hold an observed positive or a text twin of one; bool, the shape of ``rows`` and ``cols``.

        ``rows`` and ``cols`` broadcast, so a batch's mask is ``is_positive(rows[:, None], cols[None, :])``.
        """
        rows, cols = np.broadcast_arrays(np.asarray(rows, dtype=np.int64), np.asarray(cols, dtype=np.int64))
        flat_cols = cols.ravel()
        if len(flat_cols) and (flat_cols.min() < 0 or flat_cols.max() >= self.n_cols):
            raise LitotesError(
                f"Column positions must lie in [0, {self.n_cols}). Got {flat_cols.min()}..{flat_cols.max()}."
            )
        return self._twin_labels.is_observed(rows.ravel(), self.first_twin[flat_cols]).reshape(rows.shape)

    def never_negative(self) -> tuple[np.ndarray, np.ndarray]:
        """What no miner may return, in CSR form: ``(indptr [n_rows + 1], cols)``, sorted within each row.

        These are the row's positives and all their text twins.
        """
        return self._never_negative

    def twin_counts(self) -> np.ndarray:
        """How many columns of each row are text twins of its positives without being positives; int64 ``[n_rows]``."""
        return np.diff(self._never_negative[0]) - self.labels.positive_counts()

    # --- making others ------------------------------------------------------------------------------------------

    def extended(self, cols: pa.Table, source: str) -> Collection:
        """A collection with more columns (a table with ``id`` and content), noted as coming from ``source``."""
        if self.cols.table is None:
            raise DataError("A collection whose columns have no content cannot be extended with columns that have.")
        if "id" not in cols.column_names:
            raise DataError(f"A table of columns needs a column 'id'. Got: {', '.join(cols.column_names)}.")
        labels = self.labels.with_columns(cols["id"].to_pylist())
        table = pa.concat_tables([self.cols.table, cols], promote_options="default")
        notes = {**self.notes, "extended": [*self.notes.get("extended", []), {"source": source, "cols": len(cols)}]}
        truth = None if self.truth is None else self.truth.with_columns(cols["id"].to_pylist())
        return self._like(labels, cols=table, notes=notes, truth=truth)

    def select_rows(self, positions: Iterable[int]) -> Collection:
        """The rows at these positions, in this order, over all columns."""
        positions = np.asarray(list(positions), dtype=np.int64)
        truth = None if self.truth is None else self.truth.select_rows(positions)
        labels = self.labels.select_rows(positions)
        return self._like(labels, rows=self.rows.select(positions), truth=truth)

    def with_labels(self, labels: LabelMatrix) -> Collection:
        """The same content under other labels; ids must be the same."""
        if labels.ids_fingerprint != self.labels.ids_fingerprint:
            raise LitotesError("New labels of a collection must have the same row and column ids.")
        return self._like(labels, truth=self.truth)

    def _like(self, labels: LabelMatrix, **changes: Any) -> Collection:
        parts = {"rows": self.rows.table, "cols": self.cols.table, "notes": self.notes, **changes}
        made = Collection(labels, name=self.name, origin=self.origin, split=self.split, **parts)
        if made.cols.table is self.cols.table and "first_twin" in self.__dict__:
            made.__dict__["first_twin"] = self.first_twin  # the same columns have the same twins
        return made

    @cached_property
    def _twin_labels(self) -> LabelMatrix:
        """The positives, each moved to the first column of its text."""
        rows, cols = self.labels.positive_cells()
        return LabelMatrix(self.row_ids, self.col_ids, rows, self.first_twin[cols], duplicates="max")

    @cached_property
    def _never_negative(self) -> tuple[np.ndarray, np.ndarray]:
        by_twin = np.argsort(self.first_twin, kind="stable")  # members of one text stand together, ascending
        group_start = np.searchsorted(self.first_twin[by_twin], np.arange(self.n_cols))
        group_size = np.bincount(self.first_twin, minlength=self.n_cols)
        rows, firsts, _ = self._twin_labels.cells()
        sizes = group_size[firsts]
        inside = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        cell_rows, cell_cols = np.repeat(rows, sizes), by_twin[np.repeat(group_start[firsts], sizes) + inside]
        order = np.lexsort((cell_cols, cell_rows))
        indptr = np.searchsorted(cell_rows[order], np.arange(self.n_rows + 1))
        return indptr, cell_cols[order]
