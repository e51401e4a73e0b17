"""Evaluating a retriever: search over the full corpus, metrics per query, and the run that trec_eval reads.

A pool of candidates would hide exactly what hard negatives change, the top of the ranking over all documents, so there
is no evaluation over pools here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.core.checks import check_int
from litotes.core.errors import DataError, LitotesError
from litotes.evaluation.metrics import DEFAULT_METRICS, MetricValues, check_metrics, deepest_cutoff, measure_run
from litotes.evaluation.text_table import text_table

if TYPE_CHECKING:
    from litotes.core import Collection, LabelMatrix

__all__ = ["Evaluation", "evaluate"]

_USUAL_DEPTH = 1000  # of a run file


@dataclass(frozen=True)
class Evaluation:
    """What an encoder or a run is worth on one collection.

    Attributes:
        name: what people call the encoder or run.
        per_query: ``{metric: {query id: value}}``, queries with relevant documents only.
        means: ``{metric: mean}``.
        run: ``{query id: {document id: score}}``, best first.
        counts: queries, those left out for want of relevant documents, those without a single result, documents.
    """

    name: str
    per_query: dict[str, dict[str, float]]
    means: dict[str, float]
    run: dict[str, dict[str, float]] = field(repr=False)
    counts: dict[str, int]

    def write_run(self, path: str | os.PathLike[str]) -> None:
        """Write the run as a TREC file, whole or not at all; the tag is the name, blanks replaced."""
        from litotes.data.trec import write_run

        write_run(path, self.run, tag="-".join(self.name.split()) or "litotes")

    def table(self) -> str:
        """The means as a table for people."""
        return text_table(["", *self.means], [[self.name, *(f"{value:.4f}" for value in self.means.values())]])

    def to_dict(self) -> dict[str, Any]:
        """Everything but the run, ready for JSON."""
        return {"name": self.name, "means": self.means, "counts": self.counts, "per_query": self.per_query}


def evaluate(
    data: Collection,
    encoder: Any,
    metrics: Iterable[str] = DEFAULT_METRICS,
    *,
    qrels: LabelMatrix | None = None,
    top: int | None = None,
    drop_identical_ids: bool = False,
    name: str | None = None,
) -> Evaluation:
    """Rank all documents of ``data`` for each of its queries, and measure the ranking against its labels.

    Args:
        data: the queries (rows) and the corpus (columns).
        encoder: whatever :func:`~litotes.models.encoder.resolve_encoder` takes (a name, a folder, ``builtin:minilm``, a
            live model, an encoder that is ready); or a run instead: ``{query: {document: score}}``, a TREC run file, or
            ``"run:FILE"``.
        metrics: names of ir-measures.
        qrels: other judgements than ``data.labels``, such as ``data.truth``.
        top: documents a query in the run; by default 1,000, or more where a metric looks deeper.
        drop_identical_ids: leave out the document whose id is the query's, as BEIR does (ArguAna and Quora list the
            query itself). Off by default: where queries and documents are both numbered 1, 2, 3 ... it is wrong.
        name: what to call it; by default the encoder's name, or the file's.

    Queries and documents without content are not searched; a query without results scores 0, one without relevant
    documents is left out of per-query values and means.

    Raises:
        LitotesError: an unknown metric, ``top`` below a metric's cutoff, no query with relevant documents, or a run of
            other queries.
    """
    metrics = list(check_metrics(metrics))
    top = _depth(metrics, top)
    labels = data.labels if qrels is None else qrels
    grades = _grades(labels)
    given = _given_run(encoder)
    run = (
        _search(data, encoder, top, drop_identical_ids) if given is None else _cut(data, given, top, drop_identical_ids)
    )
    measured = measure_run(run, grades, metrics, min_grade=labels.min_grade)
    counts = _counts(data, run, measured)
    if not counts["queries"]:
        raise DataError(
            f"None of the {data.n_rows} queries has a relevant document, so there is nothing to measure. "
            "Check the split and the judgements (litotes inspect shows both)."
        )
    return Evaluation(name or _name(encoder), measured.per_query, measured.means, run, counts)


def _depth(metrics: list[str], top: int | None) -> int:
    needed = deepest_cutoff(metrics)
    if top is None:
        return max(needed, _USUAL_DEPTH)
    check_int("evaluate", "top", top, at_least=1)
    if top < needed:
        raise LitotesError(
            f"The 'top' parameter of evaluate must reach the deepest metric, {needed}. Got {top} instead."
        )
    return top


def _grades(labels: LabelMatrix) -> dict[str, dict[str, float]]:
    """The judgements by id, rows in their order."""
    grades: dict[str, dict[str, float]] = {row_id: {} for row_id in labels.row_ids}
    for row, col, grade in zip(*(cells.tolist() for cells in labels.cells()), strict=True):
        grades[labels.row_ids[row]][labels.col_ids[col]] = grade
    return grades


def _given_run(encoder: Any) -> Mapping[str, Mapping[str, float]] | None:
    """The run that came instead of an encoder, if one did."""
    if isinstance(encoder, Mapping):
        return encoder
    if not isinstance(encoder, str | os.PathLike):
        return None
    path = os.fspath(encoder)
    if not path.startswith("run:") and not Path(path).is_file():
        return None
    from litotes.data.trec import read_run

    return read_run(path.removeprefix("run:"))


def _cut(
    data: Collection, run: Mapping[str, Mapping[str, float]], top: int, drop_identical_ids: bool
) -> dict[str, dict[str, float]]:
    """The ``top`` best documents of each query of the data, best first; equal scores by id descending."""
    cut = {}
    for query in data.row_ids:
        scores = run.get(query, {})
        kept = sorted((d for d in scores if not (drop_identical_ids and d == query)), reverse=True)
        kept.sort(key=lambda document: -np.float32(scores[document]))
        cut[query] = {document: float(scores[document]) for document in kept[:top]}
    if not any(cut.values()):
        raise DataError(
            f"None of the {len(run)} queries of the run is among the {data.n_rows} of the data; "
            f"the run begins with {next(iter(run), None)!r}, the data with {data.row_ids[0]!r}."
        )
    return cut


def _search(data: Collection, encoder: Any, top: int, drop_identical_ids: bool) -> dict[str, dict[str, float]]:
    from litotes.mining.exact_search import search
    from litotes.models.encoder import encode_cols, encode_rows, resolve_encoder

    encoder = resolve_encoder(encoder)
    queries, documents = encode_rows(data, encoder), encode_cols(data, encoder)
    asked = np.flatnonzero(data.rows_with_content)
    exclude = _identical(data, asked) if drop_identical_ids else None
    usable = data.cols_with_content
    if not len(asked) or not usable.any():
        raise DataError("Evaluation needs queries and documents with content, and this data has none.")
    k = min(top, data.n_cols)
    scores, cols, keep = search(queries[asked], documents, k, exclude=exclude, usable=usable, description="Searching")
    ids = data.col_ids.values
    return {
        data.row_ids[row]: {ids[col]: score for col, score in zip(c[k].tolist(), s[k].tolist(), strict=True)}
        for row, s, c, k in zip(asked.tolist(), scores, cols, keep, strict=True)
    }


def _identical(data: Collection, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per row the column of the same id, in CSR form."""
    cols = data.col_ids.positions([data.row_ids[row] for row in rows], missing=-1)
    return np.concatenate([[0], np.cumsum(cols >= 0)]), cols[cols >= 0]


def _counts(data: Collection, run: Mapping[str, Mapping[str, float]], measured: MetricValues) -> dict[str, int]:
    measured_queries = next(iter(measured.per_query.values()))
    return {
        "queries": len(measured_queries),
        "queries_without_relevant": data.n_rows - len(measured_queries),
        "queries_without_results": sum(not run.get(query) for query in measured_queries),
        "documents": data.n_cols,
    }


def _name(encoder: Any) -> str:
    if isinstance(encoder, str | os.PathLike):
        return os.fspath(encoder).removeprefix("run:")
    return "run" if isinstance(encoder, Mapping) else type(encoder).__name__
