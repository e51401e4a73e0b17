"""Candidates from the other side: documents that lie nearest to what is labelled, whatever the query says.

A retriever proposes what looks like the query. A document that answers it in other words may stand far down both lists
and still be the labelled document's next of kin. So this miner asks from each positive document for its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from litotes.core import Candidates, Collection
from litotes.mining.dense import encoder_parts
from litotes.mining.exact_search import search
from litotes.mining.exclusion import Allowed, Chosen, Window, propose, row_positions, top_of_cells
from litotes.mining.named import check_name
from litotes.models.collection_vectors import CollectionVectors
from litotes.models.encoder import resolve_encoder
from litotes.models.encoding import unit_rows

__all__ = ["NeighbourMiner", "positives_with_content", "unit_documents"]

_BLOCK_CELLS = 1 << 22  # neighbours held at once: about 100 MiB


@dataclass(frozen=True)
class NeighbourMiner:
    """The columns with the highest cosine to any positive of the row, the positives and their text twins left out.

    A row without a positive that has content gets none, and is counted as short.

    Args:
        encoder: what embeds the documents; see :func:`litotes.models.encoder.resolve_encoder`.
        top: candidates a row.
        name: what the candidates' columns and the run's folder are called.
    """

    encoder: Any = "builtin:minilm"
    top: int = 50
    name: str = "neighbours"
    kind: ClassVar[str] = "neighbours"
    _vectors: CollectionVectors = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_name("NeighbourMiner", self.name)
        self._window()
        object.__setattr__(self, "_vectors", CollectionVectors(resolve_encoder(self.encoder)))

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """What decides the vectors and the choice, by part."""
        return {"miner": self.kind, **self._window().parts(), **encoder_parts(self._vectors, data)}

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """The nearest neighbours of the positives of ``rows`` (positions; None for all)."""
        wanted = row_positions(data, rows)
        vectors = unit_documents(self._vectors, data)
        first, positives = positives_with_content(data, wanted)
        excluded = np.diff(data.never_negative()[0])[wanted]
        depth = min(self.top + int(excluded.max(initial=0)), data.n_cols)
        parts, sizes = [], []
        for start, stop in _blocks(np.diff(first), max(depth, 1)):
            mine = positives[first[start] : first[stop]]
            row = np.repeat(np.arange(stop - start), np.diff(first[start : stop + 1]))
            asked, place = np.unique(mine, return_inverse=True)
            scores, cols, keep = search(vectors[asked], vectors, max(depth, 1), usable=data.cols_with_content)
            allowed = Allowed.of(data, wanted[start:stop])
            found = np.where(keep, cols, -1)[place]
            parts.append(
                top_of_cells(np.repeat(row, depth), found.ravel(), scores[place].ravel(), allowed, self._window())
            )
            sizes.append(stop - start)
        counts = {**Allowed.of(data, wanted).counts, "rows_no_positive": int((np.diff(first) == 0).sum())}
        return propose(Chosen.join(parts, sizes), wanted, self.name, data, counts)

    def _window(self) -> Window:
        return Window.checked("NeighbourMiner", self.top, 0)


def unit_documents(vectors: CollectionVectors, data: Collection) -> np.ndarray:
    """The documents' vectors at length 1, float32 ``[n_cols, width]``; zeros where a document has no content."""
    made = vectors.cols(data)
    return made if vectors.encoder.similarity == "cosine" else unit_rows(made.copy())


def positives_with_content(data: Collection, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In CSR form over ``rows`` (positions): where each one's positives with content begin, and their columns."""
    cell_rows, cols = data.labels.positive_cells()
    kept = data.cols_with_content[cols]
    cell_rows, cols = cell_rows[kept], cols[kept]
    starts = np.searchsorted(cell_rows, rows)
    sizes = np.searchsorted(cell_rows, rows, side="right") - starts
    first = np.concatenate([[0], np.cumsum(sizes)])
    return first, cols[np.repeat(starts - first[:-1], sizes) + np.arange(first[-1])]


def _blocks(sizes: np.ndarray, depth: int) -> list[tuple[int, int]]:
    """Stretches of rows whose positives have together at most so many neighbours as are held at once."""
    blocks, start, cells = [], 0, 0
    for row, size in enumerate(sizes.tolist()):
        if cells and cells + size * depth > _BLOCK_CELLS:
            blocks.append((start, row))
            start, cells = row, 0
        cells += size * depth
    return [*blocks, (start, len(sizes))]
