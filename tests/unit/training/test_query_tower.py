"""The query tower: the encoder's own vectors with gradient, frozen where asked, put back beside the documents."""

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize
from torch import nn

from litotes.core.errors import LitotesError
from litotes.models import resolve_encoder, tiny_bert
from litotes.models.last_layers import train_last_layers
from litotes.training.query_tower import QueryTower

TEXTS = ["red cat", "a river of stone and iron bread"]


def shake(tower):
    """Stands for training."""
    with torch.no_grad():
        for parameter in tower.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))


def with_(**changes):
    model = tiny_bert(4)
    for name, value in changes.items():
        setattr(model, name, value)
    return model


@pytest.mark.parametrize(
    "make",
    [
        lambda: with_(),
        lambda: with_(similarity_fn_name="dot"),
        lambda: with_(prompts={"query": "ask: ", "document": ""}),
        lambda: with_(truncate_dim=16),
        lambda: SentenceTransformer(modules=[*tiny_bert(4), Normalize()], device="cpu"),
    ],
    ids=["cosine", "dot", "prompt", "truncated", "normalised"],
)
def test_its_vectors_are_the_encoders(make):
    model = make()
    tower = QueryTower(model)
    expected = resolve_encoder(model).encode(TEXTS, "query")
    found = tower(TEXTS)
    assert found.requires_grad
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-5)


def test_a_prompt_and_a_length_of_ones_own(data):
    model = tiny_bert(4)
    tower = QueryTower(model, prompt="ask: ", max_length=6)
    expected = resolve_encoder(model, query_prompt="ask: ", query_length=6).encode(TEXTS, "query")
    np.testing.assert_allclose(tower(TEXTS).detach().numpy(), expected, atol=1e-5)
    assert model[0].query_length is None, "the model that it was copied from is as it was"


def test_dropout_is_off_unless_asked_for():
    assert torch.equal(*(QueryTower(tiny_bert(4)).train()(TEXTS) for _ in range(2)))
    tower = QueryTower(tiny_bert(4), dropout=True).train()
    assert not torch.equal(tower(TEXTS), tower(TEXTS))


def test_two_towers_out_of_two_towers(tmp_path):
    start = tiny_bert(4)
    once = QueryTower(start)
    shake(once)
    first = once.beside(start)
    tower = QueryTower(first)
    np.testing.assert_allclose(tower(TEXTS).detach().numpy(), once(TEXTS).detach().numpy(), atol=1e-6)
    shake(tower)
    second = tower.beside(first)
    second.save_pretrained(str(tmp_path))
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    np.testing.assert_allclose(loaded.encode_document(TEXTS), start.encode(TEXTS), atol=1e-6)
    assert np.abs(loaded.encode_query(TEXTS) - first.encode_query(TEXTS)).max() > 1e-4
    np.testing.assert_array_equal(first.encode_document(TEXTS), start.encode(TEXTS))


def test_similarity_and_prompts_stay_with_the_pair():
    model = with_(similarity_fn_name="dot", prompts={"query": "q: ", "document": "d: "})
    both = QueryTower(model).beside(model, document_prompt="p: ")
    assert both.similarity_fn_name == "dot" and both.prompts == {"query": "q: ", "document": "p: "}


def test_last_layers_alone_are_trained():
    model = nn.Sequential(nn.Embedding(5, 3), nn.Module(), nn.Linear(3, 3))
    model[1].layer = nn.ModuleList([nn.Linear(3, 3) for _ in range(4)])
    train_last_layers(model, 2)
    assert [p.requires_grad for p in model.parameters()] == [False] * 5 + [True] * 6
    with pytest.raises(LitotesError, match="has 4 layers, so its last 5 cannot be trained alone"):
        train_last_layers(model, 5)
    with pytest.raises(LitotesError, match="has 0 layers"):
        train_last_layers(nn.Linear(2, 2), 1)
