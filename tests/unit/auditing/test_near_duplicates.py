"""Near-duplicates: the pairs that comparing all with all finds, and how crowds come."""

import numpy as np
import pytest

from litotes.auditing.near_duplicates import near_duplicates
from litotes.core.errors import LitotesError
from litotes.core.text import jaccard, shingles, words


def brute_force(texts, n, threshold):
    found = {}
    for i, a in enumerate(texts):
        for j in range(i + 1, len(texts)):
            if a and texts[j]:
                alike = jaccard(shingles(words(a), n), shingles(words(texts[j]), n))
                if alike >= threshold:
                    found[i, j] = alike
    return found


def edited_texts(seed, families=30, members=3):
    """Families of texts of sixty words, each member with up to three words changed."""
    rng = np.random.default_rng(seed)
    vocabulary = [f"w{i}" for i in range(2000)]
    texts = []
    for _ in range(families):
        base = list(rng.choice(vocabulary, size=60))
        for _ in range(members):
            copy = list(base)
            for place in rng.integers(0, 60, size=rng.integers(0, 3)):
                copy[place] = str(rng.choice(vocabulary))
            texts.append(" ".join(copy))
    return texts


@pytest.mark.parametrize("n", [1, 3])
def test_finds_what_comparing_all_with_all_finds(n):
    texts = [*edited_texts(0), None, "", "short one", "short one indeed"]
    a, b, alike = near_duplicates(texts, n=n, threshold=0.8)
    expected = brute_force(texts, n, 0.8)
    assert len(expected) > 40
    assert {(i, j): x for i, j, x in zip(a.tolist(), b.tolist(), alike.tolist(), strict=True)} == expected
    assert (np.diff(alike) <= 0).all()


def test_texts_shorter_than_a_shingle_are_compared_whole():
    a, b, alike = near_duplicates(["red fox", "red fox", "red"], n=3, threshold=0.5)
    assert (a.tolist(), b.tolist(), alike.tolist()) == ([0], [1], [1.0])


def test_a_crowd_comes_as_a_star_and_a_chain():
    a, b, alike = near_duplicates(["the same five words here"] * 100)
    pairs = set(zip(a.tolist(), b.tolist(), strict=True))
    assert pairs == {(0, j) for j in range(1, 100)} | {(i, i + 1) for i in range(99)}
    assert set(alike.tolist()) == {1.0}


@pytest.mark.parametrize("texts", [[], [None, ""], ["one text alone"]])
def test_nothing_to_compare_gives_no_pairs(texts):
    assert [len(part) for part in near_duplicates(texts)] == [0, 0, 0]


def test_the_same_seed_gives_the_same_pairs():
    texts = edited_texts(1)
    first, again = near_duplicates(texts, threshold=0.3), near_duplicates(texts, threshold=0.3)
    assert all(np.array_equal(x, y) for x, y in zip(first, again, strict=True))


def test_texts_are_cut_into_blocks_without_a_trace(monkeypatch):
    texts = edited_texts(2)
    whole = near_duplicates(texts)
    monkeypatch.setattr("litotes.auditing.near_duplicates._BLOCK_TEXTS", 7)
    assert all(np.array_equal(x, y) for x, y in zip(whole, near_duplicates(texts), strict=True))


@pytest.mark.parametrize(("options", "words_"), [({"n": 0}, "'n'"), ({"threshold": 0.0}, "'threshold'")])
def test_parameters_out_of_range_are_refused(options, words_):
    with pytest.raises(LitotesError, match=f"The {words_} parameter of near_duplicates"):
        near_duplicates(["a"], **options)
