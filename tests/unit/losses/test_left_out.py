"""What does not count in a tile, by place, by mask and by column."""

import pytest
import torch

from litotes.losses.left_out import LeftOut


def test_nothing_is_left_out_at_first():
    tile = torch.ones(2, 3)
    assert LeftOut().fill_(tile, 0.0).all()
    assert LeftOut().counts(tile).tolist() == [0, 0]


@pytest.mark.parametrize("many", [False, True])
def test_places_columns_and_masks_add_up_and_count_once(many: bool):
    mask = torch.zeros(2, 3, dtype=torch.bool)
    mask[0, 0] = True
    out = LeftOut(mask.clone() if many else None, torch.tensor([2]))
    out.add(torch.tensor([0, 0, 1]))
    if not many:
        out.be_many(torch.ones(2, 3))
    out.add(torch.tensor([2, 4]))
    assert out.fill_(torch.ones(2, 3), -1.0).tolist() == [[-1, -1, -1], [1, -1, -1]]
    assert out.counts(torch.ones(2, 3)).tolist() == [3, 2]


def test_what_was_there_does_not_matter():
    out = LeftOut()
    out.add(torch.tensor([1]))
    assert out.fill_(torch.tensor([[1.0, torch.nan]]), 0.0).tolist() == [[1.0, 0.0]]
