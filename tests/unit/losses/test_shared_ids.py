"""Cells that share an id, tile by tile, against the mask of the whole matrix."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.losses.shared_ids import SharedIds


def ids(rows: int, most: int):
    return st.lists(st.lists(st.integers(-1, 5), min_size=most, max_size=most), min_size=rows, max_size=rows)


@settings(max_examples=40)
@given(ids(5, 3), ids(7, 2), st.integers(1, 8), st.integers(1, 8), st.integers(1, 50))
def test_the_tiles_together_are_the_whole_mask(rows, cols, height: int, width: int, most: int):
    row_ids, col_ids = torch.tensor(rows) * 1000, torch.tensor(cols) * 1000
    whole = ((row_ids[:, None, :, None] == col_ids[None, :, None, :]) & (row_ids[:, None, :, None] >= 0)).any(
        dim=(2, 3)
    )
    shared, found = SharedIds(row_ids, col_ids, width), torch.zeros_like(whole)
    for start in range(0, 5, height):
        for tile, left in enumerate(range(0, 7, width)):
            for i, j in shared.in_tile(start, min(start + height, 5), tile, most):
                assert len(i) <= max(most, 2 * width)
                assert (j < width).all()
                found[start + i, left + j] = True
    assert torch.equal(found, whole)
    i, j = whole.nonzero(as_tuple=True) if whole.any() else torch.zeros(2, 0, dtype=torch.int64)
    assert shared.of_cells(i, j).all()
    i, j = (~whole).nonzero(as_tuple=True)
    assert not shared.of_cells(i, j).any()


def test_an_empty_place_is_shared_with_nobody():
    shared = SharedIds(torch.full((2, 1), -1), torch.full((3, 1), -1), 2)
    assert not list(shared.in_tile(0, 2, 0, 10))


def test_ids_may_be_as_large_as_they_like():
    large = 2**62
    shared = SharedIds(torch.tensor([[large]]), torch.tensor([[1], [large]]), 2)
    assert [(i.tolist(), j.tolist()) for i, j in shared.in_tile(0, 1, 0, 10)] == [([0], [1])]
