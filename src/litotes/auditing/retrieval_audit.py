"""``audit_retrieval``: what is wrong with one's relevance judgements, in lists that a person can work through.

The run folder first gets candidates (two retrievers and the neighbours of what is labelled), what the judges say of
them and the evidence on every cell, shard by shard; the lists and the report are made from that in one go at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from litotes.auditing.evidence import EVIDENCE
from litotes.auditing.false_negatives import EMPTY, false_negatives, first_suspects
from litotes.auditing.false_positives import false_positives
from litotes.auditing.findings import FILLED_IN, Findings
from litotes.auditing.gathering import gather, sign_of
from litotes.auditing.hard_queries import indistinct_queries, unanswerable_queries
from litotes.auditing.own_folder import check_outside
from litotes.auditing.pooling import pooling
from litotes.auditing.repeated_texts import near_duplicate_documents, text_twins
from litotes.auditing.retrieval_page import write_page
from litotes.core import Collection, RunFolder
from litotes.core import progress as core_progress
from litotes.core.candidates import data_parts
from litotes.core.checks import check_float, check_int
from litotes.core.errors import LitotesError, require
from litotes.core.files import write_atomically
from litotes.data.writing import grade_text
from litotes.judging.document import DocumentJudge
from litotes.judging.named import judge_from_spec

__all__ = ["Audit", "audit_retrieval"]


@dataclass(frozen=True)
class Audit:
    """What an audit of relevance judgements found; each table is sorted by how sure it is, the surest first.

    Attributes:
        false_negatives: unjudged documents that look like positives.
        false_positives: judged relevant, far from everything that is.
        near_duplicates: pairs of documents that share most of their word triples.
        text_twins: pairs of documents, and of queries, with the same text.
        unanswerable_queries: nothing relevant is there, or it is beyond reach of every retriever.
        indistinct_queries: pairs that ask the same and have different positives.
        pooling: which retriever the labelled positives come from; see :func:`litotes.auditing.pooling.pooling`.
        facts: everything that ``report.json`` holds.
        folder: the run folder; None where the audit was kept in memory only.
    """

    false_negatives: pa.Table
    false_positives: pa.Table
    near_duplicates: pa.Table
    text_twins: pa.Table
    unanswerable_queries: pa.Table
    indistinct_queries: pa.Table
    pooling: Mapping[str, Any]
    facts: Mapping[str, Any]
    folder: Path | None = None


def audit_retrieval(
    data: Collection,
    encoder: Any = "builtin:minilm",
    *,
    out: str | Path | RunFolder | None = None,
    by: Sequence[Any] = (),
    top: int = 50,
    limit: int = 1000,
    near: float = 0.7,
    depth: int = 10,
    reach: int = 100,
    shard_rows: int = 512,
    force: bool = False,
    seed: int = 0,
    say: Callable[[str], None] = core_progress.say,
) -> Audit:
    """Audit the relevance judgements of ``data``: one report, six lists, nothing in the data is changed.

    Args:
        data: the collection; its documents have texts.
        encoder: what embeds queries and documents; see :func:`litotes.models.encoder.resolve_encoder`.
        out: the run folder, new or one that an audit of the same data was stopped in; None keeps nothing on disk.
        by: further judges of the candidates, as ``"cross-encoder:model=NAME"`` or as objects.
        top: candidates a query from each of BM25, the encoder, and the neighbours of labelled documents.
        limit: rows of a list at most.
        near: the share of word triples from which two documents are near-duplicates.
        depth: first ranks of a retriever that count as found, in the section on pooling.
        reach: what ranks below this by every retriever is beyond reach: a positive there is suspected, and a query that
            has no other cannot be answered.
        shard_rows: queries in one unit of resume.
        force: make again what was made from other things.
        seed: of the bootstrap.
        say: takes one line of text for people.

    Raises:
        LitotesError: a parameter out of its range, two judges of one name or one named as a column of the list, data
            without texts, or ``out`` in the folder of the data.
        StaleError: ``out`` holds an audit of other data or by another encoder.
    """
    require("faiss", "bm25s", "jinja2", "scipy", extra="retrieval")
    settings: dict[str, Any] = {"top": top, "limit": limit, "near": near, "depth": depth, "reach": reach, "seed": seed}
    _check(**settings)
    if out is None:
        with tempfile.TemporaryDirectory(prefix="litotes-audit-") as folder:
            made = audit_retrieval(data, encoder, out=folder, by=by, shard_rows=shard_rows, say=say, **settings)
            return replace(made, folder=None)
    check_outside(out.path if isinstance(out, RunFolder) else out, data)
    judges = [DocumentJudge(), *(judge_from_spec(each) if isinstance(each, str) else each for each in by)]
    _check_names([judge.name for judge in judges[1:]])
    documents = int(data.cols_with_content.sum())
    if reach >= documents:
        say(
            f"Nothing is beyond reach: {reach:,} ranks take in all {documents:,} documents, so that no positive is "
            "suspected and no query called unanswerable for its rank. Give a smaller reach for that."
        )
    run = out if isinstance(out, RunFolder) else RunFolder.open(out)
    evidence = gather(run, data, encoder, judges, top=top, shard_rows=shard_rows, force=force, say=say)
    further = {judge.name: sign_of(judge) for judge in judges[1:]}
    lists = (
        false_negatives(data, evidence, limit, further),
        false_positives(data, evidence, limit, reach),
        near_duplicate_documents(data, near, limit),
        text_twins(data, limit),
        unanswerable_queries(data, evidence, limit, reach),
        indistinct_queries(data, limit),
    )
    facts = {
        "audit": "retrieval",
        "run": str(run.path),
        "data": _data_facts(data),
        "settings": settings,
        "judges": {judge.name: judge.says(data) if hasattr(judge, "says") else "not calibrated" for judge in judges},
        "pooling": pooling(data, evidence, first_suspects(evidence, further), depth, seed),
        "lists": {found.name: found.facts() for found in lists},
        "made_from": run.stages[EVIDENCE]["fingerprints"],
        "versions": run.stages[EVIDENCE]["versions"],
    }
    for found in lists:
        write_atomically(run.path / f"{found.name}.csv", found.to_csv())
        write_atomically(run.path / f"{found.name}.jsonl", found.to_jsonl())
    write_atomically(run.path / "review.qrels.tsv", _proposed(lists, data))
    write_page(run.path, facts, lists)
    tables = {found.name.replace("-", "_"): found.table() for found in lists}
    return Audit(**tables, pooling=facts["pooling"], facts=facts, folder=run.path)


def _check(**settings: Any) -> None:
    """Refuse settings out of their range."""
    for name in ("top", "limit", "depth", "reach"):
        check_int("audit_retrieval", name, settings[name], at_least=1)
    check_float("audit_retrieval", "near", settings["near"], above=0, at_most=1)
    if settings["depth"] > settings["top"]:
        raise LitotesError(
            f"The 'depth' parameter of audit_retrieval must be at most top, which says how many ranks are looked at. "
            f"Got {settings['depth']} and top={settings['top']} instead."
        )


def _check_names(judges: Sequence[str]) -> None:
    """Refuse a further judge that has no column of its own in the list of suspects."""
    for place, name in enumerate(judges):
        if name in EMPTY.columns or name in FILLED_IN:
            reason = "is the name of a column of every list of suspects"
        elif name in judges[:place]:
            reason = "is the name of two of them"
        else:
            continue
        raise LitotesError(f"The judges of 'by' need names of their own. {name!r} {reason}. Add name=ANOTHER to it.")


def _proposed(lists: Sequence[Findings], data: Collection) -> str:
    """The cells of the first two lists as judgements: what they would become if the audit were right everywhere."""
    missing, wrong = lists[0].rows, lists[1].rows
    grades = [(row, data.labels.min_grade) for row in missing] + [(row, 0.0) for row in wrong]
    lines = [f"{row['query_id']}\t{row['document_id']}\t{grade_text(grade)}\n" for row, grade in grades]
    return "".join(["query-id\tcorpus-id\tscore\n", *lines])


def _data_facts(data: Collection) -> dict[str, Any]:
    return {
        "name": data.name,
        "origin": data.origin,
        "split": data.split,
        "queries": data.n_rows,
        "documents": data.n_cols,
        "judgements": len(data.labels),
        "positives": int(data.labels.positive_counts().sum()),
        "min_grade": data.labels.min_grade,
        "fingerprint": data.fingerprint,
        "parts": data_parts(data),
    }
