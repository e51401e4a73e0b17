"""Activations forgotten and made again: the gradients are those of one pass, whatever the encoder and the loss."""

import pytest
import torch
from torch import nn

from litotes.core.errors import LitotesError
from litotes.losses import cached_encode, tiled_info_nce
from tests.unit.losses.stand_ins import vectors

N, WIDTH = 7, 5


def encoder(seed: int = 0, dropout: float = 0.0) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = nn.Linear(WIDTH, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 3), nn.Dropout(dropout)
    return nn.Sequential(*layers).double()


def gradients(module: nn.Module) -> list[torch.Tensor | None]:
    return [None if p.grad is None else p.grad.clone() for p in module.parameters()]


def step(towers, make_loss, encode) -> tuple[torch.Tensor, list]:
    for tower in towers:
        tower.zero_grad()
    loss = make_loss(encode)
    loss.backward()
    return loss.detach(), [gradients(tower) for tower in towers]


def contrastive(query_tower, document_tower):
    queries, documents = vectors(N, WIDTH), vectors(2 * N, WIDTH, seed=1)
    return lambda encode: tiled_info_nce(encode(query_tower, queries), encode(document_tower, documents), beta=1.0)


def at_once(tower, inputs):
    return tower(inputs)


def same(found, expected) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 3, N, 100])
def test_gradients_are_those_of_one_shot_also_where_chunks_do_not_divide(size: int):
    towers = encoder(0), encoder(1)
    make_loss = contrastive(*towers)
    expected = step(towers, make_loss, at_once)
    same(step(towers, make_loss, lambda tower, x: cached_encode(tower, x, size)), expected)


def test_tied_towers_and_other_uses_of_their_parameters_add_up():
    tower = encoder()
    both = contrastive(tower, tower)

    def make_loss(encode):
        return both(encode) + sum(p.square().sum() for p in tower.parameters())

    same(
        step([tower], make_loss, lambda t, x: cached_encode(t, x, 3)),
        step([tower], make_loss, at_once),
    )


def test_a_parameter_that_is_named_twice_gets_its_gradient_once():
    tower = encoder()
    both = contrastive(tower, tower)
    twice = [*tower.parameters(), *tower.parameters()]  # as two towers that share an encoder name them
    same(
        step([tower], both, lambda t, x: cached_encode(t, x, 3, parameters=twice)),
        step([tower], both, at_once),
    )


def test_frozen_parameters_get_none_and_the_rest_what_is_theirs():
    tower = encoder()
    for p in tower[0].parameters():
        p.requires_grad_(False)
    make_loss = contrastive(tower, tower)
    _, (expected,) = step([tower], make_loss, at_once)
    _, (found,) = step([tower], make_loss, lambda t, x: cached_encode(t, x, 2))
    assert found[0] is None and found[1] is None
    same(found[2:], expected[2:])


def test_an_encoder_that_is_frozen_whole_gives_constants():
    assert not cached_encode(encoder().requires_grad_(False), vectors(N, WIDTH), 2).requires_grad


def test_dropout_is_the_same_in_both_passes():
    """One-shot gradients under the masks that the first pass drew, chunk by chunk."""
    tower, x, upstream = encoder(dropout=0.5), vectors(N, WIDTH), vectors(N, 3, seed=3)
    assert any(m.p > 0 for m in tower.modules() if isinstance(m, nn.Dropout)), "without dropout nothing is tested"
    torch.manual_seed(9)
    expected = torch.cat([tower(part) for part in x.split(3)])
    expected.backward(upstream)
    wanted = gradients(tower)
    tower.zero_grad()
    torch.manual_seed(9)
    found = cached_encode(tower, x, 3)
    assert torch.equal(found, expected)
    torch.rand(5)  # what happens in between does not matter
    after = torch.get_rng_state()
    found.backward(upstream)
    same(gradients(tower), wanted)
    assert torch.equal(torch.get_rng_state(), after), "the second pass leaves the random numbers as they were"


def test_two_forwards_before_one_backward():
    tower = encoder(dropout=0.3)
    x, y = vectors(N, WIDTH), vectors(N, WIDTH, seed=1)

    def run(encode):
        torch.manual_seed(1)
        first, second = encode(x), encode(y)
        tower.zero_grad()
        (first.sum() + 2 * second.square().sum()).backward()
        return gradients(tower)

    def chunks(inputs):
        return torch.cat([tower(part) for part in inputs.split(4)])

    same(run(lambda inputs: cached_encode(tower, inputs, 4)), run(chunks))


def test_outer_scaling_reaches_every_parameter():
    tower, x = encoder(), vectors(N, WIDTH)
    (1024 * cached_encode(tower, x, 2).square().sum()).backward()
    scaled = gradients(tower)
    tower.zero_grad()
    tower(x).square().sum().backward()
    same([g / 1024 for g in scaled], gradients(tower))


def test_autograd_grad_may_ask_twice():
    tower, x = encoder(), vectors(N, WIDTH)
    loss = cached_encode(tower, x, 2).square().sum()
    first = torch.autograd.grad(loss, list(tower.parameters()), retain_graph=True)
    same(first, torch.autograd.grad(loss, list(tower.parameters())))
    same(first, torch.autograd.grad(tower(x).square().sum(), list(tower.parameters())))


