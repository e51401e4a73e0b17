"""Cross-encoders as cell models: the texts of a cell, with gradient, saved as sentence-transformers loads them."""

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder

from litotes.models.cell_model import TEXTS, PairRanker, cell_scores, is_ranker, load_cell_model
from litotes.models.cross_encoder import PairModel
from litotes.models.tiny import tiny_cross_encoder
from tests.unit.training.small_world import small_data

ROWS, COLS = np.array([0, 3, 5, 1]), np.array([2, 30, 7, 0])


@pytest.fixture(scope="module")
def data():
    return small_data()


@pytest.fixture
def ranker():
    return PairRanker(PairModel(tiny_cross_encoder(seed=2)))


def test_it_scores_the_texts_of_a_cell(data, ranker):
    pairs = [(data.row_texts[r], data.col_texts[c]) for r, c in zip(ROWS, COLS, strict=True)]
    expected = ranker.pairs.model.predict(pairs, activation_fn=torch.nn.Identity())
    np.testing.assert_allclose(cell_scores(ranker, data, ROWS, COLS), expected, atol=1e-5)
    assert ranker.inputs == TEXTS and len(set(expected.tolist())) == 4


def test_queries_are_cut_at_so_many_tokens(data, ranker):
    tokenizer = ranker.pairs.model.tokenizer
    short, texts = PairRanker(ranker.pairs, query_length=2), data.row_texts
    row = next(row for row in range(data.n_rows) if len(tokenizer.tokenize(texts[row])) > 2)
    cut = short._query(texts[row])
    assert texts[row].startswith(cut) and tokenizer.tokenize(cut) == tokenizer.tokenize(texts[row])[:2]
    rows = np.array([row])
    whole, less = (cell_scores(model, data, rows, COLS[:1]) for model in (ranker, short))
    expected = ranker.pairs.model.predict([(cut, data.col_texts[COLS[0]])], activation_fn=torch.nn.Identity())
    np.testing.assert_allclose(less, expected, atol=1e-6)
    assert whole != less and short._query("") == ""
    assert PairRanker(ranker.pairs, query_length=10_000)._query(texts[row]) == texts[row]
    assert short.fingerprint() != ranker.fingerprint()


def test_gradient_reaches_the_model(data, ranker):
    ranker(data, ROWS, COLS).sum().backward()
    assert any(p.grad is not None and p.grad.any() for p in ranker.parameters())


def test_a_missing_text_counts_as_an_empty_one(data, ranker):
    short = data.select_rows([0])
    short.rows.texts[0] = None  # the cached list
    assert np.isfinite(cell_scores(ranker, short, np.array([0]), np.array([0]))).all()


def test_saved_as_a_cross_encoder(data, ranker, tmp_path):
    ranker.save(tmp_path)
    assert type(CrossEncoder(str(tmp_path), device="cpu")) is CrossEncoder
    loaded = load_cell_model(tmp_path, device="cpu")
    assert type(loaded) is PairRanker
    np.testing.assert_allclose(cell_scores(loaded, data, ROWS, COLS), cell_scores(ranker, data, ROWS, COLS), atol=1e-6)


def test_longer_pairs_are_scored_first_so_that_batches_are_of_like_length(data, ranker):
    sizes = ranker.sizes(data, ROWS, COLS)
    assert sizes.tolist() == [len(data.row_texts[r]) + len(data.col_texts[c]) for r, c in zip(ROWS, COLS, strict=True)]


def test_the_fingerprint_follows_weights_tokenizer_and_length(ranker):
    before = ranker.fingerprint()
    other = PairRanker(PairModel(tiny_cross_encoder(seed=3))).fingerprint()
    assert {part for part in before if before[part] != other[part]} == {"weights"}
    ranker.pairs.model.max_seq_length = 9
    assert ranker.fingerprint()["max_length"] == "9"


def test_folders_of_rankers_are_told_from_those_of_encoders(ranker, tmp_path):
    from litotes.models.builtin import builtin_folder
    from litotes.models.feature_ranker import FeatureRanker
    from litotes.models.tiny import tiny_bert

    ranker.save(tmp_path / "pairs")
    (tmp_path / "features").mkdir()
    FeatureRanker(("overlap",)).save(tmp_path / "features")
    tiny_bert().save_pretrained(str(tmp_path / "encoder"))
    assert is_ranker(tmp_path / "pairs") and is_ranker(tmp_path / "features")
    (tmp_path / "pairs" / "config_sentence_transformers.json").unlink()
    (tmp_path / "pairs" / "modules.json").unlink(missing_ok=True)
    assert is_ranker(tmp_path / "pairs"), "as transformers saves it"
    others = (tmp_path / "encoder", builtin_folder("minilm"), tmp_path, tmp_path / "nowhere")
    assert not any(map(is_ranker, others))
