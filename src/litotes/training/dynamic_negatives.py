"""Hard negatives of this very step: what the query vectors that are being trained retrieve now (ADORE, section 5)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from litotes.core import Collection
from litotes.core.checks import check_int
from litotes.losses import RankedLists, ranked_lists

if TYPE_CHECKING:
    from litotes.training.document_index import DocumentIndex

__all__ = ["DynamicNegatives"]


class DynamicNegatives:
    """Searches the frozen documents with live query vectors and labels what comes back.

    Where nothing that is relevant was retrieved, all positives are appended. Documents that have the text of a known
    positive without being one, and cells that are suspected to be false negatives, keep their place and teach nothing.

    Args:
        data: the labels; ids of the index are its columns.
        index: the documents.
        top: k, documents retrieved for each query.
        suspects: ``row * n_cols + col`` of suspected cells, ascending (:func:`suspected_cells`); None: none.
    """

    def __init__(self, data: Collection, index: DocumentIndex, top: int, suspects: np.ndarray | None = None) -> None:
        self.data, self.index = data, index
        self.top = check_int("DynamicNegatives", "top", top, at_least=1)
        self.suspects = np.empty(0, dtype=np.int64) if suspects is None else suspects

    def lists(self, rows: list[int], queries: Float[Tensor, "batch dim"]) -> RankedLists:
        """The lists that these vectors of these rows retrieve; no gradient passes through the search."""
        ids, found = self.index.search(queries.detach(), self.top)
        lists = ranked_lists(ids.where(found, -1), self._relevant(rows).to(ids.device))
        silent = torch.from_numpy(self._silent(rows, lists.ids.cpu().numpy())).to(ids.device)
        return dataclasses.replace(lists, keep=lists.keep & (lists.positives | ~silent))

    def _relevant(self, rows: list[int]) -> Int[Tensor, "batch most"]:
        """Each row's positives that have content, padded with -1."""
        positives = [self.data.labels.positives(row) for row in rows]
        positives = [cols[self.data.cols_with_content[cols]] for cols in positives]
        padded = torch.full((len(rows), max(map(len, positives))), -1)
        for place, cols in enumerate(positives):
            padded[place, : len(cols)] = torch.from_numpy(cols)
        return padded

    def _silent(self, rows: list[int], ids: np.ndarray) -> np.ndarray:
        """Which cells are twins of a positive, positives, or suspected; bool, the shape of ``ids``."""
        row, col = np.asarray(rows, dtype=np.int64)[:, None], ids.clip(min=0)
        cells = row * self.data.n_cols + col
        place = np.searchsorted(self.suspects, cells).clip(max=max(len(self.suspects) - 1, 0))
        is_suspect = self.suspects[place] == cells if len(self.suspects) else np.zeros_like(cells, dtype=bool)
        return is_suspect | self.data.is_positive(row, col)
