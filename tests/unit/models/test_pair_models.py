"""Rankers by name, from a folder or live, as modules called on pairs of texts."""

import pytest
import torch
from sentence_transformers import CrossEncoder
from torch import nn

from litotes.core.errors import LitotesError
from litotes.models.cross_encoder import PairModel
from litotes.models.interaction import InteractionRanker
from litotes.models.pair_models import load_pair_ranker, pair_model, pair_ranker_of
from litotes.models.tiny import tiny_cross_encoder
from tests.unit.training.small_world import small_data


@pytest.fixture(scope="module")
def data():
    return small_data()


class Holding(nn.Module):
    """A live ranker that keeps its body under the name that a wrapper would use."""

    def __init__(self):
        super().__init__()
        self.model = nn.Linear(1, 1)

    def forward(self, pairs):
        return self.model(torch.ones(len(pairs), 1)).squeeze(1)

    def save_pretrained(self, folder):
        raise NotImplementedError


def test_a_cross_encoder_is_wrapped_and_given_back(data):
    model = pair_model("tiny:bert", data, length=16, layers=1, device="cpu")
    assert isinstance(model, PairModel) and model.model.max_seq_length == 16
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained and not any("embeddings" in name for name in trained)
    assert isinstance(pair_ranker_of(model), CrossEncoder)
    live = tiny_cross_encoder("bert")
    assert pair_ranker_of(pair_model(live, data, length=16)) is live and live.max_seq_length == 16


def test_what_is_no_cross_encoder_is_given_back_whole_also_where_it_holds_a_model(data):
    live = Holding()
    assert pair_model(live, data) is live and pair_ranker_of(live) is live


def test_an_interaction_ranker_goes_to_the_device(data, tmp_path):
    assert pair_model("interaction", data, device="meta").idf.device.type == "meta"
    pair_model("interaction", data, device="cpu").save_pretrained(tmp_path)
    assert pair_model(str(tmp_path), data, device="meta").idf.device.type == "meta"
    assert load_pair_ranker(tmp_path, device="meta").idf.device.type == "meta"
    assert isinstance(load_pair_ranker(tmp_path, device="cpu"), InteractionRanker)


@pytest.mark.parametrize(("options", "named"), [({"length": 32}, "length=32"), ({"layers": 1}, "layers=1")])
def test_what_only_a_cross_encoder_has_is_refused_elsewhere(data, options, named):
    for ranker in ("interaction", Holding()):
        with pytest.raises(LitotesError, match=f"ranker's {named}: only a cross-encoder has them to set"):
            pair_model(ranker, data, **options)


def test_what_cannot_be_a_ranker_is_refused(data):
    with pytest.raises(LitotesError, match=r"must be a CrossEncoder, or a module that is called .* Got Linear\."):
        pair_model(nn.Linear(2, 1), data)
