"""Who trains when, as a function of the step alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core.errors import LitotesError
from litotes.training.alternation import Alternation


def loop(round_steps, first_steps, exact, total):
    """The control flow of the published code: a counter in each round, compared with the first model's steps."""
    turns, ends, inside = [], [], 0
    for step in range(1, total + 1):
        turns.append(int(inside < first_steps if exact else inside <= first_steps))
        inside += 1
        if inside == round_steps or step == total:
            ends.append(step)
            inside = 0
    return turns, ends


@given(st.integers(1, 9), st.integers(0, 12), st.booleans(), st.integers(0, 40))
def test_it_is_the_published_loop(round_steps, first_steps, exact, total):
    turns = Alternation(round_steps, first_steps, exact)
    expected, ends = loop(round_steps, first_steps, exact, total)
    assert turns.turns(total).tolist() == expected
    assert [int(turns.is_first(step)) for step in range(total)] == expected
    assert turns.round_ends(total).tolist() == ends
    assert turns.counts(total) == (sum(expected), total - sum(expected))


def test_with_8_and_3_the_first_4_steps_train_the_ranker_then_4_the_retriever():
    assert Alternation(8, 3).turns(16).tolist() == [1] * 4 + [0] * 4 + [1] * 4 + [0] * 4
    assert Alternation(8, 3, exact=True).turns(8).tolist() == [1] * 3 + [0] * 5


def test_the_last_round_may_be_cut():
    assert Alternation(8, 3).round_ends(20).tolist() == [8, 16, 20]
    assert Alternation(8, 3).counts(18) == (10, 8)


@pytest.mark.parametrize(("options", "name"), [((0, 1), "round_steps"), ((4, -1), "first_steps")])
def test_wrong_numbers_are_refused(options, name):
    with pytest.raises(LitotesError, match=f"'{name}' parameter of Alternation must be an int"):
        Alternation(*options)
