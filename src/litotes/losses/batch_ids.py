"""The ids of a batch's documents and of its queries' known positives, for masks that are never made as a matrix.

The same rule as :mod:`litotes.losses.batch_masks`: a document is compared with the full set of a query's positives,
and texts that are equal after normalising are one document (``Collection.first_twin``).
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from litotes.core.errors import LitotesError
from litotes.losses.shared_ids import IdSets

if TYPE_CHECKING:
    from litotes.core import Collection

__all__ = ["check_ids", "known_positives", "text_ids"]

_AT_ONCE = 2**18  # positives that are looked at together; only those in the batch are kept


def check_ids(
    labels: Shaped[Tensor, "..."] | None, data: "Collection | None", *, batch: int, columns: int, owner: str
) -> Int[Tensor, "batch width"] | None:
    """The batch's ``label`` where it holds ids ``[row, positive, negative_1 .. negative_k]``; None where it does not.

    Without a label, or with one number an anchor (a plain dataset's label column), nothing is known of the documents.

    Raises:
        LitotesError: labels of another kind or width, or ids without the collection that they are positions of.
    """
    if labels is None or labels.ndim < 2:
        return None
    if labels.is_floating_point() or labels.dtype == torch.bool or labels.shape != (batch, 1 + columns):
        raise LitotesError(
            f"The batch's label came to {owner} as {labels.dtype} of shape {tuple(labels.shape)}. Expected ids "
            f"[row, positive, negative_1 ...], int64 of shape {(batch, 1 + columns)}, as NegativesCollator makes them: "
            "a mask of all documents of a large batch would not fit in memory."
        )
    if data is None:
        raise LitotesError(
            f"{owner} got ids in the batch's label but no collection to look them up in: pass data=, "
            "or remove the label column to mask nothing but the anchor's own positive."
        )
    return labels


def text_ids(data: "Collection", columns: Int[Tensor, "*n"]) -> Int[Tensor, "*n"]:
    """The first column of the same text, for each column of the collection; -1 stays -1."""
    found = columns.cpu().numpy()
    if found.size and (found.max() >= data.n_cols or found.min() < -1):
        raise LitotesError(f"Column positions must lie in [0, {data.n_cols}), -1 for none. Got {found.max()}.")
    twins = np.where(found < 0, -1, data.first_twin[found.clip(min=0)])
    return torch.from_numpy(twins).to(columns.device)


def known_positives(data: "Collection", rows: Int[Tensor, "queries"], document_ids: Int[Tensor, "documents"]) -> IdSets:
    """Which of the batch's documents, by ``text_ids``, are known positives of each row; equal rows share a set."""
    queries, of = np.unique(rows.cpu().numpy(), return_inverse=True)
    present = np.unique(document_ids.cpu().numpy())
    indptr, cols = data.never_negative()  # twins too, the first of them among them; ascending
    firsts, counts = indptr[queries], indptr[queries + 1] - indptr[queries]
    sets, sizes = [], np.zeros(len(queries) + 1, dtype=np.int64)
    for some in np.split(np.arange(len(queries)), np.flatnonzero(np.diff(counts.cumsum() // _AT_ONCE)) + 1):
        owners = np.repeat(some, counts[some])
        starts = np.repeat(counts[some].cumsum() - counts[some], counts[some])
        ids = cols[np.arange(len(owners)) - starts + firsts[owners]]
        here = np.isin(ids, present)
        sets.append(ids[here])
        sizes[1:] += np.bincount(owners[here], minlength=len(queries))
    parts = of, sizes.cumsum(), np.concatenate(sets)
    return IdSets(*(torch.from_numpy(x.astype(np.int64)).to(rows.device) for x in parts))
