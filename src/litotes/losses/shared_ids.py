"""Which cells of a matrix share an id, found tile by tile and never as a mask of the whole matrix.

Each document goes by one id, each query by a few sets of ids. A cell whose query holds its document's id is left out of
a partition function: the document is a known positive. At 80,000 x 80,000 a bool mask takes 6.4 GB, and ids padded to
the longest set take 200 MB if one query has 2,000. Here a set takes its ids and no more, queries may share one, and a
tile that holds no such cell costs one look-up.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

__all__ = ["IdSets", "SharedIds"]


class IdSets(NamedTuple):
    """A set of ids for each row, one set after the other; rows may share one, and a set may be empty."""

    of: Int[Tensor, "rows"]
    """The number of each row's set."""
    ends: Int[Tensor, "one_more_than_sets"]
    """Set i is ``ids[ends[i] : ends[i + 1]]``."""
    ids: Int[Tensor, "all_ids"]

    @classmethod
    def single(cls, ids: Int[Tensor, "rows"]) -> "IdSets":
        """One id a row."""
        ends = torch.arange(len(ids) + 1, device=ids.device)
        return cls(ends[:-1], ends, ids)

    @classmethod
    def unpadded(cls, ids: Int[Tensor, "rows most"]) -> "IdSets":
        """Rows of ids that negative numbers fill up."""
        there = ids >= 0
        ends = torch.cat([there.new_zeros(1, dtype=torch.int64), there.sum(dim=1).cumsum(0)])
        return cls(torch.arange(len(ids), device=ids.device), ends, ids[there])


class SharedIds:
    """Cells of queries and documents; a negative id is shared with nobody.

    Args:
        sets: the ids of each query, in one set or in several.
        document_ids: the id of each document.
        tile: how many documents a tile has.
        flipped: the documents are the rows of the matrix, and the queries its columns.
    """

    def __init__(
        self, sets: Sequence[IdSets], document_ids: Int[Tensor, "documents"], tile: int, *, flipped: bool = False
    ) -> None:
        known = document_ids[document_ids >= 0].unique()
        self._tile, self._flipped, self._n_ids = tile, flipped, max(1, len(known))
        self._ids = _places(document_ids, known)
        documents = (self._ids >= 0).nonzero(as_tuple=True)[0]
        by_tile = documents // tile * self._n_ids + self._ids[documents]  # those of a tile stand together, sorted
        self._sorted, order = by_tile.sort()
        self._documents = documents[order] % tile
        self._sets = [self._only(one, known) for one in sets]

    def in_tile(
        self, start: int, stop: int, left: int, right: int, most: int
    ) -> Iterator[tuple[Int[Tensor, "n"], Int[Tensor, "n"]]]:
        """Row and column, counted from the tile's corner, of the cells that share an id; some may come twice.

        Args:
            start, stop: the rows of the tile.
            left, right: its columns.
            most: about how many cells to hand out at once; the memory that this takes is bounded by it.
        """
        (first, last), documents = ((left, right), start) if self._flipped else ((start, stop), left)
        for sets in self._sets:
            for queries, found in self._cells(sets, first, last, documents // self._tile, max(most, 1)):
                yield (found, queries) if self._flipped else (queries, found)

    def of_cells(self, queries: Int[Tensor, "n"], documents: Int[Tensor, "n"]) -> Bool[Tensor, "n"]:
        """Whether these cells share an id."""
        ids = self._ids[documents]
        found = torch.zeros_like(ids, dtype=torch.bool)
        for sets in self._sets:
            key = sets.of[queries] * self._n_ids + ids
            low, high = _between(sets.ids, key)
            found |= high > low
        return found & (ids >= 0)

    def _only(self, sets: IdSets, known: Int[Tensor, "some"]) -> IdSets:
        """The ids that a document has, as ``number of the set * ids + place``: ascending, to be looked up."""
        number = torch.arange(len(sets.ends) - 1, device=sets.ids.device).repeat_interleave(sets.ends.diff())
        place = _places(sets.ids, known)
        keys = (number * self._n_ids + place)[place >= 0].sort()[0]
        every = torch.arange(len(sets.ends), device=keys.device) * self._n_ids
        return IdSets(sets.of, torch.searchsorted(keys, every), keys)

    def _cells(
        self, sets: IdSets, first: int, last: int, tile: int, most: int
    ) -> Iterator[tuple[Int[Tensor, "n"], Int[Tensor, "n"]]]:
        """Cells of some queries and a tile of documents: ids of their sets, then queries of a set, then documents."""
        numbers, which = sets.of[first:last].unique(return_inverse=True)
        in_order, counts = which.argsort(), which.bincount(minlength=len(numbers))
        firsts = counts.cumsum(0) - counts  # in_order holds the queries of set after set
        sizes = sets.ends[numbers + 1] - sets.ends[numbers]
        for owner, places in _spread(sets.ends[numbers], sizes, most):
            low, high = _between(self._sorted, sets.ids[places] - (numbers[owner] - tile) * self._n_ids)
            found = (high > low).nonzero(as_tuple=True)[0]
            owner, low, high = owner[found], low[found], high[found]
            for pair, query in _spread(firsts[owner], counts[owner], most):
                for entry, place in _spread(low[pair], (high - low)[pair], most):
                    yield in_order[query[entry]], self._documents[place]


def _spread(
    firsts: Int[Tensor, "n"], counts: Int[Tensor, "n"], most: int
) -> Iterator[tuple[Int[Tensor, "m"], Int[Tensor, "m"]]]:
    """Ranges written out: which of them, and each number in it; about ``most`` numbers at once."""
    ends = counts.cumsum(0)
    if not len(ends) or not (total := int(ends[-1])):
        return
    cuts = [len(ends)]
    if total > most:
        cuts = (ends // most).unique_consecutive(return_counts=True)[1].tolist()
    start = 0
    for cut in cuts:
        stop = start + cut
        which = torch.arange(start, stop, device=ends.device).repeat_interleave(counts[start:stop])
        place = torch.arange(len(which), device=ends.device) + int(ends[start] - counts[start])
        yield which, place + (firsts - ends + counts)[which]
        start = stop


def _between(ascending: Int[Tensor, "some"], wanted: Int[Tensor, "n"]) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"]]:
    return torch.searchsorted(ascending, wanted), torch.searchsorted(ascending, wanted, right=True)


def _places(ids: Int[Tensor, "n"], known: Int[Tensor, "some"]) -> Int[Tensor, "n"]:
    """Where each id stands among the known ones, which ascend; -1 for what is not known."""
    if not len(known):
        return torch.full_like(ids, -1)
    place = torch.searchsorted(known, ids.contiguous()).clamp(max=len(known) - 1)
    return place.where(known[place] == ids, -1)
