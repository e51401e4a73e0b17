"""One suspicious cell for a person to look at: query, positive and candidate, the words they share, what judges say."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from litotes.auditing.quality import Truth
from litotes.auditing.shared_words import content_words, marked
from litotes.auditing.suspects import Suspect
from litotes.auditing.verdicts import Verdict
from litotes.core import Collection

__all__ = ["Example", "describe"]

_QUERY, _DOCUMENT = 500, 900  # characters shown


@dataclass(frozen=True)
class Example:
    """A cell as ``report.json`` holds it, and as the page shows it (texts escaped, shared words marked)."""

    facts: dict[str, Any]
    html: dict[str, Any]


def describe(suspect: Suspect, data: Collection, verdicts: list[Verdict], truth: Truth | None) -> Example:
    """The cell with its texts; of several positives the one that shares most words with the candidate."""
    row, col = suspect.row, suspect.col
    query, candidate = data.row_texts[row] or "", data.col_texts[col] or ""
    words = content_words(candidate)
    positive = _nearest_positive(data, row, words)
    positive_text = "" if positive is None else data.col_texts[positive] or ""
    in_query, in_positive = content_words(query) & words, content_words(positive_text) & words
    reasons = [
        f"{verdict.name}: {verdict.explain(row, col)}"
        for verdict in verdicts
        if verdict.name in suspect.values and verdict.explain
    ]
    facts = {
        "query_id": data.row_ids[row],
        "candidate_id": data.col_ids[col],
        "positive_id": None if positive is None else data.col_ids[positive],
        "ranks": suspect.ranks,
        "judge": suspect.values,
        "trust": suspect.trust,
        "reasons": reasons,
    }
    if truth is not None:
        known = float(truth.of_cells(np.array([row]), np.array([col]))[0])
        facts["is_false_negative"] = None if np.isnan(known) else bool(known)
    html = {
        "query": marked(query, in_query, _QUERY) or "(no text)",
        **_side("candidate", data, col, in_query | in_positive),
        **_side("positive", data, positive, in_positive),
        "ranks": ", ".join(f"rank {rank} by {miner}" for miner, rank in suspect.ranks.items()),
        "said": _values(suspect),
        "truth": {True: "truly an answer", False: "truly a negative", None: ""}[facts.get("is_false_negative")],
        "reasons": reasons,
    }
    return Example(facts, html)


def _side(name: str, data: Collection, col: int | None, shared: frozenset[str]) -> dict[str, str]:
    """Heading (title, and the id where it says something else) and text of one document, shared words marked."""
    if col is None:
        return {f"{name}_head": "nothing is labelled for this query", name: ""}
    title, body, identity = data.col_titles[col], data.col_bodies[col], data.col_ids[col]
    head = marked(title, shared, _QUERY) if title else escape(identity)
    head += f" ({escape(identity)})" if title and title != identity else ""
    return {f"{name}_head": head, name: marked(body or "", shared, _DOCUMENT) or "(no text)"}


def _nearest_positive(data: Collection, row: int, words: frozenset[str]) -> int | None:
    """The row's positive whose text shares most of ``words``; the first of equals, None where the row has none."""
    positives = data.labels.positives(row).tolist()
    shared = {col: len(content_words(data.col_texts[col] or "") & words) for col in positives}
    return max(positives, key=lambda col: (shared[col], -col), default=None)


def _values(suspect: Suspect) -> str:
    """Trust where there is one, the raw value elsewhere, per judge."""
    said = [f"trust {suspect.trust[judge]:.2g} ({judge})" for judge in suspect.trust]
    said += [f"{judge} {value:.3g}" for judge, value in suspect.values.items() if judge not in suspect.trust]
    return ", ".join(said)
