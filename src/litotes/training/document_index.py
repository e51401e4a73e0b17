"""The frozen documents that ADORE searches at every step: ``search(vectors, k)`` and ``vectors(ids)``, nothing else.

Any object with these two methods will do. Ids are positions of documents; -1 stands for "none", and never indexes.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from litotes.core.errors import DataError, LitotesError, require

__all__ = ["CompressedIndex", "DocumentIndex", "ExactIndex"]

_SLACK = 1e-5  # what float32 may lose in a matrix product of unit vectors, with room


@runtime_checkable
class DocumentIndex(Protocol):
    """What searches documents for queries that are being trained."""

    def search(
        self, queries: Float[Tensor, "batch dim"], k: int
    ) -> tuple[Int[Tensor, "batch k"], Bool[Tensor, "batch k"]]:
        """Ids of the k documents of highest inner product, best first, and which of them are documents at all.

        Where fewer than k are found, the rest is -1 and False.
        """
        ...

    def vectors(self, ids: Int[Tensor, "*n"]) -> Float[Tensor, "*n dim"]:
        """The vectors that scores are computed with; zeros for -1."""
        ...


class ExactIndex:
    """All documents by exact inner product; equal scores in the order of ids.

    Args:
        vectors: float32 ``[documents, dim]``, by position.
        usable: bool ``[documents]``; the others (without text) are never found. None: all are.
    """

    def __init__(
        self, vectors: np.ndarray | Tensor, usable: np.ndarray | None = None, device: torch.device | str = "cpu"
    ) -> None:
        self._vectors = _checked(vectors).to(device)
        usable = np.ones(len(self._vectors), dtype=bool) if usable is None else np.asarray(usable, dtype=bool)
        self._usable = torch.from_numpy(np.flatnonzero(usable)).to(device)
        whole = len(self._usable) == len(self._vectors)
        self._searched = self._vectors if whole else self._vectors[self._usable]

    def search(
        self, queries: Float[Tensor, "batch dim"], k: int
    ) -> tuple[Int[Tensor, "batch k"], Bool[Tensor, "batch k"]]:
        """See :meth:`DocumentIndex.search`."""
        queries = queries.detach().to(self._searched)
        if torch.isnan(queries).any():
            raise LitotesError("ExactIndex cannot search for a query vector that holds NaN.")
        places = _first_by_product(queries, self._searched, min(k, len(self._searched)))
        return _padded(self._usable[places], k)

    def vectors(self, ids: Int[Tensor, "*n"]) -> Float[Tensor, "*n dim"]:
        """See :meth:`DocumentIndex.vectors`."""
        return _rows_of(self._vectors, ids)


class CompressedIndex:
    """A quantised index of faiss; scores are computed with its reconstructions, so that training sees its errors.

    Args:
        vectors: float32 ``[documents, dim]``, by position.
        factory: a code that faiss can decode, in the words of ``faiss.index_factory``: ``"SQ8"``, ``"PQ16"``,
            ``"IVF64,PQ16"`` ...
        usable: bool ``[documents]``; the others are never found.
        probes: lists that an inverted file visits.
    """

    def __init__(
        self, vectors: np.ndarray | Tensor, factory: str = "SQ8", usable: np.ndarray | None = None, probes: int = 8
    ) -> None:
        require("faiss", extra="retrieval")
        import faiss

        found = _checked(vectors).numpy()
        usable = np.ones(len(found), dtype=bool) if usable is None else np.asarray(usable, dtype=bool)
        self._usable = torch.from_numpy(np.flatnonzero(usable))
        try:
            self._index: Any = faiss.index_factory(found.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
            self._index.train(found[usable])
            self._index.add(found[usable])
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise LitotesError(
                f"CompressedIndex cannot build {factory!r} over {usable.sum()} vectors: {reason}"
            ) from None
        if hasattr(self._index, "nprobe"):
            self._index.nprobe = probes
        if hasattr(self._index, "make_direct_map"):
            self._index.make_direct_map()
        self._vectors = torch.zeros(found.shape, dtype=torch.float32)
        self._vectors[self._usable] = torch.from_numpy(self._index.reconstruct_n(0, len(self._usable)))

    def search(
        self, queries: Float[Tensor, "batch dim"], k: int
    ) -> tuple[Int[Tensor, "batch k"], Bool[Tensor, "batch k"]]:
        """See :meth:`DocumentIndex.search`; equal scores come in the order of ids."""
        scores, places = self._index.search(queries.detach().float().cpu().numpy(), k)
        places = np.where(places < 0, len(self._usable), places)  # missing ones last
        order = np.lexsort((places, -scores))
        places = torch.from_numpy(np.take_along_axis(places, order, axis=1))
        ids = torch.cat([self._usable, torch.tensor([-1])])[places].to(queries.device)
        return ids, ids >= 0

    def vectors(self, ids: Int[Tensor, "*n"]) -> Float[Tensor, "*n dim"]:
        """See :meth:`DocumentIndex.vectors`; the reconstructions."""
        return _rows_of(self._vectors.to(ids.device), ids)


def _first_by_product(
    queries: Float[Tensor, "batch dim"], documents: Float[Tensor, "documents dim"], k: int
) -> Int[Tensor, "batch k"]:
    """Places of the k highest inner products, equal ones by place.

    A matrix product rounds equal documents apart, by where they stand in it. So it only finds who may be among the k;
    those are scored again one by one, each product summed in the same order.
    """
    scores = queries @ documents.T
    last = scores.topk(k, dim=1).values[:, -1:]
    rows, places = (scores >= last - _SLACK * last.abs().clamp(min=1.0)).nonzero(as_tuple=True)  # at least k a row
    counts = torch.bincount(rows, minlength=len(scores))
    inside = torch.arange(len(rows), device=scores.device) - (counts.cumsum(0) - counts)[rows]
    chosen = places.new_zeros(len(scores), int(counts.max()))
    chosen[rows, inside] = places
    values = torch.full(chosen.shape, -torch.inf, dtype=torch.float64, device=scores.device)
    values[rows, inside] = (queries[rows].double() * documents[places].double()).sum(dim=1)
    order = values.sort(dim=1, descending=True, stable=True).indices[:, :k]
    return chosen.gather(1, order)


def _padded(ids: Int[Tensor, "batch n"], k: int) -> tuple[Int[Tensor, "batch k"], Bool[Tensor, "batch k"]]:
    padded = ids.new_full((len(ids), k), -1)
    padded[:, : ids.shape[1]] = ids
    return padded, padded >= 0


def _rows_of(vectors: Float[Tensor, "documents dim"], ids: Int[Tensor, "*n"]) -> Float[Tensor, "*n dim"]:
    found = vectors[ids.clamp(min=0)]
    return found.masked_fill((ids < 0)[..., None], 0.0)


def _checked(vectors: np.ndarray | Tensor) -> Float[Tensor, "documents dim"]:
    tensor = torch.as_tensor(vectors).detach().float().cpu().contiguous()
    if tensor.ndim != 2 or not len(tensor):
        raise DataError(f"A document index takes vectors [documents, dim]. Got shape {tuple(tensor.shape)}.")
    if not torch.isfinite(tensor).all():
        raise DataError("The vectors of a document index hold NaN or infinity.")
    return tensor
