"""A list of an audit: rows for a person to look at, each with a key that stays, a reason in words and an empty verdict.

The key is made from the list's name and the ids, not from places in it, so that a reviewed file still fits the audit
after its rows were sorted, cut or joined with those of another list.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from litotes.core.fingerprint import digest
from litotes.data.writing import json_line

__all__ = ["FILLED_IN", "Findings", "key_of", "shortened"]

FILLED_IN = ("verdict", "grade", "new_label", "note")  # columns that are empty for the reviewer to fill
_SHOWN = 300  # characters of a text in a list


@dataclass(frozen=True)
class Findings:
    """One list, the surest row first.

    Attributes:
        name: of its files.
        title: what it holds, in a few words; says: what that means, in a sentence.
        columns: names and types, in the order of the files; ``key``, ``score`` and ``reason`` are among them.
        rows: the rows, at most as many as were asked for.
        total: how many there were before the list was cut.
        counted: what ``total`` counts: ``found``, or ``ordered`` where the list puts everything in order that was
            looked at and leaves it to the reader where the findings end.
        verdicts: what a reviewer may write, and what each makes of the data.
        graded: whether a verdict may come with a grade.
        relabels: whether a verdict may come with a new label.
    """

    name: str
    title: str
    says: str
    columns: Mapping[str, pa.DataType]
    verdicts: Mapping[str, str]
    graded: bool = False
    relabels: bool = False
    rows: Sequence[Mapping[str, Any]] = field(default=())
    total: int = 0
    counted: Literal["found", "ordered"] = "found"

    def __len__(self) -> int:
        return len(self.rows)

    def table(self) -> pa.Table:
        """The rows as a table; the columns to fill in are left out."""
        columns = {name: pa.array([row[name] for row in self.rows], type_) for name, type_ in self.columns.items()}
        return pa.table(columns)

    def to_csv(self) -> str:
        """The rows as CSV, with the columns to fill in after the key."""
        out = io.StringIO()
        writer = csv.DictWriter(out, self._names(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._filled(""))
        return out.getvalue()

    def to_jsonl(self) -> str:
        """The rows as JSON Lines, with the fields to fill in after the key."""
        return "".join(map(json_line, self._filled(None)))

    def facts(self) -> dict[str, Any]:
        """What ``report.json`` says of the list."""
        return {
            "title": self.title,
            "says": self.says,
            "rows": len(self.rows),
            self.counted: self.total,
            "files": [f"{self.name}.csv", f"{self.name}.jsonl"],
            "verdicts": dict(self.verdicts),
            "graded": self.graded,
            **({"relabels": True} if self.relabels else {}),
        }

    def _names(self) -> list[str]:
        left_out = {"grade": not self.graded, "new_label": not self.relabels}
        filled = [name for name in FILLED_IN if not left_out.get(name)]
        return ["key", *filled, *(name for name in self.columns if name != "key")]

    def _filled(self, empty: Any) -> Iterable[dict[str, Any]]:
        names = self._names()
        for row in self.rows:
            line = {name: row.get(name, empty) for name in names}
            yield {name: empty if value is None else _plain(value) for name, value in line.items()}


def key_of(prefix: str, *ids: str) -> str:
    """The key of a row: what list it stands in and whom it is about."""
    return f"{prefix}-{digest(prefix, *ids)[:12]}"


def shortened(text: str | None, length: int = _SHOWN) -> str:
    """The beginning of a text on one line."""
    line = " ".join((text or "").split())
    return line if len(line) <= length else line[: length - 2].rsplit(" ", 1)[0] + " …"


def _plain(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
