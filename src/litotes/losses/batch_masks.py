"""Which documents of a batch may serve an anchor as negatives: known positives are left out by id, never by vector.

Another query's positive, or a negative mined for another query, may be a positive of this one; so masks compare
document ids with the full set of positives, not places in the batch.
"""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from litotes.core.errors import LitotesError

if TYPE_CHECKING:
    from litotes.core import Collection

__all__ = ["batch_mask"]


def batch_mask(
    labels: Shaped[Tensor, "..."] | None,
    data: "Collection | None",
    *,
    batch: int,
    cells: Float[Tensor, "batch documents"],
    owner: str,
) -> Bool[Tensor, "batch documents"]:
    """True where the document of the column is a usable negative for the anchor of the row.

    The documents of a batch are its B positives, then its B * k given negatives (flat index ``i * k + j``): one column
    each. ``labels`` is what reaches a sentence-transformers loss as the batch's ``label``:

    - int64 ``[B, 2 + k]``, positions ``[row, positive, negative_1 .. negative_k]`` in ``data``; a negative of -1 is
      an empty place and never used;
    - bool ``[B, B * (1 + k)]``, the mask itself, made by the caller;
    - None, or one number an anchor (a plain dataset's label column): only the anchor's own positive is known.

    An anchor's own positive is never usable as its negative.

    Raises:
        LitotesError: ids of another width, or ids without the collection that they are positions of.
    """
    own = torch.eye(*cells.shape, dtype=torch.bool, device=cells.device)
    if labels is None or labels.ndim < 2:
        return ~own
    if labels.dtype == torch.bool:
        _check_shape(owner, "a mask", labels, (batch, cells.shape[1]))
        return labels.to(cells.device) & ~own
    _check_shape(owner, "ids [row, positive, negative_1 ...]", labels, (batch, 1 + cells.shape[1] // batch))
    if data is None:
        raise LitotesError(
            f"{owner} got ids in the batch's label but no collection to look them up in: pass data=, "
            "or remove the label column to mask nothing but the anchor's own positive."
        )
    ids = labels.cpu().numpy()
    rows, documents = ids[:, 0], torch.cat([labels[:, 1], labels[:, 2:].flatten()]).cpu().numpy()
    known = torch.from_numpy(data.is_positive(rows[:, None], documents.clip(min=0)[None, :]))
    usable = ~known & torch.from_numpy(documents >= 0)
    return usable.to(cells.device) & ~own


def _check_shape(owner: str, what: str, labels: Tensor, expected: tuple[int, int]) -> None:
    if labels.shape != expected:
        raise LitotesError(
            f"The batch's label came to {owner} with shape {tuple(labels.shape)}. Expected {what} of shape {expected}: "
            "one entry for each column of the batch, as NegativesCollator makes them."
        )
