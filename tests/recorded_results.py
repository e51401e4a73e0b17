"""What a recorded result must be like: it is of its claims as they stand, and its numbers follow from its values."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from litotes.evaluation.claim import Claim
from litotes.evaluation.claim_result import arm_numbers
from litotes.evaluation.experiment import _best
from litotes.evaluation.verdict import VERDICTS, Decision, _in_words, decide, t_interval

_EXACT = {"rtol": 1e-12, "atol": 1e-15}


def complaints(record: Mapping[str, Any], claim: Claim) -> list[str]:
    """What in a record does not follow from its claim and its values; empty where all does.

    Values by query are not recorded, so the bootstrap interval is taken as it is; whatever follows from it is not.
    """
    found = [f"{name} is not that of the claim" for name, value in _of_claim(claim).items() if record[name] != value]
    if list(record["arms"]) != list(claim.arms):
        return [*found, f"the arms are {list(record['arms'])}"]
    for name, arm in record["arms"].items():
        found += [f"{name}: {what}" for what in _of_arm(arm, claim, name)]
    if found:
        return found
    asked = [(c["a"], c["operator"], c["b"]) for c in record["comparisons"]]
    if asked != [tuple(each) for each in claim.holds]:
        return [*found, f"the comparisons are {asked}"]
    for c in record["comparisons"]:
        found += [f"{c['a']} {c['operator']} {c['b']}: {what}" for what in _of_comparison(c, record["arms"], claim)]
    verdicts = {c["verdict"] for c in record["comparisons"]}
    if record["verdict"] != next(verdict for verdict in VERDICTS if verdict in verdicts):
        found.append("the verdict is not that of its comparisons")
    return found


def _of_claim(claim: Claim) -> dict[str, Any]:
    names = ("name", "says", "source", "data", "metric", "note", "digest")
    return {**{name: getattr(claim, name) for name in names}, "as_registered": True}


def _of_arm(arm: Mapping[str, Any], claim: Claim, name: str) -> list[str]:
    found, registered = [], claim.arms[name]
    if list(arm["values"]) != [str(seed) for seed in claim.seeds]:
        found.append("other seeds than registered")
    numbers = arm_numbers(list(arm["values"].values()))
    found += [f"{what} is not {value}" for what, value in numbers.items() if not np.isclose(arm[what], value, **_EXACT)]
    if [trial["options"] for trial in arm["tried"]] != [dict(trial) for trial in registered.trials]:
        return [*found, "other trials than registered"]
    config = dict(registered.config)
    if arm["tried"]:
        config |= registered.trials[_best([t[claim.choose_by or claim.metric] for t in arm["tried"]], claim)]
    if (arm["command"], arm["config"]) != (registered.command, config):
        found.append("not the arm that was registered and chosen")
    return found


def _of_comparison(c: Mapping[str, Any], arms: Mapping[str, Any], claim: Claim) -> list[str]:
    if (c["effect"], c["margin"]) != (claim.effect, claim.margin):
        return ["another effect or margin than the claim's"]
    a, b = np.array(list(arms[c["a"]]["values"].values())), c["b"]
    gaps = a - (np.array(list(arms[b]["values"].values())) if isinstance(b, str) else b)
    bare = decide(c["operator"], gaps, effect=claim.effect, margin=claim.margin, comparisons=len(claim.holds))
    alpha = 0.05 / len(claim.holds)
    level = 1 - 2 * alpha if c["operator"] == "=" and c["verdict"] != "does not hold" else 1 - alpha
    over_seeds = t_interval(np.where(np.abs(gaps) < 1e-9 * claim.effect, 0, gaps), level, 1e-9 * claim.effect)
    ends = [*over_seeds, *(c["bootstrap_interval"] or ())]
    low, high = min(ends), max(ends)
    expected: dict[str, Any] = {"difference": bare.difference, "level": level, "low": low, "high": high}
    expected |= {"t_interval": over_seeds, "p_value": bare.p_value, "seeds": len(gaps)}
    found = [what for what, value in expected.items() if not np.allclose(c[what], value, **_EXACT)]
    if c["verdict"] != _verdict(c, low, high, claim):
        found.append("verdict")
    queries = c["bootstrap_interval"] or [low, high]
    if not queries[0] <= c["difference"] <= queries[1]:
        found.append("bootstrap_interval")
    if c["sentence"] != _sentence(c, claim):
        found.append("sentence")
    return [f"{what} does not follow from the values" for what in found]


def _verdict(c: Mapping[str, Any], low: float, high: float, claim: Claim) -> str:
    if c["operator"] == "=":
        if c["verdict"] == "does not hold":
            return "does not hold" if low > claim.margin or high < -claim.margin else "no such verdict"
        return "holds" if -claim.margin <= low and high <= claim.margin else "too small to tell"
    low, high = (low, high) if c["operator"] == ">" else (-high, -low)
    if low > 0 or high <= 0:
        return "holds" if low > 0 else "does not hold"
    return "not separable here" if high - low < claim.effect else "too small to tell"


def _sentence(c: Mapping[str, Any], claim: Claim) -> str:
    """As the same numbers are put in words; how many queries there were is taken from the sentence."""
    told = re.search(r"seeds and ([\d,]+) queries", c["sentence"])
    queries = int(told[1].replace(",", "")) if told else 0
    decision = Decision(**{name: c[name] for name in Decision.__dataclass_fields__})
    limit = claim.margin if c["operator"] == "=" else claim.effect
    said = _in_words(replace(decision, sentence=""), c["operator"], limit, queries)
    return said if (queries > 0) == (c["bootstrap_interval"] is not None) else "another number of queries"
