"""Texts as features: a transformer of scikit-learn that embeds what it is given, whatever holds it."""

import copy

import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from litotes.core.errors import ArrayError, LitotesError
from litotes.models.encoder import resolve_encoder
from litotes.models.text_encoder import TextEncoder

TEXTS = ["the app crashes", "give me my money back", "a"]


@pytest.fixture
def counting():
    """An encoder of letters that remembers what it was asked for."""
    asked = []

    def embed(texts):
        asked.extend(texts)
        return np.array([[text.count(c) for c in "abe"] for text in texts], dtype=np.float32)

    embed.asked = asked
    return embed


def test_the_vectors_are_those_of_the_encoder():
    found = TextEncoder("tiny:bert").fit_transform(TEXTS)
    expected = resolve_encoder("tiny:bert", store=False).encode(TEXTS, "document")
    assert found.dtype == np.float32 and found.shape == (3, 32)
    np.testing.assert_array_equal(found, expected)


CONTAINERS = {
    "array": np.array,
    "objects": lambda texts: np.array(texts, dtype=object),
    "column": lambda texts: np.array(texts, dtype=object)[:, None],
    "series": lambda texts: pandas.Series(texts, index=[5, 5, 1]),
    "frame": lambda texts: pandas.DataFrame({"body": texts}),
    "tuple": tuple,
    "generator": iter,
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_whatever_holds_the_texts(kind, counting):
    encoder = TextEncoder(counting)
    np.testing.assert_array_equal(encoder.transform(CONTAINERS[kind](TEXTS)), encoder.transform(TEXTS))


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ("one text", "takes a list of texts. Got one text: put it into a list."),
        (["a", None], "Got nothing in row 1: fill it in, or leave the row out."),
        (pandas.Series(["a", float("nan")]), "Got nothing in row 1"),
        (["a", 3], "Got 3 in row 1"),
        (pandas.DataFrame({"a": ["x"], "b": ["y"]}), "takes one column of texts. Got 2 columns: name the one to embed"),
    ],
)
def test_what_is_no_list_of_texts(texts, said, counting):
    for method in ("fit", "transform"):
        with pytest.raises(ArrayError) as raised:
            getattr(TextEncoder(counting), method)(texts)
        assert said in str(raised.value)


def test_a_wrong_encoder_is_refused_when_it_is_fitted():
    with pytest.raises(LitotesError, match="There is no built-in encoder 'builtin:minlm'. .*Did you mean"):
        TextEncoder("builtin:minlm").fit(TEXTS)


def test_normalize(counting):
    scaled, plain = TextEncoder(counting, normalize=True), TextEncoder(counting, normalize=False)
    np.testing.assert_allclose(np.linalg.norm(scaled.transform(TEXTS), axis=1), 1.0, atol=1e-6)
    assert plain.transform(TEXTS).tolist() == [[2, 0, 2], [1, 1, 3], [1, 0, 0]]


def test_prompt_and_length_reach_the_model():
    encoder = TextEncoder("tiny:bert")
    before = encoder.fit_transform(TEXTS)
    assert (encoder.set_params(prompt="say: ").transform(TEXTS) != before).any(axis=1).all()
    short = encoder.set_params(prompt=None, max_length=4).transform(TEXTS)
    assert (short[0] != before[0]).any() and (short[2] == before[2]).all()


def test_parameters_are_those_of_scikit_learn():
    encoder = TextEncoder("tiny:bert", batch_size=7, normalize=True)
    again = clone(encoder)
    assert again.get_params() == encoder.get_params() and again is not encoder
    assert set(encoder.get_params()) == {
        *("encoder", "prompt", "normalize", "max_length", "batch_size", "device", "dtype")
    }
    assert not get_tags(encoder).requires_fit and get_tags(encoder).input_tags.string
    check_is_fitted(encoder)


def test_a_loaded_model_is_no_part_of_what_is_copied_or_sent_elsewhere():
    encoder = TextEncoder("tiny:bert")
    vectors = encoder.fit_transform(TEXTS)
    again = copy.deepcopy(encoder)
    assert set(vars(again)) == set(encoder.get_params()) < set(vars(encoder))
    np.testing.assert_array_equal(again.transform(TEXTS), vectors)


def test_the_model_is_loaded_once_until_its_parameters_change():
    encoder = TextEncoder("tiny:bert").fit(TEXTS)
    first = encoder._resolved()
    assert encoder.fit(TEXTS)._resolved() is first
    assert encoder.set_params(prompt="x")._resolved() is not first


def test_in_a_pipeline_and_a_grid_search(counting):
    texts, labels = ["aaa", "bbb", "ab", "ba", "aab", "bba"] * 2, list("xyxyxy") * 2
    model = make_pipeline(TextEncoder(counting, normalize=False), LogisticRegression())
    assert model.fit(texts, labels).score(texts, labels) > 0.8
    searched = GridSearchCV(model, {"textencoder__normalize": [True, False], "logisticregression__C": [1.0]}, cv=2)
    assert searched.fit(texts, labels).best_score_ > 0.5


def test_beside_other_columns(counting):
    frame = pandas.DataFrame({"body": TEXTS, "age": [1.0, 2.0, 3.0]})
    both = ColumnTransformer([("text", TextEncoder(counting), "body"), ("age", "passthrough", ["age"])])
    assert both.fit_transform(frame).shape == (3, 4)


def test_the_fingerprint_is_the_encoders():
    encoder = TextEncoder("tiny:bert", prompt="p: ")
    expected = resolve_encoder("tiny:bert", corpus_prompt="p: ", store=False).fingerprint("document")
    assert encoder.fingerprint() == expected
    assert TextEncoder("tiny:bert").fingerprint() != expected


def test_a_named_encoder_embeds_no_text_twice(monkeypatch):
    from litotes.models.sentence_transformer import SentenceTransformerEncoder

    texts = ["a text that no other test embeds", "and a second"]
    first = TextEncoder("tiny:bert").fit_transform(texts)
    monkeypatch.setattr(SentenceTransformerEncoder, "_encode_batch", None)
    np.testing.assert_array_equal(TextEncoder("tiny:bert").fit_transform(texts), first)
