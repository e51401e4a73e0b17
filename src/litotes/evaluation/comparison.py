"""Two systems on the same queries: paired test, interval of the difference, wins and losses."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.core.errors import LitotesError
from litotes.evaluation.significance import bootstrap_interval, paired_randomisation_test
from litotes.evaluation.text_table import text_table

if TYPE_CHECKING:
    from litotes.evaluation.retrieval import Evaluation

__all__ = ["Comparison", "Difference", "compare"]


@dataclass(frozen=True)
class Difference:
    """System ``a`` minus system ``b`` in one metric, over the queries that both were measured on.

    Attributes:
        low, high: bootstrap interval of the mean difference (95 % unless asked otherwise).
        p_value: two-sided, of the paired randomisation test; never 0.
        better, worse, equal: queries on which a is so.
    """

    metric: str
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    p_value: float
    better: int
    worse: int
    equal: int


@dataclass(frozen=True)
class Comparison:
    """All metrics that two evaluations share. The p-values are not corrected for their number."""

    a: str
    b: str
    level: float
    differences: list[Difference]

    def table(self) -> str:
        """For people: one line a metric."""
        header = ["", self.b, self.a, "difference", f"{self.level:.0%} interval", "p", "better/worse/equal"]
        return text_table(header, [_line(difference) for difference in self.differences])

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"a": self.a, "b": self.b, "level": self.level, "differences": [asdict(d) for d in self.differences]}


def compare(
    a: Evaluation,
    b: Evaluation,
    *,
    seed: int = 0,
    permutations: int = 10_000,
    resamples: int = 10_000,
    level: float = 0.95,
) -> Comparison:
    """Is ``a`` better than ``b``? Metric by metric, paired by query.

    Raises:
        LitotesError: no metric in common, or measured on different queries.
    """
    metrics = [metric for metric in a.per_query if metric in b.per_query]
    if not metrics:
        raise LitotesError(
            f"{a.name} was measured by {', '.join(a.per_query)}, {b.name} by {', '.join(b.per_query)}: "
            "nothing to compare. Evaluate both with the same metrics."
        )
    differences = []
    for metric in metrics:
        values_a, values_b = _paired(a, b, metric)
        gaps = values_a - values_b
        low, high = bootstrap_interval(gaps, level=level, resamples=resamples, seed=seed)
        differences.append(
            Difference(
                metric=metric,
                mean_a=float(values_a.mean()),
                mean_b=float(values_b.mean()),
                difference=float(gaps.mean()),
                low=low,
                high=high,
                p_value=paired_randomisation_test(gaps, permutations=permutations, seed=seed),
                better=int((gaps > 0).sum()),
                worse=int((gaps < 0).sum()),
                equal=int((gaps == 0).sum()),
            )
        )
    return Comparison(a.name, b.name, level, differences)


def _paired(a: Evaluation, b: Evaluation, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """The values of both in one order of queries."""
    of_a, of_b = a.per_query[metric], b.per_query[metric]
    if of_a.keys() != of_b.keys():
        odd = min(of_a.keys() ^ of_b.keys())
        raise LitotesError(
            f"{a.name} and {b.name} were measured on different queries ({len(of_a)} and {len(of_b)}; {odd!r} is in one "
            "of them only). Evaluate both on the same data and split."
        )
    return np.array([of_a[query] for query in of_a]), np.array([of_b[query] for query in of_a])


def _line(d: Difference) -> list[str]:
    return [
        d.metric,
        f"{d.mean_b:.4f}",
        f"{d.mean_a:.4f}",
        f"{d.difference:+.4f}",
        f"[{d.low:+.4f}, {d.high:+.4f}]",
        f"{d.p_value:.4f}",
        f"{d.better}/{d.worse}/{d.equal}",
    ]
