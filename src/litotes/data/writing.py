"""What all writers share: the texts of all splits, ids and grades as text, folders that are whole or absent."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from litotes.core.collection import Collection
from litotes.core.contents import Contents
from litotes.core.errors import LitotesError
from litotes.core.files import machine_errors, make_folder, sync, write_atomically

__all__ = [
    "Texts",
    "body_of_rows",
    "check_split_names",
    "grade_text",
    "json_line",
    "new_folder",
    "open_text",
    "plain_id",
    "write_file",
]


class Texts:
    """One collection, or one a split, and the union of their texts.

    Raises:
        LitotesError: no split, a split's name that no file can have, content that is no text, or no document text.
    """

    def __init__(self, data: Collection | Mapping[str, Collection]) -> None:
        self.splits = {data.split or "train": data} if isinstance(data, Collection) else dict(data)
        check_split_names(self.splits)
        for collection in self.splits.values():
            for side in (collection.rows, collection.cols):
                if side.table is not None and side.kind != "text":
                    raise LitotesError(
                        f"The {side.side}s of {collection.name or 'this collection'} hold a {side.kind} each, and "
                        "these formats hold texts."
                    )
        if not any(True for _ in self.documents()):
            raise LitotesError("No document has a text, so there is nothing that this format could hold.")

    def queries(self) -> Iterator[tuple[str, str]]:
        """Id and text of every query that has a text, each once."""
        for name, _, text in self._union("rows"):
            yield name, text

    def documents(self) -> Iterator[tuple[str, str, str]]:
        """Id, title and text of every document that has one, each once."""
        return self._union("cols")

    def _union(self, side: str) -> Iterator[tuple[str, str, str]]:
        seen: dict[str, int] = {}
        tables: list[Any] = []
        for split, collection in self.splits.items():
            contents: Contents = getattr(collection, side)
            if any(contents.table is table for table in tables):
                continue
            tables.append(contents.table)
            bodies = body_of_rows(contents) if side == "rows" else contents.bodies
            titles = [""] * len(bodies) if side == "rows" else contents.titles
            for name, title, body in zip(contents.ids, titles, bodies, strict=True):
                if body is None and not title:
                    continue
                content = hash((title, body or ""))
                if name not in seen:
                    seen[name] = content
                    yield name, title, body or ""
                elif seen[name] != content:
                    noun = "query" if side == "rows" else "document"
                    raise LitotesError(
                        f"The {noun} {name!r} has another text in the split {split!r} than in one before it; "
                        "one folder holds one text an id. Write the splits into folders of their own."
                    )


def check_split_names(splits: Iterable[str]) -> None:
    """Refuse split names that cannot be part of a file's name, and having none."""
    splits = list(splits)
    if not splits:
        raise LitotesError("There is no split to write; pass at least one collection.")
    for split in splits:
        if not split or split.startswith(".") or any(c in split for c in "/\\\0\n"):
            raise LitotesError(f"The split name {split!r} cannot be part of a file's name; give it a plain word.")


def body_of_rows(contents: Contents) -> list[str | None]:
    """The text of each query as it was read, its title before it where it has one."""
    joined = zip(contents.titles, contents.bodies, contents.texts, strict=True)
    return [text if title else body for title, body, text in joined]


def plain_id(name: str, where: str, forbidden: str | None = None) -> str:
    """The id, if it can stand in ``where``: not empty, and none of the ``forbidden`` characters (None: no blanks)."""
    if not name or any(c.isspace() if forbidden is None else c in forbidden for c in name):
        what = "blanks" if forbidden is None else "tabs or line breaks"
        raise LitotesError(f"The id {name!r} cannot stand in {where}, which has no way to write {what} or an empty id.")
    return name


def grade_text(grade: float) -> str:
    """A float32 grade as the shortest text that reads back as the same: ``1``, ``-2``, ``0.5``."""
    value = float(str(np.float32(grade)))
    return str(int(value) if value.is_integer() else value)


def json_line(fields: Mapping[str, Any]) -> str:
    """One object as one line of JSON Lines, characters as they are."""
    return json.dumps(fields, ensure_ascii=False) + "\n"


def open_text(path: Path) -> IO[str]:
    """A file to write: UTF-8, lines end with LF alone on every system."""
    return open(path, "w", encoding="utf-8", newline="\n")


def write_file(path: str | os.PathLike[str], write: Callable[[Path], None]) -> None:
    """A file that ``write`` fills under a temporary name; what stood there before is replaced at the end.

    Raises:
        LitotesError: ``path`` is a folder.
        MachineError: it cannot be written.
    """
    if Path(path).is_dir():
        raise LitotesError(f"{os.fspath(path)}: a folder stands where a file is to be written. Name a file in it.")
    write_atomically(path, write)


@contextlib.contextmanager
def new_folder(folder: str | os.PathLike[str], force: bool = False) -> Iterator[Path]:
    """A folder to fill under a temporary name, which becomes ``folder`` when all is written and synced.

    With ``force`` the files move one by one into a folder that is not empty; what else lies there stays.

    Raises:
        LitotesError: ``folder`` is not empty, or a file.
        MachineError: it cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise LitotesError(f"{folder}: a file stands where a folder is to be written.")
    full = folder.is_dir() and any(folder.iterdir())
    in_place = full or (folder.is_dir() and folder.samefile("."))  # a shell standing in a folder should not lose it
    if full and not force:
        raise LitotesError(
            f"{folder}: the folder is not empty. Name another one, or pass --force (in Python, force=True) to write "
            "into it."
        )
    make_folder(folder.parent)
    with (
        machine_errors(folder),
        tempfile.TemporaryDirectory(
            prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent, ignore_cleanup_errors=True
        ) as private,
    ):
        partial = Path(private, "whole")  # one level down, to get the permissions that any new folder gets
        partial.mkdir()
        yield partial
        files = [path for path in sorted(partial.rglob("*")) if path.is_file()]
        for path in files:
            sync(path)
        if in_place:
            for path in files:
                target = folder / path.relative_to(partial)
                make_folder(target.parent)
                os.replace(path, target)
        else:
            os.replace(partial, folder)
        sync(folder.parent)
