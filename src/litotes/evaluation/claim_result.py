"""The result of a claim as a record for JSON: arms with every seed, intervals, verdicts, and what made them.

``docs/results/<slug>.json`` holds one record a claim. A record is written by the program that ran the claim and by
nothing else: it carries the claim's digest, and the commit that all its cells were made at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from litotes.core.errors import LitotesError
from litotes.core.files import make_folder, read_json, write_json
from litotes.core.folder_lock import locked
from litotes.evaluation.claim import Claim
from litotes.evaluation.experiment import Choice, Run
from litotes.evaluation.provenance import Made, agreed
from litotes.evaluation.verdict import decide, verdict_of

__all__ = ["arm_numbers", "claim_record", "enter_results", "made_as_one"]


def claim_record(claim: Claim, runs: Mapping[str, Mapping[int, Run]], choices: Mapping[str, Choice]) -> dict[str, Any]:
    """What a claim came to.

    Args:
        runs: ``{arm: {seed: run}}``, every arm with the same seeds.
        choices: what was tried for each arm on dev.

    Raises:
        LitotesError: an arm that does not measure the claim's metric, or runs that were not made by the same code at
            the same commit, by the same libraries, from the same data.
    """
    made = made_as_one(claim, runs, choices)
    seeds = list(next(iter(runs.values())))
    decisions = [
        decide(
            operator,
            _values(claim, runs, a, seeds) - (_values(claim, runs, b, seeds) if isinstance(b, str) else b),
            effect=claim.effect,
            margin=claim.margin,
            comparisons=len(claim.holds),
            per_query=_per_query(claim, runs, a, b, seeds),
        )
        for a, operator, b in claim.holds
    ]
    comparisons = [
        {
            "a": a,
            "operator": operator,
            "b": b,
            "effect": claim.effect,
            "margin": claim.margin,
            **decision.to_dict(),
            "queries_differ": _queries_differ(claim, runs, a, b),
        }
        for (a, operator, b), decision in zip(claim.holds, decisions, strict=True)
    ]
    return {
        **{name: getattr(claim, name) for name in ("name", "says", "source", "data", "metric", "note", "digest")},
        "verdict": verdict_of(decisions),
        "as_registered": seeds == list(claim.seeds),
        "commit": made.commit,
        "clean": made.clean,
        "package": made.package,
        "arms": {name: _arm(claim, name, runs[name], choices[name]) for name in claim.arms},
        "comparisons": comparisons,
        "seconds": round(sum(run.seconds for of_arm in runs.values() for run in of_arm.values()), 1),
        "versions": dict(made.versions),
    }


def made_as_one(claim: Claim, runs: Mapping[str, Mapping[int, Run]], choices: Mapping[str, Choice]) -> Made:
    """The one thing that made every run so far, trials on dev and starts included; runs that differ are refused."""
    made = [each for choice in choices.values() for each in choice.made]
    made += [each for of_arm in runs.values() for run in of_arm.values() for each in run.made]
    return agreed(made, f"the runs of the claim {claim.name!r}")


def enter_results(
    path: Path,
    slug: str,
    records: Sequence[Mapping[str, Any]],
    order: Sequence[str],
    beside: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Write the records into the file of a system; claims that were not run now keep theirs, if they still exist.

    Args:
        order: the names of all its claims, first to last.
        beside: called with the whole result to write what is made from it, while no other program enters anything.
    """
    with locked(make_folder(path.parent)):
        known = {record["name"]: record for record in read_json(path)["claims"]} if path.is_file() else {}
        known.update({record["name"]: dict(record) for record in records})
        result = {"slug": slug, "claims": [known[name] for name in order if name in known]}
        write_json(path, result)
        if beside is not None:
            beside(result)
    return result


def arm_numbers(values: Sequence[float]) -> dict[str, float]:
    """Mean, standard deviation and 95 % t interval of an arm's values, one a seed."""
    from scipy import stats

    mean, n = float(np.mean(values)), len(values)
    spread = float(np.std(values, ddof=1)) if n > 1 else 0.0
    half = float(stats.t.ppf(0.975, n - 1) * spread / np.sqrt(n)) if n > 1 else 0.0
    return {"mean": mean, "sd": spread, "low": mean - half, "high": mean + half}


def _arm(claim: Claim, name: str, runs: Mapping[int, Run], choice: Choice) -> dict[str, Any]:
    values = {str(seed): _metric(claim, name, run) for seed, run in runs.items()}
    shown = {
        metric: float(np.mean([run.outcome.metrics[metric] for run in runs.values()]))
        for metric in claim.shown
        if all(metric in run.outcome.metrics for run in runs.values())
    }
    return {
        "command": choice.arm.command,
        "config": dict(choice.arm.config),
        "start": None if choice.arm.start is None else choice.arm.start.to_dict(),
        "tried": choice.tried,
        "values": values,
        **arm_numbers(list(values.values())),
        "shown": shown,
        "facts": dict(next(iter(runs.values())).outcome.facts),
        "seconds": round(float(np.mean([run.seconds for run in runs.values()])), 1),
    }


def _metric(claim: Claim, arm: str, run: Run) -> float:
    if claim.metric not in run.outcome.metrics:
        raise LitotesError(
            f"The claim {claim.name!r} compares {claim.metric!r}, and the arm {arm!r} measures "
            f"{', '.join(run.outcome.metrics)}."
        )
    return float(run.outcome.metrics[claim.metric])


def _values(claim: Claim, runs: Mapping[str, Mapping[int, Run]], arm: str, seeds: Sequence[int]) -> np.ndarray:
    return np.array([_metric(claim, arm, runs[arm][seed]) for seed in seeds])


def _per_query(
    claim: Claim, runs: Mapping[str, Mapping[int, Run]], a: str, b: str | float, seeds: Sequence[int]
) -> np.ndarray | None:
    """float64 ``[seeds, queries]`` of a - b; None where the metric is not a mean over the same queries in every run."""
    names = [a, b] if isinstance(b, str) else [a]
    tables = [[runs[name][seed].outcome.per_query.get(claim.metric) for seed in seeds] for name in names]
    if any(table is None for of_arm in tables for table in of_arm) or _queries_differ(claim, runs, a, b):
        return None
    queries = list(tables[0][0] or ())
    matrices = [np.array([[(table or {})[query] for query in queries] for table in of_arm]) for of_arm in tables]
    return matrices[0] - matrices[1] if isinstance(b, str) else matrices[0] - b


def _queries_differ(claim: Claim, runs: Mapping[str, Mapping[int, Run]], a: str, b: str | float) -> bool:
    """Whether runs were measured on different queries: then queries and seeds are not crossed, and no bootstrap is."""
    names = [a, b] if isinstance(b, str) else [a]
    tables = [run.outcome.per_query.get(claim.metric) for name in names for run in runs[name].values()]
    return len({frozenset(table) for table in tables if table is not None}) > 1
