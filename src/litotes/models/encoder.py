"""Whatever a user calls an encoder, made into one: a name, a folder, a live model, a function, ready vectors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np

from litotes.core.errors import LitotesError

if TYPE_CHECKING:
    from litotes.core import Collection
    from litotes.core.contents import Contents
    from litotes.models.vector_store import VectorStore

__all__ = ["Encoder", "encode_cols", "encode_rows", "resolve_encoder"]

Role = Literal["query", "document"]


@runtime_checkable
class Encoder(Protocol):
    """What miners and judges embed with.

    ``similarity`` is ``cosine`` (vectors have length 1, so their inner product is the cosine) or ``dot``.
    """

    similarity: str

    def encode(
        self, texts: Sequence[str | None], role: Role, *, ids: Sequence[str] | None = None, progress: bool = True
    ) -> np.ndarray:
        """float32 ``[n, width]`` by position, zeros where a text is None; ``ids`` name the texts."""
        ...

    def fingerprint(self, role: Role) -> dict[str, str]:
        """What decides the vectors of this role, by part; empty where that is not known and nothing may be kept."""
        ...


def resolve_encoder(
    encoder: Any,
    *,
    query_prompt: str | None = None,
    corpus_prompt: str | None = None,
    query_length: int | None = None,
    corpus_length: int | None = None,
    similarity: Literal["cosine", "dot"] | None = None,
    device: str = "auto",
    dtype: str = "auto",
    batch_size: int = 32,
    store: bool | VectorStore | None = None,
    fingerprint: str | None = None,
    devices: Sequence[str] | None = None,
) -> Encoder:
    """The encoder that ``encoder`` means.

    Args:
        encoder: a sentence-transformers name or folder, ``builtin:minilm``, ``vectors:FOLDER``, ``tiny:bert`` (random
            weights, for tests); a live ``SentenceTransformer``, also a ``Router`` with two towers; a function of a list
            of texts; or an :class:`Encoder`, which is returned.
        query_prompt, corpus_prompt: put before every text. None takes the model's own, ``""`` none; models of the E5
            family want ``"query: "`` and ``"passage: "``.
        query_length, corpus_length: most tokens of a text; None takes the model's own.
        similarity: ``cosine`` or ``dot``; None takes the model's own.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``. A live model stays where it is.
        dtype: ``auto``, ``float32``, ``bfloat16``, ``float16``: what to compute in.
        store: whether to keep vectors on disk, or where. None keeps them, except those of a live model, which may
            change with every step of training.
        fingerprint: a name for what a function computes; without one nothing that it made is kept.
        devices: a model encodes in one process on each of these devices; None stays in this process.

    Raises:
        LitotesError: no such encoder, or an option that it cannot follow.
    """
    prompts = {"query_prompt": query_prompt, "corpus_prompt": corpus_prompt}
    lengths = {"query_length": query_length, "corpus_length": corpus_length}
    if fingerprint is not None and (not callable(encoder) or _is_live_model(encoder) or _is_encoder(encoder)):
        raise LitotesError("fingerprint= names what a function computes; a model or a folder has its own.")
    if _is_encoder(encoder):
        _refuse("an encoder that is ready", {**prompts, **lengths, "similarity": similarity, "devices": devices})
        return encoder
    if isinstance(encoder, str | os.PathLike):
        name = os.fspath(encoder)
        if name.startswith("vectors:"):
            from litotes.models.vector_folder import VectorFolder

            _refuse(f"{name!r}", {**prompts, **lengths, "devices": devices})
            return VectorFolder(name.removeprefix("vectors:"), similarity=similarity)
        from litotes.models.loading import load_sentence_transformer

        model, is_live = load_sentence_transformer(name, device=device, dtype=dtype), False
    elif _is_live_model(encoder):
        model, is_live = encoder, True
        if device not in ("auto", str(model.device), model.device.type):
            raise LitotesError(
                f"device={device!r}: the live model is on {model.device} and stays there; move it with model.to()."
            )
    elif callable(encoder):
        from litotes.models.callable import CallableEncoder

        _refuse("a function", {**lengths, "devices": devices})
        return CallableEncoder(
            encoder,
            fingerprint=fingerprint,
            query_prompt=query_prompt,
            corpus_prompt=corpus_prompt,
            similarity=similarity,
            batch_size=batch_size,
            store=_store(True if store is None else store),
        )
    else:
        raise LitotesError(
            "An encoder is a name, a folder, a SentenceTransformer or a function of texts. "
            f"Got {type(encoder).__name__}."
        )
    from litotes.models.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(
        model,
        query_prompt=query_prompt,
        corpus_prompt=corpus_prompt,
        query_length=query_length,
        corpus_length=corpus_length,
        similarity=similarity,
        dtype=dtype,
        batch_size=batch_size,
        store=_store(not is_live if store is None else store),
        devices=devices,
        is_live=is_live,
    )


def encode_rows(data: Collection, encoder: Encoder, progress: bool = True) -> np.ndarray:
    """The rows' vectors by position, float32 ``[n_rows, width]``; zeros where a row has no content."""
    return _encode_side(data.rows, encoder, "query", progress)


def encode_cols(data: Collection, encoder: Encoder, progress: bool = True) -> np.ndarray:
    """The columns' vectors by position, float32 ``[n_cols, width]``; zeros where a column has no content."""
    return _encode_side(data.cols, encoder, "document", progress)


def _encode_side(contents: Contents, encoder: Encoder, role: Role, progress: bool) -> np.ndarray:
    texts = contents.texts
    if contents.table is not None and contents.kind != "text":
        from litotes.models.vector_folder import VectorFolder

        if not isinstance(encoder, VectorFolder):
            raise LitotesError(
                f"The {contents.side}s of this collection are {contents.kind}s, and the encoder needs texts."
            )
        texts = ["" if there else None for there in contents.present]
    return encoder.encode(texts, role, ids=contents.ids.values, progress=progress)


def _is_encoder(value: Any) -> bool:
    return hasattr(value, "similarity") and hasattr(value, "fingerprint") and isinstance(value, Encoder)


def _is_live_model(value: Any) -> bool:
    """Whether this is a SentenceTransformer; without loading that library where nobody has."""
    return any(base.__name__ == "SentenceTransformer" for base in type(value).__mro__)


def _refuse(what: str, options: dict[str, Any]) -> None:
    given = [f"{name}={value!r}" for name, value in options.items() if value not in (None, "")]
    if given:
        raise LitotesError(f"{', '.join(given)} cannot be set for {what}.")


def _store(asked: bool | VectorStore) -> VectorStore | None:
    if isinstance(asked, bool):
        from litotes.models.vector_store import VectorStore

        return VectorStore() if asked else None
    return asked
