"""One fixed product of two vectors, so that equal pairs score equally whatever block they stood in."""

from __future__ import annotations

import numpy as np

__all__ = ["row_products"]


def row_products(queries: np.ndarray, documents: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """``queries[rows[i]] . documents[cols[i]]``, float32 ``[cells]``; no copy of either side is made.

    Both sides are float32 in C order. Every product is summed in the same order, which a matrix product does not
    promise: its order follows the shape of the block.
    """
    import faiss

    rows, cols = np.ascontiguousarray(rows, dtype=np.int64), np.ascontiguousarray(cols, dtype=np.int64)
    scores = np.empty(len(rows), dtype=np.float32)
    pointers = [faiss.swig_ptr(array) for array in (queries, rows, documents, cols, scores)]
    faiss.pairwise_indexed_inner_product(queries.shape[1], len(rows), *pointers)
    return scores
