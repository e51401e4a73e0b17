"""Scores of cells: missing texts, scorers that misbehave."""

import numpy as np
import pytest

from litotes.core.errors import LitotesError
from litotes.judging.pair_scorer import BM25Cells, PairCells, PairScorer, VectorCells
from litotes.models import resolve_encoder
from tests.unit.mining.small_data import make_collection


class Lengths:
    def score(self, pairs):
        return np.array([len(query) - len(document) for query, document in pairs])


class Wrong:
    def __init__(self, answer):
        self.answer = answer

    def score(self, pairs):
        return self.answer


DATA = make_collection(["aa", None], ["b", None, "ccc"])
ROWS, COLS = np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0])


def test_pairs_are_scored_and_missing_texts_are_nan():
    assert isinstance(Lengths(), PairScorer) and not isinstance(3, PairScorer)
    np.testing.assert_array_equal(PairCells(Lengths()).score(DATA, ROWS, COLS), [1, np.nan, -1, np.nan])
    assert PairCells(Lengths()).score(DATA, ROWS[:0], COLS[:0]).shape == (0,)
    assert np.isnan(PairCells(Wrong(None)).score(DATA, ROWS[3:], COLS[3:])).all()  # nothing to ask


@pytest.mark.parametrize("cells", [VectorCells(resolve_encoder("tiny:bert")), BM25Cells()], ids=["vectors", "bm25"])
def test_missing_texts_are_nan_everywhere(cells):
    np.testing.assert_array_equal(np.isnan(cells.score(DATA, ROWS, COLS)), [False, True, False, True])
    assert len(cells.fingerprint()) > 3


def test_the_product_of_two_vectors():
    vectors = {"aa": [1.0, 0.0], "b": [0.6, 0.8], "ccc": [-1.0, 0.0]}
    encoder = resolve_encoder(lambda texts: np.array([vectors[text] for text in texts]), similarity="cosine")
    np.testing.assert_allclose(VectorCells(encoder).score(DATA, ROWS, COLS)[[0, 2]], [0.6, -1.0], atol=1e-7)


def test_a_scorer_that_misbehaves_is_named():
    with pytest.raises(LitotesError, match=r"Wrong.score gave an array of shape \(1,\) for 2 pairs"):
        PairCells(Wrong(np.zeros(1))).score(DATA, ROWS, COLS)
    with pytest.raises(LitotesError, match="Wrong.score gave no finite number for 'aa' and 'ccc'"):
        PairCells(Wrong(np.array([1.0, np.nan]))).score(DATA, ROWS, COLS)


def test_a_scorer_without_a_fingerprint_is_known_by_its_kind():
    assert PairCells(Lengths()).fingerprint() == {"scorer": "Lengths"}
