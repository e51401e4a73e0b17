"""Both sides of an embedding model, called on texts with gradient; and a model whose sides share nothing."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from litotes.models.model_fingerprint import pipeline

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from litotes.models.sentence_transformer import SentenceTransformerEncoder

__all__ = ["TextTowers", "separate_towers"]


class TextTowers(nn.Module):
    """A ``SentenceTransformer`` in training, as its encoder reads texts: prompts, truncation, unit vectors for cosines.

    Args:
        encoder: the encoder over the model; the model itself is trained.
    """

    def __init__(self, encoder: SentenceTransformerEncoder) -> None:
        super().__init__()
        self.model = encoder.model
        self._prompts = {role: encoder.prompt(role) or None for role in ("query", "document")}
        self._is_cosine = encoder.similarity == "cosine"

    def forward(self, texts: Sequence[str], role: Literal["query", "document"]) -> Float[Tensor, "texts dim"]:
        """Vectors of texts of one side."""
        features = self.model.preprocess(list(texts), prompt=self._prompts[role], task=role)
        features = {k: v.to(self.model.device) if isinstance(v, Tensor) else v for k, v in features.items()}
        vectors = self.model(features, task=role)["sentence_embedding"].float()
        vectors = vectors if self.model.truncate_dim is None else vectors[:, : self.model.truncate_dim]
        return F.normalize(vectors, dim=-1) if self._is_cosine else vectors


def separate_towers(model: SentenceTransformer) -> SentenceTransformer:
    """A model of two routes that start as copies of the sides of ``model`` and share no weights with each other."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Router

    query, document = (copy.deepcopy(pipeline(model, role)) for role in ("query", "document"))
    return SentenceTransformer(
        modules=[Router.for_query_document(query, document)],
        device=str(model.device),
        prompts=dict(model.prompts),
        default_prompt_name=model.default_prompt_name,
        similarity_fn_name=model.similarity_fn_name,
        truncate_dim=model.truncate_dim,
    )
