"""Which encoder a caller's model, prompts, processes and cache folder make, and what is refused."""

import numpy as np
import pytest

from litotes.compat import mine_hard_negatives
from litotes.compat.given_model import given_devices, given_encoder, given_prompt
from litotes.core.errors import LitotesError
from tests.unit.compat.small_pairs import word_model

PLAIN = {"query_prompt": None, "corpus_prompt": None, "batch_size": 8, "cache_folder": None, "devices": None}


class ReadyVectors:
    """An encoder of ours."""

    similarity = "cosine"

    def __init__(self, model):
        self.model_inside = model

    def encode(self, texts, role, *, ids=None, progress=True):
        return self.model_inside.encode([text or "" for text in texts], normalize_embeddings=True)

    def fingerprint(self, role):
        return {"ready": role}


def test_vectors_have_length_one_also_where_the_model_compares_by_inner_product():
    model = word_model(similarity_fn_name="dot")
    vectors = given_encoder(model, **PLAIN).encode(["w1 w2", "w3"], "query")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.linalg.norm(model.encode("w3")) > 2  # else the test above would be vacuous


@pytest.mark.parametrize("own", ["euclidean", "manhattan"])
def test_a_distance_is_refused(own):
    with pytest.raises(
        LitotesError, match=f"The model compares by '{own}'; mine_hard_negatives searches by the cosine"
    ):
        given_encoder(word_model(similarity_fn_name=own), **PLAIN)


def test_a_function_and_a_ready_encoder_mine_the_same(dataset, corpus):
    model = word_model()
    options = {"corpus": corpus, "verbose": False}
    expected = mine_hard_negatives(dataset, model, **options).to_dict()
    assert mine_hard_negatives(dataset, ReadyVectors(model), **options).to_dict() == expected
    assert mine_hard_negatives(dataset, lambda texts: model.encode(texts), **options).to_dict() == expected


def test_what_cannot_be_kept_is_refused(tmp_path):
    kept = {**PLAIN, "cache_folder": tmp_path}
    for model, kind in ((ReadyVectors(None), "ReadyVectors"), (lambda texts: np.ones((len(texts), 2)), "function")):
        with pytest.raises(LitotesError) as caught:
            given_encoder(model, **kept)
        assert str(caught.value) == (
            f"cache_folder='{tmp_path}': nothing tells the vectors of this {kind} from another's, so they cannot be "
            "kept. Pass a SentenceTransformer, or leave cache_folder out."
        )


def test_options_that_a_kind_of_model_cannot_follow_are_refused():
    with pytest.raises(LitotesError, match="query_prompt='w1 ' cannot be set for an encoder that is ready"):
        given_encoder(ReadyVectors(None), **{**PLAIN, "query_prompt": "w1 "})
    with pytest.raises(LitotesError, match=r"devices=\['cpu'\] cannot be set for a function"):
        given_encoder(lambda texts: texts, **{**PLAIN, "devices": ["cpu"]})


def test_prompts():
    model = word_model(prompts={"query": "w1 ", "document": "w2 "})
    assert given_prompt(model, "query_prompt", None, None) is None
    assert given_prompt(model, "query_prompt", None, "document") == "w2 "
    assert given_prompt(model, "query_prompt", "", "document") == ""
    assert given_prompt(model, "query_prompt", "w3 ", "no such name") == "w3 "
    with pytest.raises(LitotesError) as caught:
        given_prompt(model, "corpus_prompt", None, "documents")
    assert str(caught.value) == (
        "corpus_prompt_name='documents' is not among the model's prompts: 'query', 'document'. Did you mean 'document'?"
    )
    with pytest.raises(LitotesError, match=r"query_prompt_name='q': a ReadyVectors has no named prompts. Pass query_"):
        given_prompt(ReadyVectors(None), "query_prompt", None, "q")


def test_devices(monkeypatch):
    import torch

    assert given_devices(False) is None and given_devices([]) is None
    assert given_devices(["cpu", "cpu"]) == ["cpu", "cpu"]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert given_devices(True) == ["cuda:0", "cuda:1"]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert given_devices(True) == ["cpu"] * 4
    with pytest.raises(
        LitotesError, match="'use_multi_process' .* True, False or a list of devices. Got 'cpu' instead"
    ):
        given_devices("cpu")


def test_several_processes_read_texts_and_pairs(dataset, corpus, monkeypatch):
    """That the devices arrive; the processes themselves are those of sentence-transformers."""
    from tests.unit.compat.test_mine_hard_negatives import NumberedPairs

    model, asked = word_model(), []

    def seen(encode):
        def call(texts, device=None, **options):
            asked.append(device)
            return encode(texts, **options)

        return call

    options = {"corpus": corpus, "max_score": 0.9, "verbose": False}
    expected = mine_hard_negatives(dataset, model, cross_encoder=NumberedPairs(), **options).to_dict()
    reader = NumberedPairs()
    reader.to = lambda device: None
    for owner, name in ((model, "encode_query"), (model, "encode_document"), (reader, "predict")):
        monkeypatch.setattr(owner, name, seen(getattr(owner, name)))
    mined = mine_hard_negatives(dataset, model, cross_encoder=reader, use_multi_process=["cpu", "cpu"], **options)
    assert asked == [["cpu", "cpu"]] * 3 and mined.to_dict() == expected
