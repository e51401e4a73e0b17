"""Probabilities that are none are refused by row, and cross-validation never asks a row about itself."""

import numpy as np
import pytest

from litotes.auditing.label_probabilities import check_pred_probs, cross_probabilities
from litotes.core.errors import ArrayError

pytest.importorskip("sklearn")

GOOD = np.array([[0.5, 0.5], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (GOOD * [[1], [2]], r"row 1 \(from 0\) holds a number outside of 0 to 1"),
        (GOOD * [[1], [0.5]], r"row 1 \(from 0\) sums to 0.5, not to 1; 1 of 2 rows do not. Give probabilities, not"),
        (np.array([[0.5, 0.5], [np.nan, np.nan]]), r"row 1 \(from 0\) holds NaN"),
        (np.array([[0.5, 0.5], [1.5, -0.5]]), r"row 1 \(from 0\) holds a number outside of 0 to 1"),
        (GOOD[:1], r"shape \(1, 2\). Expected \(2, 2\): a row for each of the 2 rows, a column for each"),
        (GOOD[:, :1], r"shape \(2, 1\). Expected \(2, 2\)"),
        (GOOD[0], r"shape \(2,\). Expected \(2, 2\)"),
        ([["a", "b"], ["c", "d"]], "holds something that is no number"),
    ],
)
def test_probabilities_that_are_none_are_refused(given, says):
    with pytest.raises(ArrayError, match=says):
        check_pred_probs(given, 2, 2)


def test_half_precision_is_accepted_and_sums_to_one():
    found = check_pred_probs(np.full((4, 3), 1 / 3, dtype=np.float16), 4, 3)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)


def test_a_row_has_no_part_in_its_own_probabilities():
    features, labels = np.array([[0.0], [0.0], [0.0], [0.0], [50.0]]), np.array([0, 0, 1, 1, 2])
    found = cross_probabilities(features, labels, 4, folds=2)
    assert found[4, 2] == 0 and not found[:, 3].any()  # the only row of its class; a class that nobody has
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_folds_follow_the_seed_and_separate_what_can_be_separated():
    features = np.repeat([[0.0], [9.0]], 10, axis=0) + np.random.default_rng(0).normal(size=(20, 1))
    labels = np.repeat([0, 1], 10)
    found = cross_probabilities(features, labels, 2, seed=1)
    assert (found.argmax(axis=1) == labels).all()
    assert not np.array_equal(found, cross_probabilities(features, labels, 2, seed=2))


def test_cross_validation_needs_two_rows_of_some_class():
    with pytest.raises(ArrayError, match="two rows of some class. Got 2 rows, all different"):
        cross_probabilities(np.eye(2), np.array([0, 1]), 2)
