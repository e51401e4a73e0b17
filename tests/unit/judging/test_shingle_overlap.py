"""Many pairs at once give the same coefficients as Python sets, pair by pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core.errors import LitotesError
from litotes.core.text import jaccard, shingles, words
from litotes.judging import shingle_overlap
from litotes.judging.shingle_overlap import ShingleOverlap

TEXTS = st.lists(st.none() | st.text(alphabet="abc _é", max_size=30), min_size=1, max_size=8)


@given(texts=TEXTS, n=st.integers(1, 4), data=st.data())
def test_equals_the_sets(texts: list[str | None], n: int, data: st.DataObject) -> None:
    position = st.integers(0, len(texts) - 1)
    pairs = data.draw(st.lists(st.tuples(position, position), max_size=20))
    a, b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    expected = [jaccard(*(shingles(words(texts[i] or ""), n) for i in pair)) for pair in pairs]
    assert ShingleOverlap(texts, n).jaccard(a, b).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("constant", ["_PAIRS", "_KEPT"])
def test_small_blocks_change_nothing(constant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(list("abcdef"), size=int(size))) for size in random.integers(0, 30, size=50)]
    a, b = random.integers(0, 50, size=(2, 200))
    at_once = ShingleOverlap(texts, 2).jaccard(a, b)
    monkeypatch.setattr(shingle_overlap, constant, 7)
    assert ShingleOverlap(texts, 2).jaccard(a, b).tolist() == at_once.tolist()
    assert 0 < at_once.max() <= 1


def test_a_text_is_cut_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(shingle_overlap, "words", lambda text: asked.append(text) or text.split())
    overlap = ShingleOverlap(["a b", "b c"], 2)
    for _ in range(3):
        overlap.jaccard(np.array([0, 0, 1]), np.array([1, 1, 0]))
    assert sorted(asked) == ["a b", "b c"]


def test_pairs_need_two_positions() -> None:
    with pytest.raises(LitotesError, match="Got 2 and 1"):
        ShingleOverlap(["a"], 3).jaccard(np.zeros(2, int), np.zeros(1, int))
