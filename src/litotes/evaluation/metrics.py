"""Retrieval metrics as trec_eval defines them, computed by ``ir-measures``, per query and on average.

Any measure that ir-measures can parse has its name there: ``nDCG@10``, ``RR@10``, ``R@100``, ``P@10``, ``AP``,
``R(rel=2)@100``. nDCG has linear gains and a discount of 1 / log2(rank + 1).

**Order.** A run is sorted by score, kept as float32, and equal scores by document id *descending*, as trec_eval does.
Libraries behind ir-measures disagree on ties (MS MARCO's RR@10 sorts ids ascending), so they never see one: they get
the order itself as scores.

**Which queries count.** A query with relevant documents and no results has the measure's value for nothing (0), so a
mean never drops hard queries. A query without relevant documents is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from litotes.core.errors import DataError, LitotesError, require

__all__ = ["DEFAULT_METRICS", "MetricValues", "check_metrics", "deepest_cutoff", "measure_run", "measure_scores"]

DEFAULT_METRICS = ("nDCG@10", "RR@10", "R@100")

Run = Mapping[str, Mapping[str, float]]
Grades = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class MetricValues:
    """Values by metric, under the names that were asked for."""

    per_query: dict[str, dict[str, float]]
    """``{metric: {query id: value}}``, queries with relevant documents only, in the order of the judgements."""
    means: dict[str, float]
    """``{metric: value over all these queries}``; NaN where there is none."""


def measure_run(
    run: Run, grades: Grades, metrics: Iterable[str] = DEFAULT_METRICS, *, min_grade: float = 1.0
) -> MetricValues:
    """Measure a run ``{query: {document: score}}`` against judgements ``{query: {document: grade}}``.

    Args:
        min_grade: the smallest grade that is relevant, for measures that do not say (``R(rel=2)@10`` does).

    Raises:
        LitotesError: an unknown metric.
        DataError: a score that is NaN, or a grade that is no whole number.

    >>> measure_run({"q": {"a": 2.0, "b": 1.0}}, {"q": {"b": 1}}, ["RR@10"]).means
    {'RR@10': 0.5}
    """
    measures = {name: _relevant_from(measure, min_grade) for name, measure in check_metrics(metrics).items()}
    judged = {query: _whole(query, found) for query, found in grades.items()}
    judged = {query: found for query, found in judged.items() if found and max(found.values()) >= min_grade}
    values = {name: dict.fromkeys(judged, float(measure.DEFAULT)) for name, measure in measures.items()}
    if not judged:
        return MetricValues(values, dict.fromkeys(measures, float("nan")))
    depth = deepest_cutoff(measures) if all(map(_looks_no_deeper, measures.values())) else None
    ordered = {query: _order_as_scores(query, run[query], depth) for query in judged if run.get(query)}
    asked: dict[Any, list[str]] = {}
    for name, measure in measures.items():
        asked.setdefault(measure, []).append(name)
    import ir_measures

    for value in ir_measures.iter_calc(list(asked), judged, ordered):
        for name in asked[value.measure]:
            values[name][value.query_id] = float(value.value)
    return MetricValues(values, {name: _aggregate(measures[name], found) for name, found in values.items()})


def measure_scores(
    scores: np.ndarray, relevance: np.ndarray, metrics: Iterable[str] = DEFAULT_METRICS, *, min_grade: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """The same from a matrix of scores and one of grades, both ``[queries, documents]``.

    Documents are numbered in column order, so equal scores rank the *later* column first. A NaN grade is unjudged.

    Returns:
        Values float64 ``[queries, metrics]``, a row of NaN for a query without relevant documents, and their means
        ``[metrics]``.
    """
    scores, relevance, metrics = np.asarray(scores), np.asarray(relevance), list(metrics)
    if scores.ndim != 2 or scores.shape != relevance.shape:
        raise LitotesError(
            "measure_scores takes scores and grades of one shape [queries, documents]. "
            f"Got {scores.shape} and {relevance.shape}."
        )
    queries, documents = _numbered(scores.shape[0]), _numbered(scores.shape[1])
    run = {q: dict(zip(documents, row.tolist(), strict=True)) for q, row in zip(queries, scores, strict=True)}
    grades = {
        q: {documents[col]: float(row[col]) for col in np.flatnonzero(~np.isnan(row))}
        for q, row in zip(queries, relevance.astype(np.float64), strict=True)
    }
    measured = measure_run(run, grades, metrics, min_grade=min_grade)
    values = [[measured.per_query[metric].get(q, np.nan) for metric in metrics] for q in queries]
    return np.array(values, dtype=np.float64).reshape(len(queries), len(metrics)), np.array(
        [measured.means[metric] for metric in metrics], dtype=np.float64
    )


def check_metrics(metrics: Iterable[str]) -> dict[str, Any]:
    """The measures of ir-measures under the names as typed; an unknown one is an error that shows known ones."""
    require("ir_measures", extra="retrieval")
    import ir_measures

    if isinstance(metrics, str):
        raise LitotesError(f"Metrics are a list of names. Got the text {metrics!r}: write [{metrics!r}].")
    found = {}
    for name in metrics:
        try:
            found[name] = ir_measures.parse_measure(name)
            known = ir_measures.DefaultPipeline.supports(found[name])
        except (NameError, ValueError, TypeError, AssertionError):
            known = False
        if not known:
            raise LitotesError(
                f"{name!r} is not a metric that can be computed. Write it as ir-measures does: nDCG@10, RR@10, R@100, "
                "P@10, AP, Success@1, R(rel=2)@100."
            )
    if not found:
        raise LitotesError("No metric was asked for. Name at least one, such as nDCG@10.")
    return found


def deepest_cutoff(metrics: Iterable[str]) -> int:
    """The largest rank that any of the metrics looks at; 0 where none says."""
    cutoffs = [measure.params.get("cutoff", 0) for measure in check_metrics(metrics).values()]
    return max(int(cutoff) for cutoff in cutoffs)


def _relevant_from(measure: Any, min_grade: float) -> Any:
    if min_grade == 1 or "rel" in measure.params or "rel" not in measure.SUPPORTED_PARAMS:
        return measure
    if min_grade != int(min_grade):
        raise LitotesError(f"Metrics count grades from a whole number on. Got min_grade={min_grade}.")
    return measure(rel=int(min_grade))


def _looks_no_deeper(measure: Any) -> bool:
    """Whether ranks behind the cutoff cannot matter."""
    return "cutoff" in measure.params and not measure.params.get("judged_only", False)


def _whole(query: str, found: Mapping[str, float]) -> dict[str, int]:
    """Grades as ints."""
    grades = {document: int(grade) for document, grade in found.items()}
    for document, grade in found.items():
        if grades[document] != grade:
            raise DataError(
                f"The grade of ({query!r}, {document!r}) is {grade}; metrics need whole grades. "
                "Load the labels with grades rounded to whole numbers."
            )
    return grades


def _order_as_scores(query: str, scores: Mapping[str, float], depth: int | None) -> dict[str, float]:
    """The run's first ``depth`` documents (None: all) in trec_eval's order, with distinct scores n, n - 1, ..., 1."""
    documents = list(scores)
    kept = np.fromiter(scores.values(), dtype=np.float32, count=len(documents))
    if np.isnan(kept).any():
        bad = documents[int(np.flatnonzero(np.isnan(kept))[0])]
        raise DataError(f"The score of ({query!r}, {bad!r}) is NaN; a run needs numbers.")
    depth = len(kept) if depth is None else min(depth, len(kept))
    edge = np.partition(kept, -depth)[-depth]
    places = sorted(np.flatnonzero(kept >= edge).tolist(), key=documents.__getitem__, reverse=True)
    places.sort(key=(-kept).__getitem__)
    return {documents[place]: float(depth - rank) for rank, place in enumerate(places[:depth])}


def _aggregate(measure: Any, found: Mapping[str, float]) -> float:
    aggregator = measure.aggregator()
    for value in found.values():
        aggregator.add(value)
    return float(aggregator.result())


def _numbered(count: int) -> list[str]:
    """Ids whose alphabetical order is their order."""
    width = len(str(max(count - 1, 0)))
    return [f"{place:0{width}d}" for place in range(count)]
