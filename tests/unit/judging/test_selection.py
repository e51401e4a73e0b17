"""The selection judge: lambda from the folder that training left, trust only from both models and a calibration."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import LabelMatrix
from litotes.core.errors import LitotesError, StaleError
from litotes.judging import CalibratedJudge, SelectionJudge, calibrate, judge_from_spec
from litotes.models.feature_ranker import FeatureRanker
from litotes.models.selection_model import SelectionModel, false_negative_posterior
from tests.unit.training.small_world import candidates_of, small_data

T = 2.0


@pytest.fixture(scope="module")
def data():
    return small_data()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as ``litotes train cet`` leaves it."""
    path = tmp_path_factory.mktemp("cet")
    FeatureRanker(("bm25", "overlap", "tfidf"), seed=1).save(path)
    SelectionModel(FeatureRanker(("bm25", "overlap"), seed=2), temperature=T).save(path / "selection")
    return path


def logits(model, cells, data):
    return model(data, cells.row, cells.col).detach().double().numpy() / T


def test_the_column_is_lambda_and_no_trust(data, folder):
    cells = candidates_of(data)
    judge = judge_from_spec(f"selection:model={folder}")
    found = judge.judge(cells, data)
    expected = 1 / (1 + np.exp(-logits(judge.selection.model, cells, data)))
    np.testing.assert_allclose(found.column("judge.selection"), expected, rtol=1e-5)
    assert found.trusted_by == [] and len(found) == len(cells)


def test_cells_without_a_text_get_no_value(data, folder):
    texts = pa.table({"id": data.col_ids.values, "text": [None, *data.col_texts[1:]]})
    blank = type(data)(data.labels, data.rows.table, texts)
    cells = candidates_of(blank)
    found = SelectionJudge(str(folder)).judge(cells, blank).column("judge.selection")
    assert np.isnan(found[cells.col == 0]).all() and np.isfinite(found[cells.col != 0]).all() and (cells.col == 0).any()


def known(data, cells):
    """Judgements of all candidates, a third of them positive."""
    grades = (np.random.default_rng(0).random(len(cells)) < 0.3).astype(float)
    return LabelMatrix(data.row_ids, data.col_ids, cells.row, cells.col, grades)


def test_trust_is_one_minus_the_calibrated_posterior_of_a_missing_label(data, folder):
    cells = candidates_of(data)
    judge = SelectionJudge(str(folder))
    fitted = calibrate(judge, cells, data, known(data, cells), say=lambda _: None)
    found = fitted.judge(cells, data)
    rho, lam = (1 / (1 + np.exp(-logits(model, cells, data))) for model in (judge.relevance, judge.selection.model))
    posterior = false_negative_posterior(rho, lam)
    x = np.log(posterior / (1 - posterior))
    (w,), b = fitted.calibration.coefficients, fitted.calibration.intercept
    np.testing.assert_allclose(found.column("trust.selection"), 1 / (1 + np.exp(w * x + b)), rtol=1e-4)
    np.testing.assert_allclose(found.column("judge.selection"), lam, rtol=1e-5)


def test_cells_assumed_positive_are_trusted_the_other_way(data, folder):
    cells = candidates_of(data)
    fitted = calibrate(SelectionJudge(str(folder)), cells, data, known(data, cells), say=lambda _: None)
    turned = cells.with_columns({"assumed": np.ones(len(cells))})
    plain, other = (fitted.judge(each, data).column("trust.selection") for each in (cells, turned))
    np.testing.assert_allclose(plain + other, 1.0)


def test_the_selection_model_alone_gives_lambda_and_cannot_be_calibrated(data, folder):
    cells = candidates_of(data)
    alone = SelectionJudge(str(folder / "selection"))
    whole = SelectionJudge(str(folder)).judge(cells, data)
    np.testing.assert_array_equal(alone.judge(cells, data).column("judge.selection"), whole.column("judge.selection"))
    with pytest.raises(LitotesError, match=r"is a selection model alone; its trust needs the relevance model beside"):
        calibrate(alone, cells, data, known(data, cells), say=lambda _: None)


def test_a_calibration_of_other_models_is_refused(data, folder, tmp_path):
    cells = candidates_of(data)
    fitted = calibrate(SelectionJudge(str(folder)), cells, data, known(data, cells), say=lambda _: None)
    FeatureRanker(("bm25", "overlap", "tfidf"), seed=5).save(tmp_path)
    SelectionModel(FeatureRanker(("bm25", "overlap"), seed=2), temperature=T).save(tmp_path / "selection")
    with pytest.raises(StaleError, match="fitted to another judge: the relevance weights differ"):
        CalibratedJudge(SelectionJudge(str(tmp_path)), fitted.calibration)


def test_other_parameters_are_refused(folder, tmp_path):
    with pytest.raises(LitotesError, match="no selection model here. Make one with: litotes train cet DATA"):
        SelectionJudge(str(tmp_path))
    with pytest.raises(LitotesError, match="'batch_size' parameter of SelectionJudge"):
        SelectionJudge(str(folder), batch_size=0)
    with pytest.raises(LitotesError, match="SelectionJudge needs the option 'model'"):
        judge_from_spec("selection")
