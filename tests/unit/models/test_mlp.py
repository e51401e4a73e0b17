"""The MLP: its shape, its standardisation, and answers that do not depend on what else is asked."""

import pytest
import torch

from litotes.core.errors import LitotesError
from litotes.models.mlp import MLP


def rows(n: int, width: int = 5) -> torch.Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(n))


def test_body_makes_features_and_the_head_their_logits():
    network = MLP(5, 3, (8, 6), head_bias=False)
    assert network.body(rows(4)).shape == (4, 6)
    assert network(rows(4)).shape == (4, 3)
    assert [name for name, _ in network.named_parameters() if "head" in name] == ["head.weight"]


def test_without_hidden_layers_it_is_linear():
    network = MLP(5, 3, ())
    x = rows(4)
    expected = x @ network.head.weight.T + network.head.bias
    torch.testing.assert_close(network(x), expected)


def test_a_layer_by_hand():
    network = MLP(2, 1, (2,))
    with torch.no_grad():
        network.body[0].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
        network.body[0].bias.copy_(torch.tensor([0.5, 0.0]))
        network.head.weight.copy_(torch.tensor([[2.0, 3.0]]))
        network.head.bias.copy_(torch.tensor([1.0]))
    for is_training in (True, False):  # 2 relu(1 + .5) + 3 relu(-2) + 1
        assert network.train(is_training)(torch.tensor([[1.0, 2.0]])).item() == pytest.approx(4.0)


def test_standardise_by_hand_and_a_constant_feature_is_zero():
    network = MLP(3, 2, ())
    network.standardise(torch.tensor([[1.0, 7.0, 1e6], [3.0, 7.0, 1e6 + 2]]))
    assert network.mean.tolist() == [2.0, 7.0, 1e6 + 1] and network.spread.tolist() == [1.0, 1.0, 1.0]
    shifted = network(torch.tensor([[2.0, 7.0, 1e6 + 1]]))
    torch.testing.assert_close(shifted[0], network.head.bias)


def test_statistics_travel_with_the_weights():
    network, other = MLP(5, 2), MLP(5, 2)
    network.standardise(rows(9) * 3 + 1)
    other.load_state_dict(network.state_dict())
    torch.testing.assert_close(other.eval()(rows(4)), network.eval()(rows(4)))


def test_an_answer_does_not_depend_on_the_rows_beside_it():
    torch.manual_seed(0)
    network = MLP(64, 7, (256, 256)).eval()
    x = rows(200, 64)
    together = network(x)
    alone = torch.cat([network(x[i : i + 1]) for i in range(200)])
    assert torch.equal(together, alone)


def test_in_training_it_computes_in_the_dtype_of_its_weights_and_drops_out():
    torch.manual_seed(0)
    network = MLP(5, 2, (64,), dropout=0.5).train()
    assert network(rows(4)).dtype == torch.float32
    assert not torch.equal(network(rows(4)), network(rows(4)))
    network.eval()
    assert network(rows(4)).dtype == torch.float32 and torch.equal(network(rows(4)), network(rows(4)))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"n_features": 0}, "The 'n_features' parameter of MLP must be an int in the range [1, inf). Got 0 instead."),
        ({"hidden": (4, 0)}, "The 'hidden' parameter of MLP must be an int in the range [1, inf). Got 0 instead."),
        ({"dropout": 1.0}, "The 'dropout' parameter of MLP must be a float in the range [0.0, 1.0). Got 1.0 instead."),
    ],
)
def test_what_it_refuses(words, said):
    with pytest.raises(LitotesError) as error:
        MLP(**{"n_features": 2, "n_classes": 2, **words})
    assert str(error.value) == said
