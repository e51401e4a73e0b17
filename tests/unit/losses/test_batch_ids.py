"""Known positives of a batch by id, against the mask that a small batch can afford."""

import pytest
import torch

from litotes.core.errors import LitotesError
from litotes.losses.batch_ids import check_ids, known_positives, text_ids
from litotes.losses.batch_masks import batch_mask
from tests.unit.losses.stand_ins import small_data

LABELS = torch.tensor([[0, 0, 5], [1, 2, 1], [2, 3, 4], [0, 1, -1]])


def test_what_shares_an_id_is_what_the_mask_leaves_out():
    data = small_data()
    documents = text_ids(data, LABELS[:, 1:].T.flatten())
    known = known_positives(data, LABELS[:, 0], documents)
    shares = ((known[:, :, None] == documents) & (known[:, :, None] >= 0)).any(dim=1)
    usable = batch_mask(LABELS, data, batch=4, cells=torch.zeros(4, 8), owner="x")
    assert torch.equal(~shares & (documents >= 0), usable)
    assert known.tolist() == [[0, 1], [2, -1], [3, -1], [0, 1]]  # as wide as the batch needs


def test_twins_are_one_document_and_empty_places_none():
    assert text_ids(small_data(), torch.tensor([[4, -1], [2, 0]])).tolist() == [[2, -1], [2, 0]]


def test_a_batch_without_known_positives_needs_no_width():
    assert known_positives(small_data(), torch.tensor([1]), torch.tensor([5])).shape == (1, 0)


def test_labels_of_other_kinds():
    assert check_ids(None, None, batch=4, columns=2, owner="X") is None
    assert check_ids(torch.zeros(4), None, batch=4, columns=2, owner="X") is None
    assert check_ids(LABELS, small_data(), batch=4, columns=2, owner="X") is LABELS
    for bad in (torch.ones(4, 8, dtype=torch.bool), LABELS[:, :2], LABELS.double()):
        with pytest.raises(LitotesError, match=r"label came to X as .* Expected ids .* shape \(4, 3\).* would not fit"):
            check_ids(bad, small_data(), batch=4, columns=2, owner="X")
    with pytest.raises(LitotesError, match="X got ids in the batch's label but no collection to look them up in"):
        check_ids(LABELS, None, batch=4, columns=2, owner="X")


def test_positions_outside_the_collection_are_refused():
    with pytest.raises(LitotesError, match=r"Column positions must lie in \[0, 6\), -1 for none. Got 6"):
        text_ids(small_data(), torch.tensor([6]))
