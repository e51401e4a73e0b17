"""The bag of words in two towers: ranks by shared words, one table for both, an ordinary model to every trainer."""

import sys
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
import torch
from sentence_transformers import SentenceTransformer

from litotes.core import Collection, LabelMatrix
from litotes.core.errors import DataError, LitotesError
from litotes.core.text import words
from litotes.models import resolve_encoder, word_bag
from litotes.models.model_fingerprint import pipeline, weights_digest
from litotes.models.word_bag import _tokenizer
from litotes.recipes.retrieval.star_adore import AdoreConfig, StarConfig, train_adore, train_star
from litotes.training.query_tower import QueryTower

DOCUMENTS = [
    "The red cat sleeps",
    "the blue dog runs over the river",
    "the iron bread of the stone age",
    "The clouds, the red clouds, and the snow_flakes",
    "the quick fox",
    "the owl and the pear tree",
]
QUERIES = ["cat?", "a running dog river", "IRON bread", "red clouds", "fox", "pear-tree"]
TRAINING = {"per_device_train_batch_size": 3, "dtype": "float32", "save_steps": 100, "warmup_steps": 0}


@pytest.fixture(scope="module")
def data() -> Collection:
    ids = [f"d{i}" for i in range(len(DOCUMENTS))]
    rows = [f"q{i}" for i in range(len(QUERIES))]
    labels = LabelMatrix(rows, ids, np.arange(len(rows)), np.arange(len(rows)))
    return Collection(labels, pa.table({"id": rows, "text": QUERIES}), pa.table({"id": ids, "text": DOCUMENTS}))


def bag_of(model, role="query"):
    return pipeline(model, role)[0]


def vector(model, word):
    bag = bag_of(model)
    return bag.embedding.weight[bag.tokenizer.token_to_id(word)].detach()


def test_the_seed_decides_the_weights_and_nothing_else_is_touched(data):
    torch.manual_seed(3)
    state = torch.get_rng_state()
    one, two, other = (weights_digest(list(word_bag(data, seed=seed).children())) for seed in (0, 0, 1))
    assert one == two != other
    assert torch.equal(torch.get_rng_state(), state)


def test_before_training_vectors_have_the_norm_and_rank_by_shared_words(data):
    model = word_bag(data, norm=2.5)
    queries, documents = model.encode_query(QUERIES), model.encode_document(DOCUMENTS)
    np.testing.assert_allclose(np.linalg.norm(np.vstack([queries, documents]), axis=1), 2.5, rtol=1e-5)
    assert (queries @ documents.T).argmax(axis=1).tolist() == list(range(len(QUERIES)))
    assert model.similarity_fn_name == "dot" and queries.shape == (6, 64)


def test_rows_are_as_long_as_the_idf_is_high(data):
    model = word_bag(data, width=2000)
    length = {word: float(vector(model, word).norm()) for word in ("the", "red", "cat", "running")}
    # n_w = 6, 2, 1 and 0 of N = 6 documents: log(1 + (N - n_w + .5) / (n_w + .5))
    idf = {"the": np.log(7 / 6.5), "red": np.log(7 / 2.5), "cat": np.log(7 / 1.5), "running": np.log(7 / 0.5)}
    assert {word: length[word] / length["cat"] for word in idf} == pytest.approx(
        {word: idf[word] / idf["cat"] for word in idf}, rel=0.1
    )
    known = bag_of(model).embedding.weight[1:]
    assert known.detach().square().mean().sqrt().item() == pytest.approx(0.02, rel=0.15)


def test_words_are_those_of_the_package_and_unknown_ones_are_dropped(data):
    model = word_bag(data)
    tokenizer = bag_of(model).tokenizer
    for text in [*DOCUMENTS, "The snow_FLAKES,cat?", "", "e\u0301 İ ½ ²x"]:
        found = tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))
        assert [word for word, _ in found] == words(text)
    np.testing.assert_allclose(*model.encode_query(["red cat", "zebra red unheard cat"]), atol=1e-6)
    assert not model.encode_query(["zebra", ""]).any()


def test_rare_words_can_be_left_out(data):
    known = bag_of(word_bag(data, min_count=3)).tokenizer.get_vocab()
    assert set(known) == {"[UNK]", "the", "red"}, "red is in two documents and a query"
    with pytest.raises(DataError, match="no word that occurs in 13 of the 12 texts. Lower min_count"):
        word_bag(data, min_count=13)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"norm": 0.0}, {"min_count": 0}])
def test_wrong_numbers_are_refused(data, wrong):
    with pytest.raises(LitotesError, match=f"The '{next(iter(wrong))}' parameter of word_bag"):
        word_bag(data, **wrong)


def test_saved_and_loaded_it_is_the_same_and_shares_its_table(data, tmp_path):
    model = word_bag(data)
    with torch.no_grad():
        pipeline(model, "query")[2].linear.weight.add_(torch.randn(64, 64))
    model.save_pretrained(str(tmp_path))
    assert not list(tmp_path.rglob("*.bin")) and list(tmp_path.rglob("*.safetensors"))
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    np.testing.assert_array_equal(loaded.encode_query(QUERIES), model.encode_query(QUERIES))
    np.testing.assert_array_equal(loaded.encode_document(DOCUMENTS), model.encode_document(DOCUMENTS))
    assert bag_of(loaded, "query") is bag_of(loaded, "document")
    assert loaded.similarity_fn_name == "dot"
    for role in ("query", "document"):
        assert resolve_encoder(loaded).fingerprint(role) == resolve_encoder(model).fingerprint(role)


