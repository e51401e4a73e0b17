"""Frozen lower layers: vectors and gradients of the plain model, each text through them once, plain folders."""

import copy

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from torch import nn

from litotes.core.errors import LitotesError
from litotes.models import freeze_lower_layers, resolve_encoder, tiny_bert, word_bag
from litotes.models.frozen_layers import KeptStates
from litotes.models.last_layers import train_last_layers
from litotes.models.tiny import tiny_tokenizer
from litotes.recipes.retrieval.star_adore import StarConfig, train_star
from litotes.training.query_tower import QueryTower
from tests.unit.training.small_world import small_data

TEXTS = ["red cat", "a river of stone and iron bread", "x", "the dog runs"]
LAYERS = 4


@pytest.fixture
def plain():
    return tiny_bert(seed=1, layers=LAYERS)


def stand_in(model):
    return model[0].model.forward


def vectors(model, texts=TEXTS):
    return model(model.preprocess(texts))["sentence_embedding"]


def gradients(model):
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def layers_of(model):
    return model[0].model.encoder.layer


def test_vectors_are_the_plain_models(plain):
    cut = freeze_lower_layers(plain, 2)
    for _ in range(2):  # computed, then looked up
        np.testing.assert_allclose(cut.encode(TEXTS), plain.encode(TEXTS), atol=1e-6)
    assert cut is not plain and not isinstance(plain[0].model.__dict__.get("forward"), type(stand_in(cut)))
    assert stand_in(cut).passed == len(TEXTS)


@pytest.mark.parametrize("trained", [1, 3])
def test_gradients_are_those_of_the_plain_model_with_its_lower_layers_frozen(plain, trained):
    cut = freeze_lower_layers(copy.deepcopy(plain), trained)
    train_last_layers(plain, trained)
    vectors(cut.eval())  # so that what follows is looked up
    for model in (plain, cut):
        model.train()
    for lower in (plain[0].model.embeddings, *layers_of(plain)[: LAYERS - trained]):
        lower.eval()
    found = []
    for model in (plain, cut):
        torch.manual_seed(0)  # of the upper layers' dropout
        found.append(vectors(model))
        found[-1].square().sum().backward()
    torch.testing.assert_close(found[1], found[0], atol=1e-6, rtol=0)
    assert not torch.allclose(found[0], vectors(plain.eval()), atol=1e-3), "dropout is on"
    expected, got = gradients(plain), gradients(cut)
    assert expected.keys() == got.keys() and len(got) == 16 * trained
    assert all(torch.allclose(got[name], expected[name], atol=1e-6) for name in expected)


def test_each_text_passes_the_lower_layers_once(plain):
    cut = freeze_lower_layers(plain, 2).train()
    calls = []
    layers_of(cut)[0].register_forward_hook(lambda module, args, output: calls.append((len(args[0]), module.training)))
    for _ in range(2):
        for batch in (TEXTS[:2], TEXTS[2:], [TEXTS[0], TEXTS[0], "new", "new"]):
            vectors(cut, batch)
    assert calls == [(1, False)] * 5, "alone and in evaluation mode; a repeated text once"
    assert stand_in(cut).passed == 5 and all(layer.training for layer in layers_of(cut))


def test_states_kept_while_encoding_take_part_in_training(plain):
    cut = freeze_lower_layers(plain, 2)
    assert {p.requires_grad for p in cut[0].model.embeddings.parameters()} == {False}
    assert [{p.requires_grad for p in layer.parameters()} for layer in layers_of(cut)] == [{False}] * 2 + [{True}] * 2
    with torch.inference_mode():
        vectors(cut)
    vectors(cut.train()).sum().backward()
    assert stand_in(cut).passed == len(TEXTS) and len(gradients(cut)) == 32


def test_other_padding_changes_nothing(plain):
    cut = freeze_lower_layers(plain, 2)
    together, alone = cut.encode(TEXTS), np.vstack([cut.encode([text]) for text in TEXTS])
    assert stand_in(cut).passed == len(TEXTS)
    np.testing.assert_allclose(alone, together, atol=1e-5)
    np.testing.assert_allclose(alone, plain.encode(TEXTS), atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_kept_of_a_text_does_not_depend_on_its_company(dtype):
    model = tiny_bert(seed=1, layers=LAYERS, width=128)
    texts = [*TEXTS, " ".join(TEXTS * 5), "red red cat", *(" ".join(TEXTS[:n] * 3) for n in (1, 2, 3))]

    def after(*batches):
        cut = freeze_lower_layers(model, 2).eval()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16):
            for batch in batches:
                vectors(cut, batch)
            return vectors(cut, texts), stand_in(cut).kept._states

    alone, states = after()
    together, others = after(texts[::-1], texts[2:5])
    one_by_one, more = after(*([text] for text in texts[3:]), ["another", *texts[:3]])
    assert {kept.dtype for kept in states.values()} == {torch.float32}, "the last part of a layer is its norm"
    assert len(states) == len(texts) and all(torch.equal(states[key], others[key]) for key in states)
    assert all(torch.equal(states[key], more[key]) for key in states)
    assert torch.equal(alone, together) and torch.equal(alone, one_by_one)


