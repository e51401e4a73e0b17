"""BM25: the scores by hand, exact ties, the miner against the double loop, the index on disk."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.core.errors import LitotesError, MachineError
from litotes.core.text import words
from litotes.mining import blocks, bm25
from litotes.mining.bm25 import BM25Miner, bm25_scores
from litotes.models.bm25_index import BM25Index, Tokenizer, index_folder
from tests.unit.mining.small_data import cells_of, double_loop, make_collection, random_collection

texts = st.lists(st.sampled_from("a b c d Ä-ö 3,5 _x".split()), max_size=8).map(" ".join)


def by_hand(documents, queries, k1=1.2, b=0.75):
    """The formula, term by term."""
    bags = [Counter(words(document)) for document in documents]
    lengths = [sum(bag.values()) for bag in bags]
    mean = sum(lengths) / len(bags)
    scores = np.zeros((len(queries), len(documents)))
    for q, query in enumerate(queries):
        for term in words(query):
            n = sum(term in bag for bag in bags)
            idf = math.log(1 + (len(bags) - n + 0.5) / (n + 0.5))
            for d, bag in enumerate(bags):
                if bag[term]:
                    scores[q, d] += idf * bag[term] * (k1 + 1) / (bag[term] + k1 * (1 - b + b * lengths[d] / mean))
    return scores


@settings(max_examples=60, deadline=None)
@given(
    documents=st.lists(texts, min_size=1, max_size=8),
    queries=st.lists(texts, min_size=1, max_size=4),
    k1=st.sampled_from([0.0, 0.9, 1.2]),
    b=st.sampled_from([0.0, 0.75, 1.0]),
)
def test_scores_equal_the_formula(documents, queries, k1, b):
    scores = bm25_scores(documents, queries, k1, b)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, by_hand(documents, queries, k1, b), rtol=1e-12, atol=1e-14)


def test_equal_documents_tie_exactly():
    rng = np.random.default_rng(0)
    vocabulary = [f"w{i}" for i in range(40)]
    documents = [" ".join(rng.choice(vocabulary, size=rng.integers(5, 30))) for _ in range(30)]
    shuffled = [" ".join(rng.permutation(text.split())) for text in documents]  # the same bag is the same score
    scores = bm25_scores(documents + shuffled, [" ".join(rng.choice(vocabulary, size=12)) for _ in range(20)])
    assert (scores[:, :30] == scores[:, 30:]).all() and scores.any()


def test_a_repeated_query_term_counts_twice():
    documents = ["red fox", "blue fox", "grey"]
    once, twice = bm25_scores(documents, ["red"]), bm25_scores(documents, ["red red"])
    np.testing.assert_allclose(twice, 2 * once)


def test_a_document_without_query_terms_counts_only_in_n_and_the_mean_length():
    documents, query = ["red fox", "red"], ["red"]
    longer = bm25_scores([*documents, "grey cat"], query)
    np.testing.assert_allclose(longer, by_hand([*documents, "grey cat"], query))
    assert longer[0, 2] == 0 and not np.allclose(longer[:, :2], bm25_scores(documents, query))


def test_empty_documents_and_queries_score_zero():
    assert (bm25_scores(["", " ", "?!"], ["a", ""]) == 0).all()
    assert bm25_scores(["a"], []).shape == (0, 1)
    scores = bm25_scores(["", "a a", "b"], ["a", "never seen", ""])
    assert scores[0, 0] == 0 and scores[0, 1] > 0 and (scores[1:] == 0).all()


def test_no_document_at_all_is_refused():
    with pytest.raises(LitotesError, match="got no documents"):
        bm25_scores([], ["a"])


def test_stop_words_and_stemming_only_where_asked_for():
    documents = ["the running dogs", "a cat"]
    assert bm25_scores(documents, ["the"])[0, 0] > 0
    assert bm25_scores(documents, ["the"], stop_words="english")[0, 0] == 0
    assert bm25_scores(documents, ["dogs"], stop_words=("Dogs",))[0, 0] == 0
    assert bm25_scores(documents, ["dog"])[0, 0] == 0
    assert bm25_scores(documents, ["dog"], stemmer="english")[0, 0] > 0


def test_the_miner_equals_the_double_loop():
    data = random_collection(7)
    passages = [col for col in range(data.n_cols) if data.col_texts[col] is not None]
    scores = np.zeros((data.n_rows, data.n_cols))
    scores[:, passages] = bm25_scores([data.col_texts[col] for col in passages], data.row_texts)
    for top, skip, low, high in [(5, 0, None, None), (7, 3, None, None), (10, 0, 0.5, 3.0), (60, 0, None, None)]:
        found = BM25Miner(top=top, skip=skip, min_score=low, max_score=high).mine(data)
        bounds = (-np.inf if low is None else low, np.inf if high is None else high)
        expected = double_loop(lambda r, c: scores[r, c], data, top, skip, *bounds)
        assert cells_of(found, "bm25") == expected and expected


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), top=st.integers(1, 30))
def test_the_miner_never_proposes_a_positive_or_its_twin(seed, top):
    data = random_collection(seed, n_rows=6, n_cols=20, n_positives=30)
    found = BM25Miner(top=top).mine(data)
    assert not data.is_positive(found.row, found.col).any()
    assert data.cols_with_content[found.col].all()


def test_blocks_and_shards_change_nothing(monkeypatch):
    data = random_collection(3)
    whole = BM25Miner(top=9).mine(data)
    parts = [BM25Miner(top=9).mine(data, np.arange(start, min(start + 7, 50))) for start in range(0, 50, 7)]
    assert parts[0].merge(*parts[1:]).table.equals(whole.table)
    assert parts[0].merge(*parts[1:]).counts == whole.counts
    monkeypatch.setattr(blocks, "_BLOCK_CELLS", 3 * data.n_cols)
    assert BM25Miner(top=9).mine(data).table.equals(whole.table)


def test_a_query_that_matches_nothing_gets_the_lowest_columns_and_is_counted():
    data = make_collection(["zebra", "fox"], ["fox", "red fox", "cat"], positives=[(0, 0)])
    found = BM25Miner(top=2).mine(data)
    assert found.col.tolist() == [1, 2, 0, 1]
    assert found.counts["bm25"]["zero_score"] == 2
    barred = BM25Miner(top=2, min_score=1e-9).mine(data)
    assert barred.col.tolist() == [0, 1] and barred.counts["bm25"]["short_rows"] == 1


def test_a_row_without_text_gets_nothing_and_is_counted():
    data = make_collection([None, "fox"], ["fox", "red fox", "cat"])
    found = BM25Miner(top=1).mine(data)
    assert found.row.tolist() == [1]
    assert found.counts["bm25"]["rows_no_text"] == 1 and found.counts["bm25"]["short_rows"] == 1
    assert len(BM25Miner().mine(data, np.array([0]))) == 0


def test_an_id_that_only_the_labels_know_is_no_passage():
    texts = ["fox", "red fox", "cat"]
    known = BM25Miner(top=3).mine(make_collection(["fox"], texts))
    named = BM25Miner(top=3).mine(make_collection(["fox"], [*texts, None, None]))
    assert cells_of(known, "bm25") == cells_of(named, "bm25")


def test_data_without_texts_are_refused():
    with pytest.raises(LitotesError, match="BM25 needs columns with texts"):
        BM25Miner().mine(make_collection(["fox"], None, shape=(1, 3)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"top": 0}, "The 'top' parameter of BM25Miner must be an int in the range [1, inf). Got 0 instead."),
        ({"k1": -1}, "The 'k1' parameter of BM25Miner must be a float in the range [0, inf). Got -1 instead."),
        ({"b": 1.5}, "The 'b' parameter of BM25Miner must be a float in the range [0, 1]. Got 1.5 instead."),
        ({"stop_words": "englisch"}, "The 'stop_words' parameter of BM25Miner must be one of 'english'."),
        ({"stemmer": "klingon"}, "The 'stemmer' parameter of BM25Miner must be one of"),
        ({"name": "a/b"}, "The 'name' parameter of BM25Miner must be a plain word"),
    ],
)
def test_parameters_are_checked_at_construction(values, message):
    with pytest.raises(LitotesError) as error:
        BM25Miner(**values)
    assert str(error.value).startswith(message)


def test_the_fingerprint_names_texts_parameters_and_version():
    data, other = random_collection(1), random_collection(2)
    parts = BM25Miner().fingerprint(data)
    assert {"k1", "b", "top", "skip", "bm25s", "texts of rows", "texts of columns"} <= set(parts)
    assert BM25Miner().fingerprint(data) == parts == BM25Miner(name="lucene").fingerprint(data)
    for changed in (BM25Miner(k1=1.5), BM25Miner(stemmer="english"), BM25Miner(top=3), BM25Miner(stop_words=("a",))):
        assert changed.fingerprint(data) != parts
    assert BM25Miner().fingerprint(other) != parts


# --- the index on disk ------------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LITOTES_CACHE", str(tmp_path))
    return tmp_path / "bm25"


def test_a_mapped_index_gives_the_same_candidates(cache, monkeypatch):
    data = random_collection(5)
    plain = BM25Miner(top=6).mine(data)
    assert not cache.exists()
    assert BM25Miner(top=6, memory_map=True).mine(data).table.equals(plain.table)
    (folder,) = cache.iterdir()
    monkeypatch.setattr(BM25Index, "build", None)  # the second miner must not need it
    again = BM25Miner(top=6, memory_map=True)
    assert again.mine(data).table.equals(plain.table)
    assert isinstance(next(iter(again._built.values()))[1]._engine.scores["data"], np.memmap)
    assert folder.name.isalnum()


def test_large_corpora_are_mapped_unasked(cache, monkeypatch):
    monkeypatch.setattr(bm25, "_MAPPED_ABOVE", 10)
    BM25Miner(top=2, memory_map=False).mine(random_collection(5))
    assert not cache.exists()
    BM25Miner(top=2).mine(random_collection(5))
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize(
    "damage", ["data.csc.index.npy", "vocab.index.json", "params.index.json", "indptr.csc.index.npy"]
)
def test_a_damaged_index_is_built_again(cache, damage):
    data = random_collection(5)
    plain = BM25Miner(top=6).mine(data)
    BM25Miner(top=6, memory_map=True).mine(data)
    (folder,) = cache.iterdir()
    file = folder / damage
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert BM25Miner(top=6, memory_map=True).mine(data).table.equals(plain.table)
    assert BM25Index.open(folder) is not None


def test_other_parameters_never_meet_the_wrong_index(cache):
    data = random_collection(5)
    BM25Miner(memory_map=True).mine(data)
    other = BM25Miner(memory_map=True, k1=0.4).mine(data)
    assert other.table.equals(BM25Miner(k1=0.4).mine(data).table)
    assert len(list(cache.iterdir())) == 2


def test_a_full_disk_is_the_machines_fault(cache, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bm25s.BM25.save", full)
    with pytest.raises(MachineError, match="No space left on device"):
        BM25Miner(memory_map=True).mine(random_collection(5))
    assert not list(cache.iterdir())  # no half-written folder stays


def test_the_default_cache_is_the_users(monkeypatch):
    monkeypatch.delenv("LITOTES_CACHE", raising=False)
    assert index_folder("k").parts[-3:] == ("litotes", "bm25", "k")
    monkeypatch.setenv("LITOTES_CACHE", "")  # set to nothing is not set, and never the folder one stands in
    assert index_folder("k").parts[-3:] == ("litotes", "bm25", "k")


def test_tokens_are_the_words_of_core():
    assert Tokenizer()(["Max_pool2d(x), x"]) == [["max", "pool2d", "x", "x"]]