def test_both_towers_train_the_table_and_each_its_own_head(data):
    model = word_bag(data)
    table = bag_of(model).embedding.weight
    assert bag_of(model, "document").embedding.weight is table and not bag_of(model).embedding.sparse
    for role, text, word in (("query", QUERIES[0], "cat"), ("document", DOCUMENTS[4], "fox")):
        model.zero_grad()
        model(model.preprocess([text], task=role), task=role)["sentence_embedding"].sum().backward()
        trained = table.grad.any(dim=1).nonzero().flatten().tolist()
        assert bag_of(model).tokenizer.token_to_id(word) in trained and len(trained) == len(words(text))
        heads = {r: pipeline(model, r)[2].linear.weight.grad for r in ("query", "document")}
        assert [r for r, grad in heads.items() if grad is not None and grad.any()] == [role]


def test_the_row_of_unknown_words_is_never_trained(data):
    model = word_bag(data, min_count=3)
    tower = QueryTower(model)
    for trained in (model, tower.model):
        trained(trained.preprocess(["red cat"], task="query"), task="query")["sentence_embedding"].sum().backward()
        gradient = bag_of(trained).embedding.weight.grad
        assert not gradient[0].any() and gradient.any()


def test_adores_tower_is_a_copy_of_the_query_side(data):
    model = word_bag(data)
    tower = QueryTower(model)
    np.testing.assert_allclose(tower(QUERIES).detach().numpy(), model.encode_query(QUERIES), atol=1e-6)
    with torch.no_grad():
        bag_of(tower.model).embedding.weight.mul_(torch.rand(64))
    both = tower.beside(model)
    np.testing.assert_array_equal(both.encode_document(DOCUMENTS), model.encode_document(DOCUMENTS))
    assert np.abs(both.encode_query(QUERIES) - model.encode_query(QUERIES)).max() > 1e-3


def margin(model) -> float:
    """By how much a query's own document is above the others on average."""
    scores = model.encode_query(QUERIES) @ model.encode_document(DOCUMENTS).T
    own = scores.diagonal()
    return float((own - (scores.sum(axis=1) - own) / (len(QUERIES) - 1)).mean())


@pytest.mark.parametrize("negatives", [0, 1])
def test_star_trains_it(data, tmp_path, negatives):
    model = word_bag(data)
    start = margin(model)
    config = StarConfig(num_negatives=negatives, top=3, learning_rate=1e-2, max_steps=12, scale=1.0, **TRAINING)
    trained = train_star(data, config, tmp_path, dev=data, encoder=model)
    assert margin(trained) > start + 1.0
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    np.testing.assert_array_equal(loaded.encode_query(QUERIES), trained.encode_query(QUERIES))
    assert bag_of(loaded, "query") is bag_of(loaded, "document")


def test_adore_trains_its_query_side(data, tmp_path):
    model = word_bag(data)
    before = model.encode_query(QUERIES)
    config = AdoreConfig(top=6, learning_rate=1e-2, max_steps=12, scale=1.0, **TRAINING)
    both = train_adore(data, config, tmp_path, dev=data, encoder=model)
    np.testing.assert_array_equal(both.encode_document(DOCUMENTS), model.encode_document(DOCUMENTS))
    np.testing.assert_array_equal(model.encode_query(QUERIES), before)
    assert margin(both) > margin(model) + 0.5


@pytest.mark.parametrize(
    "text",
    ["ΟΔΟΣ", "ΟΔΟΣ ΟΔΟΣ.", "ΟΣΣ", "Σ", "ΟΔΟΣ'Α", "Α:Σ", "Α.Σ.Β", "οδοσ ς", "1Σ", "A\u0301Σ\u0301 b", "İSTANBUL ß"],
)
def test_the_tokenizer_lowers_and_splits_as_words_does(text):
    found = words(text)
    assert _tokenizer(sorted(set(found))).encode(text).tokens == found


def test_every_letter_is_lowered_and_divided_as_words_does():
    tokenizer = _tokenizer([])
    for first in range(0, sys.maxunicode, 50_000):  # letters of every age that Python has: one by one in between
        letters = [chr(c) for c in range(first, first + 50_000) if c <= sys.maxunicode]
        text = "".join(f"a{c}b " for c in letters if unicodedata.category(c) not in ("Cs", "Cn"))
        pieces = tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))
        assert [word for word, _ in pieces] == words(text)


def test_greek_capitals_are_the_words_of_the_data():
    labels = LabelMatrix(["q"], ["a", "b"], [0], [0])
    data = Collection(
        labels,
        pa.table({"id": ["q"], "text": ["Ο ΔΡΟΜΟΣ"]}),
        pa.table({"id": ["a", "b"], "text": ["ΔΡΟΜΟΣ", "x"]}),
    )
    vectors = word_bag(data).encode_document(["ΔΡΟΜΟΣ", "δρομος", "δρομοσ"])
    assert np.linalg.norm(vectors, axis=1).round(3).tolist() == [3.0, 3.0, 0.0]
