"""Vectors on disk, keyed by text and by the fingerprint of the encoder that made them.

A store is a folder with one shelf (subfolder) a fingerprint. A shelf holds chunks: safetensors files with ``texts``
(128-bit digests, uint8 ``[n, 16]``) and ``vectors`` (float32 ``[n, width]``). A chunk's name is the digest of what it
holds, so a damaged one is known and redone, and processes that write the same shelf at once cannot break each other:
they add files, whole or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from litotes.core.errors import LitotesError
from litotes.core.files import cache_folder, write_atomically
from litotes.core.fingerprint import digest
from litotes.core.progress import say

__all__ = ["Shelf", "VectorStore", "text_digests"]

_CHUNK_BYTES = 16 << 20
_CHUNK_SECONDS = 20.0  # a killed encoding loses no more work than this and one batch


class VectorStore:
    """The vectors under ``folder``; by default in the user's cache, or under the environment's ``LITOTES_CACHE``."""

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.folder = Path(folder) if folder is not None else cache_folder("vectors")
        self.is_writable = True

    def shelf(self, fingerprint: Mapping[str, str]) -> Shelf:
        """The vectors of the encoder with this fingerprint (its parts by name)."""
        return Shelf(self, self.folder / digest(dict(fingerprint)), dict(fingerprint))

    def write(self, path: Path, content: bytes) -> None:
        """Keep one file; where the folder cannot be written, say so once and keep nothing from then on."""
        if not self.is_writable:
            return
        try:
            write_atomically(path, content)
        except LitotesError as error:
            self.is_writable = False
            say(f"Vectors are not kept, they will be computed again next time: {error}")


class Shelf:
    """The vectors of one fingerprint."""

    def __init__(self, store: VectorStore, folder: Path, fingerprint: dict[str, str]) -> None:
        self._store, self._folder, self._fingerprint = store, folder, fingerprint
        self._new: list[tuple[np.ndarray, np.ndarray]] = []
        self._new_bytes, self._flushed = 0, time.monotonic()
        self._chunks: list[Path] = []
        self.width: int | None = None  # of the vectors kept here; None while there are none
        self._open()

    def read_into(self, digests: np.ndarray, out: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Copy what is kept of ``digests`` (uint8 ``[n, 16]``) to ``out[rows]``; True where it was, bool ``[n]``.

        Chunks that do not hold what their name says are thrown away, and their vectors count as not kept.
        """
        chunk, place = self._find(digests)
        for number in np.unique(chunk[chunk >= 0]):
            vectors = _read_vectors(self._chunks[number], out.shape[1])
            here = chunk == number
            if vectors is None:
                _throw_away(self._chunks[number])
                chunk[here] = -1
            else:
                out[rows[here]] = vectors[place[here]]
        return chunk >= 0

    def add(self, digests: np.ndarray, vectors: np.ndarray) -> None:
        """Keep these vectors (a whole batch); they reach the disk at the next flush."""
        self._new.append((digests, vectors))
        self._new_bytes += vectors.nbytes
        if self._new_bytes >= _CHUNK_BYTES or time.monotonic() - self._flushed >= _CHUNK_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was added as one chunk."""
        if self._new:
            from safetensors.numpy import save

            texts = np.concatenate([digests for digests, _ in self._new])
            vectors = np.concatenate([vectors for _, vectors in self._new])
            if self._store.is_writable and not self._folder.exists():
                note = json.dumps(self._fingerprint, indent=2, ensure_ascii=False) + "\n"
                self._store.write(self._folder / "fingerprint.json", note.encode())
            name = f"{digest(texts, vectors)}.safetensors"
            self._store.write(self._folder / name, save({"texts": texts, "vectors": vectors}))
        self._new, self._new_bytes, self._flushed = [], 0, time.monotonic()

    def _open(self) -> None:
        """Read the digests of all chunks into one sorted index (24 bytes a text), with a last entry that is no text."""
        texts, chunks, places = (
            [np.full((1, 2), -1, dtype="<i8").view("<u8")],
            [np.full(1, -1)],
            [np.zeros(1, dtype=int)],
        )
        for path in sorted(self._folder.glob("*.safetensors")):
            found = _read_texts(path)
            if found is None:
                _throw_away(path)
                continue
            digests, self.width = found
            texts.append(digests.view("<u8"))
            chunks.append(np.full(len(digests), len(self._chunks)))
            places.append(np.arange(len(digests)))
            self._chunks.append(path)
        text, chunk, place = np.concatenate(texts), np.concatenate(chunks), np.concatenate(places)
        order = np.lexsort((chunk, text[:, 1], text[:, 0]))
        self._index = text[order], chunk[order].astype(np.int32), place[order].astype(np.int32)

    def _find(self, digests: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Chunk and place of each digest; chunk -1 where it is not kept."""
        text, chunk, place = self._index
        asked = np.ascontiguousarray(digests).view("<u8")
        at = np.minimum(np.searchsorted(text[:, 0], asked[:, 0]), len(text) - 1)
        same = (text[at] == asked).all(axis=1)  # two texts that share the first half only: the second is computed again
        return np.where(same, chunk[at], -1), place[at]


def text_digests(texts: Iterable[str]) -> np.ndarray:
    """The 128-bit digest of each text, uint8 ``[n, 16]``."""
    raw = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
    return np.frombuffer(b"".join(raw), dtype=np.uint8).reshape(-1, 16)


def _read_texts(path: Path) -> tuple[np.ndarray, int] | None:
    """The digests in a chunk and the width of its vectors, or None when the file is not whole."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as chunk:
            texts, shape = chunk.get_tensor("texts"), chunk.get_slice("vectors").get_shape()
    except (SafetensorError, OSError):
        return None
    is_sound = texts.dtype == np.uint8 and texts.shape == (shape[0], 16) and len(shape) == 2
    return (texts, shape[1]) if is_sound else None


def _read_vectors(path: Path, width: int) -> np.ndarray | None:
    """The vectors of a chunk, or None when it does not hold what its name says."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        chunk = load(path.read_bytes())
        texts, vectors = chunk["texts"], chunk["vectors"]
    except (SafetensorError, OSError, KeyError):
        return None
    is_sound = vectors.shape[1] == width and digest(texts, vectors) == path.stem
    return vectors if is_sound else None


def _throw_away(path: Path) -> None:
    with contextlib.suppress(OSError):  # in a folder that may only be read, the damaged file stays
        path.unlink()
