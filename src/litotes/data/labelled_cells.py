"""The cells of a table of examples, column by column: labels, texts, ids, numbers.

A cell that does not hold what it should is kept as the problem of its row, so that the caller can say where it stands
or leave the row out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from litotes.data.lines import BadLine, check_text, excerpt, take_number

__all__ = ["LabelledCells"]

T = TypeVar("T")

_LARGEST = float(np.finfo(np.float32).max)
_NO_CLASS = -1  # what datasets writes where a class is not known


class LabelledCells:
    """Columns by name, each with ``rows`` cells; ``problems`` holds what is wrong with a row, the first thing found."""

    def __init__(self, columns: dict[str, list[Any]], rows: int) -> None:
        self._columns, self._rows = columns, rows
        self.problems: dict[int, BadLine] = {}
        for name, cells in columns.items():  # so that every cell can be written again
            if any(isinstance(cell, str) and not cell.isascii() for cell in cells):
                self._each(cells, partial(_checked, column=name), "")

    def labels(self, column: str, class_names: Sequence[str] | None = None) -> list[str]:
        """The classes as text; ``class_names`` are what whole numbers stand for. Missing ones are problems."""
        return self._each(self._columns[column], lambda cell: _label(cell, column, class_names), "")

    def texts(self, column: str) -> list[str]:
        """The texts; a missing one, a blank one and what is no text are problems."""
        return self._each(self._columns[column], lambda cell: _text(cell, column), "")

    def ids(self, column: str) -> list[str]:
        """The ids as text; a missing one and one that stands twice are problems."""
        seen: set[str] = set()

        def one(cell: Any) -> str:
            if _is_missing(cell):
                raise BadLine(f"the column {column!r} is empty. Expected an id.")
            name = _plain(cell)
            if name in seen:
                raise BadLine(f"the id {name!r} in the column {column!r} stood before. Expected another for each row.")
            seen.add(name)
            return name

        return self._each(self._columns[column], one, "")

    def columns_of_numbers(self, without: Collection[str | None]) -> list[str]:
        """The columns of which at least half of the cells that are not empty are numbers."""
        return [name for name, cells in self._columns.items() if name not in without and _is_of_numbers(cells)]

    def numbers(self, columns: Sequence[str]) -> np.ndarray:
        """float32 ``[rows, d]``; a column of lists gives as many numbers as its first list is long.

        A cell that is empty, no number, not finite, or a list of another length is a problem, and its numbers are 0.
        """
        blocks = [self._block(name, self._columns[name]) for name in columns]
        return np.concatenate(blocks, axis=1).astype(np.float32)

    def _block(self, name: str, cells: list[Any]) -> np.ndarray:
        block = _as_numbers(cells)
        if block is not None and block.ndim == 2 and _are_good(block):
            return block
        widths = [len(cell) for cell in cells if isinstance(cell, list | tuple | np.ndarray)]
        width = widths[0] if widths else None
        rows = self._each(cells, lambda cell: _vector(cell, name, width), np.zeros(width or 1))
        return np.stack(rows) if rows else np.zeros((0, width or 1))

    def _each(self, cells: Sequence[Any], read: Callable[[Any], T], instead: T) -> list[T]:
        found = []
        for row, cell in enumerate(cells):
            try:
                found.append(read(cell))
            except BadLine as problem:
                self.problems.setdefault(row, problem)
                found.append(instead)
        return found


def _checked(cell: Any, column: str) -> str:
    return check_text(cell, column) if isinstance(cell, str) else ""


def _label(cell: Any, column: str, class_names: Sequence[str] | None) -> str:
    if _is_missing(cell) or (class_names is not None and cell == _NO_CLASS):
        raise BadLine(f"the column {column!r} is empty. Expected the label of the row.")
    if class_names is not None:
        return class_names[cell]
    if isinstance(cell, list | tuple | dict | np.ndarray):
        raise BadLine(f"the column {column!r} holds {excerpt(str(cell))}. Expected one label.")
    name = _plain(cell)
    if name.lower() == "nan":
        raise BadLine(f"the column {column!r} holds {name!r}, which stands for a missing label. Expected a label.")
    return name


def _text(cell: Any, column: str) -> str:
    if _is_missing(cell):
        raise BadLine(f"the column {column!r} is empty. Expected a text.")
    if not isinstance(cell, str):
        raise BadLine(f"the column {column!r} holds {excerpt(str(cell))}. Expected a text.")
    return cell


def _vector(cell: Any, column: str, width: int | None) -> np.ndarray:
    """The numbers of one cell, ``[width]``; None is a single number."""
    cells = [cell] if width is None else cell if isinstance(cell, list | tuple | np.ndarray) else None
    if cells is None or len(cells) != (width or 1):
        what = "is no list" if cells is None else f"holds a list of {len(cells)}"
        raise BadLine(f"the column {column!r} {what}. Expected {width} numbers, as in the rows before.")
    return np.array([_number(each, column) for each in cells])


def _number(cell: Any, column: str) -> float:
    if _is_missing(cell):
        raise BadLine(f"the column {column!r} is empty. Expected a number.")
    if isinstance(cell, bool | np.bool_):
        return float(cell)
    number = take_number(str(cell).strip(), f"cell of {column!r}")
    if abs(number) > _LARGEST:
        raise BadLine(f"the cell of {column!r} {number:g} is too large. Expected a number that 32 bits can hold.")
    return number


def _as_numbers(cells: list[Any]) -> np.ndarray | None:
    """All cells at once, ``[rows, d]``; None where that does not go through."""
    if any(isinstance(cell, str) and "_" in cell for cell in cells):  # 1_000 is Python, not data
        return None
    with contextlib.suppress(ValueError, TypeError):
        block = np.array(cells)
        if block.dtype.kind in "biufUO":
            block = block.astype(np.float64)
            return block[:, None] if block.ndim == 1 else block
    return None


def _are_good(block: np.ndarray) -> bool:
    return bool(np.isfinite(block).all() and (np.abs(block) <= _LARGEST).all())


def _is_of_numbers(cells: list[Any]) -> bool:
    there = [cell for cell in cells if not _is_missing(cell)]
    if not there or isinstance(there[0], list | tuple | dict | np.ndarray):
        return False
    block = _as_numbers(there)
    if block is not None:
        return bool(np.isfinite(block).mean() >= 0.5)
    return sum(map(_is_number, there)) >= 0.5 * len(there)


def _is_number(cell: Any) -> bool:
    try:
        _number(cell, "")
    except BadLine:
        return False
    return True


def _is_missing(cell: Any) -> bool:
    return (
        cell is None
        or (isinstance(cell, str) and not cell.strip())
        or (isinstance(cell, float | np.floating) and bool(cell != cell))
    )


def _plain(cell: Any) -> str:
    """A cell as the text that files have for it: 3.0, which pandas makes of 3 where others are missing, is 3."""
    if isinstance(cell, np.generic):
        cell = cell.item()
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
