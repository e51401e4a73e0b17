"""The page of a retrieval audit: the first rows of each list side by side, and what the pool looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from litotes.auditing.findings import Findings
from litotes.auditing.pooling import PARTS
from litotes.auditing.shared_words import content_words, marked
from litotes.auditing.template_page import page_of
from litotes.core.files import write_atomically, write_json
from litotes.evaluation.pool_bias import WITHIN

__all__ = ["write_page"]

SHOWN = 20  # rows of a list on the page; the files hold the rest
_LENGTH = 400  # of a text on the page; lists hold less
_MARKS = {
    "false-negatives": "Words of the unjudged document that the query or the labelled one has too are marked.",
    "false-positives": "Words that the query has too are marked.",
    "near-duplicates": "Words that only one of the two has are marked.",
    "indistinct-queries": "Words that only one of the two has are marked.",
}


def write_page(folder: Path, facts: Mapping[str, Any], lists: Sequence[Findings]) -> Path:
    """Write ``report.html`` and ``report.json``; returns the page's path."""
    page = page_of(
        "retrieval.html.jinja",
        facts=facts,
        lead=_lead(lists),
        tiles=_tiles(facts, lists),
        sections=[_section(found) for found in lists],
        pool=_pool(facts["pooling"]),
    )
    write_json(folder / "report.json", facts)
    write_atomically(folder / "report.html", page)
    return folder / "report.html"


def _lead(lists: Sequence[Findings]) -> str:
    """What was found, in a sentence for each kind that is there."""
    counts = {found.name: found.total for found in lists}
    words = {
        "false-positives": ("judgement far from all that is relevant", "judgements far from all that is relevant"),
        "near-duplicates": ("pair of near-duplicate documents", "pairs of near-duplicate documents"),
        "text-twins": ("repeated text", "repeated texts"),
        "unanswerable-queries": ("query that cannot be answered", "queries that cannot be answered"),
        "indistinct-queries": (
            "pair of queries that cannot be told apart",
            "pairs of queries that cannot be told apart",
        ),
    }
    said = [f"{counts[name]:,} {of[counts[name] > 1]}" for name, of in words.items() if counts[name]]
    besides = f" Besides: {'; '.join(said)}." if said else " Nothing else looks wrong."
    return (
        f"{counts['false-negatives']:,} unjudged cells are ordered by how much they look like positives that nobody "
        f"labelled.{besides}"
    )


def _tiles(facts: Mapping[str, Any], lists: Sequence[Findings]) -> list[tuple[str, str, str]]:
    """Label, number and where it leads (empty: nowhere)."""
    data = facts["data"]
    counts = [("queries", data["queries"]), ("documents", data["documents"]), ("labelled positives", data["positives"])]
    plain = [(label, f"{number:,}", "") for label, number in counts]
    return plain + [(found.title.lower(), f"{found.total:,}", found.name) for found in lists[1:]]


def _section(found: Findings) -> dict[str, Any]:
    return {
        "name": found.name,
        "title": found.title,
        "says": found.says,
        "rows": len(found),
        "total": found.total,
        "counted": {"found": "found", "ordered": "looked at and put in order"}[found.counted],
        "marks": _MARKS.get(found.name, ""),
        "verdicts": list(found.verdicts.items()),
        "cards": [_card(found.name, row) for row in found.rows[:SHOWN]],
    }


def _card(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """One row: key, score, reason, the query above, and one or two texts side by side, words marked."""
    query, sides = row.get("query"), []
    if name == "false-negatives":
        words = content_words(row["document"])
        shared = (content_words(query or "") | content_words(row["labelled"] or "")) & words
        sides = [
            ("labelled as the answer", row["labelled_id"] or "nothing is labelled", row["labelled"] or "", shared),
            ("not judged", row["document_id"], row["document"], shared),
        ]
    elif name == "false-positives":
        shared = content_words(query or "") & content_words(row["document"])
        sides = [("labelled as the answer", row["document_id"], row["document"], shared)]
    elif name == "near-duplicates":
        query, apart = None, content_words(row["document"]) ^ content_words(row["other"])
        sides = [("document", row["document_id"], row["document"], apart)]
        sides.append(("document", row["other_id"], row["other"], apart))
    elif name == "text-twins":
        query = None
        sides = [(row["side"], f"{row['first_id']} and {row['other_id']}", row["text"], frozenset())]
    elif name == "indistinct-queries":
        apart = content_words(query or "") ^ content_words(row["other"])
        sides = [("query", row["query_id"], query or "", apart), ("query", row["other_id"], row["other"], apart)]
        query = None
    return {
        "key": row["key"],
        "score": row["score"],
        "reason": row["reason"],
        "query_id": row.get("query_id") if query is not None else None,
        "query": query or ("(no text)" if query is not None else ""),
        "sides": [
            {"label": label, "head": head, "text": marked(text, words, _LENGTH) or "(no text)"}
            for label, head, text, words in sides
        ],
    }


def _pool(pooling: Mapping[str, Any]) -> dict[str, Any]:
    """The section on pooling as rows of text."""
    kinds = [("labelled", "labelled"), ("suspects", "first suspect of each query"), ("unjudged", "all unjudged there")]
    return {
        "depth": pooling["depth"],
        "says": pooling["says"],
        "rows": [(part, *(_interval(_part(pooling, kind, part)) for kind, _ in kinds)) for part in PARTS],
        "heads": [f"{words} ({pooling[kind]['cells']:,})" for kind, words in kinds],
        "judged": [(name, _interval(share)) for name, share in pooling["judged"].items()],
        "ranks": _ranks(pooling["ranks"]),
    }


def _ranks(ranks: Mapping[str, Any]) -> dict[str, Any]:
    """How high BM25 ranks the labelled and the others, as rows of text."""
    kinds = {"labelled": "labelled", "unlabelled": ranks["others"]}
    rows = []
    for depth in map(str, WITHIN):
        shares = [ranks[kind]["within"][depth] for kind in kinds]
        rows.append((depth, *("–" if share is None else f"{share:.1%}" for share in shares)))
    heads = [f"{words} ({ranks[kind]['cells']:,})" for kind, words in kinds.items()]
    return {"says": ranks["says"], "heads": heads, "rows": rows}


def _part(pooling: Mapping[str, Any], kind: str, part: str) -> Mapping[str, float | None]:
    """A share; of unjudged documents that neither retriever found there is none to speak of."""
    return {"share": None} if (kind, part) == ("unjudged", "neither") else pooling[kind]["parts"][part]


def _interval(share: Mapping[str, float | None]) -> dict[str, str | float]:
    if share["share"] is None:
        return {"width": 0.0, "share": "–", "interval": ""}
    return {
        "width": round(100 * share["share"], 1),
        "share": f"{share['share']:.1%}",
        "interval": f"{share['low']:.1%} to {share['high']:.1%}",
    }
