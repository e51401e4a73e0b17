"""A fingerprint is a digest of what decides the numbers; every artefact carries those it was made from.

Parts are kept apart by name (``{"weights": ..., "prompt": ...}``) so that a mismatch can say *which part differs*.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

__all__ = ["difference", "digest", "digest_file", "digest_texts"]

_SIZE = 16  # bytes: 128 bits, written as 32 hexadecimal digits


def digest(*parts: Any) -> str:
    """One digest of the parts: strings, bytes, numbers, None, arrays, and lists, tuples and mappings of them.

    Stable across processes and machines of one byte order; types are told apart (``1`` is not ``"1"``).
    """
    state = hashlib.blake2b(digest_size=_SIZE)
    for part in parts:
        _feed(state, part)
    return state.hexdigest()


def digest_texts(texts: Iterable[str | None]) -> str:
    """The digest of many texts in order, in one pass and little memory."""
    state = hashlib.blake2b(digest_size=_SIZE)
    length = struct.Struct("<q").pack
    for text in texts:
        if text is None:
            state.update(b"n")
        else:  # what _feed does for a string, without asking a million times what it is
            raw = text.encode("utf-8", "surrogatepass")
            state.update(b"s" + length(len(raw)) + raw)
    return state.hexdigest()


def digest_file(path: str | os.PathLike[str]) -> str:
    """The digest of a file's bytes."""
    state = hashlib.blake2b(digest_size=_SIZE)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()


def difference(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """The names of the parts that are not the same, in the order of ``ours``, then those only in ``theirs``."""
    names = [*ours, *(name for name in theirs if name not in ours)]
    return [name for name in names if name not in ours or name not in theirs or ours[name] != theirs[name]]


def _feed(state: Any, part: Any) -> None:
    if part is None:
        state.update(b"n")
    elif isinstance(part, str):
        raw = part.encode("utf-8", "surrogatepass")
        state.update(b"s" + struct.pack("<q", len(raw)) + raw)
    elif isinstance(part, bytes):
        state.update(b"b" + struct.pack("<q", len(part)) + part)
    elif isinstance(part, bool | np.bool_):
        state.update(b"t" if part else b"f")
    elif isinstance(part, int | np.integer):
        raw = str(int(part)).encode()
        state.update(b"i" + struct.pack("<q", len(raw)) + raw)
    elif isinstance(part, float | np.floating):
        state.update(b"d" + struct.pack("<d", float(part)))
    elif isinstance(part, np.ndarray):
        state.update(b"a" + f"{part.dtype.str}{part.shape}".encode())
        state.update(np.ascontiguousarray(part).data if part.size else b"")
    elif isinstance(part, Mapping):
        state.update(b"m" + struct.pack("<q", len(part)))
        for key in sorted(part):
            _feed(state, key)
            _feed(state, part[key])
    elif isinstance(part, list | tuple):
        state.update(b"l" + struct.pack("<q", len(part)))
        for item in part:
            _feed(state, item)
    else:
        raise TypeError(f"a fingerprint cannot be made of a {type(part).__name__}")
