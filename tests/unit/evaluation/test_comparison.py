"""Comparing two evaluations."""

import json

import numpy as np
import pytest

from litotes.core.errors import LitotesError
from litotes.evaluation import Evaluation, compare


def evaluation(name: str, values: list[float], metric: str = "nDCG@10") -> Evaluation:
    per_query = {metric: {f"q{i}": float(value) for i, value in enumerate(values)}}
    return Evaluation(name, per_query, {metric: float(np.mean(values))}, run={}, counts={"queries": len(values)})


def test_the_difference_is_a_minus_b_paired_by_query_id():
    a, b = evaluation("new", [0.9, 0.5, 0.4, 0.4]), evaluation("old", [0.5, 0.6, 0.4, 0.1])
    b.per_query["nDCG@10"] = dict(reversed(b.per_query["nDCG@10"].items()))
    [found] = compare(a, b).differences
    assert found.difference == pytest.approx(0.15)
    assert (found.better, found.worse, found.equal) == (2, 1, 1)
    assert (found.mean_a, found.mean_b) == (pytest.approx(0.55), pytest.approx(0.4))
    assert found.low <= 0.15 <= found.high
    assert found.p_value == 0.5  # of 8 sign patterns of (.4, -.1, .3), 4 reach |.6|


def test_a_consistent_gain_is_significant_and_the_seed_repeats():
    rng = np.random.default_rng(0)
    base = rng.random(200)
    a, b = evaluation("new", base + 0.02 * rng.random(200)), evaluation("old", base)
    [found] = compare(a, b, permutations=999).differences
    assert found.p_value == 0.001
    assert found.low > 0
    assert compare(a, b, seed=3) == compare(a, b, seed=3)


def test_the_table_and_the_json():
    comparison = compare(evaluation("new", [0.5, 0.7]), evaluation("old", [0.4, 0.4]))
    header, line = comparison.table().splitlines()
    assert header.split() == ["old", "new", "difference", "95%", "interval", "p", "better/worse/equal"]
    assert line.split() == ["nDCG@10", "0.4000", "0.6000", "+0.2000", "[+0.1000,", "+0.3000]", "0.5000", "2/0/0"]
    assert json.loads(json.dumps(comparison.to_dict()))["differences"][0]["better"] == 2


def test_other_queries_or_other_metrics_are_refused():
    with pytest.raises(LitotesError, match=r"different queries \(2 and 1; 'q1' is in one of them only\)"):
        compare(evaluation("new", [0.5, 0.7]), evaluation("old", [0.4]))
    with pytest.raises(LitotesError, match="new was measured by nDCG@10, old by RR@10: nothing to compare"):
        compare(evaluation("new", [0.5]), evaluation("old", [0.4], "RR@10"))
