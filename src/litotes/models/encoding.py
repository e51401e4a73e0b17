"""Encode many texts: each distinct text once, in batches that do not depend on what is already kept.

The batches are cut from the full list, longest text first, before the store is asked. A batch that is kept whole is
skipped, in one that is kept in part only the rest is encoded. So an encoding that was interrupted goes on with the very
batches that it would have made, and ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from litotes.core.errors import LitotesError
from litotes.core.progress import Progress
from litotes.models.vector_store import Shelf, text_digests

__all__ = ["encode_texts", "unit_rows"]

_BLOCK_ROWS = 8192


def encode_texts(
    texts: Sequence[str | None],
    encode_batch: Callable[[list[str]], np.ndarray],
    *,
    batch_size: int,
    shelf: Shelf | None = None,
    ids: Sequence[str] | None = None,
    role: str = "document",
    progress: bool = True,
) -> np.ndarray:
    """The vectors of ``texts`` by position, float32 ``[n, width]``; where a text is None, zeros.

    Args:
        encode_batch: makes float32 ``[b, width]`` of at most ``batch_size`` texts.
        shelf: where vectors are kept; None keeps none.
        ids: what the texts are called, for errors.

    Raises:
        LitotesError: a vector holds NaN or infinity (the text is named), or vectors have several widths.
    """
    first: dict[str, int] = {}
    for position, text in enumerate(texts):
        if text is not None:
            first.setdefault(text, position)
    order = sorted(first, key=lambda text: (-len(text), text))
    rows = np.fromiter((first[text] for text in order), dtype=np.int64, count=len(order))
    digests = text_digests(order if shelf is not None else [])
    out: np.ndarray | None = None
    found = np.zeros(len(order), dtype=bool)
    if shelf is not None and shelf.width is not None:
        out = np.zeros((len(texts), shelf.width), dtype=np.float32)
        found = shelf.read_into(digests, out, rows)
    try:
        with Progress(f"Encoding {'queries' if role == 'query' else 'documents'}", len(order), "texts") as bar:
            for start in range(0, len(order), batch_size):
                stop = min(start + batch_size, len(order))
                missing = start + np.flatnonzero(~found[start:stop])
                if len(missing):
                    vectors = _checked(encode_batch([order[i] for i in missing]), rows[missing], texts, ids, out)
                    if out is None:
                        out = np.zeros((len(texts), vectors.shape[1]), dtype=np.float32)
                    out[rows[missing]] = vectors
                    if shelf is not None:
                        shelf.add(digests[missing], vectors)
                if progress:
                    bar.advance(stop - start)
    finally:
        if shelf is not None:
            shelf.flush()
    if out is None:
        return np.zeros((len(texts), 0), dtype=np.float32)
    _fill_repeats(out, texts, first)
    return out


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """``vectors`` float32 ``[n, d]`` with every row scaled to length 1, in place; a row of zeros stays."""
    for start in range(0, len(vectors), _BLOCK_ROWS):
        block = vectors[start : start + _BLOCK_ROWS]
        length = np.sqrt(np.square(block, dtype=np.float64).sum(axis=1, keepdims=True))
        np.divide(block, np.where(length > 0, length, 1.0), out=block, casting="same_kind")
    return vectors


def _checked(
    vectors: np.ndarray,
    rows: np.ndarray,
    texts: Sequence[str | None],
    ids: Sequence[str] | None,
    out: np.ndarray | None,
) -> np.ndarray:
    if vectors.ndim != 2 or len(vectors) != len(rows):
        raise LitotesError(f"The encoder made an array of shape {vectors.shape} of {len(rows)} texts.")
    if out is not None and vectors.shape[1] != out.shape[1]:
        raise LitotesError(
            f"The encoder made vectors of two widths, {out.shape[1]} and {vectors.shape[1]}; it must always make one."
        )
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        row = int(rows[bad[0]])
        name = f"the text of {ids[row]!r}" if ids is not None else f"text {row}"
        raise LitotesError(f"The encoder made NaN or infinity of {name} ({str(texts[row])[:40]!r}).")
    return vectors


def _fill_repeats(out: np.ndarray, texts: Sequence[str | None], first: dict[str, int]) -> None:
    """A text that stands again has the vector of its first place."""
    repeats = [(i, first[text]) for i, text in enumerate(texts) if text is not None and first[text] != i]
    for start in range(0, len(repeats), _BLOCK_ROWS):
        block = np.array(repeats[start : start + _BLOCK_ROWS], dtype=np.int64)
        out[block[:, 0]] = out[block[:, 1]]
