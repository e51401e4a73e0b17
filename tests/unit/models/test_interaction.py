"""The interaction ranker: BM25 before training, term-wise, trainable, saved without pickle, never read ahead."""

import math

import numpy as np
import pytest
import torch

from litotes.core.errors import DataError, LitotesError
from litotes.core.text import words
from litotes.models.interaction import InteractionRanker, is_interaction_ranker
from litotes.models.word_bag import word_idf
from tests.unit.training.small_world import small_data

PAIRS = [
    ("red cat", "red and blue number 1"),
    ("red cat", "the cat, the cat and another cat"),
    ("stone", "nothing of it"),
    ("zebra", "zebra"),  # no word that the data holds
]


@pytest.fixture(scope="module")
def data():
    return small_data()


@pytest.fixture
def ranker(data):
    return InteractionRanker.of(data, width=8, hidden=4)


def test_it_starts_as_bm25(data, ranker):
    idf = word_idf(data)
    mean = np.mean([len(words(text)) for text in data.col_texts])

    def bm25(query, document):
        found, total = words(document), 0.0
        for word in set(words(query)) & set(idf):
            count = found.count(word)
            longer = 1.2 * (1 - 0.75 + 0.75 * len(found) / mean)
            total += idf[word] * count * 2.2 / (count + longer)
        return total

    np.testing.assert_allclose(ranker.score(PAIRS), [bm25(*pair) for pair in PAIRS], rtol=1e-5)


def test_features_are_those_of_the_formula(data, ranker):
    """The double loop over terms, after every weight was moved."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in ranker.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    query, document = "red slow stone", "blue dog and tree, tree"
    total = 0.0
    ranker.requires_grad_(False)
    for word in words(query):
        e = ranker.vectors.weight[ranker.words[word]]
        read = [w for w in dict.fromkeys(words(document)) if w in ranker.words]
        others = [ranker.vectors.weight[ranker.words[other]] for other in read]
        cosines = [float(torch.cosine_similarity(e, other, dim=0)) for other in others]
        f = torch.tensor([max(cosines), sum(cosines) / len(cosines), 0.0, 0.0])
        total += float(ranker.idf[ranker.words[word]] * (ranker.linear(f) + ranker.mlp(f)))
    assert float(ranker([(query, document)])) == pytest.approx(total, rel=1e-5)


def test_a_pair_is_scored_alone_as_among_others(ranker):
    together = ranker.score(PAIRS)
    np.testing.assert_allclose([float(ranker.score([pair])[0]) for pair in PAIRS], together, rtol=1e-6)
    assert together[2] == together[3] == 0 and math.isfinite(together.sum())
    assert ranker.score([]).shape == (0,) and ranker([]).shape == (0,)


def test_one_word_of_the_document_decides_so_it_is_no_product_of_two_vectors(ranker):
    with_it, without = ranker.score([("cat", "red cat"), ("cat", "red dog")])
    other_with, other_without = ranker.score([("dog", "red cat"), ("dog", "red dog")])
    assert with_it > without and other_with < other_without


def test_it_learns(ranker):
    optimizer = torch.optim.Adam(ranker.parameters(), lr=0.05)
    pairs = [("red", "blue"), ("red", "slow")]  # no word in common: only learned similarities can tell them apart
    before = float(torch.diff(ranker(pairs)))
    for _ in range(30):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(ranker(pairs)[None], torch.tensor([0])).backward()
        optimizer.step()
    assert abs(before) < 1e-6 and float(torch.diff(ranker(pairs))) < -1
    assert not ranker.idf.requires_grad


def test_only_the_first_terms_of_a_document_are_read(data):
    ranker = InteractionRanker.of(data, max_terms=2)
    assert ranker.score([("cat", "red blue cat")])[0] == 0 < ranker.score([("cat", "red red red cat")])[0]


def test_saved_and_loaded_it_is_the_same(ranker, tmp_path):
    with torch.no_grad():
        ranker.mlp[2].weight.fill_(0.3)
    ranker.save_pretrained(tmp_path / "a")
    loaded = InteractionRanker.load(tmp_path / "a")
    np.testing.assert_array_equal(loaded.score(PAIRS), ranker.score(PAIRS))
    assert loaded.fingerprint() == ranker.fingerprint()
    assert {path.suffix for path in (tmp_path / "a").iterdir()} == {".json", ".safetensors"}
    assert is_interaction_ranker(tmp_path / "a") and not is_interaction_ranker(tmp_path)
    with pytest.raises(LitotesError, match="no interaction ranker here"):
        InteractionRanker.load(tmp_path)


def test_the_seed_decides_and_the_generator_is_left_alone(data):
    state = torch.random.get_rng_state()
    same, other = InteractionRanker.of(data, seed=0), InteractionRanker.of(data, seed=1)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert same.fingerprint() == InteractionRanker.of(data).fingerprint() != other.fingerprint()


def test_scoring_leaves_modes_and_gradients_as_they_were(ranker):
    ranker.train()
    ranker.mlp.eval()
    ranker.score(PAIRS)
    assert ranker.training and not ranker.mlp.training and ranker.vectors.training
    assert ranker(PAIRS).requires_grad


def test_wrong_sizes_and_data_without_words_are_refused(data):
    with pytest.raises(LitotesError, match="'width' parameter of InteractionRanker must be an int"):
        InteractionRanker.of(data, width=0)
    with pytest.raises(DataError, match="no word that occurs in 1000 of the"):
        InteractionRanker.of(data, min_count=1000)
