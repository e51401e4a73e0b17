"""Ids and their positions: the outside world says ``"doc-7"``, the arrays inside say 7."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Literal

import numpy as np

from litotes.core.checks import nearest
from litotes.core.errors import LitotesError
from litotes.core.fingerprint import digest_texts

__all__ = ["Ids"]


class Ids:
    """Distinct ids in a fixed order. Ids are always strings: ``"007"`` is not ``"7"``.

    Raises:
        LitotesError: an id stands twice.
    """

    def __init__(self, values: Iterable[object]) -> None:
        self.values: list[str] = [value if type(value) is str else str(value) for value in values]
        if len(self._positions) != len(self.values):
            twice = next(value for at, value in enumerate(self.values) if self._positions[value] != at)
            raise LitotesError(f"The id {twice!r} stands twice in one list of ids; ids must be distinct.")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, position: int) -> str:
        return self.values[position]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __contains__(self, value: object) -> bool:
        return value in self._positions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ids) and self.values == other.values

    __hash__ = None  # type: ignore[assignment]  # a list of ids is compared, never a key

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self.values[:3]))
        return f"Ids([{shown}{', ...' if len(self) > 3 else ''}], n={len(self)})"

    def index(self, value: str) -> int:
        """The position of one id; an unknown one is an error that names the nearest."""
        try:
            return self._positions[value]
        except KeyError:
            near = nearest(str(value), self.values[:100_000])
            hint = f" Did you mean {near!r}?" if near else ""
            raise LitotesError(f"The id {value!r} is not among the {len(self)} ids.{hint}") from None

    def positions(self, values: Sequence[str], missing: Literal["error"] | int = "error") -> np.ndarray:
        """Positions of many ids, int64; an unknown id is an error, or the number given as ``missing``."""
        if missing == "error":
            try:
                return np.fromiter(map(self._positions.__getitem__, values), dtype=np.int64, count=len(values))
            except KeyError as error:
                self.index(error.args[0])
        lookup = self._positions.get
        return np.fromiter((lookup(value, missing) for value in values), dtype=np.int64, count=len(values))

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the ids in their order."""
        return digest_texts(self.values)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {value: position for position, value in enumerate(self.values)}
