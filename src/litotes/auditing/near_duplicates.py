"""Pairs of texts that share most of their word n-grams, found without comparing all with all.

MinHash (Broder 1997): under a random order of all shingles, the first shingle of two texts is the same with probability
r(A, B), their Jaccard coefficient. Each text keeps 64 such minima in 16 bands of 4; two texts that agree in a whole
band become a candidate pair, which happens with probability 1 - (1 - r^4)^16 (0.99 at r = 0.7), and are then compared
exactly.
Memory grows with the number of texts and of pairs found, never with its square.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from litotes.core.checks import check_float, check_int
from litotes.core.progress import Progress
from litotes.core.seeds import rng
from litotes.core.text import words
from litotes.judging.shingle_overlap import ShingleOverlap, shingle_numbers

__all__ = ["near_duplicates"]

_BANDS, _IN_BAND = 16, 4
_BLOCK_TEXTS = 8192
_CROWD = 32  # texts that agree in a band: all pairs up to here; beyond, each with the first and with its neighbour


def near_duplicates(
    texts: Sequence[str | None], *, n: int = 3, threshold: float = 0.7, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of positions ``a < b`` and the Jaccard coefficient of their word ``n``-grams, where it is at least
    ``threshold``; int64, int64, float64, each ``[pairs]``, most alike first. Texts without a word have no pairs.

    A crowd of more than 32 texts that are all alike comes as a chain and a star, not as all its pairs.

    >>> near_duplicates(["a b c d e f", "a b c d e g", "x y z"], threshold=0.5)[2].tolist()
    [0.6]
    """
    check_int("near_duplicates", "n", n, at_least=1)
    check_float("near_duplicates", "threshold", threshold, above=0, at_most=1)
    signatures, has_words = _signatures(texts, n, seed)
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    for band in range(_BANDS):
        minima = signatures[:, band * _IN_BAND : (band + 1) * _IN_BAND]
        pairs.append(_agreeing(minima, np.flatnonzero(has_words)))
    a, b = np.unique(np.concatenate(pairs), axis=0).T
    alike = ShingleOverlap(texts, n).jaccard(a, b)
    order = np.lexsort((b, a, -alike))
    order = order[alike[order] >= threshold]
    return a[order], b[order], alike[order]


def _signatures(texts: Sequence[str | None], n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The minima of each text, uint32 ``[texts, 64]``, and which texts have words."""
    generator = rng(seed, "minhash")
    factors = generator.integers(0, 2**63, size=_BANDS * _IN_BAND, dtype=np.int64).astype(np.uint64) * np.uint64(2)
    factors += np.uint64(1)
    signatures = np.zeros((len(texts), len(factors)), dtype=np.uint32)
    has_words = np.zeros(len(texts), dtype=bool)
    vocabulary: dict[str, int] = {}
    with Progress("Looking for near-duplicates", total=len(texts), unit="texts") as bar:
        for start in range(0, len(texts), _BLOCK_TEXTS):
            block = texts[start : start + _BLOCK_TEXTS]
            shingles, first, full = _shingles(block, n, vocabulary)
            has_words[start + full] = True
            for place, factor in enumerate(factors):
                if len(shingles):
                    hashed = ((shingles * factor) >> np.uint64(32)).astype(np.uint32)
                    signatures[start + full, place] = np.minimum.reduceat(hashed, first)
            bar.advance(len(block))
    return signatures, has_words


def _shingles(
    texts: Sequence[str | None], n: int, vocabulary: dict[str, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The shingles of all texts as one uint64 array, where each text's begin, and which texts these are.

    A text of fewer than ``n`` words is filled up with word 0, which is none.
    """
    numbers, sizes = [], []
    for text in texts:
        found = [vocabulary.setdefault(word, len(vocabulary) + 1) for word in words(text or "")]
        found += [0] * (n - len(found)) if found else []
        numbers += found
        sizes.append(max(len(found) - n + 1, 0))
    full = np.flatnonzero(sizes)
    kept = np.array(sizes, dtype=np.int64)[full]
    first = np.cumsum(kept) - kept
    if not len(full):
        return np.zeros(0, dtype=np.uint64), first, full
    at = np.repeat((n - 1) * np.arange(len(full)), kept) + np.arange(kept.sum())  # each text has n - 1 words more
    windows = np.lib.stride_tricks.sliding_window_view(np.array(numbers, dtype=np.uint64), n)
    return shingle_numbers(windows[at]), first, full


def _agreeing(minima: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Pairs of ``texts`` whose minima in this band are all equal, int64 ``[pairs, 2]``, the smaller first."""
    if not len(texts):
        return np.zeros((0, 2), dtype=np.int64)
    state = np.zeros(len(texts), dtype=np.uint64)
    for column in minima[texts].T:
        state = (state ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        state ^= state >> np.uint64(32)
    order = np.argsort(state, kind="stable")
    edges = np.flatnonzero(np.diff(state[order], prepend=state[order[:1]] + np.uint64(1)))
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    for start, end in zip(edges, np.append(edges[1:], len(order)), strict=True):
        if end - start < 2:
            continue
        crowd = texts[order[start:end]]  # ascending, since the order is stable
        if len(crowd) <= _CROWD:
            i, j = np.triu_indices(len(crowd), 1)
            pairs.append(np.stack([crowd[i], crowd[j]], axis=1))
        else:
            pairs.append(np.stack([np.full(len(crowd) - 1, crowd[0]), crowd[1:]], axis=1))
            pairs.append(np.stack([crowd[:-1], crowd[1:]], axis=1))
    return np.concatenate(pairs)
