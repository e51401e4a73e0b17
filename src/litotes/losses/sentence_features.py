"""From a sentence-transformers batch to vectors: anchors, their positives, and the given negatives."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from litotes.core.errors import LitotesError

__all__ = ["embed_groups", "similarities"]


def embed_groups(
    model: nn.Module, sentence_features: Iterable[dict[str, Tensor]], owner: str
) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch dim"], Float[Tensor, "batch k dim"] | None]:
    """Vectors of the columns anchor, positive, negative_1..k, with gradients; the negatives are None when k = 0.

    Row ``i`` of the negatives belongs to anchor ``i``, so ``flatten(0, 1)`` has flat index ``i * k + j``.
    """
    columns = [model(features)["sentence_embedding"] for features in sentence_features]
    if len(columns) < 2:
        raise LitotesError(
            f"{owner} takes the columns anchor, positive, negative_1, ... Got {len(columns)} column(s): "
            "give the training dataset at least an anchor and a positive."
        )
    anchors, positives, *negatives = columns
    return anchors, positives, torch.stack(negatives, dim=1) if negatives else None


def similarities(
    queries: Float[Tensor, "rows dim"], documents: Float[Tensor, "cols dim"], similarity: str
) -> Float[Tensor, "rows cols"]:
    """Inner products of all queries with all documents, of unit vectors when ``similarity`` is ``"cosine"``."""
    if similarity == "cosine":
        queries, documents = F.normalize(queries, dim=-1), F.normalize(documents, dim=-1)
    return queries @ documents.T
