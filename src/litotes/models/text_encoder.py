"""Texts as features: an encoder as a transformer of scikit-learn, for pipelines that end in any classifier.

    make_pipeline(TextEncoder("builtin:minilm"), LogisticRegression()).fit(texts, labels)

Nothing is learned by ``fit``. Vectors of a named encoder are kept on disk under its fingerprint, so that a grid search
or a second run embeds no text twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from litotes.core.errors import ArrayError
from litotes.models.encoder import Encoder, resolve_encoder

__all__ = ["TextEncoder"]


class TextEncoder(TransformerMixin, BaseEstimator):
    """Embeds texts: a list, array, Series or one column of ``n`` texts becomes float32 ``[n, width]``.

    Args:
        encoder: a sentence-transformers name or folder, ``builtin:minilm``, a live ``SentenceTransformer``, a function
            of a list of texts, or an :class:`~litotes.models.Encoder`.
        prompt: put before every text; None takes the model's own for documents, ``""`` none.
        normalize: scale every vector to length 1; None does as the model does for its own similarity.
        max_length: most tokens of a text; None takes the model's own.
        batch_size: texts embedded at once.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: ``auto``, ``float32``, ``bfloat16``, ``float16``: what to compute in.
    """

    def __init__(
        self,
        encoder: Any = "builtin:minilm",
        *,
        prompt: str | None = None,
        normalize: bool | None = None,
        max_length: int | None = None,
        batch_size: int = 32,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self.encoder = encoder
        self.prompt = prompt
        self.normalize = normalize
        self.max_length = max_length
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype

    def fit(self, X: Any, y: Any = None) -> Self:
        """Nothing to learn; the texts are looked at, and the encoder is found.

        Raises:
            ArrayError: what is no list of texts (a ``ValueError`` too).
            LitotesError: there is no such encoder, or an option that it cannot follow.
        """
        _texts(X)
        self._resolved()
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The vectors, float32 ``[n, width]``."""
        return self._resolved().encode(_texts(X), "document")

    def fingerprint(self) -> dict[str, str]:
        """What decides the vectors, by part; empty where that is not known."""
        return self._resolved().fingerprint("document")

    def _resolved(self) -> Encoder:
        """The encoder that the parameters describe; loaded once, and again when they change."""
        options = self.get_params(deep=False)
        known = self.__dict__.get("_ready")
        if known is None or any(known[0][name] is not value for name, value in options.items()):
            similarity: Literal["cosine", "dot"] = "cosine" if self.normalize else "dot"
            found = resolve_encoder(
                self.encoder,
                corpus_prompt=self.prompt,
                corpus_length=self.max_length,
                similarity=None if self.normalize is None else similarity,
                batch_size=self.batch_size,
                device=self.device,
                dtype=self.dtype,
            )
            self._ready = known = (options, found)
        return known[1]

    def __getstate__(self) -> dict[str, Any]:
        """The parameters: a loaded model is no part of what is copied or sent to other processes."""
        return {name: value for name, value in super().__getstate__().items() if name != "_ready"}

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags


def _texts(X: Any) -> Sequence[str]:
    """The texts as a list."""
    if isinstance(X, str):
        raise ArrayError("TextEncoder takes a list of texts. Got one text: put it into a list.")
    values = X.tolist() if hasattr(X, "tolist") else np.asarray(X, dtype=object).tolist() if _is_frame(X) else list(X)
    if values and isinstance(values[0], list):
        wide = next((len(row) for row in values if len(row) != 1), None)
        if wide is not None:
            raise ArrayError(f"TextEncoder takes one column of texts. Got {wide} columns: name the one to embed.")
        values = [row[0] for row in values]
    for row, text in enumerate(values):
        if not isinstance(text, str):
            what = "nothing" if text is None or text != text else f"{text!r:.60}"
            raise ArrayError(f"TextEncoder takes texts. Got {what} in row {row}: fill it in, or leave the row out.")
    return values


def _is_frame(X: Any) -> bool:
    return hasattr(X, "columns") and hasattr(X, "to_numpy")
