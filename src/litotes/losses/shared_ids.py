"""Which cells of a matrix share an id, found tile by tile and never as a mask of the whole matrix.

Each row and each column goes by a few ids. A cell whose row and column have an id in common is left out of a partition
function: the column's document is a known positive of the row's query. At 80,000 x 80,000 a bool mask takes 6.4 GB; the
sorted ids take one number each, and a tile that holds no such cell costs one look-up.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Int
from torch import Tensor

__all__ = ["SharedIds"]


class SharedIds:
    """Rows and columns by their ids; -1 fills empty places and is shared with nobody.

    Args:
        row_ids: the ids of each row.
        col_ids: the ids of each column.
        tile_cols: how many columns a tile has.
    """

    def __init__(self, row_ids: Int[Tensor, "rows most"], col_ids: Int[Tensor, "cols many"], tile_cols: int) -> None:
        self.row_ids, self.col_ids = _renumbered(row_ids, col_ids)
        self.n_ids = 1 + max((int(ids.max()) for ids in (self.row_ids, self.col_ids) if ids.numel()), default=0)
        cols, places = (self.col_ids >= 0).nonzero(as_tuple=True)
        by_tile = cols // tile_cols * self.n_ids + self.col_ids[cols, places]  # ids of one tile stand together, sorted
        self._sorted, order = by_tile.sort()
        self._cols = cols[order] % tile_cols

    def in_tile(
        self, start: int, stop: int, tile: int, most: int
    ) -> Iterator[tuple[Int[Tensor, "n"], Int[Tensor, "n"]]]:
        """Row and column, counted from the tile's corner, of the cells that share an id; some may come twice.

        Args:
            start, stop: the rows of the tile.
            tile: the number of the tile of columns.
            most: about how many cells to hand out at once; the memory that this takes is bounded by it.
        """
        rows, places = (self.row_ids[start:stop] >= 0).nonzero(as_tuple=True)
        wanted = self.row_ids[start + rows, places] + tile * self.n_ids
        low, high = torch.searchsorted(self._sorted, wanted), torch.searchsorted(self._sorted, wanted, right=True)
        found = (high > low).nonzero(as_tuple=True)[0]
        if len(found):
            rows, low, counts = rows[found], low[found], (high - low)[found]
            step = max(1, most // int(counts.max()))
            for part in range(0, len(found), step):
                yield self._cells(rows[part : part + step], low[part : part + step], counts[part : part + step])

    def of_cells(self, rows: Int[Tensor, "n"], cols: Int[Tensor, "n"]) -> Bool[Tensor, "n"]:
        """Whether these cells share an id."""
        ours, theirs = self.row_ids[rows], self.col_ids[cols]
        return ((ours[:, :, None] == theirs[:, None, :]) & (ours[:, :, None] >= 0)).flatten(1).any(dim=1)

    def _cells(
        self, rows: Int[Tensor, "n"], low: Int[Tensor, "n"], counts: Int[Tensor, "n"]
    ) -> tuple[Int[Tensor, "cells"], Int[Tensor, "cells"]]:
        place = torch.arange(int(counts.sum()), device=rows.device)
        place += (low - counts.cumsum(0) + counts).repeat_interleave(counts)
        return rows.repeat_interleave(counts), self._cols[place]


def _renumbered(
    row_ids: Int[Tensor, "rows most"], col_ids: Int[Tensor, "cols many"]
) -> tuple[Int[Tensor, "rows most"], Int[Tensor, "cols many"]]:
    """Ids as numbers from 0 in the order of the columns' ids; -1 for a row's id that no column has."""
    known = col_ids[col_ids >= 0].unique()
    if not len(known):
        return torch.full_like(row_ids, -1), torch.full_like(col_ids, -1)
    place = torch.searchsorted(known, row_ids).clamp(max=len(known) - 1)
    present = known[place] == row_ids
    return place.where(present, -1), torch.searchsorted(known, col_ids).where(col_ids >= 0, -1)
