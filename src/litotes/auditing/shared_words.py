"""Marking in a text the words that it shares with others, safely for HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from litotes.core.text import words

__all__ = ["content_words", "marked"]

_WORD = re.compile(r"[^\W_]+")
_BETWEEN_MARKS = re.compile(r"</mark>([\s_.,-]+)<mark>")
# the words that any two English texts share and that say nothing of what they are about
_EMPTY = frozenset(
    "a about above after all also an and any are as at be been before being below between both but by can cannot "
    "could did do does doing done each either else etc few for from further had has have having he her here hers "
    "him his how i if in into is it its itself just may me might more most must my no nor not of off on once one "
    "only or other our out over own s same shall she should so some such t than that the their them then there "
    "these they this those through to too two under until up use used using very was we were what when where "
    "whether which while who whom whose why will with within without would you your".split()
)


def content_words(text: str) -> frozenset[str]:
    """The distinct words of a text that say what it is about: no function words, no single letters or digits."""
    return frozenset(word for word in words(text) if len(word) > 1 and word not in _EMPTY)


def marked(text: str, shared: Iterable[str], limit: int) -> str:
    """``text``, cut after ``limit`` characters, escaped for HTML, with each word of ``shared`` in a ``<mark>``.

    >>> marked("The <norm> of x", {"norm"}, 100)
    'The &lt;<mark>norm</mark>&gt; of x'
    """
    shared = set(shared)
    cut = text if len(text) <= limit else text[:limit].rsplit(None, 1)[0]
    parts, end = [], 0
    for found in _WORD.finditer(cut):
        parts.append(escape(cut[end : found.start()]))
        word = escape(found.group())
        parts.append(f"<mark>{word}</mark>" if found.group().lower() in shared else word)
        end = found.end()
    parts.append(escape(cut[end:]))
    joined = _BETWEEN_MARKS.sub(r"\1", "".join(parts))  # neighbours are one mark
    return joined + (" …" if len(cut) < len(text) else "")
