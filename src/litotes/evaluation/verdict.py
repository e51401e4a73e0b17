r"""Does a comparison hold? Decided by intervals of paired differences, with the words kept apart that people mix up.

With differences :math:`d_1, \dots, d_n` (arm a minus arm b, one a seed), m comparisons in the claim and
:math:`\alpha = 0.05/m` (Bonferroni), the interval that decides is the hull of

- the t interval :math:`\bar d \pm t_{n-1,\,1-\alpha/2}\, s/\sqrt n`: would other seeds say the same?
- where the metric is a mean over queries, the crossed bootstrap: would other queries of the kind, too?

``>`` *holds* where the interval lies above 0 and *does not hold* where no part of it does. An interval on both sides of
0 is *not separable here* if it is narrower than the effect that the claim speaks of, and *too small to tell* otherwise.
``=`` is asked by two one-sided tests (Schuirmann 1987): it holds where the interval of level :math:`1 - 2\alpha` lies
within the margin, and does not where the one of level :math:`1 - \alpha` lies outside.

Where there is no difference, a side is taken in about 5 to 8 % of cases. Each part sees the variance of one source
only, or underrates that of the other; where one source outweighs the other the hull keeps the 5 %, where both bring
about equally much it exceeds them, most with eight seeds and four comparisons.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from litotes.core.checks import check_choice, check_float, check_int
from litotes.core.errors import LitotesError, require
from litotes.evaluation.crossed_bootstrap import crossed_bootstrap
from litotes.evaluation.precision import Spread, fewest

__all__ = ["VERDICTS", "Decision", "crossed_bootstrap", "decide", "t_interval", "verdict_of"]

VERDICTS = ("does not hold", "too small to tell", "not separable here", "holds")
"""What can be said, the word that decides for several comparisons first."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class Decision:
    """What one comparison came to.

    Attributes:
        verdict: one of :data:`VERDICTS`.
        difference: mean over seeds of a - b.
        low, high: the interval that decided, hull of the two below.
        t_interval, bootstrap_interval: over seeds; over seeds and queries, None without values by query.
        level: the confidence of these intervals: 1 - .05 / comparisons; for ``=`` 1 - 2 * .05 / comparisons, except
            where the comparison does not hold.
        p_value: of the one-sided t test in the direction of the claim; for ``=`` the larger of the two. Not corrected.
            Where all seeds say the same there is no spread to test by: 0 on the claimed side, 1 elsewhere.
        seeds: how many there were.
        seeds_needed: where it is too small to tell: so many would tell. None where more seeds alone cannot.
        queries_needed: where the queries are too few, so many would tell, with these seeds or with ``seeds_needed``.
        sentence: all that in words.
    """

    verdict: str
    difference: float
    low: float
    high: float
    t_interval: Interval
    bootstrap_interval: Interval | None
    level: float
    p_value: float
    seeds: int
    seeds_needed: int | None
    queries_needed: int | None
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


