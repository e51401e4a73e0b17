"""Known positives of a batch by id, against the mask that a small batch can afford."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from litotes.core import Collection, LabelMatrix
from litotes.core.errors import LitotesError
from litotes.losses.batch_ids import check_ids, known_positives, text_ids
from litotes.losses.batch_masks import batch_mask
from litotes.losses.shared_ids import IdSets
from tests.unit.losses.stand_ins import small_data


def sets_of(known: IdSets) -> list[list[int]]:
    """The ids of each row."""
    return [known.ids[known.ends[i] : known.ends[i + 1]].tolist() for i in known.of.tolist()]


def only_labels(n_rows: int, n_cols: int, positives: list[np.ndarray]) -> Collection:
    """A collection whose documents say different things."""
    ids = [f"q{i}" for i in range(n_rows)], [f"d{i}" for i in range(n_cols)]
    rows = np.repeat(np.arange(n_rows), [len(cols) for cols in positives])
    tables = [pa.table({"id": one, "text": one}) for one in ids]
    return Collection(LabelMatrix(*ids, rows, np.concatenate(positives)), *tables)


LABELS = torch.tensor([[0, 0, 5], [1, 2, 1], [2, 3, 4], [0, 1, -1]])


def test_what_shares_an_id_is_what_the_mask_leaves_out():
    data = small_data()
    documents = text_ids(data, LABELS[:, 1:].T.flatten())
    known = known_positives(data, LABELS[:, 0], documents)
    shares = torch.stack([torch.isin(documents, torch.tensor(ids)) for ids in sets_of(known)])
    usable = batch_mask(LABELS, data, batch=4, cells=torch.zeros(4, 8), owner="x")
    assert torch.equal(~shares & (documents >= 0), usable)
    assert sets_of(known) == [[0, 1], [2], [3], [0, 1]] and len(known.ids) == 4  # what the batch needs, once


@pytest.mark.parametrize("at_once", [1, 2, 2**18])
def test_a_query_with_many_positives_costs_its_own_ids_alone(monkeypatch: pytest.MonkeyPatch, at_once: int):
    monkeypatch.setattr("litotes.losses.batch_ids._AT_ONCE", at_once)
    rng, n_rows, n_cols = np.random.default_rng(0), 200, 2000
    positives = [np.arange(n_cols)] + [np.unique(rng.integers(0, n_cols, i % 4)) for i in range(1, n_rows)]
    data = only_labels(n_rows, n_cols, positives)
    rows, present = torch.from_numpy(rng.permutation(np.r_[:n_rows:2, 0, 0])), torch.arange(0, n_cols, 3)
    known = known_positives(data, rows, present)
    expected = [[col for col in positives[row].tolist() if col % 3 == 0] for row in rows.tolist()]
    assert sets_of(known) == expected
    assert sum(x.numel() for x in known) <= len(present) + 4 * len(rows)


def test_twins_are_one_document_and_empty_places_none():
    assert text_ids(small_data(), torch.tensor([[4, -1], [2, 0]])).tolist() == [[2, -1], [2, 0]]


def test_a_batch_without_known_positives_has_empty_sets():
    assert sets_of(known_positives(small_data(), torch.tensor([1, 0, 1]), torch.tensor([5, -1]))) == [[], [], []]


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
