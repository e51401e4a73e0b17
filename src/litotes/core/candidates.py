"""Proposed cells: what miners found, what judges said of it, and how far to trust it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import pyarrow as pa

from litotes.core.candidate_table import merge_tables, ordered_table, typed_table
from litotes.core.checks import check_choice, check_int
from litotes.core.errors import LitotesError, StaleError
from litotes.core.files import read_parquet, write_parquet
from litotes.core.fingerprint import difference

if TYPE_CHECKING:
    import datasets

    from litotes.core.collection import Collection

__all__ = ["Candidates", "data_parts"]

_INT64, _INT32, _INT8, _FLOAT = pa.int64(), pa.int32(), pa.int8(), pa.float64()
_METADATA_KEY = b"litotes"


class Candidates:
    """A columnar table of cells, ragged per row, each cell once.

    Columns: ``row`` and ``col`` (positions in ``data.labels``), ``assumed`` (-1 or +1: what the cell's label is taken
    to be), ``score.<miner>``, ``rank.<miner>`` (from 1; null where that miner did not propose the cell),
    ``judge.<judge>`` (raw), ``trust.<judge>`` (the probability that the assumed label is right), ``weight``, ``target``
    (soft label). Cells are sorted by row, then by the best rank any miner gave, then by column.

    Attributes:
        counts: what each miner excluded and why, ``{miner: {reason: number}}``.
        made_from: fingerprints of the data that the positions belong to.
    """

    def __init__(
        self,
        table: pa.Table,
        *,
        counts: Mapping[str, Mapping[str, int]] | None = None,
        made_from: Mapping[str, str] | None = None,
    ) -> None:
        self.counts = {miner: dict(found) for miner, found in (counts or {}).items()}
        self.made_from = dict(made_from or {})
        self.table = ordered_table(typed_table(table))

    @classmethod
    def build(
        cls,
        row: np.ndarray,
        col: np.ndarray,
        *,
        miner: str,
        score: np.ndarray,
        rank: np.ndarray,
        data: Collection,
        assumed: int = -1,
        counts: Mapping[str, int] | None = None,
    ) -> Self:
        """What one miner proposes: positions, its scores and ranks (from 1), all of shape ``[cells]``."""
        check_choice("Candidates.build", "assumed", assumed, (-1, 1))
        columns = {
            "row": pa.array(np.asarray(row), _INT64),
            "col": pa.array(np.asarray(col), _INT64),
            "assumed": pa.array(np.full(len(row), assumed, dtype=np.int8), _INT8),
            f"score.{miner}": pa.array(np.asarray(score, dtype=np.float64), _FLOAT),
            f"rank.{miner}": pa.array(np.asarray(rank), _INT32),
        }
        return cls(pa.table(columns), counts={miner: counts or {}}, made_from=data_parts(data))

    def __len__(self) -> int:
        """Number of cells."""
        return self.table.num_rows

    def __repr__(self) -> str:
        parts = [f"{len(self)} cells", f"miners {', '.join(self.miners) or 'none'}"]
        if self.judges:
            parts.append(f"judges {', '.join(self.judges)}")
        return f"Candidates({'; '.join(parts)})"

    # --- reading ------------------------------------------------------------------------------------------------

    @cached_property
    def row(self) -> np.ndarray:
        """Row positions, int64 ``[cells]``, ascending."""
        return self.table["row"].to_numpy()

    @cached_property
    def col(self) -> np.ndarray:
        """Column positions, int64 ``[cells]``."""
        return self.table["col"].to_numpy()

    @cached_property
    def assumed(self) -> np.ndarray:
        """What each cell's label is taken to be: -1 or +1; int8 ``[cells]``."""
        return self.table["assumed"].to_numpy()

    @property
    def miners(self) -> list[str]:
        """Names of the miners that proposed cells."""
        return self._named("score.")

    @property
    def judges(self) -> list[str]:
        """Names of the judges that have spoken."""
        return self._named("judge.")

    @property
    def trusted_by(self) -> list[str]:
        """Names of the judges that gave probabilities."""
        return self._named("trust.")

    def column(self, name: str) -> np.ndarray:
        """One column as float64 ``[cells]``, NaN where it is null."""
        if name == "trust":
            return self.trust
        if name not in self.table.column_names:
            raise LitotesError(
                f"These candidates have no column {name!r}. They have: {', '.join(self.table.column_names)}."
            )
        return self.table[name].cast(_FLOAT).to_numpy()

    @cached_property
    def best_rank(self) -> np.ndarray:
        """The best rank any miner gave, float64 ``[cells]``; infinity where none did."""
        best = np.full(len(self), np.inf)
        for miner in self.miners:
            np.fmin(best, self.column(f"rank.{miner}"), out=best)
        return best

    @property
    def source(self) -> list[str]:
        """Which miners proposed each cell, as ``"bm25+dense"``."""
        proposed = [(miner, np.isfinite(self.column(f"rank.{miner}"))) for miner in self.miners]
        return ["+".join(miner for miner, found in proposed if found[i]) for i in range(len(self))]

    @cached_property
    def trust(self) -> np.ndarray:
        """The probability that the assumed label is right: the smallest over the judges; NaN where none gave one."""
        return self.combined("min")

    def combined(self, how: Literal["min", "mean"]) -> np.ndarray:
        """The judges' trust as one number a cell, the smallest or the mean; NaN where no judge gave one.

        Raises:
            LitotesError: no judge here gives probabilities.
        """
        check_choice("Candidates.combined", "how", how, ("min", "mean"))
        if not self.trusted_by:
            spoken = f" Judges {', '.join(self.judges)} gave raw values only; calibrate them." if self.judges else ""
            raise LitotesError(
                f"No judge has given these candidates a trust.{spoken} "
                "Judge them first: litotes judge RUN --by document"
            )
        columns = np.stack([self.column(f"trust.{judge}") for judge in self.trusted_by])
        if how == "min":
            return np.fmin.reduce(columns)
        given = np.isfinite(columns)
        return np.where(given.any(0), np.where(given, columns, 0.0).sum(0) / np.maximum(given.sum(0), 1), np.nan)

    # --- making others ------------------------------------------------------------------------------------------

    def with_columns(self, columns: Mapping[str, np.ndarray]) -> Candidates:
        """More columns, or others in their place; one number a cell, NaN for null."""
        table = self.table
        for name, values in columns.items():
            if len(values) != len(self):
                raise LitotesError(f"Column {name!r} has {len(values)} values for {len(self)} cells.")
            array = pa.array(np.asarray(values, dtype=np.float64), _FLOAT, from_pandas=True)
            if name in table.column_names:
                table = table.set_column(table.column_names.index(name), name, array)
            else:
                table = table.append_column(name, array)
        return self._like(table)

    def filter(self, mask: np.ndarray) -> Candidates:
        """The cells where ``mask`` (bool ``[cells]``) is true."""
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != (len(self),):
            raise LitotesError(f"A filter must be {len(self)} booleans. Got {mask.dtype} of shape {mask.shape}.")
        return self._like(self.table.filter(pa.array(mask)))

    def top(self, k: int) -> Candidates:
        """The first ``k`` cells of each row."""
        check_int("Candidates.top", "k", k, at_least=1)
        return self.filter(self._place_in_row < k)

    def padded(self, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The first ``k`` cells of each row as a rectangle.

        Returns:
            rows ``[r]``: rows that have a cell, ascending; cols int64 ``[r, k]``, -1 where there is none; keep bool
            ``[r, k]``: where there is one.
        """
        first = self.top(k)
        rows, place = np.unique(first.row, return_inverse=True)
        cols = np.full((len(rows), k), -1, dtype=np.int64)
        cols[place, first._place_in_row] = first.col
        return rows, cols, cols >= 0

    def merge(self, *others: Candidates) -> Candidates:
        """The cells of all, each once, with everybody's columns.

        Raises:
            LitotesError: a cell or a column about which two of them say different things; data that are not the same.
        """
        for other in others:
            _same_data(other.made_from, self.made_from)
        counts: dict[str, dict[str, int]] = {}
        for part in (self, *others):
            for miner, found in part.counts.items():
                total = counts.setdefault(miner, {})
                for reason, number in found.items():
                    total[reason] = total.get(reason, 0) + number
        table = merge_tables([self.table, *(other.table for other in others)])
        return Candidates(table, counts=counts, made_from=self.made_from)

    def select_rows(self, positions: np.ndarray, data: Collection) -> Candidates:
        """The cells of the rows at ``positions``, renumbered as ``data`` (these rows, selected) numbers them.

        Raises:
            LitotesError: ``data`` has another number of rows; StaleError: it has other columns.
        """
        positions = np.asarray(positions, dtype=np.int64)
        if len(positions) != data.n_rows:
            raise LitotesError(f"{len(positions)} rows were chosen, and the data has {data.n_rows}.")
        same = ("texts of columns",)  # the parts that selecting rows leaves as they are
        _same_data(*({part: of[part] for part in same if part in of} for of in (self.made_from, data_parts(data))))
        size = int(max(positions.max(initial=-1), self.row.max(initial=-1))) + 1
        new = np.full(size, -1, dtype=np.int64)
        new[positions] = np.arange(len(positions))
        rows = new[self.row]
        index = self.table.column_names.index("row")
        table = self.table.set_column(index, "row", pa.array(rows, _INT64)).filter(pa.array(rows >= 0))
        return Candidates(table, counts=self.counts, made_from=data_parts(data))

    def check_data(self, data: Collection) -> None:
        """Refuse data whose positions, labels or texts are not those that these candidates were made from."""
        _same_data(self.made_from, data_parts(data))

    # --- on disk, and out ---------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write one Parquet file, with counts and fingerprints in its metadata."""
        write_parquet(self.to_table(), path)

    def to_table(self) -> pa.Table:
        """The table with counts and fingerprints in its metadata."""
        note = json.dumps({"counts": self.counts, "made_from": self.made_from}, sort_keys=True)
        return self.table.replace_schema_metadata({_METADATA_KEY: note.encode()})

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """The reverse of :meth:`to_table`."""
        note = json.loads((table.schema.metadata or {}).get(_METADATA_KEY, b"{}"))
        return cls(table.replace_schema_metadata(None), counts=note.get("counts"), made_from=note.get("made_from"))

    @classmethod
    def load(cls, path: str | Path) -> Candidates:
        """From a Parquet file, or from a run folder with all its miners and judges merged."""
        path = Path(path)
        if path.suffix != ".parquet" or path.is_dir():
            from litotes.core.candidate_run import load_run

            return load_run(path)
        return cls.from_table(read_parquet(path))

    def to_dataset(
        self, format: Literal["triplet", "n-tuple", "labeled-pair", "labeled-list"], data: Collection
    ) -> datasets.Dataset:
        """Training columns for sentence-transformers; see :func:`litotes.core.layouts.candidates_dataset`."""
        from litotes.core.layouts import candidates_dataset

        return candidates_dataset(self, format, data)

    def _like(self, table: pa.Table) -> Candidates:
        return Candidates(table, counts=self.counts, made_from=self.made_from)

    def _named(self, prefix: str) -> list[str]:
        return [name.removeprefix(prefix) for name in self.table.column_names if name.startswith(prefix)]

    @cached_property
    def _place_in_row(self) -> np.ndarray:
        """How many cells of the same row stand before each cell."""
        starts = np.flatnonzero(np.diff(self.row, prepend=-1))
        return np.arange(len(self)) - np.repeat(starts, np.diff(starts, append=len(self)))


def data_parts(data: Collection) -> dict[str, str]:
    """The fingerprints that candidates keep of the data they were made from, by part."""
    return {
        "ids": data.labels.ids_fingerprint,
        "judgements": data.labels.fingerprint,
        "texts of rows": data.rows.fingerprint,
        "texts of columns": data.cols.fingerprint,
    }


def _same_data(ours: Mapping[str, str], theirs: Mapping[str, str]) -> None:
    differs = difference(ours, theirs) if ours and theirs else []
    if differs:
        raise StaleError(
            f"These candidates were made from other data: the {' and the '.join(differs)} differ. "
            "Give the data set and split that they were mined from, or mine again."
        )
