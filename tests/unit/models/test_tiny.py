"""The random model of the tests: the same seed gives the same weights, and it trains."""

import torch

from litotes.models.model_fingerprint import weights_digest
from litotes.models.tiny import tiny_bert, tiny_tokenizer


def test_the_seed_decides_the_weights_and_nothing_else_is_touched():
    torch.manual_seed(3)
    state = torch.get_rng_state()
    one, two, other = (weights_digest(list(tiny_bert(seed).children())) for seed in (0, 0, 1))
    assert one == two != other
    assert torch.equal(torch.get_rng_state(), state)


def test_it_has_a_gradient_for_every_layer():
    model = tiny_bert(0)
    features = model.preprocess(["some text", "another"])
    model(features)["sentence_embedding"].square().sum().backward()
    layers = [name for name, p in model.named_parameters() if "layer" in name and p.grad is not None and p.grad.any()]
    assert layers


def test_letters_are_pieces():
    tokenizer = tiny_tokenizer()
    assert tokenizer.tokenize("Abc, é") == ["a", "##b", "##c", ",", "e"]
    assert tokenizer("a")["input_ids"][0] == tokenizer.cls_token_id
