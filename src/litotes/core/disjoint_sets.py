"""Which items belong together when some pairs of them do: union-find (Galler and Fischer 1964)."""

from __future__ import annotations

from collections.abc import Iterable

from litotes.core.errors import LitotesError

__all__ = ["DisjointSets"]


class DisjointSets:
    """Sets over 0..n-1. The root of a set is its smallest member, so the order of joins does not matter.

    Args:
        parents: of each item one that it belongs with, itself for none: ``range(n)`` begins with every item alone.

    Raises:
        LitotesError: a parent is none of the items.

    >>> sets = DisjointSets(range(4))
    >>> sets.join(3, 1)
    >>> sets.roots()
    [0, 1, 2, 1]
    """

    def __init__(self, parents: Iterable[int]) -> None:
        given = list(parents)
        self._parents = list(range(len(given)))
        for item, parent in enumerate(given):
            if not 0 <= parent < len(given):
                raise LitotesError(
                    f"DisjointSets over {len(given)} items: the parent of item {item} must be one of them, in "
                    f"[0, {len(given)}). Got {parent!r}."
                )
            self.join(item, parent)

    def join(self, one: int, other: int) -> None:
        """Make one set of the two that hold these items."""
        low, high = sorted((self.root(one), self.root(other)))
        self._parents[high] = low

    def root(self, item: int) -> int:
        """The smallest member of the item's set."""
        while self._parents[item] != item:
            self._parents[item] = item = self._parents[self._parents[item]]
        return item

    def roots(self) -> list[int]:
        """The root of every item."""
        return [self.root(item) for item in range(len(self._parents))]
