"""Towers embed as the encoder of the same model does, with gradient; separate ones share no weights."""

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from litotes.models import resolve_encoder, tiny_bert, word_bag
from litotes.training import TextTowers, separate_towers
from tests.unit.training.small_world import small_data

TEXTS = ["red and blue", "stone"]


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_vectors_are_the_encoders_and_have_a_gradient(similarity):
    model = tiny_bert()
    model.similarity_fn_name, model.truncate_dim = similarity, 16
    model.prompts |= {"query": "ask: ", "document": "say: "}
    encoder = resolve_encoder(model)
    towers = TextTowers(encoder)
    for role in ("query", "document"):
        found = towers.eval()(TEXTS, role)
        np.testing.assert_allclose(found.detach().numpy(), encoder.encode(TEXTS, role), atol=1e-6)
    assert not torch.equal(towers(TEXTS, "query"), towers(TEXTS, "document"))
    towers(TEXTS, "query").sum().backward()
    assert any(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("make", [tiny_bert, lambda: word_bag(small_data())], ids=["one tower", "a router"])
def test_separate_towers_start_equal_and_share_nothing(make, tmp_path):
    model = make()
    both = separate_towers(model)
    for encode in ("encode_query", "encode_document"):
        np.testing.assert_allclose(getattr(both, encode)(TEXTS), getattr(model, encode)(TEXTS), atol=1e-6)
    query, document = (
        {id(p) for m in both[0].sub_modules[side] for p in m.parameters()} for side in ("query", "document")
    )
    assert query and document and not query & document
    assert not (query | document) & {id(parameter) for parameter in model.parameters()}
    towers = TextTowers(resolve_encoder(both)).eval()
    towers(TEXTS, "query").sum().backward()
    assert all(p.grad is None for m in both[0].sub_modules["document"] for p in m.parameters())
    both.save_pretrained(str(tmp_path))
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    np.testing.assert_allclose(loaded.encode_query(TEXTS), both.encode_query(TEXTS), atol=1e-6)
