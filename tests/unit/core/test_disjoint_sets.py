"""Union-find: what belongs together, in whatever order it is said."""

import itertools

import pytest

from litotes.core.disjoint_sets import DisjointSets
from litotes.core.errors import LitotesError


@pytest.mark.parametrize("pairs", [*itertools.permutations([(0, 3), (4, 3), (1, 2), (5, 5)])])
def test_roots_are_the_smallest_members_in_any_order_of_joins(pairs):
    sets = DisjointSets(range(6))
    for pair in pairs:
        sets.join(*pair)
    assert sets.roots() == [0, 1, 1, 0, 0, 5]
    assert sets.root(4) == 0


def test_sets_may_be_given():
    sets = DisjointSets([0, 0, 2, 2])
    assert sets.roots() == [0, 0, 2, 2]
    sets.join(1, 3)
    assert sets.roots() == [0, 0, 0, 0]


@pytest.mark.parametrize(("parents", "roots"), [([2, 1, 2], [0, 1, 0]), ([1, 0], [0, 0]), ([3, 3, 1, 3], [0] * 4)])
def test_given_parents_are_joins_in_whatever_direction_and_round(parents, roots):
    assert DisjointSets(parents).roots() == roots


@pytest.mark.parametrize("wrong", [-1, 2])
def test_a_parent_that_there_is_not_is_refused(wrong):
    with pytest.raises(LitotesError, match=rf"over 2 items: the parent of item 1 .* in \[0, 2\)\. Got {wrong}\."):
        DisjointSets([0, wrong])
