"""Vectors that one already has, as an encoder: ``vectors:FOLDER``.

The folder holds ``queries.npy`` and ``corpus.npy`` (float ``[n, width]``) and beside each a list of ids, one a line:
``queries.ids.txt`` and ``corpus.ids.txt``. Vectors are found by id; texts play no part.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import numpy as np

from litotes.core import Ids
from litotes.core.checks import check_choice
from litotes.core.errors import DataError, LitotesError
from litotes.core.files import write_atomically
from litotes.core.fingerprint import digest_file
from litotes.models.encoding import unit_rows

__all__ = ["VectorFolder", "save_vectors"]

_BLOCK_ROWS = 8192
_NAMES = {"query": "queries", "document": "corpus"}


class VectorFolder:
    """The vectors in a folder, checked when it is opened and read from disk when they are asked for.

    Raises:
        DataError: a file is missing or not what it should be; the message names it.
    """

    def __init__(self, folder: str | os.PathLike[str], *, similarity: Literal["cosine", "dot"] | None = None) -> None:
        self.folder = Path(folder)
        self.similarity = check_choice("Encoder", "similarity", similarity or "cosine", ("cosine", "dot"))
        self._sides = {role: _Side(self.folder, name) for role, name in _NAMES.items()}
        widths = {role: side.vectors.shape[1] for role, side in self._sides.items()}
        if widths["query"] != widths["document"]:
            raise DataError(
                f"{self.folder}: vectors of two widths, {widths['query']} in queries.npy "
                f"and {widths['document']} in corpus.npy."
            )

    def encode(
        self,
        texts: Sequence[str | None],
        role: Literal["query", "document"],
        *,
        ids: Sequence[str] | None = None,
        progress: bool = True,
    ) -> np.ndarray:
        """The vectors of ``ids``, float32 ``[n, width]``; where a text is None, zeros."""
        check_choice("Encoder.encode", "role", role, _NAMES)
        if ids is None:
            raise LitotesError(f"vectors:{self.folder} holds the vectors of ids; it cannot embed a text that has none.")
        side = self._sides[role]
        wanted = np.fromiter((text is not None for text in texts), dtype=bool, count=len(texts))
        out = np.zeros((len(texts), side.vectors.shape[1]), dtype=np.float32)
        rows = np.flatnonzero(wanted)
        places = side.places([ids[row] for row in rows.tolist()])
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            out[rows[block]] = side.vectors[places[block]]
        return unit_rows(out) if self.similarity == "cosine" else out

    def fingerprint(self, role: Literal["query", "document"]) -> dict[str, str]:
        """The digests of the two files of this role."""
        return {"kind": "vectors", **self._sides[role].digests, "similarity": self.similarity}


def save_vectors(
    folder: str | os.PathLike[str],
    query_ids: Sequence[str],
    query_vectors: np.ndarray,
    corpus_ids: Sequence[str],
    corpus_vectors: np.ndarray,
) -> None:
    """Write a folder that ``vectors:FOLDER`` reads; vectors are ``[n, width]`` in the order of their ids.

    Raises:
        LitotesError: counts or widths that do not fit, an id with a line break, NaN.
    """
    sides = {"queries": (query_ids, query_vectors), "corpus": (corpus_ids, corpus_vectors)}
    for name, (ids, vectors) in sides.items():
        vectors = np.asarray(vectors)
        _check_array(f"save_vectors: {name}", vectors)
        if len(ids) != len(vectors):
            raise LitotesError(f"save_vectors: {len(ids)} ids for {len(vectors)} vectors of the {name}.")
        odd = next((key for key in ids if not key or key != key.strip() or len(key.splitlines()) != 1), None)
        if odd is not None:
            raise LitotesError(f"save_vectors: the id {odd!r} cannot stand on a line of its own.")
    if np.shape(query_vectors)[1] != np.shape(corpus_vectors)[1]:
        raise LitotesError(f"save_vectors: two widths, {np.shape(query_vectors)[1]} and {np.shape(corpus_vectors)[1]}.")
    for name, (ids, vectors) in sides.items():
        array = np.ascontiguousarray(vectors, dtype=np.float32)
        write_atomically(Path(folder) / f"{name}.npy", partial(_write_npy, array))
        write_atomically(Path(folder) / f"{name}.ids.txt", "".join(f"{key}\n" for key in ids))


class _Side:
    """One array and its ids."""

    def __init__(self, folder: Path, name: str) -> None:
        self._array_path, self._ids_path = folder / f"{name}.npy", folder / f"{name}.ids.txt"
        for path in (self._array_path, self._ids_path):
            if not path.is_file():
                raise DataError(
                    f"{path}: no such file; vectors:FOLDER needs queries.npy, queries.ids.txt, "
                    "corpus.npy and corpus.ids.txt."
                )
        try:
            self.vectors = np.load(self._array_path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise DataError(f"{self._array_path}: not a whole .npy file of numbers ({error}).") from None
        _check_array(str(self._array_path), self.vectors)
        self._ids = _read_ids(self._ids_path)
        if len(self._ids) != len(self.vectors):
            raise DataError(
                f"{self._ids_path}: {len(self._ids)} ids for {len(self.vectors)} vectors in {self._array_path.name}."
            )

    def places(self, ids: list[str]) -> np.ndarray:
        places = self._ids.positions(ids, missing=-1)
        if (places < 0).any():
            lost = ids[int(np.flatnonzero(places < 0)[0])]
            raise DataError(
                f"{self._ids_path}: {int((places < 0).sum())} ids of the data are missing, for example {lost!r}."
            )
        return places

    @cached_property
    def digests(self) -> dict[str, str]:
        return {path.name: digest_file(path) for path in (self._array_path, self._ids_path)}


def _read_ids(path: Path) -> Ids:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}).") from None
    lines = [line.rstrip("\r") for line in lines]
    if lines and not lines[-1]:
        lines.pop()
    first: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if first.setdefault(line, number) != number:
            raise DataError.at(path, number, f"the id {line!r} stands twice, first in line {first[line]}.")
    return Ids(lines)


def _check_array(name: str, vectors: np.ndarray) -> None:
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or vectors.shape[1] == 0:
        raise DataError(
            f"{name}: an array of {vectors.dtype} of shape {vectors.shape}; expected floats of shape [n, width]."
        )
    for start in range(0, len(vectors), _BLOCK_ROWS):
        finite = np.isfinite(vectors[start : start + _BLOCK_ROWS]).all(axis=1)
        if not finite.all():
            raise DataError(f"{name}: NaN or infinity in row {start + int(np.flatnonzero(~finite)[0])} (from 0).")


def _write_npy(array: np.ndarray, path: Path) -> None:
    with open(path, "wb") as file:
        np.save(file, array, allow_pickle=False)
