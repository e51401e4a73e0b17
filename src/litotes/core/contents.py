"""What stands under a list of ids: texts, paths or vectors, some of which may be missing."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from litotes.core.errors import DataError
from litotes.core.fingerprint import digest, digest_texts
from litotes.core.ids import Ids

__all__ = ["Contents"]


class Contents:
    """One side of a collection: a table put in the order of ``ids``.

    Args:
        table: a column ``id`` and one of ``text`` (with ``title``, if there are titles), ``path`` or ``vector``; None
            when nothing is known but the ids. Ids without a line, or with a null, have no content.
        ids: the ids of the label matrix; the table may not hold others.
        side: ``"row"`` or ``"column"``, for messages.
    """

    def __init__(self, table: pa.Table | None, ids: Ids, side: str) -> None:
        self.table, self.ids, self.side = table, ids, side
        if table is None:
            return
        kinds = [name for name in ("text", "path", "vector") if name in table.column_names]
        if "id" not in table.column_names or not kinds:
            raise DataError(
                f"A table of {side}s needs a column 'id' and one of 'text', 'path', 'vector'. "
                f"Got: {', '.join(table.column_names) or 'no columns'}."
            )
        self.kind = kinds[0]
        for name in ("title", "text", "path"):
            if name in table.column_names and not _holds_texts(table.schema.field(name).type):
                raise DataError(
                    f"The column {name!r} of the {side}s holds {table.schema.field(name).type}; it must hold strings."
                )
        table_ids = Ids(table["id"].to_pylist())
        places = table_ids.positions(ids.values, missing=-1)
        unknown = len(table_ids) - int((places >= 0).sum())
        if unknown:
            odd = next(value for value in table_ids if value not in ids)
            raise DataError(f"{unknown} {side}s of the table are not among the labels' ids, for example {odd!r}.")
        self._places = places

    @cached_property
    def present(self) -> np.ndarray:
        """Which ids have content; bool ``[ids]``. A text of blanks alone is no content."""
        if self.table is None:
            return np.zeros(len(self.ids), dtype=bool)
        if self.kind == "text":
            return np.fromiter((text is not None for text in self.texts), dtype=bool, count=len(self.ids))
        valid = pc.is_valid(self.table[self.kind]).to_numpy(zero_copy_only=False)
        return self._pick(valid, False)

    @cached_property
    def texts(self) -> list[str | None]:
        """Title, blank, text of each id; None where there is neither."""
        joined = []
        for title, body in zip(self.titles, self.bodies, strict=True):
            text = f"{title} {body or ''}".strip() if title else (body or "").strip()
            joined.append(text or None)
        return joined

    @cached_property
    def titles(self) -> list[str]:
        """The title of each id; empty where there is none."""
        if self.table is None or "title" not in self.table.column_names:
            return [""] * len(self.ids)
        titles = self.table["title"].to_pylist()
        return [(titles[place] or "") if place >= 0 else "" for place in self._places]

    @cached_property
    def bodies(self) -> list[str | None]:
        """The text of each id without its title; None where there is none."""
        if self.table is None or self.kind != "text":
            return [None] * len(self.ids)
        texts = self.table["text"].to_pylist()
        return [texts[place] if place >= 0 else None for place in self._places]

    @cached_property
    def paths(self) -> list[str | None]:
        """The path of each id; None where there is none."""
        if self.table is None or self.kind != "path":
            return [None] * len(self.ids)
        paths = self.table["path"].to_pylist()
        return [paths[place] if place >= 0 else None for place in self._places]

    @cached_property
    def vectors(self) -> np.ndarray:
        """float32 ``[ids, width]``; zeros where an id has no vector (see :attr:`present`)."""
        if self.table is None or self.kind != "vector":
            raise DataError(f"The {self.side}s of this collection have no vectors.")
        column = self.table["vector"].combine_chunks()
        widths = set(pc.list_value_length(column.drop_null()).to_pylist())
        if len(widths) > 1:
            raise DataError(f"The vectors of the {self.side}s have several widths: {sorted(widths)}.")
        width = widths.pop() if widths else 0
        found = np.zeros((len(self.ids), width), dtype=np.float32)
        flat = column.drop_null().flatten().to_numpy(zero_copy_only=False).reshape(-1, width) if width else found
        found[self.present] = flat[self._line_of_vector[self._places[self.present]]]
        if not np.isfinite(found).all():
            bad = self.ids[int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])]
            raise DataError(f"The vector of {self.side} {bad!r} holds NaN or infinity.")
        return found

    @cached_property
    def fingerprint(self) -> str:
        """Digest of all content in the order of the ids."""
        if self.table is None:
            return digest(None)
        if self.kind == "text":
            return digest("text", digest_texts(self.titles), digest_texts(self.bodies))
        if self.kind == "path":
            return digest("path", digest_texts(self.paths))
        return digest("vector", self.vectors)

    def select(self, positions: np.ndarray) -> pa.Table | None:
        """The table's lines of the ids at these positions; ids without content have none."""
        if self.table is None:
            return None
        places = self._places[positions]
        return self.table.take(pa.array(places[places >= 0]))

    @cached_property
    def _line_of_vector(self) -> np.ndarray:
        """For each line of the table, its place among the lines that have a vector."""
        valid = pc.is_valid(self.table["vector"]).to_numpy(zero_copy_only=False)  # type: ignore[index]
        return np.cumsum(valid) - 1

    def _pick(self, values: np.ndarray, missing: object) -> np.ndarray:
        picked = values[np.maximum(self._places, 0)] if len(values) else np.full(len(self.ids), missing)
        picked[self._places < 0] = missing
        return picked


def _holds_texts(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind in (pa.string_view(), pa.null())