def test_padding_on_the_left_is_computed_and_not_kept(plain):
    cut = freeze_lower_layers(plain, 2)
    cut.tokenizer.padding_side = "left"
    np.testing.assert_allclose(cut.encode(TEXTS), plain.encode(TEXTS), atol=1e-6)
    assert len(stand_in(cut).kept) == 0


def test_memory_is_bounded(plain):
    tokens = [len(ids) for ids in plain.tokenizer(TEXTS)["input_ids"]]
    size = 4 * 32 * (tokens[0] + tokens[2])
    cut = freeze_lower_layers(plain, 2, memory=size)
    for _ in range(2):
        np.testing.assert_allclose(cut.encode(TEXTS, batch_size=1), plain.encode(TEXTS), atol=1e-5)
    kept = stand_in(cut).kept
    assert 0 < kept.used <= size and kept.used == sum(s.nbytes for s in kept._states.values())
    assert 0 < len(kept) < len(TEXTS) and stand_in(cut).passed == len(TEXTS) + len(TEXTS) - len(kept)
    nothing = freeze_lower_layers(copy.deepcopy(plain), 2, memory=0)
    np.testing.assert_allclose(nothing.encode(TEXTS), plain.encode(TEXTS), atol=1e-6)
    assert len(stand_in(nothing).kept) == 0


def test_kept_states_follow_the_number_format(plain):
    cut = freeze_lower_layers(plain, 2)
    in_bfloat16 = {model: resolve_encoder(model, dtype="bfloat16").encode(TEXTS, "query") for model in (plain, cut)}
    np.testing.assert_allclose(in_bfloat16[cut], in_bfloat16[plain], atol=1e-2)
    np.testing.assert_allclose(cut.encode(TEXTS), plain.encode(TEXTS), atol=1e-6)
    assert stand_in(cut).passed == 2 * len(TEXTS)
    assert np.abs(in_bfloat16[cut] - resolve_encoder(cut).encode(TEXTS, "query")).max() > 1e-6


def test_training_under_autocast_reaches_the_upper_layers(plain):
    cut = freeze_lower_layers(plain, 2)
    with torch.autocast("cpu", torch.bfloat16):
        vectors(cut).float().sum().backward()
    assert len(gradients(cut)) == 32


def test_saved_it_is_the_plain_model(plain, tmp_path):
    cut = freeze_lower_layers(plain, 2)
    with torch.no_grad():
        for parameter in layers_of(cut)[-1].parameters():
            parameter.add_(0.1)
    cut.save_pretrained(str(tmp_path))
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    assert "litotes" not in (tmp_path / "modules.json").read_text()
    assert type(loaded[0]) is Transformer and "forward" not in loaded[0].model.__dict__
    np.testing.assert_allclose(loaded.encode(TEXTS), cut.encode(TEXTS), atol=1e-6)
    for role in ("query", "document"):
        assert resolve_encoder(loaded).fingerprint(role) == resolve_encoder(cut).fingerprint(role)


def test_a_copy_shares_what_is_kept_and_trains_on_its_own(plain):
    plain.prompts["query"] = "ask: "
    cut = freeze_lower_layers(plain, 2)
    cut.encode_query(TEXTS)
    tower = QueryTower(cut, layers=2)
    np.testing.assert_allclose(tower(TEXTS).detach().numpy(), resolve_encoder(plain).encode(TEXTS, "query"), atol=1e-5)
    assert stand_in(tower.model).kept is stand_in(cut).kept
    assert stand_in(tower.model).passed == stand_in(cut).passed == len(TEXTS)
    assert stand_in(tower.model).backbone is tower.model[0].model is not cut[0].model
    with torch.no_grad():
        layers_of(tower.model)[-1].output.dense.weight.normal_(generator=torch.Generator().manual_seed(0))
    assert not np.allclose(tower(TEXTS).detach().numpy(), resolve_encoder(plain).encode(TEXTS, "query"), atol=1e-3)
    np.testing.assert_allclose(cut.encode(TEXTS), plain.encode(TEXTS), atol=1e-6)
    both = tower.beside(cut)
    np.testing.assert_allclose(both.encode_document(TEXTS), plain.encode_document(TEXTS), atol=1e-6)


