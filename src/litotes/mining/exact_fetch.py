"""Two ways to fetch the documents that score about highest, with a bound on what was left behind.

Both return ``(cols, unseen)``: the columns of the ``reach`` documents of each query that a rounded product ranks first,
and a number that no other usable document's score can exceed. If the k-th score of what was fetched lies above it, the
query is settled exactly, however rough the rounding was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from litotes.core.checks import check_int
from litotes.core.errors import LitotesError

__all__ = ["TOLERANCE", "Bfloat16Fetch", "Corpus", "Float32Fetch", "lengths"]

TOLERANCE = 1e-5  # of |query| |document|: above the difference of two float32 products of the same vectors
_COPY_BYTES = 64 << 20  # documents of one block, where unusable ones have to be left out of it
_NARROW_ROWS = 1024  # documents of one bfloat16 product: its scores stay in the processor's cache
_ROUNDING = 2.0**-7  # of a score that is stored in bfloat16: twice the half unit of its 8 bits


@dataclass(frozen=True)
class Corpus:
    """The documents, float32 ``[m, d]`` in C order, which of them count, and how they are cut."""

    documents: np.ndarray
    usable: np.ndarray | None  # None: all
    n_usable: int
    step: int
    longest: float

    @classmethod
    def of(cls, documents: np.ndarray, usable: np.ndarray | None, step: int | None) -> Corpus:
        """Checked; without a ``step`` nothing is cut where nothing has to be copied."""
        if usable is not None:
            usable = np.asarray(usable)
            if usable.dtype != bool or usable.shape != (len(documents),):
                raise LitotesError(
                    f"usable must be {len(documents)} booleans. Got {usable.dtype} of shape {usable.shape}."
                )
            usable = None if usable.all() else usable
        if step is None:
            step = len(documents) if usable is None else _COPY_BYTES // max(4 * documents.shape[1], 1)
        else:
            check_int("search", "block_documents", step, at_least=1)
        n_usable = len(documents) if usable is None else int(usable.sum())
        return cls(documents, usable, n_usable, max(step, 1), float(lengths(documents).max(initial=0.0)))

    @property
    def is_whole(self) -> bool:
        """Whether one block holds everything, uncopied."""
        return self.usable is None and self.step >= len(self.documents)

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Usable documents and their columns; what is left out of a stretch costs a copy of the rest of it."""
        for start in range(0, len(self.documents), self.step):
            block = self.documents[start : start + self.step]
            columns = np.arange(start, start + len(block))
            here = None if self.usable is None else self.usable[start : start + self.step]
            if here is None or here.all():
                yield block, columns
            elif here.any():
                yield block[here], columns[here]


@dataclass(frozen=True)
class Float32Fetch:
    """By ``faiss.knn``, block by block into one heap a query."""

    corpus: Corpus
    breadth = 1  # how many times as many documents as needed it should fetch
    is_rough = False

    def __call__(self, queries: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
        """For queries float32 ``[b, d]``: columns int64 ``[b, reach]`` and the bound, float64 ``[b]``."""
        import faiss

        if self.corpus.is_whole:
            scores, cols = faiss.knn(queries, self.corpus.documents, reach, faiss.METRIC_INNER_PRODUCT)
        else:
            heap = faiss.ResultHeap(len(queries), reach, keep_max=True)
            for documents, columns in self.corpus.blocks():
                found, places = faiss.knn(queries, documents, min(reach, len(documents)), faiss.METRIC_INNER_PRODUCT)
                heap.add_result(found, columns[places])
            heap.finalize()
            scores, cols = heap.D, heap.I
        return cols, scores[:, -1] + TOLERANCE * lengths(queries) * self.corpus.longest


@dataclass(frozen=True)
class Bfloat16Fetch:
    r"""By a product of vectors rounded to bfloat16, several times as fast on processors that multiply it natively.

    With :math:`\hat q, \hat d` the rounded vectors, Cauchy and Schwarz bound what the rounding did:
    :math:`|q d - \hat q \hat d| \le |q - \hat q| |d| + |\hat q| |d - \hat d|`.
    """

    corpus: Corpus
    worst: float  # the longest |d - rounded d|
    breadth = 2
    is_rough = True

    @classmethod
    def of(cls, corpus: Corpus) -> Bfloat16Fetch | None:
        """None where rounding overflows."""
        worst = float(_residuals(corpus.documents).max(initial=0.0))
        return cls(corpus, worst) if np.isfinite(worst) else None

    def __call__(self, queries: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
        """For queries float32 ``[b, d]``: columns int64 ``[b, reach]`` and the bound, float64 ``[b]``."""
        import faiss
        import torch

        narrow = torch.from_numpy(queries).bfloat16()
        heap = faiss.ResultHeap(len(queries), reach, keep_max=True)
        space = torch.empty(len(queries) * _NARROW_ROWS)
        columns, seen = [], 0
        for documents, cols in self.corpus.blocks():
            for start in range(0, len(documents), _NARROW_ROWS):
                part = torch.from_numpy(documents[start : start + _NARROW_ROWS]).bfloat16()
                scores = space[: len(queries) * len(part)].view(len(queries), len(part))
                scores.copy_(narrow @ part.T)
                heap.heaps.addn(len(part), faiss.swig_ptr(scores.numpy()), seen, 0, len(queries))
                seen += len(part)
            columns.append(cols)
        heap.finalize()
        last, own, rounded = heap.D[:, -1].astype(np.float64), lengths(queries), _residuals(queries)
        doubt = rounded * self.corpus.longest + (own + rounded) * self.worst + TOLERANCE * own * self.corpus.longest
        return np.concatenate(columns)[heap.I], last + np.abs(last) * _ROUNDING + doubt


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Length of each row, float64 ``[n]``, in blocks."""
    parts = [np.linalg.norm(vectors[i : i + 8192].astype(np.float64), axis=1) for i in range(0, len(vectors), 8192)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _residuals(vectors: np.ndarray) -> np.ndarray:
    """How far each row is from itself rounded to bfloat16, float64 ``[n]``, in blocks."""
    import torch

    parts = []
    for start in range(0, len(vectors), 8192):
        block = torch.from_numpy(vectors[start : start + 8192])
        parts.append((block - block.bfloat16().float()).double().norm(dim=1).numpy())
    return np.concatenate(parts) if parts else np.zeros(0)
