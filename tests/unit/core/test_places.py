"""Places in groups, against the slow loop."""

import numpy as np
import pytest

from litotes.core.places import places_in_groups


def slow(groups, values, ties):
    """Groups in their order; in each by falling value, then by ties; each one's place."""
    order, places = [], []
    for group in sorted(set(groups.tolist())):
        inside = sorted(np.flatnonzero(groups == group), key=lambda i: (-values[i], ties[i]))
        order += inside
        places += range(len(inside))
    return order, places


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_slow_loop(seed):
    rng = np.random.default_rng(seed)
    groups, values, ties = rng.integers(0, 7, 60), rng.integers(0, 4, 60).astype(float), rng.permutation(60)
    order, place = places_in_groups(groups, values, ties)
    assert (order.tolist(), place.tolist()) == slow(groups, values, ties)
    order, place = places_in_groups(groups, values)
    assert (order.tolist(), place.tolist()) == slow(groups, values, np.arange(60))


def test_nothing_has_no_places():
    nothing = np.zeros(0)
    assert [len(part) for part in places_in_groups(nothing, nothing)] == [0, 0]


@pytest.mark.parametrize(
    "values",
    [
        np.array([0, 5, 9, 5], dtype=np.uint8),
        np.array([0, 2**64 - 1, 2**63, 2**64 - 1], dtype=np.uint64),
        np.array([-128, 5, 127, 5], dtype=np.int8),
        np.array([False, True, True, True]),
    ],
)
def test_values_of_any_kind_fall(values):
    order, place = places_in_groups(np.zeros(4, dtype=np.int64), values)
    expected = sorted(range(4), key=lambda i: (-int(values[i]), i))
    assert (order.tolist(), place.tolist()) == (expected, [0, 1, 2, 3])


def test_what_is_not_a_number_comes_last():
    assert places_in_groups(np.zeros(3), np.array([np.nan, 5.0, 9.0]))[0].tolist() == [2, 1, 0]
