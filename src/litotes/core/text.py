"""What a text is: its identity (normalised text), its words, its shingles, its name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence, Set

__all__ = ["jaccard", "last_name", "normalise", "shingles", "words"]

_WORD = re.compile(r"[^\W_]+")


def normalise(text: str) -> str:
    r"""The form in which two texts are the same text: Unicode NFC, case folded, blanks collapsed.

    >>> normalise("Dense  Retrieval\n") == normalise("dense retrieval")
    True
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def words(text: str) -> list[str]:
    """Lower-cased runs of letters and digits; everything else, the underscore too, divides.

    >>> words("Max_pool2d(x), twice")
    ['max', 'pool2d', 'x', 'twice']
    """
    return _WORD.findall(text.lower())


def shingles(tokens: Sequence[str], n: int) -> frozenset[tuple[str, ...]]:
    """All runs of ``n`` tokens. A shorter, non-empty text is its own single shingle."""
    if len(tokens) <= n:
        return frozenset([tuple(tokens)]) if tokens else frozenset()
    return frozenset(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def jaccard(a: Set, b: Set) -> float:
    """Share of the union that both sets hold; 0 when both are empty (nothing in common to speak of)."""
    union = len(a | b)
    return len(a & b) / union if union else 0.0


def last_name(name: str) -> str:
    """The last dotted part of a name without outer underscores, lower case.

    >>> last_name("numpy.linalg.Norm_")
    'norm'
    """
    return name.strip().rsplit(".", 1)[-1].strip("_").lower()
