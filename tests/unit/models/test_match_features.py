"""Match features: each by hand, the same in any block, and what is refused."""

import math

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import Collection, LabelMatrix
from litotes.core.errors import LitotesError
from litotes.core.text import words
from litotes.mining.bm25 import bm25_scores
from litotes.models import match_features
from litotes.models.match_features import FEATURE_SETS, MatchFeatures, feature_names

QUERIES = ["red fox", "blue blue whale", "unheard", None]
DOCUMENTS = ["red fox red", "whale in the blue sea", "the fox", "a stone wall stands", None]
TITLES = ["Fox", "Whale blue", "", "Wall", "Nothing"]
ROWS, COLS = (x.ravel() for x in np.meshgrid(np.arange(4), np.arange(5), indexing="ij"))


def collection(titles=TITLES, documents=DOCUMENTS):
    rows, cols = [f"q{i}" for i in range(len(QUERIES))], [f"d{i}" for i in range(len(documents))]
    labels = LabelMatrix(rows, cols, [0], [0])
    table = {"id": cols, "text": documents} | ({"title": titles} if titles else {})
    return Collection(labels, pa.table({"id": rows, "text": QUERIES}), pa.table(table))


@pytest.fixture(scope="module")
def data():
    return collection()


def of(data, name):
    return MatchFeatures([name]).table(data, ROWS, COLS).reshape(4, 5)


def test_bm25_is_the_miners(data):
    documents, queries = ([text or "" for text in texts] for texts in (data.col_texts, data.row_texts))
    np.testing.assert_allclose(of(data, "bm25"), bm25_scores(documents, queries), rtol=1e-6)


def test_ranks_by_bm25_start_at_one_and_equal_scores_share_one(data):
    scores = of(data, "bm25").astype(np.float64)
    expected = [[1 + (line > score).sum() for score in line] for line in scores]
    np.testing.assert_allclose(np.exp(of(data, "bm25_rank")), expected, rtol=1e-6)
    assert len(set(np.ravel(expected))) > 2


def test_overlap_is_the_share_of_distinct_words_of_the_query(data):
    expected = np.zeros((4, 5))
    for i, query in enumerate(QUERIES):
        for j, document in enumerate(data.col_texts):
            asked = set(words(query or ""))
            expected[i, j] = len(asked & set(words(document or ""))) / len(asked) if asked else 0
    np.testing.assert_allclose(of(data, "overlap"), expected)
    assert of(data, "overlap")[0].tolist() == [1, 0, 0.5, 0, 0]


def test_idf_overlap_counts_each_word_as_its_idf(data):
    def idf(word):
        n = sum(word in words(text or "") for text in data.col_texts)
        return math.log1p((5 - n + 0.5) / (n + 0.5))

    assert of(data, "idf_overlap")[0, 2] == pytest.approx(idf("fox") / (idf("fox") + idf("red")), rel=1e-6)
    assert of(data, "idf_overlap")[1, 1] == pytest.approx(1)
    assert not of(data, "idf_overlap")[2].any(), "a word that no document has is a word of the query all the same"


def test_title_overlap_and_length(data):
    assert of(data, "title_overlap").tolist() == [[0.5, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0] * 5, [0] * 5]
    lengths = [len(words(text or "")) for text in data.col_texts]
    np.testing.assert_allclose(of(data, "length"), np.log1p([lengths] * 4), rtol=1e-6)


def test_tfidf_is_a_cosine(data):
    found = of(data, "tfidf")
    assert ((found >= 0) & (found <= 1 + 1e-6)).all()
    assert found[0].argmax() == 0 and found[1].argmax() == 1 and not found[2].any()
    same = collection(titles=None, documents=["red fox", "a blue whale"])
    assert of_two(same, "tfidf")[0, 0] == pytest.approx(1)


def of_two(data, name):
    rows, cols = (x.ravel() for x in np.meshgrid(np.arange(4), np.arange(2), indexing="ij"))
    return MatchFeatures([name]).table(data, rows, cols).reshape(4, 2)


