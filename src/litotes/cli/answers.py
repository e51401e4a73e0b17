"""How a verb answers: a table for people, or one JSON object for programs.

Without ``--json`` the answer itself is stdout's, so that it can be piped; with it stdout holds one JSON object and
nothing else. What happens on the way (progress, remarks) always goes to stderr.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Table", "answer", "print_version"]


class Table:
    """Rows under headings; numbers stand right. ``title`` is a line above."""

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
        self.headings, self.rows, self.title = list(headings), [list(row) for row in rows], title

    def __rich__(self) -> Any:
        from rich.table import Table as RichTable

        table = RichTable(
            box=None,
            title=self.title or None,
            title_justify="left",
            title_style="bold",
            pad_edge=False,
            padding=(0, 2, 0, 0),
        )
        for place, heading in enumerate(self.headings):
            numeric = bool(self.rows) and all(_is_number(row[place]) for row in self.rows)
            table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
        for row in self.rows:
            table.add_row(*(_cell(value) for value in row))
        return table


def answer(as_json: bool, facts: Mapping[str, Any], *parts: object) -> None:
    """Print ``parts`` (text or :class:`Table`) for people; with ``as_json`` to stderr, and ``facts`` to stdout."""
    from rich.console import Console

    console = Console(stderr=as_json, highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
    for part in parts:
        console.print(part, markup=False) if isinstance(part, str) else console.print(part)
    if as_json:
        print(json.dumps(_plain(facts), ensure_ascii=False, allow_nan=False, indent=2))


def print_version() -> None:
    """The version of litotes, alone on stdout."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        print(version("litotes"))
    except PackageNotFoundError:
        print("litotes (not installed: running from its source)")


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool)) or value == ""


def _cell(value: object) -> Any:
    from rich.text import Text

    if value is None:
        return Text("-")
    if isinstance(value, float):
        return Text(f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}")
    return Text(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))


def _plain(value: Any) -> Any:
    """What JSON can say: paths as text, numpy as numbers and lists, NaN as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
