"""Errors by kind and by attribute, counted by hand; the noise of a noisy negative class is seen to be there."""

import json

import numpy as np
import pytest

from litotes.auditing.error_report import changed_labels, error_report
from litotes.core.errors import ArrayError

GIVEN = ["no", "no", "no", "a", "a", "b", "b", "b"]
GUESS = ["no", "a", "no", "no", "a", "a", "no", "b"]


def test_the_three_kinds_by_hand():
    counts = error_report(GIVEN, GUESS, "no").counts
    assert (counts.examples, counts.positives) == (8, 5)
    assert (counts.false_negatives, counts.false_positives, counts.confusions) == (2, 1, 1)
    assert counts.errors == 4 and counts.share_with_negative == 0.75 and counts.error_rate == 0.5


def test_by_attribute_values_and_quartiles():
    attributes = {"kind": list("xxyyxxyy"), "length": [1, 2, 3, 4, 5, 6, 7, 8], "wide": [*range(11), None][:8]}
    report = error_report(GIVEN, GUESS, "no", attributes={**attributes, "long": [0.5 * i for i in range(8)]})
    assert [(one.value, one.examples, one.errors) for one in report.by_attribute["kind"]] == [("x", 4, 2), ("y", 4, 2)]
    assert len(report.by_attribute["length"]) == 8  # a handful of values: each for itself
    many = error_report(GIVEN * 3, GUESS * 3, "no", attributes={"n": list(range(24))}).by_attribute["n"]
    assert [one.examples for one in many] == [6, 6, 6, 6]
    assert [one.value for one in many] == [
        "0 to below 5.75",
        "5.75 to below 11.5",
        "11.5 to below 17.25",
        "17.25 to 23",
    ]
    for groups in report.by_attribute.values():
        assert sum(one.errors for one in groups) == report.counts.errors


def test_missing_attributes_stand_apart():
    values = [1.0, None, float("nan"), *([2.0] * 5)]
    groups = error_report(GIVEN, GUESS, "no", attributes={"a": values}).by_attribute["a"]
    assert [(one.value, one.examples) for one in groups] == [("1", 1), ("2", 5), ("missing", 2)]


def test_with_known_truth_most_noise_is_seen_in_the_negatives():
    """Positives called negative: the changed share of the negative class is the noise, and no other class changed."""
    rng = np.random.default_rng(0)
    truth = rng.choice(["no", "a", "b"], 500, p=[0.6, 0.2, 0.2])
    given = np.where((truth != "no") & (rng.random(500) < 0.3), "no", truth)
    report = error_report(given, truth, "no", reference=truth)
    wrong = report.wrong_labels
    assert next(iter(wrong)) == "no" and wrong["no"]["changed"] == (given != truth).sum() > 40
    assert wrong["a"]["changed"] == wrong["b"]["changed"] == 0
    assert report.counts.share_with_negative == 1.0 and report.counts.false_positives == wrong["no"]["changed"]


def test_what_nobody_looked_at_again_is_left_out():
    found = changed_labels(["no", "no", "no", "a"], ["a", None, "no", None])
    assert found == {"no": {"examples": 2, "changed": 1, "share": 0.5, "to": {"a": 1}}}


def test_is_ready_for_json():
    report = error_report(GIVEN, GUESS, "no", attributes={"kind": list("xxyyxxyy")}, reference=GUESS)
    assert json.loads(json.dumps(report.to_dict()))["counts"]["false_negatives"] == 2


def test_nothing_to_count_is_no_error():
    counts = error_report([], [], "no").counts
    assert counts.errors == 0 and counts.share_with_negative is None and counts.error_rate is None


def test_what_does_not_fit_is_refused():
    with pytest.raises(ArrayError, match=r"must be of one length \[n\]. Got \(2,\) and \(1,\)"):
        error_report(["a", "b"], ["a"], "no")
    with pytest.raises(ArrayError, match="The attribute 'length' has 1 values for 2 examples."):
        error_report(["a", "b"], ["a", "b"], "no", attributes={"length": [3]})
    with pytest.raises(ArrayError, match="Labels and reference must be of one length"):
        changed_labels(["a"], ["a", "b"])