def test_no_grad_and_eval_encode_and_nothing_more():
    tower, x = encoder(dropout=0.5), vectors(N, WIDTH)
    with torch.no_grad():
        assert not cached_encode(tower, x, 2).requires_grad
    tower.eval()
    torch.testing.assert_close(cached_encode(tower, x, 2), tower(x))


def test_autocast_is_the_same_in_both_passes_and_leaves_no_weights_behind():
    tower, x = encoder().float(), vectors(N, WIDTH, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = cached_encode(tower, x, 2)
        later = tower(x)  # with the cast weights of the pass that knew no gradient, this had none
    assert found.dtype == torch.bfloat16 and later.requires_grad
    found.float().square().sum().backward()  # outside
    mine = gradients(tower)
    tower.zero_grad()
    later.float().square().sum().backward()
    torch.testing.assert_close(mine, gradients(tower), rtol=0.05, atol=0.05)


def test_only_one_mini_batch_has_a_graph_at_a_time():
    alive, most = 0, 0

    class Counted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            nonlocal alive
            alive -= len(g)
            return g

    tower = encoder()

    def counting(part):
        nonlocal alive, most
        vectors_ = tower(part)
        if torch.is_grad_enabled():
            alive += len(part)
            most = max(most, alive)
        return Counted.apply(vectors_)

    cached_encode(counting, vectors(N, WIDTH), 2, parameters=tower.parameters()).sum().backward()
    assert (most, alive) == (2, 0)


def test_inputs_may_be_texts_or_mappings_of_tensors():
    tower = encoder()
    table = dict(zip("abcdefg", vectors(N, WIDTH), strict=True))
    by_text = cached_encode(
        lambda texts: tower(torch.stack([table[t] for t in texts])), list("abcdefg"), 3, parameters=tower.parameters()
    )
    features = {"x": vectors(N, WIDTH), "task": "query"}
    by_mapping = cached_encode(lambda f: tower(f["x"]), features, 3, parameters=tower.parameters())
    torch.testing.assert_close(by_text, tower(vectors(N, WIDTH)))
    torch.testing.assert_close(by_mapping, by_text)


def test_a_parameter_may_have_been_made_of_others():
    base = vectors(WIDTH, 3).requires_grad_()
    weight = base * 2
    cached_encode(lambda x: x @ weight, vectors(N, WIDTH), 2, parameters=[weight]).sum().backward()
    torch.testing.assert_close(base.grad, 2 * vectors(N, WIDTH).sum(dim=0)[:, None].expand(-1, 3))


class TestRefused:
    def test_a_parameter_that_was_not_named(self):
        tower = encoder()
        found = cached_encode(tower, vectors(N, WIDTH), 2, parameters=tower[0].parameters())
        with pytest.raises(LitotesError, match=r"used a parameter of shape \(3, 8\) that is not among parameters="):
            found.sum().backward()

    def test_a_parameter_that_only_a_later_mini_batch_used(self):
        tower, x = encoder(), vectors(N, WIDTH)
        later = vectors(3).requires_grad_()

        def encode(part):
            return tower(part) if torch.equal(part[0], x[0]) else tower(part) * later

        found = cached_encode(encode, x, 3, parameters=tower.parameters())
        with pytest.raises(LitotesError, match=r"used a parameter of shape \(3,\) that is not among parameters="):
            found.sum().backward()

    @pytest.mark.parametrize("named", [(), [vectors(3)]], ids=["none", "frozen ones"])
    def test_no_parameter_to_train_where_the_encoder_has_one(self, named):
        with pytest.raises(LitotesError, match=r"used a parameter of shape \(3, 8\) that is not among parameters="):
            cached_encode(encoder(), vectors(N, WIDTH), 2, parameters=named)
        with torch.no_grad():
            cached_encode(encoder(), vectors(N, WIDTH), 2, parameters=named)  # where no gradient can be lost
        frozen = encoder().requires_grad_(False)
        assert not cached_encode(frozen, vectors(N, WIDTH), 2, parameters=named).requires_grad

    def test_a_function_without_parameters(self):
        with pytest.raises(LitotesError, match="must know what the encoder has gradients for: pass an nn.Module, or"):
            cached_encode(lambda x: x, vectors(N, WIDTH), 2)

    def test_inputs_that_want_a_gradient(self):
        with pytest.raises(LitotesError, match="gives no gradient to its inputs, and one of them wants it"):
            cached_encode(encoder(), vectors(N, WIDTH).requires_grad_(), 2)

    def test_batch_norm_in_training(self):
        tower = nn.Sequential(nn.Linear(WIDTH, 3), nn.BatchNorm1d(3)).double()
        with pytest.raises(LitotesError, match="the encoder's 1 is a batch norm in training"):
            cached_encode(tower, vectors(N, WIDTH), 2)
        torch.testing.assert_close(cached_encode(tower.eval(), vectors(N, WIDTH), 2), tower(vectors(N, WIDTH)))

    def test_nothing_to_encode_and_chunks_of_nothing(self):
        with pytest.raises(LitotesError, match="got no inputs to encode"):
            cached_encode(encoder(), vectors(0, WIDTH), 2)
        with pytest.raises(LitotesError, match="'mini_batch_size' parameter of cached_encode must be an int"):
            cached_encode(encoder(), vectors(N, WIDTH), 0)
