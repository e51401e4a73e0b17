"""What the tests of the drop-ins share: one training set, one model, and the function that ours stands in for."""

import pytest

from tests.unit.compat.small_pairs import small_pairs, word_model


@pytest.fixture(scope="session")
def dataset():
    return small_pairs()[0]


@pytest.fixture(scope="session")
def corpus():
    return small_pairs()[1]


@pytest.fixture
def model():
    return word_model(prompts={"query": "w1 ", "document": "", "ask": "w2 w3 "})


@pytest.fixture(scope="session")
def original():
    return pytest.importorskip("sentence_transformers.util", reason="needs sentence-transformers").mine_hard_negatives
