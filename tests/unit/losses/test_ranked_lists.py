"""Lists of a search result and appended positives."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from litotes.core.errors import LitotesError
from litotes.losses import ranked_lists


def lists(retrieved: list[list[int]], relevant: list[list[int]]):
    return ranked_lists(torch.tensor(retrieved), torch.tensor(relevant))


def test_a_query_that_retrieved_none_of_its_positives_gets_all_of_them():
    made = lists([[5, 3, 1]], [[7, 9]])
    assert made.ids.tolist() == [[5, 3, 1, 7, 9]]
    assert made.positives.tolist() == [[False, False, False, True, True]]
    assert made.keep.all()


def test_missing_positives_are_ignored_where_one_was_retrieved():
    made = lists([[5, 3, 1]], [[3, 9]])
    assert made.ids.tolist() == [[5, 3, 1]]
    assert made.positives.tolist() == [[False, True, False]]


def test_rows_of_both_kinds_are_padded():
    made = lists([[5, 3], [5, 3], [5, 3]], [[3, 9], [7, -1], [-1, -1]])
    assert made.ids.tolist() == [[5, 3, -1], [5, 3, 7], [5, 3, -1]]
    assert made.keep.tolist() == [[True, True, False], [True] * 3, [True, True, False]]
    assert made.positives.tolist() == [[False, True, False], [False, False, True], [False] * 3]


def test_trap_appended_positives_stand_at_k_plus_one_and_on_even_when_the_search_came_back_short():
    made = lists([[5, -1, -1]], [[7, 9]])
    assert made.ids.tolist() == [[5, -1, -1, 7, 9]]
    assert made.keep.tolist() == [[True, False, False, True, True]]
    assert made.positions.tolist() == [1, 2, 3, 4, 5]


def test_an_empty_place_is_never_a_positive_even_beside_padding():
    made = lists([[5, -1]], [[5, -1]])
    assert made.positives.tolist() == [[True, False]]
    assert made.keep.tolist() == [[True, False]]


def test_padding_may_stand_anywhere():
    assert lists([[5, 3]], [[-1, 7, -1, 9]]).ids.tolist() == [[5, 3, 7, 9]]


def test_a_positive_of_another_query_is_a_negative():
    assert lists([[5, 3], [5, 3]], [[5], [3]]).positives.tolist() == [[True, False], [False, True]]


def test_nothing_known_and_nothing_retrieved():
    empty = ranked_lists(torch.empty(2, 0, dtype=torch.int64), torch.empty(2, 0, dtype=torch.int64))
    assert empty.ids.shape == (2, 0)


def test_shapes_that_do_not_belong_together_are_refused(unchecked_shapes: None):
    with pytest.raises(LitotesError, match=r"Got shapes \(1, 2\) and \(2, 1\)"):
        lists([[5, 3]], [[7], [8]])


@given(
    st.lists(
        st.tuples(st.permutations(range(12)), st.integers(0, 6), st.sets(st.integers(0, 11), max_size=4)),
        min_size=1,
        max_size=5,
    )
)
def test_equals_the_loop(rows):
    k, most = 6, 4
    retrieved = [list(order[:n]) + [-1] * (k - n) for order, n, _ in rows]
    relevant = [sorted(known) + [-1] * (most - len(known)) for _, _, known in rows]
    made = lists(retrieved, relevant)
    for row, (order, n, known) in enumerate(rows):
        expected = list(retrieved[row])
        if not known & set(order[:n]):
            expected += sorted(known)
        kept = made.keep[row].tolist()
        found = made.ids[row].tolist()
        assert found == expected + [-1] * (len(found) - len(expected))
        assert kept == [i >= 0 for i in found]
        assert made.positives[row].tolist() == [i in known for i in found]
