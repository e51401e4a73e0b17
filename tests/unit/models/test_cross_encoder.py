"""Cross-encoders by name, with new heads, and called with gradient."""

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder

from litotes.core.errors import LitotesError
from litotes.models import PairModel, freeze_lower_layers, load_cross_encoder, tiny_bert, tiny_cross_encoder

PAIRS = [("red cat", "a cat that is red"), ("stone", "a river of stone and iron"), ("x", "y")]


def raw(model, pairs=PAIRS):
    return model.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False)


def test_a_new_head_comes_from_the_seed_and_leaves_torchs_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, same, other = (load_cross_encoder("builtin:minilm", device="cpu", seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    assert np.array_equal(raw(one), raw(same)) and not np.allclose(raw(one), raw(other))
    body = [dict(model[0].model.bert.named_parameters()) for model in (one, other)]
    assert all(torch.equal(body[0][name], body[1][name]) for name in body[0]), "only the head is new"


def test_a_saved_one_comes_back(tmp_path):
    model = tiny_cross_encoder(seed=2)
    model.save_pretrained(str(tmp_path / "saved"))
    assert load_cross_encoder(tmp_path / "saved", device="cpu", max_length=16).max_seq_length == 16
    loaded = load_cross_encoder(tmp_path / "saved", device="cpu", seed=None)
    np.testing.assert_allclose(raw(loaded), raw(model), atol=1e-6)


def test_what_has_no_head_is_refused_where_none_may_be_made(tmp_path):
    tiny_bert().save_pretrained(str(tmp_path / "encoder"))
    with pytest.raises(LitotesError, match="encoder' is an encoder without a head .* train one from it"):
        load_cross_encoder(tmp_path / "encoder", device="cpu", seed=None)
    with pytest.raises(LitotesError, match="'builtin:minilm' is an encoder without a head"):
        load_cross_encoder("builtin:minilm", device="cpu", seed=None)
    assert load_cross_encoder(tmp_path / "encoder", device="cpu").num_labels == 1


def test_what_is_not_there_is_said_in_one_sentence(tmp_path):
    with pytest.raises(LitotesError, match="'./nowhere' is a folder that does not exist"):
        load_cross_encoder("./nowhere")
    with pytest.raises(LitotesError, match="does not hold a cross-encoder"):
        load_cross_encoder(tmp_path)
    with pytest.raises(LitotesError, match="neither a folder here nor a model that could be fetched"):
        load_cross_encoder("someone/no-such-model", device="cpu")


def test_pairs_have_the_logits_of_predict_and_a_gradient():
    model = PairModel(tiny_cross_encoder(seed=1)).eval()
    logits = model(PAIRS)
    np.testing.assert_allclose(logits.detach().numpy(), raw(model.model), atol=1e-5)
    logits.sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert model([]).shape == (0,)


def test_dropout_is_set_everywhere():
    model = PairModel(tiny_cross_encoder(seed=1), dropout=0.0).train()
    assert torch.equal(model(PAIRS), model(PAIRS))
    loud = PairModel(tiny_cross_encoder(seed=1), dropout=0.5).train()
    assert not torch.equal(loud(PAIRS), loud(PAIRS))


def test_only_the_last_layers_and_the_head_are_trained():
    model = PairModel(tiny_cross_encoder(seed=1, layers=3), layers=1)
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained and all("layer.2." in name or "pooler" in name or "classifier" in name for name in trained)


def test_frozen_lower_layers_are_passed_once_by_each_pair(tmp_path):
    plain = tiny_cross_encoder(seed=1, layers=3)
    cut = freeze_lower_layers(plain, 1)
    states = cut[0].model.bert.forward
    for _ in range(2):
        np.testing.assert_allclose(raw(cut), raw(plain), atol=1e-6)
    assert states.passed == len(PAIRS) and isinstance(cut, CrossEncoder)
    PairModel(cut).train()(PAIRS).sum().backward()
    trained = {name for name, p in cut.named_parameters() if p.grad is not None}
    assert trained and all("layer.2." in name or "pooler" in name or "classifier" in name for name in trained)
    cut.save_pretrained(str(tmp_path / "saved"))
    np.testing.assert_allclose(raw(load_cross_encoder(tmp_path / "saved", device="cpu")), raw(cut), atol=1e-6)
