"""The spread of weights, their histogram, and the ratio on false and true negatives."""

import json

import numpy as np
import pytest

from litotes.core.errors import LitotesError
from litotes.evaluation.weight_report import weight_report


def test_by_hand():
    found = weight_report(np.array([1.1, 1.2, 2.0, 7.0]), np.array([True, False, True, False]))
    assert found["cells"] == 4 and found["mean"] == pytest.approx(2.825)
    assert (found["lowest"], found["highest"]) == (1.1, 7.0) and found["sd"] == pytest.approx(2.4355, abs=1e-4)
    assert found["histogram"] == [
        [1.0, 2],
        [1.25, 0],
        [1.5, 0],
        [1.75, 0],
        [2.0, 1],
        [2.5, 0],
        [3.0, 0],
        [4.0, 0],
        [6.0, 1],
    ]
    assert (found["false_negatives"], found["share_false"]) == (2, 0.5)
    assert found["mean_on_false"] == pytest.approx(1.55) and found["mean_on_true"] == pytest.approx(4.1)
    assert found["ratio"] == pytest.approx(1.55 / 4.1)


def test_every_weight_is_in_one_bin():
    weights = np.exp(np.random.default_rng(0).normal(size=1000) * 3)
    assert sum(count for _, count in weight_report(weights)["histogram"]) == 1000


def test_where_the_truth_is_not_known_nothing_is_said_of_it():
    assert "ratio" not in weight_report(np.ones(3))


@pytest.mark.parametrize("is_false", [[True, True], [False, False]])
def test_a_ratio_needs_cells_of_both_kinds(is_false):
    assert weight_report(np.ones(2), np.array(is_false))["ratio"] is None


def test_no_cells_give_a_report_that_json_takes():
    found = weight_report(np.ones(0), np.ones(0, dtype=bool))
    assert found["cells"] == 0 and found["histogram"] == [] and found["ratio"] is None
    json.dumps(weight_report(np.array([1.0, 2.0]), np.array([True, False])), allow_nan=False)


@pytest.mark.parametrize("weights", [[np.nan], [np.inf], [-1.0]])
def test_weights_that_are_none(weights):
    with pytest.raises(LitotesError, match="weights that are finite and not negative"):
        weight_report(np.array(weights))


@pytest.mark.parametrize("is_false", [np.array([1, 0]), np.array([True])])
def test_a_mask_of_another_kind(is_false):
    with pytest.raises(LitotesError, match="is_false as 2 booleans. Got"):
        weight_report(np.ones(2), is_false)
