"""The cross-encoder judge: raw logits, batches, live models, models that are not there."""

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder

from litotes.core.errors import LitotesError
from litotes.judging.cross_encoder import CrossEncoderJudge, CrossEncoderScorer
from litotes.judging.margin import MarginJudge
from tests.unit.judging.small_cross_encoder import save_small_cross_encoder


@pytest.fixture(scope="module")
def model(cross_encoder_folder):
    return CrossEncoder(cross_encoder_folder, device="cpu")


def test_the_column_holds_the_raw_logits_pair_by_pair(model, cross_encoder_folder, candidates, data):
    judged = CrossEncoderJudge(cross_encoder_folder).judge(candidates, data)
    assert judged.judges == ["cross-encoder"] and judged.trusted_by == []
    assert judged.table.drop(["judge.cross-encoder"]).equals(candidates.table)
    logits = judged.column("judge.cross-encoder")
    for place in range(0, len(candidates), 37):
        pair = (data.row_texts[candidates.row[place]], data.col_texts[candidates.col[place]])
        alone = model.predict([pair], activation_fn=torch.nn.Identity())[0]
        np.testing.assert_allclose(logits[place], alone, atol=1e-5)
    assert logits.std() > 0.1 and (logits < 0).any()  # else the test above would be vacuous


def test_batch_sizes_differ_by_rounding_only(cross_encoder_folder, candidates, data):
    few = candidates.top(1)
    one, many = (
        CrossEncoderJudge(cross_encoder_folder, batch_size=size).judge(few, data).column("judge.cross-encoder")
        for size in (7, 500)
    )
    np.testing.assert_allclose(one, many, atol=1e-5)


def test_the_same_pairs_give_the_same_bits(cross_encoder_folder, candidates, data):
    first, second = (CrossEncoderJudge(cross_encoder_folder).judge(candidates, data).table for _ in range(2))
    assert first.equals(second)


def test_all_pairs_go_in_large_batches_longest_first(model, monkeypatch):
    calls = []
    monkeypatch.setattr(
        model, "predict", lambda pairs, **kwargs: calls.append((pairs, kwargs)) or np.arange(len(pairs))
    )
    pairs = [("q", "x" * (number % 10)) for number in range(100)]
    scores = CrossEncoderScorer(model, batch_size=4).score(pairs)
    sent = [pair for call, _ in calls for pair in call]
    assert sorted(sent) == sorted(pairs) and [len(call) for call, _ in calls] == [64, 36]
    lengths = [len(document) for _, document in sent]
    assert lengths == sorted(lengths, reverse=True)
    assert [scores[pairs.index(pair)] for pair in sent[:1]] == [0.0] and len(set(scores)) == 64


def test_the_models_own_activation_where_it_is_asked_for(model):
    pairs = [("a b", "c d"), ("a b", "e")]
    raw, own = CrossEncoderScorer(model), CrossEncoderScorer(model, raw=False)
    np.testing.assert_allclose(own.score(pairs), model.predict(pairs), atol=1e-6)
    np.testing.assert_allclose(own.score(pairs), 1 / (1 + np.exp(-raw.score(pairs))), atol=1e-6)
    assert set(own.fingerprint().items()) - set(raw.fingerprint().items()) == {("activation", "Sigmoid()")}


def test_several_devices_read_all_pairs_at_once_and_the_model_comes_back(model, monkeypatch):
    calls, moves = [], []
    monkeypatch.setattr(
        model, "predict", lambda pairs, **options: calls.append((len(pairs), options)) or np.zeros(len(pairs))
    )
    monkeypatch.setattr(model, "to", moves.append)
    CrossEncoderScorer(model, batch_size=1, devices=("cpu", "cpu")).score([("a", "b")] * 40)
    assert [(count, options["device"], options["batch_size"]) for count, options in calls] == [(40, ["cpu", "cpu"], 1)]
    assert moves == [model.device]
    CrossEncoderScorer(model).score([("a", "b")])
    assert "device" not in calls[-1][1] and len(moves) == 1


def test_a_live_model_is_left_as_it_was(model, candidates, data):
    model.train()
    before = model.max_seq_length
    judge = CrossEncoderJudge(model, max_length=16)
    judge.judge(candidates, data)
    assert model.training and model.max_seq_length == before
    model.eval()
    assert (
        CrossEncoderJudge(model)
        .judge(candidates, data)
        .table.equals(CrossEncoderJudge(model).judge(candidates, data).table)
    )


def test_a_shorter_length_reads_less(model):
    query, document = "a b c", " ".join("defghijklm" * 4)
    full, cut = (CrossEncoderScorer(model, max_length=length).score([(query, document)]) for length in (None, 8))
    same = CrossEncoderScorer(model, max_length=8).score([(query, document + " x y z")])
    assert full[0] != cut[0] and cut[0] == same[0]


def test_the_fingerprint_follows_a_live_model(model, cross_encoder_folder, tmp_path):
    judge = CrossEncoderJudge(model)
    before = judge.fingerprint()
    assert before == CrossEncoderJudge(cross_encoder_folder).fingerprint()
    assert CrossEncoderJudge(model, max_length=16).fingerprint() != before
    other = CrossEncoderJudge(save_small_cross_encoder(tmp_path, seed=1)).fingerprint()
    assert [part for part in before if before[part] != other[part]] == ["weights"]
    with torch.no_grad():
        model.model.classifier.bias += 1.0
        assert judge.fingerprint() != before
        model.model.classifier.bias -= 1.0


def test_it_scores_margins_too(cross_encoder_folder, candidates, data):
    scorer = CrossEncoderScorer(cross_encoder_folder)
    judged = MarginJudge(scorer=scorer, absolute_margin=0.0).judge(candidates, data)
    logits = CrossEncoderJudge(cross_encoder_folder).judge(candidates, data).column("judge.cross-encoder")
    row = int(candidates.row[np.isfinite(judged.column("judge.margin"))][0])
    inside = candidates.row == row
    best = judged.column("judge.margin")[inside] + logits[inside]
    np.testing.assert_allclose(best, best[0], atol=1e-4)  # one threshold a row
    assert MarginJudge(scorer=scorer).fingerprint()["weights"] == scorer.fingerprint()["weights"]


@pytest.mark.parametrize("name", ["no-such/model", "nowhere"])
def test_an_unknown_model_is_one_sentence(name):
    with pytest.raises(LitotesError, match=f"The cross-encoder '{name}' is neither a folder here nor a model"):
        CrossEncoderJudge(name)


def test_wrong_models_are_refused(tmp_path):
    with pytest.raises(LitotesError, match="is a folder that does not exist"):
        CrossEncoderJudge("./gone")
    with pytest.raises(LitotesError, match="does not hold a cross-encoder"):
        CrossEncoderJudge(str(tmp_path))
    folder = save_small_cross_encoder(tmp_path / "three", outputs=3)
    with pytest.raises(LitotesError, match=r"has one output here, relevance. '.*three' has 3"):
        CrossEncoderJudge(folder)
    with pytest.raises(LitotesError, match="must be a name, a folder or a CrossEncoder. Got int instead"):
        CrossEncoderJudge(3)


def test_parameters_are_checked(cross_encoder_folder):
    with pytest.raises(LitotesError, match="The 'batch_size' parameter of CrossEncoderJudge must be an int"):
        CrossEncoderJudge(cross_encoder_folder, batch_size=0)
    with pytest.raises(LitotesError, match="The 'name' parameter of CrossEncoderJudge must be a plain word"):
        CrossEncoderJudge(cross_encoder_folder, name="a:b")
