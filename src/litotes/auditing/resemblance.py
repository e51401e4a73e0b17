r"""How much a document resembles the labelled positives of a query, by vectors, wherever in the corpus it lies.

Cosines are not comparable from one corner of a corpus to another: in a crowded one everything is near everything. The
cosine of two documents is therefore measured against how near each has its ten nearest neighbours (cross-domain
similarity local scaling, Conneau et al. 2018, section 2.3, here within one corpus):

.. math::
    \mathrm{csls}(d, p) = 2 \cos(d, p) - h(d) - h(p), \qquad h(d) = \tfrac{1}{10} \sum_{e \in N_{10}(d)} \cos(d, e)

and a document's resemblance to a query's positives is the mean of its three largest values (of as many as there are):
one likeness may be an accident, three are a family.
"""

from __future__ import annotations

import numpy as np

from litotes.core.places import places_in_groups
from litotes.mining.exact_search import search
from litotes.mining.row_products import row_products

__all__ = ["Resemblance", "crowding"]

NEIGHBOURS, FAMILY = 10, 3
_BLOCK_PAIRS = 1 << 20  # pairs of documents compared at once
_BLOCK_DOCUMENTS = 4096


def crowding(vectors: np.ndarray, usable: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """The mean cosine of each of some documents to its ten nearest others, float32 ``[cols]``; 0 for one not usable.

    Args:
        vectors: of length 1, float32 ``[n, width]``.
        usable: which documents have content, bool ``[n]``.
        cols: positions of those that are asked for.
    """
    found = np.zeros(len(cols), dtype=np.float32)
    wanted = np.flatnonzero(usable[cols])
    for start in range(0, len(wanted), _BLOCK_DOCUMENTS):
        places = wanted[start : start + _BLOCK_DOCUMENTS]
        itself = (np.arange(len(places) + 1), cols[places])
        scores, _, keep = search(vectors[cols[places]], vectors, NEIGHBOURS, exclude=itself, usable=usable)
        found[places] = np.where(keep, scores, 0).sum(1) / np.maximum(keep.sum(1), 1)
    return found


class Resemblance:
    """Compares cells with the positives of their rows.

    How crowded it is around a document is measured when it is first compared, since a large corpus holds many that
    never are.

    Args:
        vectors: of length 1, float32 ``[n_cols, width]``, zeros where a column has no content.
        usable: which columns have content, bool ``[n_cols]``.
        indptr, positives: CSR over all rows of the positives that have content.
    """

    def __init__(self, vectors: np.ndarray, usable: np.ndarray, indptr: np.ndarray, positives: np.ndarray) -> None:
        self._vectors, self._usable, self._indptr, self._positives = vectors, usable, indptr, positives
        self._crowd = np.full(len(vectors), np.nan, dtype=np.float32)

    def of(self, rows: np.ndarray, cols: np.ndarray) -> dict[str, np.ndarray]:
        """Each cell beside the positives of its row; the cell's own column is never one of them.

        Args:
            rows, cols: positions of the cells, int64 ``[cells]``.

        Returns:
            ``resemblance`` (float64, NaN where there is nothing to compare with), ``nearest`` (the positive with the
            highest cosine, -1 for none) and ``cosine`` (to it, NaN for none), each ``[cells]``.
        """
        out = {
            "resemblance": np.full(len(rows), np.nan),
            "nearest": np.full(len(rows), -1, dtype=np.int64),
            "cosine": np.full(len(rows), np.nan),
        }
        sizes = np.diff(self._indptr)[rows]
        self._measure(rows, cols)
        for start, stop in _blocks(sizes):
            part = slice(start, stop)
            self._block(rows[part], cols[part], {name: values[part] for name, values in out.items()})
        return out

    def _measure(self, rows: np.ndarray, cols: np.ndarray) -> None:
        """How crowded it is around the documents of these cells and around the positives of their rows."""
        asked = np.unique(rows)
        compared = asked[np.diff(self._indptr)[asked] > 0]
        others = [self._positives[self._indptr[row] : self._indptr[row + 1]] for row in compared.tolist()]
        wanted = np.unique(np.concatenate([cols[np.isin(rows, compared)], *others]))
        new = wanted[np.isnan(self._crowd[wanted])]
        self._crowd[new] = crowding(self._vectors, self._usable, new)

    def _block(self, rows: np.ndarray, cols: np.ndarray, out: dict[str, np.ndarray]) -> None:
        sizes = np.diff(self._indptr)[rows]
        cells = np.repeat(np.arange(len(rows)), sizes)
        inside = np.arange(len(cells)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        other = self._positives[np.repeat(self._indptr[rows], sizes) + inside]
        differs = other != cols[cells]
        cells, other = cells[differs], other[differs]
        if not len(cells):
            return
        cosine = row_products(self._vectors, self._vectors, cols[cells], other).astype(np.float64)
        csls = 2 * cosine - self._crowd[cols[cells]] - self._crowd[other]
        order, place = places_in_groups(cells, csls)
        family = order[place < FAMILY]
        count = np.bincount(cells[family], minlength=len(rows))
        total = np.bincount(cells[family], weights=csls[family], minlength=len(rows))
        known = count > 0
        out["resemblance"][known] = total[known] / count[known]
        order, place = places_in_groups(cells, cosine)
        best = order[place == 0]
        out["nearest"][cells[best]], out["cosine"][cells[best]] = other[best], cosine[best]


def _blocks(sizes: np.ndarray) -> list[tuple[int, int]]:
    """Stretches of cells with together about as many pairs as are compared at once."""
    if not len(sizes):
        return []
    ends = np.cumsum(sizes)
    cuts = np.searchsorted(ends, np.arange(_BLOCK_PAIRS, ends[-1] + _BLOCK_PAIRS, _BLOCK_PAIRS), side="right")
    edges = np.unique(np.concatenate([[0], cuts, [len(sizes)]]))
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
