"""The form of a table of candidates: its types, its order, and how several are joined."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from litotes.core.errors import DataError, LitotesError

__all__ = ["merge_tables", "ordered_table", "typed_table"]

_INT64, _INT32, _INT8, _FLOAT = pa.int64(), pa.int32(), pa.int8(), pa.float64()
_GROUPS = ("row", "col", "assumed", "score.", "rank.", "judge.", "trust.")


def typed_table(table: pa.Table) -> pa.Table:
    """The table with the types of a table of candidates; one without cells' rows and columns is refused."""
    for name in ("row", "col", "assumed"):
        if name not in table.column_names:
            raise DataError(f"A table of candidates needs the column {name!r}. Got: {', '.join(table.column_names)}.")
    fixed = {"row": _INT64, "col": _INT64, "assumed": _INT8}
    types = [fixed.get(name) or (_INT32 if name.startswith("rank.") else _FLOAT) for name in table.column_names]
    for name in ("row", "col", "assumed"):
        if table[name].null_count:
            raise DataError(f"A table of candidates holds {table[name].null_count} nulls in its column {name!r}.")
    schema = pa.schema(list(zip(table.column_names, types, strict=True)))
    return table.cast(schema).combine_chunks()


def ordered_table(table: pa.Table) -> pa.Table:
    """Sorted by row, best rank, column; a cell that stands twice is an error."""
    row, col = table["row"].to_numpy(), table["col"].to_numpy()
    if len(row) and (row.min() < 0 or col.min() < 0):
        raise DataError("A table of candidates holds a negative row or column; positions count from 0.")
    best = np.full(len(row), np.inf)
    for name in table.column_names:
        if name.startswith("rank."):
            np.fmin(best, table[name].cast(_FLOAT).to_numpy(), out=best)
    if not _is_ordered(row, best, col):
        order = np.lexsort((col, best, row))
        table, row, col = table.take(pa.array(order)), row[order], col[order]
    stride = int(col.max(initial=0)) + 1
    cells = np.sort(row * stride + col)
    twice = np.flatnonzero(cells[1:] == cells[:-1])
    if len(twice):
        at_row, at_col = divmod(int(cells[twice[0]]), stride)
        raise DataError(f"The cell (row {at_row}, column {at_col}) stands twice in one table of candidates.")
    return table


def _is_ordered(row: np.ndarray, best: np.ndarray, col: np.ndarray) -> bool:
    """Whether each cell stands before the next by row, best rank, column; one pass, where sorting takes many."""
    same_row, same_rank = row[1:] == row[:-1], best[1:] == best[:-1]
    later = (row[1:] > row[:-1]) | (same_row & ((best[1:] > best[:-1]) | (same_rank & (col[1:] >= col[:-1]))))
    return bool(later.all())


def merge_tables(tables: list[pa.Table]) -> pa.Table:
    """A full outer join of tables on (row, col).

    Where several tables have a column, each cell takes the value that is not null.

    Raises:
        LitotesError: two tables give one cell different values in one column.
    """
    stride = 1 + max((int(pc.max(table["col"]).as_py() or 0) for table in tables if table.num_rows), default=0)
    keys = [table["row"].to_numpy() * stride + table["col"].to_numpy() for table in tables]
    cells = np.unique(np.concatenate(keys)) if keys else np.empty(0, dtype=np.int64)
    places = [np.searchsorted(cells, key) for key in keys]
    merged: dict[str, pa.Array] = {"row": pa.array(cells // stride), "col": pa.array(cells % stride)}
    for name in _column_order([name for table in tables for name in table.column_names])[2:]:
        merged[name] = _merge_column(name, tables, places, len(cells), cells, stride)
    return pa.table(merged)


def _merge_column(
    name: str, tables: list[pa.Table], places: list[np.ndarray], n: int, cells: np.ndarray, stride: int
) -> pa.Array:
    values, given = np.full(n, np.nan), np.zeros(n, dtype=bool)
    kind = next(table.schema.field(name).type for table in tables if name in table.column_names)
    for table, place in zip(tables, places, strict=True):
        if name not in table.column_names:
            continue
        column = table[name].cast(pa.float64()).to_numpy()
        has = ~np.isnan(column)
        at, new = place[has], column[has]
        contradicts = given[at] & (values[at] != new)
        if contradicts.any():
            first = int(np.flatnonzero(contradicts)[0])
            row, col = divmod(int(cells[at[first]]), stride)
            raise LitotesError(
                f"Two tables of candidates give cell (row {row}, column {col}) different values of {name!r}: "
                f"{values[at[first]]:g} and {new[first]:g}. Give one of the parts another name (name=...)."
            )
        values[at], given[at] = new, True
    return pa.array(values, pa.float64(), from_pandas=True).cast(kind)


def _column_order(names: list[str]) -> list[str]:
    """Cells, scores, ranks, judges, trust, the rest; within a group in the order in which they came."""

    def group(name: str) -> int:
        return next((i for i, prefix in enumerate(_GROUPS) if name.startswith(prefix)), len(_GROUPS))

    return sorted(dict.fromkeys(names), key=group)