def test_lsa_of_full_rank_is_the_tfidf_cosine_within_what_documents_span(data):
    same = collection(titles=None, documents=["red fox", "blue blue whale", "unheard", "x", "y"])
    np.testing.assert_allclose(of(same, "lsa_200"), of(same, "tfidf"), atol=1e-6)


def test_lsa_brings_together_what_occurs_together():
    documents = ["ship sea captain", "boat sea captain", "ship boat harbour", "tax law court", "tax judge court"]
    related = collection(titles=None, documents=documents)
    table = pa.table({"id": ["q0"], "text": ["ship"]})
    related = Collection(LabelMatrix(["q0"], related.col_ids.values, [0], [0]), table, related.cols.table)
    rows, cols = np.zeros(5, dtype=int), np.arange(5)
    lsa, tfidf = (MatchFeatures([name]).table(related, rows, cols)[:, 0] for name in ("lsa_2", "tfidf"))
    assert tfidf[1] == 0 and lsa[1] > 0.5 > abs(lsa[3])


def test_the_same_in_any_block_and_again(data, monkeypatch):
    names = [*FEATURE_SETS["all"], "bm25_rank"]
    whole = MatchFeatures(names).table(data, ROWS, COLS)
    order = np.random.default_rng(0).permutation(len(ROWS))
    monkeypatch.setattr(match_features, "_CELLS_AT_ONCE", 3)
    np.testing.assert_array_equal(MatchFeatures(names).table(data, ROWS[order], COLS[order]), whole[order])


def test_another_collection_gets_its_own_statistics(data):
    features = MatchFeatures(["bm25"])
    first = features.table(data, ROWS, COLS)
    other = collection(documents=["fox", "fox", "fox", "fox", "red fox"])
    assert not np.array_equal(features.table(other, ROWS, COLS), first)
    np.testing.assert_array_equal(features.table(data, ROWS, COLS), first)


def test_shared_statistics_are_made_once_and_give_the_same_numbers(data, monkeypatch):
    expected = {which: MatchFeatures(FEATURE_SETS[which]).table(data, ROWS, COLS) for which in FEATURE_SETS}
    made, make = [], match_features._Statistics.__init__
    monkeypatch.setattr(match_features._Statistics, "__init__", lambda self, of: made.append(of) or make(self, of))
    one = MatchFeatures(FEATURE_SETS["all"])
    others = [MatchFeatures(FEATURE_SETS[which], beside=one) for which in ("lexical", "all")]
    np.testing.assert_array_equal(others[0].table(data, ROWS, COLS), expected["lexical"])
    for features in (one, others[1]):
        np.testing.assert_array_equal(features.table(data, ROWS, COLS), expected["all"])
    assert len(made) == 1
    other = collection(documents=["fox", "fox", "fox", "fox", "red fox"])
    assert not np.array_equal(others[0].table(other, ROWS, COLS), expected["lexical"])
    np.testing.assert_array_equal(one.table(data, ROWS, COLS), expected["all"])
    assert len(made) == 3, "one collection's are kept at a time"


def test_texts_that_lack_give_numbers(data):
    found = MatchFeatures([*FEATURE_SETS["all"], "bm25_rank"]).table(data, ROWS, COLS)
    assert np.isfinite(found).all()
    empty = collection(titles=None, documents=[None, None])
    assert np.isfinite(MatchFeatures(FEATURE_SETS["lexical"]).table(empty, [0, 3], [0, 1])).all()


def test_sets_leave_titles_out_where_there_are_none(data):
    assert feature_names("lexical", data) == FEATURE_SETS["lexical"]
    assert feature_names("lexical", collection(titles=None)) == ("bm25", "overlap", "idf_overlap")
    assert feature_names(" bm25, lsa_7,bm25", data) == ("bm25", "lsa_7")


@pytest.mark.parametrize("asked", ["bm52", "lsa_", "lsa_0", "lsa_x", "lexikal"])
def test_a_feature_that_there_is_not(data, asked):
    with pytest.raises(LitotesError, match=f"There is no feature '{asked}'. There is: bm25, .*lsa_N"):
        feature_names(asked, data)


def test_no_feature_at_all(data):
    with pytest.raises(LitotesError, match="No feature was named. Write all, lexical, or names"):
        feature_names(" , ", data)
