"""A function as an encoder."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from litotes.core.checks import check_choice, check_int
from litotes.core.errors import LitotesError
from litotes.models.encoding import encode_texts, unit_rows
from litotes.models.vector_store import VectorStore

__all__ = ["CallableEncoder"]


class CallableEncoder:
    """Encodes with ``function(texts)``, or ``function(texts, role=...)`` where it has a parameter ``role``.

    Args:
        function: makes an array ``[n, width]`` (numpy, torch or nested lists) of a list of ``n`` texts.
        fingerprint: a name for what the function computes, to be changed whenever that changes. Without one nothing
            that it made is kept, neither on disk nor in a miner.
        query_prompt, corpus_prompt: put before every text.
        similarity: ``cosine`` (vectors are scaled to length 1) or ``dot``.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        fingerprint: str | None = None,
        query_prompt: str | None = None,
        corpus_prompt: str | None = None,
        similarity: Literal["cosine", "dot"] | None = None,
        batch_size: int = 32,
        store: VectorStore | None = None,
    ) -> None:
        self.similarity = check_choice("Encoder", "similarity", similarity or "cosine", ("cosine", "dot"))
        self.batch_size = check_int("Encoder", "batch_size", batch_size, at_least=1)
        self._function, self._takes_role = function, "role" in inspect.signature(function).parameters
        self._prompts = {"query": query_prompt or "", "document": corpus_prompt or ""}
        self._name = fingerprint
        self._store = store if fingerprint is not None else None

    def encode(
        self,
        texts: Sequence[str | None],
        role: Literal["query", "document"],
        *,
        ids: Sequence[str] | None = None,
        progress: bool = True,
    ) -> np.ndarray:
        """The vectors of ``texts``, float32 ``[n, width]``; see :func:`litotes.models.encoding.encode_texts`."""
        check_choice("Encoder.encode", "role", role, ("query", "document"))
        return encode_texts(
            texts,
            lambda batch: self._encode_batch(batch, role),
            batch_size=self.batch_size,
            shelf=self._store.shelf(self.fingerprint(role)) if self._store is not None else None,
            ids=ids,
            role=role,
            progress=progress,
        )

    def fingerprint(self, role: Literal["query", "document"]) -> dict[str, str]:
        """The function's name and what is done around it; empty when it has no name, which means: keep nothing."""
        if self._name is None:
            return {}
        called_with = role if self._takes_role else ""
        parts = {
            "weights": self._name,
            "prompt": self._prompts[role],
            "role": called_with,
            "similarity": self.similarity,
        }
        return {"kind": "callable", **parts}

    def _encode_batch(self, texts: list[str], role: str) -> np.ndarray:
        prompt = self._prompts[role]
        prompted = [prompt + text for text in texts] if prompt else texts
        made = self._function(prompted, role=role) if self._takes_role else self._function(prompted)
        if hasattr(made, "detach"):
            made = made.detach().cpu().float().numpy()
        try:
            vectors = np.array(made, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise LitotesError(f"The encoder function must make one vector of numbers a text: {error}.") from error
        return unit_rows(vectors) if self.similarity == "cosine" and vectors.ndim == 2 else vectors
