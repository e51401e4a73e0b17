"""Any sentence-transformers model as an encoder: prompts, lengths, number format, towers, and its fingerprint."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from litotes.core.checks import check_choice, check_int
from litotes.core.errors import LitotesError
from litotes.models.encoding import encode_texts, unit_rows
from litotes.models.model_fingerprint import input_module, modules_digest, pipeline, tokenizer_digest, weights_digest
from litotes.models.precision import DTYPES, autocast, check_weights
from litotes.models.vector_store import VectorStore

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["SentenceTransformerEncoder"]

Role = Literal["query", "document"]

_PROMPT_NAMES = {"query": ("query",), "document": ("document", "passage", "corpus")}  # as encode_query, encode_document


class SentenceTransformerEncoder:
    """Encodes with ``model.encode_query`` and ``model.encode_document``, so that a ``Router`` takes the right tower.

    Args:
        model: the model. A live one is read again at every use, so an encoder follows its training.
        query_prompt, corpus_prompt: put before every text; None takes the model's own, ``""`` none.
        query_length, corpus_length: most tokens of a text; None takes the model's own.
        similarity: ``cosine`` (vectors are scaled to length 1) or ``dot``; None takes the model's own.
        dtype: what to compute in (see :mod:`litotes.models.precision`); vectors are always float32.
        devices: one process on each of these devices shares the work; None stays in this process.
        is_live: somebody else holds the model and may change its weights; otherwise its fingerprint is taken once.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        *,
        query_prompt: str | None = None,
        corpus_prompt: str | None = None,
        query_length: int | None = None,
        corpus_length: int | None = None,
        similarity: Literal["cosine", "dot"] | None = None,
        dtype: str = "auto",
        batch_size: int = 32,
        store: VectorStore | None = None,
        devices: Sequence[str] | None = None,
        is_live: bool = True,
    ) -> None:
        self.model = model
        self.devices = None if devices is None else list(devices)
        self.dtype = check_choice("Encoder", "dtype", dtype, DTYPES)
        self.batch_size = check_int("Encoder", "batch_size", batch_size, at_least=1)
        self.similarity = _similarity(model, similarity)
        self._prompts = {"query": query_prompt, "document": corpus_prompt}
        self._lengths = {"query": query_length, "document": corpus_length}
        for name, role in (("query_length", "query"), ("corpus_length", "document")):
            _check_length(name, self._lengths[role], input_module(model, role))
        check_weights(model, dtype)
        self._store, self._is_live = store, is_live
        self._known: dict[str, dict[str, str]] = {}

    def encode(
        self, texts: Sequence[str | None], role: Role, *, ids: Sequence[str] | None = None, progress: bool = True
    ) -> np.ndarray:
        """The vectors of ``texts``, float32 ``[n, width]``; see :func:`litotes.models.encoding.encode_texts`."""
        check_choice("Encoder.encode", "role", role, ("query", "document"))
        shelf = self._store.shelf(self.fingerprint(role)) if self._store is not None else None
        with _as_it_was(self.model), autocast(self.model.device.type, self.dtype):
            return encode_texts(
                texts,
                lambda batch: self._encode_batch(batch, role),
                batch_size=self.batch_size if self.devices is None else max(len(texts), 1),
                shelf=shelf,
                ids=ids,
                role=role,
                progress=progress,
            )

    def fingerprint(self, role: Role) -> dict[str, str]:
        """What decides the vectors of texts of this role, by part."""
        if role in self._known:
            return self._known[role]
        modules = pipeline(self.model, role)
        parts = {
            "weights": weights_digest(modules),
            "tokenizer": tokenizer_digest(modules[0]),
            "prompt": self.prompt(role),
            "max_length": str(self._lengths[role] or _own_length(modules[0], role)),
            "pooling": modules_digest(self.model, modules),
            "dtype": self.dtype if self.dtype in ("bfloat16", "float16") else _weights_dtype(modules),
            "similarity": self.similarity,
        }
        if not self._is_live:
            self._known[role] = parts
        return parts

    def prompt(self, role: Role) -> str:
        """What stands before every text of this role."""
        given = self._prompts[role]
        if given is not None:
            return given
        own: dict[str, str | None] = self.model.prompts
        name = next((name for name in _PROMPT_NAMES[role] if name in own), self.model.default_prompt_name)
        return (own.get(name) if name is not None else None) or ""

    def _encode_batch(self, texts: list[str], role: Role) -> np.ndarray:
        length = self._lengths[role]
        options: dict[str, Any] = {} if length is None else {"processing_kwargs": {"text": {"max_length": length}}}
        if self.devices is not None:
            options["device"] = self.devices
        encode = self.model.encode_query if role == "query" else self.model.encode_document
        vectors = encode(
            texts,
            prompt=self.prompt(role),
            batch_size=min(len(texts), self.batch_size),
            show_progress_bar=False,
            convert_to_numpy=True,
            **options,
        )
        vectors = np.array(vectors, dtype=np.float32)
        return unit_rows(vectors) if self.similarity == "cosine" else vectors


def _similarity(model: SentenceTransformer, asked: str | None) -> str:
    if asked is not None:
        return check_choice("Encoder", "similarity", asked, ("cosine", "dot"))
    own = model.similarity_fn_name
    if own not in ("cosine", "dot"):
        raise LitotesError(
            f"The model compares by {own!r}, which cannot be searched here; pass similarity='cosine' or 'dot'."
        )
    return own


def _check_length(name: str, length: int | None, module: torch.nn.Module) -> None:
    if length is None:
        return
    limit = getattr(getattr(module, "config", None), "max_position_embeddings", None)
    check_int("Encoder", name, length, at_least=1, at_most=limit)
    if not hasattr(module, "processor"):
        raise LitotesError(
            f"{name}={length}: a {type(module).__name__} model reads whole texts; it has no length to set."
        )


def _own_length(module: torch.nn.Module, role: Role) -> object:
    own = getattr(module, f"{role}_length", None)
    return own if own is not None else getattr(module, "max_seq_length", None)


def _weights_dtype(modules: list[torch.nn.Module]) -> str:
    kinds = {str(p.dtype).removeprefix("torch.") for module in modules for p in module.parameters()}
    return "+".join(sorted(kinds)) or "float32"


@contextlib.contextmanager
def _as_it_was(model: SentenceTransformer) -> Iterator[None]:
    """``encode`` switches the whole model to evaluation; a model in training gets its modes back, module by module."""
    modes, device = [(module, module.training) for module in model.modules()], model.device
    try:
        yield
    finally:
        if model.device != device:  # starting processes takes it to the CPU
            model.to(device)
        for module, was_training in modes:
            module.training = was_training
