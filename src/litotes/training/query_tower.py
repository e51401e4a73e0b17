"""The query side of an embedding model, to be trained alone beside documents that stay as they are."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from litotes.models.last_layers import train_last_layers
from litotes.models.model_fingerprint import pipeline

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["QueryTower"]


class QueryTower(nn.Module):
    """A copy of the modules that a query passes through, called on texts with gradient.

    Vectors are unit vectors if the model's similarity is the cosine, as the encoder of the documents makes them.

    Args:
        model: the model that training starts from; it is left untouched and stays the document tower.
        prompt: put before every query; None takes the model's own ``query`` prompt.
        max_length: tokens of a query; None keeps the model's own.
        layers: train only the last ``layers`` transformer layers and what follows them; None trains everything.
        dropout: leave the model's dropout on while training.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        *,
        prompt: str | None = None,
        max_length: int | None = None,
        layers: int | None = None,
        dropout: bool = False,
    ) -> None:
        super().__init__()
        from sentence_transformers import SentenceTransformer

        modules = copy.deepcopy(pipeline(model, "query"))
        self.model = SentenceTransformer(modules=modules, device=str(model.device), truncate_dim=model.truncate_dim)
        self.model.requires_grad_(True)
        self.prompt = model.prompts.get("query") if prompt is None else prompt
        if max_length is not None:
            modules[0].query_length = max_length  # type: ignore[assignment]
        self.normalise = model.similarity_fn_name in (None, "cosine")
        self.dropout = dropout
        if layers is not None:
            train_last_layers(self.model, layers)

    def forward(self, texts: Sequence[str]) -> Float[Tensor, "batch dim"]:
        """Vectors of queries."""
        features = self.model.preprocess(list(texts), prompt=self.prompt, task="query")
        features = {k: v.to(self.model.device) if isinstance(v, Tensor) else v for k, v in features.items()}
        vectors = self.model(features, task="query")["sentence_embedding"].float()
        vectors = vectors if self.model.truncate_dim is None else vectors[:, : self.model.truncate_dim]
        return F.normalize(vectors, dim=-1) if self.normalise else vectors

    def train(self, mode: bool = True) -> Self:
        """Training mode, in which dropout stays off unless it was asked for."""
        return super().train(mode and self.dropout)

    def beside(self, model: SentenceTransformer, *, document_prompt: str | None = None) -> SentenceTransformer:
        """One model of two towers: this one for queries, the document side of ``model``, untouched, for documents.

        ``SentenceTransformer(folder)`` loads what its ``save_pretrained`` writes; use ``encode_query`` and
        ``encode_document`` (plain ``encode`` embeds documents).
        """
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.base.modules import Router

        router = Router.for_query_document(list(self.model.children()), pipeline(model, "document"))
        prompts = dict(model.prompts)
        for name, prompt in (("query", self.prompt), ("document", document_prompt)):
            if prompt is not None:
                prompts[name] = prompt
        return SentenceTransformer(
            modules=[router],
            device=str(model.device),
            prompts=prompts,
            default_prompt_name=model.default_prompt_name,
            similarity_fn_name=model.similarity_fn_name,
            truncate_dim=model.truncate_dim,
        ).eval()
