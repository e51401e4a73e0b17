"""Each text once, batches that do not depend on what is kept, and vectors that are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core.errors import LitotesError
from litotes.models.encoding import encode_texts, unit_rows


def letters(texts):
    return np.array([[len(text), text.count("a"), 1.0] for text in texts], dtype=np.float32)


@given(st.lists(st.one_of(st.none(), st.text("ab", max_size=4)), max_size=30), st.integers(1, 7))
def test_every_text_gets_its_vector_and_none_gets_zeros(texts, batch_size):
    asked = []

    def encode(batch):
        asked.extend(batch)
        assert len(batch) <= batch_size
        return letters(batch)

    found = encode_texts(texts, encode, batch_size=batch_size)
    present = [i for i, text in enumerate(texts) if text is not None]
    assert sorted(asked) == sorted({texts[i] for i in present})
    assert found.dtype == np.float32
    assert len(found) == len(texts)
    if present:
        assert np.array_equal(found[present], letters([texts[i] for i in present]))
        assert not found[[i for i in range(len(texts)) if i not in present]].any()


def test_the_batches_do_not_depend_on_the_order_of_the_texts():
    texts, made = ["aaa", "b", "bb", "a", "abab"], []
    for order in (texts, texts[::-1]):
        batches = []
        encode_texts(order, lambda batch, batches=batches: batches.append(batch) or letters(batch), batch_size=2)
        made.append(batches)
    assert made[0] == made[1] == [["abab", "aaa"], ["bb", "a"], ["b"]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_vector_that_is_no_number_is_refused_with_the_id_of_its_text(value):
    def encode(batch):
        return np.array([[value if "bad" in text else 1.0] for text in batch], dtype=np.float32)

    with pytest.raises(LitotesError, match=r"NaN or infinity of the text of 'd7' \('a bad text'\)"):
        encode_texts(["good", "a bad text"], encode, batch_size=8, ids=["d6", "d7"])
    with pytest.raises(LitotesError, match=r"NaN or infinity of text 1 "):
        encode_texts(["good", "a bad text"], encode, batch_size=8)


def test_vectors_of_two_widths_are_refused():
    with pytest.raises(LitotesError, match="two widths, 3 and 2"):
        encode_texts(["aaaa", "bb"], lambda batch: np.ones((1, len(batch[0]) // 2 + 1), dtype=np.float32), batch_size=1)


def test_an_array_of_another_length_is_refused():
    with pytest.raises(LitotesError, match=r"shape \(1, 2\) of 2 texts"):
        encode_texts(["a", "b"], lambda batch: np.ones((1, 2), dtype=np.float32), batch_size=2)


def test_rows_are_scaled_to_length_one_and_zeros_stay():
    vectors = np.array([[3.0, 4.0], [0.0, 0.0], [1e-20, 0.0]], dtype=np.float32)
    assert np.allclose(unit_rows(vectors), [[0.6, 0.8], [0.0, 0.0], [1.0, 0.0]])


def test_a_row_is_scaled_alike_wherever_it_stands():
    vectors = np.random.default_rng(0).standard_normal((9000, 37)).astype(np.float32)
    alone = np.concatenate([unit_rows(vectors[i : i + 1].copy()) for i in range(0, 9000, 700)])
    assert np.array_equal(unit_rows(vectors)[::700], alone)
