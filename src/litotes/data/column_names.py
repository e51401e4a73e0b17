"""The names of a table's columns: each once, and the one that was asked for or the nearest to it."""

from __future__ import annotations

from collections.abc import Sequence

from litotes.core.checks import nearest
from litotes.core.errors import DataError
from litotes.data.lines import BadLine, check_text

__all__ = ["check_column", "check_column_names"]


def check_column_names(names: Sequence[str], where: str) -> None:
    """Refuse a name that is no text, and one that stands twice."""
    for name in names:
        try:
            check_text(name, "the name of a column")
        except BadLine as error:
            raise DataError(f"{where}: {error}") from None
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{where}: the column {twice!r} stands twice. Rename one of them.")


def check_column(names: Sequence[str], wanted: str, option: str, where: str) -> None:
    """Refuse a column that is not there, and name the nearest; ``option`` is what asked for it."""
    if wanted not in names:
        near = nearest(wanted, names)
        hint = f" Did you mean {near!r}?" if near else ""
        there = ", ".join(map(repr, names))
        raise DataError(f"{where}: {option}={wanted!r} is not among the columns {there}.{hint}")
