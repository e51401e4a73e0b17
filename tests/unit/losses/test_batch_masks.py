"""Known positives of a batch are found by id, over all positives and their text twins."""

import pytest
import torch

from litotes.core.errors import LitotesError
from litotes.losses.batch_masks import batch_mask
from tests.unit.losses.stand_ins import small_data


def mask(labels, data=None, batch=3, documents=6):
    return batch_mask(labels, data, batch=batch, cells=torch.zeros(batch, documents), owner="StarLoss").int().tolist()


def test_masks_compare_ids_with_all_positives_not_with_the_diagonal():
    # rows 0, 1, 2 with their positives 0, 2, 3; negatives 1 (row 0 knows it), 5, and 4 (a twin of row 1's positive)
    labels = torch.tensor([[0, 0, 5], [1, 2, 1], [2, 3, 4]])
    assert mask(labels, small_data()) == [
        [0, 1, 1, 1, 0, 1],
        [1, 0, 1, 1, 1, 0],
        [1, 1, 0, 1, 1, 1],
    ]


def test_flat_index_of_negatives_is_row_times_k_plus_place():
    labels = torch.tensor([[0, 0, 5, 1], [1, 2, 3, 4]])
    assert mask(labels, small_data(), batch=2) == [[0, 1, 1, 0, 1, 1], [1, 0, 1, 1, 1, 0]]


def test_another_positive_of_the_same_query_in_the_batch_is_no_negative():
    assert mask(torch.tensor([[0, 0], [0, 1], [1, 2]]), small_data(), documents=3) == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


def test_the_same_document_twice_in_the_batch_is_no_negative():
    assert mask(torch.tensor([[1, 2], [1, 2]]), small_data(), batch=2, documents=2) == [[0, 0], [0, 0]]


def test_the_own_positive_is_no_negative_even_when_the_collection_does_not_know_it():
    assert mask(torch.tensor([[0, 5], [1, 2]]), small_data(), batch=2, documents=2) == [[0, 1], [1, 0]]


def test_an_empty_place_is_never_used():
    assert mask(torch.tensor([[0, 0, -1], [1, 2, 5]]), small_data(), batch=2, documents=4) == [
        [0, 1, 0, 1],
        [1, 0, 0, 1],
    ]


@pytest.mark.parametrize("labels", [None, torch.tensor([1.0, 0.0, 1.0])])
def test_without_ids_only_the_own_positive_is_known(labels):
    assert mask(labels, small_data()) == [[0, 1, 1, 1, 1, 1], [1, 0, 1, 1, 1, 1], [1, 1, 0, 1, 1, 1]]


def test_a_mask_made_by_the_caller_is_taken_but_for_the_diagonal():
    given = torch.tensor([[True, False, True, True], [True, True, False, True]])
    assert mask(given, batch=2, documents=4) == [[0, 0, 1, 1], [1, 0, 0, 1]]


def test_ids_of_another_width_are_refused():
    message = r"label came to StarLoss with shape \(3, 2\). Expected ids .* of shape \(3, 3\)"
    with pytest.raises(LitotesError, match=message):
        mask(torch.tensor([[0, 0], [1, 2], [2, 3]]), small_data())


def test_ids_without_a_collection_are_refused():
    with pytest.raises(LitotesError, match="ids in the batch's label but no collection .* pass data="):
        mask(torch.tensor([[0, 0, 5], [1, 2, 1], [2, 3, 4]]))
