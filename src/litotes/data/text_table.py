"""Texts gathered under ids while a file streams by: packed into Arrow blocks, each id for one text only."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from pathlib import Path

import pyarrow as pa

from litotes.core.errors import DataError

__all__ = ["TextTable", "text_id"]

_BLOCK_CHARACTERS = 1 << 22  # texts wait as Python strings until they are about this many, then they are packed


class TextTable:
    """Grows text by text and becomes a table with the columns ``id``, ``title`` (if asked for) and ``text``.

    An id that comes again with the same text is counted in ``notes`` (``repeated_<noun>_ids``); with another text it is
    refused, with both places.
    """

    def __init__(self, noun: str, notes: Counter[str], *, titles: bool = False) -> None:
        self.noun, self._notes, self._titles = noun, notes, titles
        self._position: dict[str, int] = {}
        self._hashes, self._lines, self._files = array("q"), array("q"), array("L")
        self._paths: list[Path] = []
        self._ids: list[str] = []
        self._texts: list[str] = []
        self._block_titles: list[str] = []
        self._waiting = 0
        self._blocks: list[pa.RecordBatch] = []

    def __len__(self) -> int:
        return len(self._position)

    def __contains__(self, text_id: str) -> bool:
        return text_id in self._position

    @property
    def ids(self) -> list[str]:
        """The ids in the order in which they first came."""
        return list(self._position)

    def add(self, name: str, text: str, path: Path, line: int, title: str = "") -> None:
        """One text and where it stands.

        Raises:
            DataError: the id already stands for another text.
        """
        known = self._position.setdefault(name, len(self._hashes))
        fresh = known == len(self._hashes)
        content = hash((title, text))  # 64 bits; compared within this process only
        if fresh:
            self._keep(name, text, title, content, path, line)
        elif self._hashes[known] == content:
            self._notes[f"repeated_{self.noun}_ids"] += 1
        else:
            first = f"{self._paths[self._files[known]]}:{self._lines[known]}"
            raise DataError.at(
                path,
                line,
                f"the {self.noun} id {name!r} stands here with another text than at {first}. "
                "Give one of the two another id, or remove it.",
            )

    def add_text(self, text: str, path: Path, line: int) -> str:
        """One text that has no id of its own; its id is made of its content, so equal texts are one text."""
        name = text_id(text)
        if name not in self._position:
            self.add(name, text, path, line)
        return name

    def table(self) -> pa.Table:
        """All texts, in the order in which they first came."""
        self._pack()
        return pa.Table.from_batches(self._blocks, schema=self._schema)

    @property
    def _schema(self) -> pa.Schema:
        names = ["id", "title", "text"] if self._titles else ["id", "text"]
        return pa.schema([(name, pa.string()) for name in names])

    def _keep(self, name: str, text: str, title: str, content: int, path: Path, line: int) -> None:
        if not self._paths or self._paths[-1] != path:
            self._paths.append(path)
        self._hashes.append(content)
        self._lines.append(line)
        self._files.append(len(self._paths) - 1)
        self._ids.append(name)
        self._texts.append(text)
        self._block_titles.append(title)
        self._waiting += len(text) + len(title)
        if self._waiting >= _BLOCK_CHARACTERS:
            self._pack()

    def _pack(self) -> None:
        columns = [self._ids, self._block_titles, self._texts] if self._titles else [self._ids, self._texts]
        if self._ids:
            self._blocks.append(pa.record_batch([pa.array(c, pa.string()) for c in columns], schema=self._schema))
        self._ids, self._texts, self._block_titles, self._waiting = [], [], [], 0


def text_id(text: str) -> str:
    """The id of a text that came without one: 16 hexadecimal digits of its digest.

    It depends on the exact text alone, so it is the same in every split, file and order, and editing one text changes
    no other id.
    """
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
