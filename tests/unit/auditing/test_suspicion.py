"""The one number: by hand, and what a missing piece of evidence does."""

import numpy as np
import pytest

from litotes.auditing.suspicion import places, suspicion

NAN = np.nan


def test_by_hand():
    found = suspicion(np.array([0.4]), np.array([0.6]), np.array([0.8]), np.array([1.0]))
    assert found == pytest.approx([0.4 + 0.3 + 0.1 + 0.125])


def test_no_evidence_counts_as_none_and_no_positive_as_unlike():
    found = suspicion(np.array([NAN, 0.0]), np.array([NAN, NAN]), np.array([NAN, 0.8]), np.array([NAN, NAN]))
    assert found == pytest.approx([-1.0, 0.1])


def test_a_further_judge_adds_an_eighth_of_its_place():
    nothing = np.zeros(3)
    found = suspicion(nothing, nothing, nothing, nothing, (np.array([0.0, 0.5, NAN]), np.array([1.0, 1.0, 0.0])))
    assert found == pytest.approx([0.125, 0.1875, 0.0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 1.0, 2.0], [1.0, 0.0, 0.5]),
        ([5.0, 5.0, 1.0], [0.75, 0.75, 0.0]),
        ([NAN, 2.0, 1.0], [NAN, 1.0, 0.0]),
        ([7.0], [0.0]),
        ([NAN, NAN], [NAN, NAN]),
        ([], []),
    ],
)
def test_places(values, expected):
    assert places(np.array(values)) == pytest.approx(expected, nan_ok=True)
