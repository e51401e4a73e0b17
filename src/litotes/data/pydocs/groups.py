"""Which documents answer the same query: the truth of pydocs, steps 4 and 5.

Two names belong together when they are (a) one object, or have (b) one docstring, (c) one first sentence, so that the
query cannot tell them apart, or (d) the same last part of the name and nearly the same words. Rule (d) uses what the
``document`` judge uses too; truth from (a) to (c) alone is therefore kept beside it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from litotes.core.disjoint_sets import DisjointSets
from litotes.core.text import jaccard, last_name, normalise, shingles, words

__all__ = ["NEAR_DUPLICATE", "capped", "groups_by_key", "join_near_duplicates"]

NEAR_DUPLICATE = 0.6  # Jaccard of 4-shingles from which rule (d) joins
SHINGLE = 4
MAX_MEMBERS = 4


def groups_by_key(objects: Sequence[int], docs: Sequence[str], sentences: Sequence[str]) -> list[int]:
    """Rules (a), (b), (c): for each name the first name of its group.

    A sentence's key keeps its symbols: without them "x1 > x2" and "x1 < x2" would be one query.
    """
    sets = DisjointSets(range(len(objects)))
    keys: tuple[Sequence[Hashable], ...] = (objects, docs, [normalise(sentence) for sentence in sentences])
    for column in keys:
        first: dict[Hashable, int] = {}
        for item, key in enumerate(column):
            sets.join(item, first.setdefault(key, item))
    return sets.roots()


def join_near_duplicates(groups: Sequence[int], names: Sequence[str], texts: Sequence[str]) -> list[int]:
    """Rule (d) on top of ``groups``; only names with the same last part are ever compared."""
    sets = DisjointSets(groups)
    namesakes: dict[str, list[int]] = {}
    for item, name in enumerate(names):
        namesakes.setdefault(last_name(name), []).append(item)
    for items in namesakes.values():
        if len({groups[item] for item in items}) == 1:
            continue
        shingled = {item: shingles(words(texts[item]), SHINGLE) for item in items}
        for place, item in enumerate(items):
            for other in items[:place]:
                if sets.root(item) != sets.root(other) and _are_near(shingled[item], shingled[other]):
                    sets.join(item, other)
    return sets.roots()


def capped(members: Sequence[int], names: Sequence[str], docs: Sequence[str]) -> list[int]:
    """At most four members of a group, shortest name first, those with different docstrings before repetitions.

    The first of them is the one that gets the label.
    """
    ordered = sorted(members, key=lambda item: (len(names[item]), names[item]))
    first_of: dict[str, int] = {}
    for item in ordered:
        first_of.setdefault(docs[item], item)
    return sorted(ordered, key=lambda item: first_of[docs[item]] != item)[:MAX_MEMBERS]


def _are_near(one: frozenset, other: frozenset) -> bool:
    """Jaccard of at least :data:`NEAR_DUPLICATE`; sets of too different size cannot reach it and are not compared."""
    small, large = sorted((len(one), len(other)))
    return small >= NEAR_DUPLICATE * large and jaccard(one, other) >= NEAR_DUPLICATE
