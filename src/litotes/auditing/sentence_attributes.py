"""What may make a sentence hard for relation extraction: length, distance and company of its two entities, readability.

Sentences carry their pair as ``<e1>...</e1>`` and ``<e2>...</e2>``. Attributes of all entities need to be told which
there are, since a sentence marks only two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from litotes.core.errors import DataError

__all__ = ["flesch_kincaid", "sentence_attributes"]

_TAGGED = re.compile(r"<(e[12])>(.*?)</\1>", re.DOTALL)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_VOWELS = re.compile(r"[aeiouyäöüáéíóúàèìòù]+", re.IGNORECASE)
_END = re.compile(r"[.!?]+(?:\s|$)")


def sentence_attributes(
    sentences: Sequence[str],
    *,
    entity_types: Sequence[Sequence[str]] | None = None,
    argument_types: Sequence[tuple[str, str]] | None = None,
) -> dict[str, list[float | None]]:
    """One number a sentence, by the name of the attribute, as :func:`litotes.auditing.error_report.error_report` takes.

    Args:
        sentences: with their two entities marked.
        entity_types: types of all entities of a sentence, the two arguments among them, in any order.
        argument_types: types of the two arguments.

    Returns:
        ``sentence_length`` (words), ``entity_distance`` (words between the two), ``readability``
        (:func:`flesch_kincaid`); with ``entity_types`` also ``entities``; with ``argument_types`` also
        ``same_type_arguments`` (0 or 1); with both ``extra_entities_of_argument_types``.

    Raises:
        DataError: a sentence does not mark ``<e1>`` and ``<e2>`` once each.
    """
    found: dict[str, list[float | None]] = {"sentence_length": [], "entity_distance": [], "readability": []}
    for place, sentence in enumerate(sentences):
        marked = list(_TAGGED.finditer(sentence))
        if sorted(one.group(1) for one in marked) != ["e1", "e2"]:
            raise DataError(
                f"Sentence {place} (from 0) must mark <e1>...</e1> and <e2>...</e2> once. Got {sentence!r}."
            )
        plain = _TAGGED.sub(r"\2", sentence)
        found["sentence_length"].append(len(_WORD.findall(plain)))
        found["entity_distance"].append(len(_WORD.findall(sentence[marked[0].end() : marked[1].start()])))
        found["readability"].append(flesch_kincaid(plain))
    for name, given in (("entity_types", entity_types), ("argument_types", argument_types)):
        if given is not None and len(given) != len(sentences):
            raise DataError(f"There are {len(given)} {name} for {len(sentences)} sentences.")
    if entity_types is not None:
        found["entities"] = [len(types) for types in entity_types]
    if argument_types is not None:
        found["same_type_arguments"] = [float(first == second) for first, second in argument_types]
    if entity_types is not None and argument_types is not None:
        found["extra_entities_of_argument_types"] = [
            sum(kind in pair for kind in types) - len(pair)
            for types, pair in zip(entity_types, argument_types, strict=True)
        ]
    return found


def flesch_kincaid(text: str) -> float | None:
    """The school grade that a text takes: .39 words a sentence + 11.8 syllables a word - 15.59 (Kincaid et al. 1975).

    Syllables are counted as groups of vowels, a silent final e left out; None for a text without words.

    >>> round(flesch_kincaid("The cat sat on the mat."), 2)
    -1.45
    """
    words = _WORD.findall(text)
    if not words:
        return None
    sentences = max(1, len(_END.findall(text.strip())))
    return 0.39 * len(words) / sentences + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59


def _syllables(word: str) -> int:
    groups = len(_VOWELS.findall(word))
    silent = word.lower().endswith("e") and not word.lower().endswith(("le", "ee")) and groups > 1
    return max(1, groups - silent)
