"""Cells of a tile that do not count: a few by their place, or a mask where they are many, and whole columns."""

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

__all__ = ["LeftOut"]


class LeftOut:
    """Nothing at first.

    Args:
        mask: cells to begin with, where a mask had to be made anyway.
        columns: columns left out whole.
    """

    def __init__(
        self, mask: Bool[Tensor, "rows cols"] | None = None, columns: Int[Tensor, "some"] | None = None
    ) -> None:
        self._mask = mask
        self._columns = columns if columns is not None and len(columns) else None
        self._cells: list[Tensor] = []

    def add(self, cells: Int[Tensor, "some"]) -> None:
        """Cells by their place in the flattened tile; some may be named twice."""
        if self._mask is not None:
            self._mask.view(-1).index_fill_(0, cells, True)
        elif len(cells):
            self._cells.append(cells)

    def be_many(self, like: Float[Tensor, "rows cols"]) -> None:
        """More cells follow than one would hold by their places: keep a mask from here on."""
        if self._mask is None:
            self._mask = torch.zeros_like(like, dtype=torch.bool)

    def fill_(self, tile: Shaped[Tensor, "rows cols"], value: float | bool) -> Shaped[Tensor, "rows cols"]:
        """Write ``value`` in all of them, whatever was there."""
        if self._mask is not None:
            tile.masked_fill_(self._mask, value)
        for cells in self._cells:
            tile.view(-1).index_fill_(0, cells, value)
        if self._columns is not None:
            tile.index_fill_(1, self._columns, value)
        return tile

    def counts(self, like: Float[Tensor, "rows cols"]) -> Int[Tensor, "rows"]:
        """How many there are in each row."""
        if self._mask is None and not self._cells and self._columns is None:
            return torch.zeros(len(like), dtype=torch.int64, device=like.device)
        return self.fill_(torch.zeros_like(like, dtype=torch.bool), True).sum(dim=1)
