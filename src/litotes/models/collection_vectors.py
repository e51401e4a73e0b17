"""The vectors of a collection, made once for as long as neither the data nor the encoder changes."""

from __future__ import annotations

import numpy as np

from litotes.core import Collection
from litotes.core.fingerprint import digest
from litotes.models.encoder import Encoder, Role, encode_cols, encode_rows

__all__ = ["CollectionVectors"]


class CollectionVectors:
    """Remembers the rows' and the columns' vectors of the collection that was asked for last.

    The encoder's fingerprint is taken at every call: a live model whose weights have changed encodes again. Vectors of
    an encoder without a fingerprint are never remembered.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._made: dict[Role, tuple[str, np.ndarray]] = {}

    def rows(self, data: Collection) -> np.ndarray:
        """By position, float32 ``[n_rows, width]``, read-only; zeros where a row has no content."""
        return self._of(data, "query")

    def cols(self, data: Collection) -> np.ndarray:
        """By position, float32 ``[n_cols, width]``, read-only; zeros where a column has no content."""
        return self._of(data, "document")

    def key(self, data: Collection, role: Role) -> str | None:
        """What the vectors of one side depend on; None where that is not known."""
        parts = self.encoder.fingerprint(role)
        side = data.rows if role == "query" else data.cols
        return digest(side.fingerprint, side.ids.fingerprint, parts) if parts else None

    def _of(self, data: Collection, role: Role) -> np.ndarray:
        key = self.key(data, role)
        if key is not None and role in self._made and self._made[role][0] == key:
            return self._made[role][1]
        self._made.pop(role, None)  # two versions are never held at once
        vectors = encode_rows(data, self.encoder) if role == "query" else encode_cols(data, self.encoder)
        vectors.setflags(write=False)
        if key is not None:
            self._made[role] = key, vectors
        return vectors
