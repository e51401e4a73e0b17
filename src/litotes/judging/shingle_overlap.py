"""How many word n-grams two texts share, for many pairs at once: the Jaccard coefficient of their shingle sets.

Broder 1997, "On the resemblance and containment of documents": shingles w of a text A, S(A, w); resemblance
r(A, B) = |S(A) ∩ S(B)| / |S(A) ∪ S(B)|. Same numbers as ``jaccard(shingles(words(a), n), shingles(words(b), n))`` of
``core.text``, without a Python set a pair: each text becomes one row of a sparse 0/1 matrix, once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from litotes.core.errors import LitotesError
from litotes.core.text import words

__all__ = ["ShingleOverlap", "shingle_numbers"]

_PAIRS = 1 << 14  # pairs compared at once: some ten million matrix entries
_KEPT = 1 << 26  # shingles kept between calls: half a gigabyte


class ShingleOverlap:
    """The shingles of each text, made when it is first asked for.

    Args:
        texts: one a position; a text of fewer than ``n`` words is its own single shingle, None and "" have none.
        n: words in a shingle.
    """

    def __init__(self, texts: Sequence[str | None], n: int) -> None:
        self._texts, self._n = texts, n
        self._words: dict[str, int] = {}
        self._shingles: dict[int, np.ndarray] = {}
        self._kept = 0

    def jaccard(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The coefficient of the texts at positions ``a`` and ``b``, pair by pair; 0 where neither has a word.

        int64 ``[pairs]`` twice in, float64 ``[pairs]`` out.
        """
        if len(a) != len(b):
            raise LitotesError(f"Pairs need two positions each. Got {len(a)} and {len(b)}.")
        values = np.zeros(len(a))
        for start in range(0, len(a), _PAIRS):
            part = slice(start, start + _PAIRS)
            values[part] = self._jaccard(np.asarray(a[part]), np.asarray(b[part]))
        return values

    def _jaccard(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        from scipy.sparse import csr_array

        positions, places = np.unique(np.concatenate([a, b]), return_inverse=True)
        rows = [self._of(int(position)) for position in positions]
        sizes = np.array([len(row) for row in rows], dtype=np.int64)
        if not sizes.sum():
            return np.zeros(len(a))
        names, columns = np.unique(np.concatenate(rows), return_inverse=True)
        indptr = np.concatenate([[0], np.cumsum(sizes)])
        matrix = csr_array((np.ones(len(columns), dtype=np.int32), columns, indptr), shape=(len(rows), len(names)))
        left, right = places[: len(a)], places[len(a) :]
        shared = np.asarray(matrix[left].multiply(matrix[right]).sum(axis=1)).ravel()
        union = sizes[left] + sizes[right] - shared
        return np.divide(shared, union, out=np.zeros(len(a)), where=union > 0)

    def _of(self, position: int) -> np.ndarray:
        """The distinct shingles of one text as sorted uint64; equal shingles of any two texts have equal numbers."""
        if position not in self._shingles:
            made = self._made(words(self._texts[position] or ""))
            self._kept += len(made)
            if self._kept > _KEPT:
                self._shingles.clear()
                self._kept = len(made)
            self._shingles[position] = made
        return self._shingles[position]

    def _made(self, tokens: list[str]) -> np.ndarray:
        if not tokens:
            return np.zeros(0, dtype=np.uint64)
        numbers = np.zeros(max(len(tokens), self._n), dtype=np.uint64)  # 0 is no word: it fills up a short text
        numbers[: len(tokens)] = [self._words.setdefault(word, len(self._words) + 1) for word in tokens]
        return np.unique(shingle_numbers(np.lib.stride_tricks.sliding_window_view(numbers, self._n)))


def shingle_numbers(windows: np.ndarray) -> np.ndarray:
    """One 64-bit number for each window of word numbers, uint64 ``[windows, n]`` in and ``[windows]`` out.

    A polynomial in an odd constant, scrambled after each word; two different shingles of a corpus of a million meet
    with probability below 1e-7.
    """
    state = np.zeros(len(windows), dtype=np.uint64)
    for column in windows.T:
        state = (state + column + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        state ^= state >> np.uint64(29)
    return state