def decide(
    operator: str,
    differences: np.ndarray | Sequence[float],
    *,
    effect: float,
    margin: float | None = None,
    comparisons: int = 1,
    per_query: np.ndarray | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> Decision:
    """The verdict on one comparison of a claim.

    Args:
        operator: ``>``, ``<`` or ``=``: what the claim says of a - b and 0.
        differences: float64 ``[seeds]``, a - b paired by seed; at least two.
        effect: the size of difference that the claim speaks of. Differences below a billionth of it are rounding.
        margin: for ``=``: within it, both ends included, counts as equal.
        comparisons: how many the claim has; each is tested at 5 % over their number.
        per_query: float64 ``[seeds, queries]``, a - b of each query, whose means over queries are ``differences``.
        resamples, seed: of the crossed bootstrap.

    Raises:
        LitotesError: a value that is not finite, fewer than two seeds, no margin for ``=``, or means over queries that
            are not the differences.

    >>> decide(">", [0.02, 0.03, 0.01, 0.02, 0.02], effect=0.01).sentence
    'The difference is +0.02 over 5 seeds (95 % interval +0.0112 to +0.0288), all of it above 0.'
    """
    require("scipy", extra="retrieval")
    check_choice("decide", "operator", operator, (">", "<", "="))
    check_float("decide", "effect", effect, above=0)
    check_int("decide", "comparisons", comparisons, at_least=1)
    within = check_float("decide", "margin", margin, above=0) if operator == "=" else 0.0
    values, matrix = _checked(differences, per_query)
    grain, alpha = 1e-9 * effect, 0.05 / comparisons
    values = np.where(np.abs(values) < grain, 0.0, values)
    difference = float(values.mean()) if abs(values.mean()) >= grain else 0.0

    def intervals(level: float) -> dict[str, Any]:
        over_seeds = t_interval(values, level, grain)
        over_both = None if matrix is None else crossed_bootstrap(matrix, level, resamples, seed)
        ends = [*over_seeds, *(over_both or ())]
        return {
            "low": min(ends),
            "high": max(ends),
            "t_interval": over_seeds,
            "bootstrap_interval": over_both,
            "level": level,
        }

    found, wanted = intervals(1 - alpha), effect
    if operator != "=":
        verdict = _beside_zero(operator, found["low"], found["high"], effect)
    elif found["low"] > within or found["high"] < -within:
        verdict = "does not hold"
    else:
        found = intervals(1 - 2 * alpha)
        verdict = "holds" if -within <= found["low"] and found["high"] <= within else "too small to tell"
        wanted = 2 * abs(within - abs(difference))  # then the interval lies on one side of the margin
    seeds_needed = queries_needed = None
    if verdict == "too small to tell":
        level = 1 - alpha if abs(difference) > within else found["level"]
        seeds_needed, queries_needed = fewest(Spread.of(values, matrix), wanted, level)
    decision = Decision(
        verdict=verdict,
        difference=difference,
        **found,
        p_value=_p_value(operator, values, within, grain),
        seeds=len(values),
        seeds_needed=seeds_needed,
        queries_needed=queries_needed,
        sentence="",
    )
    limit = within if operator == "=" else effect
    return replace(decision, sentence=_in_words(decision, operator, limit, 0 if matrix is None else matrix.shape[1]))


def verdict_of(decisions: Iterable[Decision]) -> str:
    """The verdict on a claim: all its comparisons must hold; otherwise the word that weighs most.

    >>> verdict_of([])
    Traceback (most recent call last):
        ...
    litotes.core.errors.LitotesError: A claim without comparisons has no verdict.
    """
    found = {decision.verdict for decision in decisions}
    if not found:
        raise LitotesError("A claim without comparisons has no verdict.")
    return next(verdict for verdict in VERDICTS if verdict in found)


def _checked(
    differences: np.ndarray | Sequence[float], per_query: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise LitotesError(
            f"decide takes one finite difference a seed, of at least two seeds. Got {values.tolist()} instead."
        )
    if per_query is None:
        return values, None
    matrix = np.asarray(per_query, dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) != len(values) or not matrix.shape[1] or not np.isfinite(matrix).all():
        raise LitotesError(
            f"The 'per_query' parameter of decide must be finite, [seeds, queries] for {len(values)} seeds. "
            f"Got shape {matrix.shape} instead."
        )
    off = np.abs(matrix.mean(axis=1) - values)
    if (off > 1e-6 * np.maximum(1, np.abs(matrix).max())).any():
        raise LitotesError(
            f"The means over queries of 'per_query' are not the differences that decide was given: they are off by up "
            f"to {off.max():.3g}. Pass per_query only where the metric is a mean over queries."
        )
    return values, matrix


def _beside_zero(operator: str, low: float, high: float, effect: float) -> str:
    if operator == "<":
        low, high = -high, -low
    if low > 0:
        return "holds"
    if high <= 0:
        return "does not hold"
    return "not separable here" if high - low < effect else "too small to tell"


def t_interval(values: np.ndarray, level: float, grain: float) -> Interval:
    """Student's interval of the mean; of values that differ by less than ``grain`` a point."""
    from scipy import special

    mean, n = float(values.mean()), len(values)
    if np.ptp(values) < grain:
        return mean, mean
    half = float(special.stdtrit(n - 1, (1 + level) / 2) * values.std(ddof=1)) / n**0.5
    return mean - half, mean + half


def _p_value(operator: str, values: np.ndarray, margin: float, grain: float) -> float:
    """One-sided; equal values settle it: 0 on the claimed side, 1 elsewhere."""
    from scipy import special

    if operator == "=":
        return max(_p_value(">", values + margin, 0.0, grain), _p_value("<", values - margin, 0.0, grain))
    towards, n = float(values.mean() if operator == ">" else -values.mean()), len(values)
    if np.ptp(values) < grain:
        return 0.0 if towards > 0 else 1.0
    return float(special.stdtr(n - 1, -towards / (values.std(ddof=1) / n**0.5)))


def _in_words(decision: Decision, operator: str, limit: float, queries: int) -> str:
    """One sentence; ``limit`` is the margin of ``=``, and the effect elsewhere."""
    over = f"{decision.seeds} seeds" + (f" and {queries:,} queries" if queries else "")
    said = (
        f"The difference is {_signed(decision.difference)} over {over} "
        f"({100 * decision.level:.3g} % interval {_signed(decision.low)} to {_signed(decision.high)}), "
    )
    if operator == "=":
        said += {"holds": "within", "does not hold": "outside"}.get(decision.verdict, "not on one side of")
        said += f" the margin of {limit:.3g}"
    elif decision.verdict in ("holds", "does not hold"):
        part = "all" if decision.verdict == "holds" else "no part"
        said += f"{part} of it {'above' if operator == '>' else 'below'} 0"
    else:
        than = "narrower" if decision.verdict == "not separable here" else "wider"
        said += f"which includes 0 and is {than} than the effect of {limit:.3g} that the claim speaks of"
    return said + (f"; {_what_it_takes(decision, operator)}." if decision.verdict == "too small to tell" else ".")


def _what_it_takes(decision: Decision, operator: str) -> str:
    numbers = {"seeds": decision.seeds_needed, "queries": decision.queries_needed}
    takes = " and ".join(f"{number:,} {what}" for what, number in numbers.items() if number is not None)
    given = ", if the difference stays as it is," if operator == "=" else ""
    if not takes:
        return f"no number of seeds within reach{given} would tell"
    alone = "" if decision.queries_needed is None else ", and more seeds alone would not"
    return f"about {takes}{given} would tell{alone}"


def _signed(value: float) -> str:
    return f"{value:+.3g}" if value else "0"
