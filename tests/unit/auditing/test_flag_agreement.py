"""Overlap of what several runs flag, counted by hand."""

import json

import numpy as np
import pytest

from litotes.auditing.flag_agreement import flag_agreement
from litotes.core.errors import ArrayError


def test_by_hand():
    found = flag_agreement({"a": [0, 1, 2, 3], "b": [2, 3, 4], "c": []}, n=12)
    assert found.times.tolist() == [1, 1, 2, 2, 1, *[0] * 7]
    first = found.pairs[0]
    assert (first.first, first.second, first.both, first.only_first, first.only_second) == ("a", "b", 2, 2, 1)
    assert first.jaccard == 2 / 5 and first.lift == 2 / (4 * 3 / 12)
    assert found.pairs[1].jaccard == 0.0 and found.pairs[1].lift is None
    assert found.by_all.tolist() == [] and found.by_any.tolist() == [0, 1, 2, 3, 4]
    assert found.at_least(2).tolist() == [2, 3]
    assert json.loads(json.dumps(found.to_dict()))["flagged_by"] == {"1": 3, "2": 2, "3": 0}


def test_masks_and_positions_say_the_same():
    rng = np.random.default_rng(0)
    masks = {name: rng.random(50) < 0.3 for name in "ab"}
    by_mask = flag_agreement(masks)
    by_position = flag_agreement({name: np.flatnonzero(mask) for name, mask in masks.items()}, n=50)
    assert by_mask.to_dict() == by_position.to_dict()


def test_runs_that_agree_by_chance_have_a_lift_near_1():
    rng = np.random.default_rng(1)
    (pair,) = flag_agreement({name: rng.random(20000) < 0.2 for name in "ab"}).pairs
    assert pair.lift == pytest.approx(1.0, abs=0.1)
    (pair,) = flag_agreement({name: np.arange(100) < 20 for name in "ab"}).pairs
    assert pair.lift == 5.0 and pair.jaccard == 1.0


@pytest.mark.parametrize(
    ("flags", "n", "message"),
    [
        ({}, 3, "at least one run. Got none."),
        ({"a": [1]}, None, "The flags of 'a' are positions: say with n= how many examples there are."),
        ({"a": [3]}, 3, "The flags of 'a' must be booleans, or positions from 0 to 2."),
        ({"a": [0.5]}, 3, "must be booleans, or positions"),
        ({"a": np.ones(2, bool), "b": np.ones(3, bool)}, None, "about sets of 2, 3 examples; they must be one."),
    ],
)
def test_what_cannot_be_compared_is_refused(flags, n, message):
    with pytest.raises(ArrayError) as error:
        flag_agreement(flags, n)
    assert message in str(error.value)