def test_changed_weights_are_noticed(plain):
    cut = freeze_lower_layers(plain, 2)
    cut.encode(TEXTS)
    cut.load_state_dict(copy.deepcopy(plain.state_dict()))
    cut.encode(TEXTS)
    assert stand_in(cut).passed == len(TEXTS), "the same weights, loaded again"
    other = tiny_bert(seed=2, layers=LAYERS)
    cut.load_state_dict(other.state_dict())
    np.testing.assert_allclose(cut.encode(TEXTS), other.encode(TEXTS), atol=1e-6)
    assert len(stand_in(cut).kept) == len(TEXTS), "what was kept of the old weights is gone"


def test_a_change_forgets_the_states_that_nobody_else_has(plain):
    kept = KeptStates(2**20)
    one, other, third = (freeze_lower_layers(tiny_bert(seed=seed, layers=LAYERS), 2, kept=kept) for seed in (1, 2, 2))
    for model in (one, other, third):
        model.encode(TEXTS)
    assert len(kept) == 2 * len(TEXTS) and [stand_in(m).passed for m in (one, other, third)] == [4, 4, 0]
    change = torch.no_grad()(lambda model: layers_of(model)[0].output.dense.weight.mul_(2))
    change(other)
    other.encode(TEXTS[:1])
    assert len(kept) == 2 * len(TEXTS) + 1, "the third has the old weights still"
    change(third)
    third.encode(TEXTS[:1])
    assert len(kept) == len(TEXTS) + 1 and stand_in(third).passed == 0
    assert kept.used == sum(states.nbytes for states in kept._states.values())
    one.encode(TEXTS)
    assert stand_in(one).passed == len(TEXTS), "its states were not touched"


def test_states_do_not_travel_to_other_processes(plain):
    cut = freeze_lower_layers(plain, 2, memory=12345)
    cut.encode(TEXTS[:1])
    sent = copy.copy(stand_in(cut).kept)  # as pickle takes it apart and makes it again
    assert (len(sent), sent.used, sent.memory) == (0, 0, 12345)


def test_token_types_tell_pairs_apart(plain):
    backbone, whole = freeze_lower_layers(plain.eval(), 2)[0].model, plain[0].model
    ids = torch.tensor([[2, 5, 6, 7]])
    for types in ([[0, 0, 0, 0]], [[0, 0, 1, 1]], [[1, 1, 1, 1]]):
        for _ in range(2):
            given = {"input_ids": ids, "token_type_ids": torch.tensor(types)}
            torch.testing.assert_close(backbone(**given)[0], whole(**given)[0], atol=1e-6, rtol=0)
    assert backbone.forward.passed == 3


def test_a_text_without_any_token_is_computed_as_the_plain_model_does(plain):
    backbone, whole = freeze_lower_layers(plain.eval(), 2)[0].model, plain[0].model
    given = {"input_ids": torch.tensor([[2, 5, 6], [0, 0, 0]]), "attention_mask": torch.tensor([[1, 1, 1], [0, 0, 0]])}
    torch.testing.assert_close(backbone(**given)[0], whole(**given)[0], atol=1e-6, rtol=0)
    assert len(backbone.forward.kept) == 0


@pytest.mark.parametrize("asked", [{"output_hidden_states": True}, {"position_ids": torch.tensor([[3, 2, 1, 0]])}])
def test_a_call_that_asks_for_more_is_computed_whole(plain, asked):
    cut = freeze_lower_layers(plain.eval(), 2)
    backbone = cut[0].model
    cut.requires_grad_(True)
    given = {"input_ids": torch.tensor([[2, 5, 6, 7]]), "attention_mask": torch.ones(1, 4, dtype=torch.long), **asked}
    for _ in range(2):
        found, expected = backbone(**given), plain[0].model(**given)
    torch.testing.assert_close(found.last_hidden_state, expected.last_hidden_state, atol=1e-6, rtol=0)
    if "output_hidden_states" in asked:
        assert len(found.hidden_states) == len(expected.hidden_states) == LAYERS + 1
    assert (backbone.forward.passed, len(backbone.forward.kept)) == (2, 0)
    found.last_hidden_state.sum().backward()
    assert {p.grad is None for p in layers_of(cut)[0].parameters()} == {True}
    assert {p.grad is None for p in layers_of(cut)[3].parameters()} == {False}


