"""ADORE's document index: exact equals the double loop, -1 is nobody, compressed scores are its reconstructions'."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.core.errors import DataError, LitotesError
from litotes.training.document_index import CompressedIndex, DocumentIndex, ExactIndex


def by_hand(queries, documents, usable, k):
    """Sort (minus score, id) of the usable documents."""
    found = np.full((len(queries), k), -1)
    for i, query in enumerate(queries):
        scored = sorted((-float(query @ documents[j]), j) for j in range(len(documents)) if usable[j])
        for place, (_, j) in enumerate(scored[:k]):
            found[i, place] = j
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 4), st.integers(1, 40), st.integers(0, 2**31))
def test_exact_search_is_the_double_loop_with_ties_by_id(n, batch, k, seed):
    rng = np.random.default_rng(seed)
    documents = rng.integers(-1, 2, size=(n, 3)).astype(np.float32)  # many equal scores
    queries = rng.integers(-1, 2, size=(batch, 3)).astype(np.float32)
    usable = rng.random(n) < 0.7
    usable[rng.integers(n)] = True
    ids, keep = ExactIndex(documents, usable).search(torch.from_numpy(queries), k)
    np.testing.assert_array_equal(ids.numpy(), by_hand(queries, documents, usable, k))
    np.testing.assert_array_equal(keep.numpy(), ids.numpy() >= 0)


def test_equal_documents_come_in_the_order_of_ids_whatever_the_matrix_product_rounds():
    rng = np.random.default_rng(0)
    for _ in range(60):
        batch, copies, dim = rng.integers(1, 3), rng.integers(2, 40), rng.integers(5, 400)
        one = rng.standard_normal(dim, dtype=np.float32)
        others = 0.1 * rng.standard_normal((rng.integers(1, 30), dim), dtype=np.float32)
        documents = np.concatenate([np.repeat(one[None], copies, axis=0), others])
        shuffled = rng.permutation(len(documents))
        queries = one + 0.1 * rng.standard_normal((batch, dim), dtype=np.float32)
        ids, _ = ExactIndex(documents[shuffled]).search(torch.from_numpy(queries), int(copies))
        assert (ids.numpy() == np.flatnonzero(shuffled < copies)).all()


def test_minus_one_is_nobody_and_never_the_last_document():
    index = ExactIndex(np.eye(3, dtype=np.float32))
    ids, keep = index.search(torch.ones(1, 3), 5)
    assert ids.tolist() == [[0, 1, 2, -1, -1]] and keep.tolist() == [[True] * 3 + [False] * 2]
    assert index.vectors(ids)[0, 3:].abs().sum() == 0
    assert torch.equal(index.vectors(torch.tensor([2])), torch.tensor([[0.0, 0.0, 1.0]]))


def test_the_search_takes_no_gradient_and_gives_none_to_documents():
    index = ExactIndex(np.eye(3, dtype=np.float32))
    queries = torch.ones(1, 3, requires_grad=True)
    ids, _ = index.search(queries, 2)
    found = index.vectors(ids)
    assert not found.requires_grad and queries.grad is None


@pytest.mark.parametrize("factory", ["SQ8", "PQ4x4", "IVF4,SQ8"])
def test_a_compressed_index_scores_with_its_own_reconstructions(factory):
    rng = np.random.default_rng(0)
    documents = rng.normal(size=(400, 16)).astype(np.float32)
    queries = torch.from_numpy(rng.normal(size=(8, 16)).astype(np.float32))
    usable = np.ones(400, dtype=bool)
    usable[::7] = False
    index = CompressedIndex(documents, factory, usable)
    assert isinstance(index, DocumentIndex)
    ids, keep = index.search(queries, 20)
    assert keep.all() and usable[ids.numpy()].all()
    scores = torch.einsum("qd,qkd->qk", queries, index.vectors(ids))
    assert (scores.diff(dim=1) <= 1e-3).all(), "the order of the search is that of the reconstructions' scores"
    error = (index.vectors(ids) - torch.from_numpy(documents)[ids]).abs().max()
    assert 1e-6 < error < 4, "compressed, and still something like the vectors"
    exact, _ = ExactIndex(documents, usable).search(queries, 20)
    recall = np.mean([len(set(a.tolist()) & set(b.tolist())) / 20 for a, b in zip(ids, exact, strict=True)])
    assert recall >= (0.9 if factory == "SQ8" else 0.3)


def test_a_compressed_index_that_finds_too_few_gives_minus_one():
    documents = np.eye(8, dtype=np.float32)
    index = CompressedIndex(documents, "SQ8", np.arange(8) < 5)
    ids, keep = index.search(torch.ones(2, 8), 7)
    assert sorted(ids[0, :5].tolist()) == [0, 1, 2, 3, 4] and ids[:, 5:].tolist() == [[-1, -1]] * 2
    assert keep[:, :5].all() and not keep[:, 5:].any()
    assert index.vectors(ids)[:, 5:].abs().sum() == 0


def test_an_index_that_cannot_be_built_says_what_and_why():
    with pytest.raises(LitotesError, match=r"cannot build 'PQ7' over 8 vectors"):
        CompressedIndex(np.eye(8, dtype=np.float32), "PQ7")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_that_are_no_numbers_are_refused(bad):
    documents = np.eye(3, dtype=np.float32)
    documents[1, 1] = bad
    with pytest.raises(DataError, match="hold NaN or infinity"):
        ExactIndex(documents)


def test_a_query_that_is_no_number_is_refused():
    with pytest.raises(LitotesError, match="NaN"):
        ExactIndex(np.eye(3, dtype=np.float32)).search(torch.full((1, 3), torch.nan), 2)


def test_vectors_of_the_wrong_shape_are_refused():
    with pytest.raises(DataError, match=r"\[documents, dim\]. Got shape \(3,\)"):
        ExactIndex(np.ones(3, dtype=np.float32))
