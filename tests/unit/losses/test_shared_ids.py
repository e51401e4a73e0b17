"""Cells that share an id, tile by tile, against the mask of the whole matrix."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.losses.shared_ids import IdSets, SharedIds
from litotes.testing.largest_tensor import LargestTensor

ID = st.integers(-1, 5)


def sets_of_five(most: int):
    """Five rows that share three sets."""
    one = st.lists(ID, min_size=most, max_size=most)
    return st.tuples(st.lists(one, min_size=3, max_size=3), st.lists(st.integers(0, 2), min_size=5, max_size=5))


@settings(max_examples=60)
@given(
    st.lists(ID, min_size=5, max_size=5),
    sets_of_five(4),
    st.lists(ID, min_size=7, max_size=7),
    st.integers(1, 8),
    st.integers(1, 8),
    st.integers(0, 50),
    st.booleans(),
)
def test_the_tiles_together_are_the_whole_mask(own, shared_sets, cols, height: int, width: int, most: int, flipped):
    own, (table, of), cols = torch.tensor(own) * 1000, shared_sets, torch.tensor(cols) * 1000
    table, of = torch.tensor(table) * 1000, torch.tensor(of)
    row_ids = torch.cat([own[:, None], table[of]], dim=1)
    whole = ((row_ids[:, :, None] == cols) & (row_ids[:, :, None] >= 0)).any(dim=1)
    sets = [IdSets.single(own), IdSets.unpadded(table)._replace(of=of)]
    shared, found = SharedIds(sets, cols, width, flipped=flipped), torch.zeros_like(whole)
    for start in range(0, 5, height):
        for left in range(0, 7, width):
            stop, right = min(start + height, 5), min(left + width, 7)
            corners = (left, right, start, stop) if flipped else (start, stop, left, right)
            for cells in shared.in_tile(*corners, most):
                i, j = cells[::-1] if flipped else cells
                assert 0 < len(i) <= max(most, 1) + max(height, width)
                assert (i < stop - start).all() and (j < right - left).all()
                found[start + i, left + j] = True
    assert torch.equal(found, whole)
    everywhere = torch.cartesian_prod(torch.arange(5), torch.arange(7)).T
    assert torch.equal(shared.of_cells(*everywhere), whole[*everywhere])


def test_an_empty_place_is_shared_with_nobody():
    for sets in ([IdSets.single(torch.tensor([-1, -1]))], []):
        shared = SharedIds(sets, torch.full((3,), -1), 2)
        assert not list(shared.in_tile(0, 2, 0, 2, 10))
        assert not shared.of_cells(torch.tensor([0, 1]), torch.tensor([2, 0])).any()


def test_ids_may_be_as_large_as_they_like():
    large = 2**62
    shared = SharedIds([IdSets.single(torch.tensor([large]))], torch.tensor([1, large]), 2)
    assert [(i.tolist(), j.tolist()) for i, j in shared.in_tile(0, 1, 0, 2, 10)] == [([0], [1])]


def test_a_set_takes_its_ids_and_no_more_however_many_rows_share_it():
    """Padded, these sets were a million numbers."""
    n, many = 1000, 1000
    of = torch.arange(n) % 2
    sets = IdSets(of, torch.tensor([0, many, many]), torch.arange(many))
    with LargestTensor() as largest:
        shared = SharedIds([IdSets.single(torch.arange(n)), sets], torch.arange(n), 100)
        cells = sum(len(i) for top in range(0, n, 100) for i, _ in shared.in_tile(top, top + 100, 0, 100, 1000))
    assert largest.numel <= n + many + 1 and cells == 100 + n // 2 * 100