def test_given_embeddings_are_computed_without_dropout_in_the_frozen_layers(plain):
    backbone = freeze_lower_layers(plain.eval(), 2)[0].model
    given = {"inputs_embeds": torch.randn(2, 3, 32, generator=torch.Generator().manual_seed(0))}
    torch.testing.assert_close(backbone(**given)[0], plain[0].model(**given)[0], atol=1e-6, rtol=0)
    seen = []
    for place in (0, 3):
        backbone.encoder.layer[place].register_forward_hook(lambda module, args, output: seen.append(module.training))
    backbone.train()(**given)
    assert seen == [False, True] and backbone.forward.passed == 2 + 2


def test_settings_are_the_models(plain):
    plain.prompts = {"query": "ask: ", "document": ""}
    plain.similarity_fn_name, plain.truncate_dim, plain[0].query_length = "dot", 16, 9
    cut = freeze_lower_layers(plain, 2)
    np.testing.assert_allclose(cut.encode_query(TEXTS), plain.encode_query(TEXTS), atol=1e-6)
    assert cut.encode_query(TEXTS).shape[1] == 16 and stand_in(cut).passed == len(TEXTS)
    assert (cut.similarity_fn_name, cut.prompts, cut[0].query_length) == ("dot", plain.prompts, 9)
    assert cut.max_seq_length == plain.max_seq_length and cut.tokenizer is plain.tokenizer


def test_star_trains_the_last_layers(tmp_path):
    model = tiny_bert(0, layers=3)
    before = copy.deepcopy(model.state_dict())
    cut, data = freeze_lower_layers(model, 2), small_data()
    config = StarConfig(top=5, max_steps=6, per_device_train_batch_size=4, trained_layers=2, learning_rate=1e-3)
    trained = train_star(data, config, tmp_path, dev=data, encoder=cut)
    changed = {name for name, value in trained.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all(".layer.1." in name or ".layer.2." in name for name in changed)
    assert stand_in(cut).passed <= data.n_rows + data.n_cols
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    np.testing.assert_allclose(loaded.encode(TEXTS), trained.encode(TEXTS), atol=1e-6)


def test_what_cannot_be_cut_is_refused(plain):
    with pytest.raises(LitotesError, match="trained_layers=4 of a model with 4 layers leaves none to freeze"):
        freeze_lower_layers(plain, 4)
    with pytest.raises(LitotesError, match="'trained_layers' parameter of freeze_lower_layers"):
        freeze_lower_layers(plain, 0)
    with pytest.raises(LitotesError, match="this one is frozen once already"):
        freeze_lower_layers(freeze_lower_layers(plain, 2), 1)
    with pytest.raises(LitotesError, match="begins with a plain Transformer module; this one is a Router"):
        freeze_lower_layers(word_bag(small_data()), 1)
    plain[0].model.config.output_hidden_states = True
    with pytest.raises(LitotesError, match="cannot give the states of every layer"):
        freeze_lower_layers(plain, 2)


def test_another_family_is_refused(tmp_path):
    from transformers import DistilBertConfig, DistilBertModel

    tokenizer = tiny_tokenizer()
    config = DistilBertConfig(vocab_size=len(tokenizer), dim=8, n_layers=2, n_heads=2, hidden_dim=8)
    DistilBertModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model = SentenceTransformer(modules=[Transformer(str(tmp_path)), Pooling(8, "mean")], device="cpu")
    with pytest.raises(LitotesError, match="embeddings and encoder.layer; DistilBertModel has not"):
        freeze_lower_layers(model, 1)


def test_a_model_that_does_more_than_pass_states_on_is_refused(plain):
    class ScaledEncoder(type(plain[0].model.encoder)):
        def forward(self, hidden_states, *args, **kwargs):
            return super().forward(hidden_states * 1.5, *args, **kwargs)

    plain[0].model.encoder.__class__ = ScaledEncoder
    with pytest.raises(LitotesError, match="a BertModel cut in two is .* away from the whole model"):
        freeze_lower_layers(plain, 2)
    assert all(p.requires_grad for p in plain.parameters()), "nothing was frozen"
    assert isinstance(plain[0].model.encoder, nn.Module) and plain.encode(TEXTS).shape == (4, 32)
