"""CET: what a step computes and moves, what is saved; resumed = never stopped; baselines; clear refusals."""

import copy
import json
import math
import warnings

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder
from torch import nn

from litotes.core import Candidates
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.losses import coupled_losses
from litotes.mining import BM25Miner
from litotes.models.cell_model import PairRanker, load_cell_model
from litotes.models.cross_encoder import PairModel
from litotes.models.feature_ranker import FeatureRanker
from litotes.models.selection_model import IdenticalInputsWarning, SelectionModel, load_selection_model
from litotes.models.tiny import tiny_cross_encoder
from litotes.recipes.load_model import load_model
from litotes.recipes.retrieval.cet import CetConfig, CetStep, negative_weights, train_cet, train_coupled
from litotes.training import NegativeDraws
from tests.unit.recipes.retrieval.stopped_runs import Stopped, stop_at_call, weights_of
from tests.unit.training.small_world import candidates_of, small_data

FEATURES = {
    "model": "features",
    "miner": "bm25",
    "top": 20,
    "per_device_train_batch_size": 4,
    "save_steps": 2,
    "logging_steps": 2,
    "debias_ratio": 2.0,
}
TEXTS = {**FEATURES, "model": "tiny:bert", "learning_rate": 1e-3, "num_train_epochs": 2}
STEP = CetConfig(debias_ratio=1.0, max_weight=None)


@pytest.fixture(scope="module")
def data():
    return small_data()


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A finished run on features: three epochs of four batches (14 lines)."""
    folder = tmp_path_factory.mktemp("cet")
    return folder, train_cet(data, CetConfig(**FEATURES, num_negatives=2), folder)


def lines_of(data, negatives=3, seed=0):
    """Lines as the loop makes them: row, labelled positive, negatives."""
    draws = NegativeDraws(data, candidates_of(data, seed=seed), negatives, seed=seed)
    draws.set_epoch(0)
    return np.concatenate([draws.cells, draws.draw(draws.cells)], axis=1)


def two_rankers(dropout=0.0):
    names = ("bm25", "tfidf", "overlap")
    return FeatureRanker(names, seed=1, dropout=dropout), FeatureRanker(names[:2], seed=2, dropout=dropout)


def pair_ranker(seed, dropout=0.0):
    return PairRanker(PairModel(tiny_cross_encoder(seed=seed), dropout=dropout))


def scores(model, data, lines):
    cols = lines[:, 1:]
    return model(data, np.repeat(lines[:, 0], cols.shape[1]), cols.ravel()).reshape(cols.shape)


def summary(folder):
    return json.loads((folder / "run.json").read_text())["stages"]["train/cet"]


def parameters(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


# --- a step ----------------------------------------------------------------------------------------------------------


class TestStep:
    def test_it_is_the_coupled_losses_where_there_is_no_dropout(self, data):
        R, S = two_rankers()
        lines = lines_of(data)
        found = CetStep(data, R, S, STEP)(lines)
        expected = coupled_losses(scores(R, data, lines), scores(S, data, lines), temperature=1.0)
        torch.testing.assert_close(found["relevance"], expected.relevance)
        torch.testing.assert_close(found["selection"], expected.selection)

    def test_weights_carry_no_graph(self, data):
        R, S = two_rankers()
        CetStep(data, R, S, STEP)(lines_of(data))["relevance"].backward()
        assert all(p.grad is not None for p in R.parameters()) and all(p.grad is None for p in S.parameters())
        R, S = two_rankers()
        CetStep(data, R, S, STEP)(lines_of(data))["selection"].backward()
        assert all(p.grad is not None for p in S.parameters()) and all(p.grad is None for p in R.parameters())

    def test_trap_weights_are_taken_without_dropout_and_losses_with_it(self, data, monkeypatch):
        modes = []
        R, S = two_rankers(dropout=0.5)
        for name, model in (("R", R), ("S", S)):
            model.network[2].register_forward_hook(
                lambda module, *_, name=name: modes.append((name, module.training, torch.is_grad_enabled()))
            )
        CetStep(data, R.train(), S.train(), STEP)(lines_of(data))
        assert modes == [("S", False, False), ("R", False, False), ("R", True, True), ("S", True, True)]
        assert R.training and S.training and R.network[2].training, "the modes are restored"

    def test_trap_the_weight_is_of_the_other_model_and_of_the_negative(self, data):
        asked = []

        class Watched(FeatureRanker):
            def forward(self, data, rows, cols):
                asked.append((torch.is_grad_enabled(), set(zip(rows.tolist(), cols.tolist(), strict=True))))
                return super().forward(data, rows, cols)

        lines = lines_of(data)
        positives = set(map(tuple, lines[:, :2].tolist()))
        CetStep(data, *(Watched(("bm25",), seed=seed) for seed in (0, 1)), STEP)(lines)
        assert len(asked) == 4
        assert all((with_gradient and positives <= cells) or not positives & cells for with_gradient, cells in asked)

    def test_without_a_selection_model_it_is_unweighted_training(self, data):
        R, _ = two_rankers()
        lines = lines_of(data)
        found = CetStep(data, R, None, STEP)(lines)
        expected = coupled_losses(scores(R, data, lines), torch.zeros(lines[:, 1:].shape)).relevance_unweighted
        assert set(found) == {"relevance"}
        torch.testing.assert_close(found["relevance"], expected)

    def test_a_negative_that_was_drawn_twice_into_a_line_counts_once(self, data):
        R, S = two_rankers()
        lines = lines_of(data)
        twice = np.concatenate([lines, lines[:, -1:]], axis=1)
        once, again = (CetStep(data, R, S, STEP)(each) for each in (lines, twice))
        torch.testing.assert_close(once, again)

    def test_weights_that_overflow_stop_the_training(self, data):
        R, S = two_rankers()
        with torch.no_grad():
            S.network[0].weight.zero_()
            S.network[0].bias.fill_(50.0)  # every hidden unit is 1
            S.network[3].weight.fill_(1e4 / 32)
        with pytest.raises(LitotesError, match=r"is inf for a score of 10000 at .* Give max_weight"):
            CetStep(data, R, S, STEP)(lines_of(data))
        capped = CetStep(data, R, S, CetConfig(max_weight=20.0))(lines_of(data))
        assert all(loss.isfinite() for loss in capped.values())

    def test_any_module_with_logits_takes_part(self, data):
        class Table(nn.Module):
            inputs = ("a table",)

            def __init__(self):
                super().__init__()
                self.cells = nn.Parameter(torch.zeros(12, 40))

            def forward(self, data, rows, cols):
                return self.cells[torch.as_tensor(rows), torch.as_tensor(cols)]

        R, S = Table(), Table()
        CetStep(data, R, S, STEP)(lines_of(data))["relevance"].backward()
        assert R.cells.grad.any() and S.cells.grad is None


# --- the loop --------------------------------------------------------------------------------------------------------


def trained_pair(data, folder, R, S, **options):
    options = {"per_device_train_batch_size": 4, "warmup_steps": 0, "save_steps": 1000, "max_steps": 20, **options}
    config = CetConfig(debias_ratio=2.0, **options)
    draws = NegativeDraws(data, candidates_of(data), 2)
    train_coupled(R, S, draws, config, folder / "checkpoints")
    return R, S


class TestLoop:
    def test_a_symmetric_start_stays_identical(self, data, tmp_path):
        """With equal parameters, equal inputs and no dropout the two models are one, for ever: hence the warning."""
        one = pair_ranker(0)
        start = parameters(one)
        R, S = trained_pair(data, tmp_path, one, copy.deepcopy(one), learning_rate=1e-3, selection_learning_rate=1e-3)
        assert torch.equal(parameters(R), parameters(S))
        assert not torch.equal(parameters(R), start)

    def test_a_start_that_differs_stays_different(self, data, tmp_path):
        options = {"learning_rate": 1e-3, "selection_learning_rate": 1e-3}
        R, S = trained_pair(data, tmp_path, pair_ranker(0), pair_ranker(1), **options)
        assert not torch.equal(parameters(R), parameters(S))

    def test_exchanging_the_models_exchanges_what_comes_of_them(self, data, tmp_path):
        """Both weights are taken before either update, so the order of the updates changes nothing."""
        options = {"learning_rate": 1e-2, "selection_learning_rate": 1e-2}
        R, S = trained_pair(data, tmp_path / "a", *two_rankers(), **options)
        S2, R2 = trained_pair(data, tmp_path / "b", *two_rankers()[::-1], **options)
        assert torch.equal(parameters(R), parameters(R2)) and torch.equal(parameters(S), parameters(S2))

    def test_gradients_are_clipped_apart(self, data, tmp_path, monkeypatch):
        norms, limits = [], []
        clip = torch.nn.utils.clip_grad_norm_
        owners = {}

        def watched(given, limit):
            given = list(given)
            norms.append({owners[id(p)] for p in given})
            limits.append(limit)
            return clip(given, limit)

        R, S = two_rankers()
        owners |= {id(p): "R" for p in R.parameters()} | {id(p): "S" for p in S.parameters()}
        monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", watched)
        trained_pair(data, tmp_path, R, S, max_steps=3)
        assert norms == [{"R"}, {"S"}] * 3 and set(limits) == {1.0}

    def test_each_model_has_its_own_rate_and_schedule(self, data, tmp_path):
        before = parameters(two_rankers()[1])
        R, S = trained_pair(data, tmp_path, *two_rankers(), learning_rate=1e-2, selection_learning_rate=1e-9)
        assert (parameters(S) - before).abs().max() < 1e-6 < (parameters(R) - parameters(two_rankers()[0])).abs().max()

    def test_trap_pairs_are_shuffled_whole(self, data, tmp_path, monkeypatch):
        lines, call = [], CetStep.__call__
        monkeypatch.setattr(CetStep, "__call__", lambda self, x, state=None: lines.append(x) or call(self, x, state))
        trained_pair(data, tmp_path, *two_rankers(), max_steps=8)
        seen = np.concatenate(lines)
        assert data.labels.is_positive(seen[:, 0], seen[:, 1]).all()
        assert not data.is_positive(seen[:, :1], seen[:, 2:]).any()
        first, second = seen[:15, :2].tolist(), seen[15:30, :2].tolist()
        assert sorted(first) == sorted(second) == sorted(map(list, zip(*data.labels.positive_cells(), strict=True)))
        assert first != second


# --- what is saved ---------------------------------------------------------------------------------------------------


class TestFolder:
    def test_the_relevance_model_lies_at_the_top_and_the_selection_model_under_its_role(self, trained):
        folder, returned = trained
        assert type(returned) is FeatureRanker and type(load_model(folder)) is FeatureRanker
        selection = load_selection_model(folder / "selection")
        assert selection.temperature == 2.0 and selection.inputs == ("bm25", "overlap", "idf_overlap")
        assert load_cell_model(folder).fingerprint() == returned.fingerprint()
        assert (
            not list(folder.rglob("*.bin")) and not list(folder.rglob("*.pt")) and not (folder / "checkpoints").exists()
        )

    def test_cross_encoders_load_with_their_own_library(self, data, tmp_path):
        with pytest.warns(IdenticalInputsWarning, match=r"\(query text, document text\).*--selection-model features"):
            returned = train_cet(
                data, CetConfig(**TEXTS, selection_model="tiny:bert", selection_learning_rate=1e-3), tmp_path
            )
        assert type(returned) is CrossEncoder and type(load_model(tmp_path)) is CrossEncoder
        for folder in (tmp_path, tmp_path / "selection"):
            loaded = CrossEncoder(str(folder), device="cpu").predict([("what is red", "red and blue")])
            assert np.isfinite(loaded).all()
        top, under = (parameters(CrossEncoder(str(f), device="cpu")) for f in (tmp_path, tmp_path / "selection"))
        assert not torch.equal(top, under)

    def test_a_view_of_its_own_is_the_default_and_gives_no_warning(self, data, tmp_path):
        with warnings.catch_warnings():
            warnings.simplefilter("error", IdenticalInputsWarning)
            train_cet(data, CetConfig(**FEATURES), tmp_path)

    def test_the_run_says_what_weights_did(self, trained, data):
        folder, _ = trained
        found = summary(folder)["summary"]["weights"]
        cells = Candidates.load(folder)
        cells = cells.filter(
            ~np.isin(cells.row, [data.row_ids.index(q) for q in summary(folder)["summary"]["held_out"]])
        )
        expected = negative_weights(load_selection_model(folder / "selection"), data, cells.row, cells.col)
        assert found["cells"] == len(cells) and found["mean"] == pytest.approx(expected.mean())
        assert "ratio" not in found and summary(folder)["summary"]["pool_bias"] is None

    def test_where_the_truth_is_known_it_says_the_ratio_and_the_pool_bias(self, data, tmp_path):
        first = BM25Miner(top=1).mine(data, rows=np.arange(3, 9))  # what is missing among the labels
        rows, cols = map(np.append, data.labels.positive_cells(), (first.row, first.col))
        truth = type(data.labels)(data.row_ids, data.col_ids, rows, cols)
        known = type(data)(data.labels, data.rows.table, data.cols.table, truth=truth)
        train_cet(known, CetConfig(**FEATURES), tmp_path, dev=data.select_rows([]))
        found = summary(tmp_path)["summary"]
        assert found["weights"]["false_negatives"] == 6 and found["weights"]["ratio"] > 0
        assert found["pool_bias"]["unlabelled"]["cells"] == 6 and found["pool_bias"]["above"]["queries"] == 6

    def test_the_unweighted_baseline_trains_one_model(self, data, tmp_path):
        train_cet(data, CetConfig(**FEATURES, weighting="none"), tmp_path)
        assert not (tmp_path / "selection").exists()
        assert summary(tmp_path)["summary"]["weights"]["highest"] == 1.0

    def test_dev_rows_are_held_out_named_and_measured(self, data, trained):
        found = summary(trained[0])["summary"]
        (held,) = found["held_out"]
        assert held in data.row_ids.values and found["trained_rows"] == 11
        assert set(found["dev_before"]) == set(found["dev_after"]) >= {"nDCG@10"}

    def test_live_models_take_part_and_are_not_recorded_under_another_name(self, data, tmp_path):
        R, S = pair_ranker(3), FeatureRanker(("overlap",))
        before = parameters(R), parameters(S)
        train_cet(data, CetConfig(**TEXTS), tmp_path, model=R, selection_model=S)
        assert not torch.equal(parameters(R), before[0]) and not torch.equal(parameters(S), before[1])
        config = summary(tmp_path)["config"]
        assert config["model"] == config["selection_model"] == "a live model"
        assert S.mean.tolist() == [0.0], "a live ranker is standardised by its owner"


# --- the same again --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [FEATURES, {**TEXTS, "dropout": 0.2}], ids=["features", "texts"])
def test_stopped_and_resumed_is_never_stopped(data, tmp_path, monkeypatch, options):
    config = CetConfig(**options)
    train_cet(data, config, tmp_path / "whole")
    with monkeypatch.context() as patch:
        stop_at_call(patch, CetStep, "__call__", 6)  # in the second epoch, after the checkpoint of step 4
        with pytest.raises(Stopped):
            train_cet(data, config, tmp_path / "stopped")
    with pytest.raises(LitotesError, match="its training is not finished"):
        load_model(tmp_path / "stopped")
    train_cet(data, config, tmp_path / "stopped")
    assert weights_of(tmp_path / "stopped") == weights_of(tmp_path / "whole")


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(data, tmp_path, trained):
    train_cet(data, CetConfig(**FEATURES, num_negatives=2), tmp_path / "same")
    assert weights_of(tmp_path / "same") == weights_of(trained[0])
    train_cet(data, CetConfig(**FEATURES, num_negatives=2, seed=1), tmp_path / "other")
    assert weights_of(tmp_path / "other") != weights_of(trained[0])


def test_a_finished_run_is_not_trained_again_and_other_options_are_refused(data, trained, monkeypatch):
    import litotes.recipes.retrieval.cet as recipe

    monkeypatch.setattr(recipe, "train_coupled", None)
    assert type(train_cet(data, CetConfig(**FEATURES, num_negatives=2), trained[0])) is FeatureRanker
    with pytest.raises(StaleError, match=r"trained with another .*debias_ratio \(2\.0 there, 1\.0 now\)"):
        train_cet(data, CetConfig(**{**FEATURES, "debias_ratio": 1.0}, num_negatives=2), trained[0])


# --- negatives -------------------------------------------------------------------------------------------------------


def negatives_of(data, folder, monkeypatch, config, **options):
    drawn, draw = [], NegativeDraws.draw

    def watched(self, cells):
        found = draw(self, cells)
        drawn.extend((int(row), int(col)) for row, cols in zip(cells[:, 0], found, strict=True) for col in cols)
        return found

    monkeypatch.setattr(NegativeDraws, "draw", watched)
    train_cet(data, config, folder, dev=data.select_rows([]), **options)
    return set(drawn)


def test_a_window_of_ranks_is_mined_behind_the_first(data, tmp_path, monkeypatch):
    drawn = negatives_of(data, tmp_path, monkeypatch, CetConfig(**{**FEATURES, "top": 5, "skip": 3, "max_steps": 30}))
    whole = BM25Miner(top=8).mine(data)
    first = whole.top(3)
    allowed = set(zip(whole.row.tolist(), whole.col.tolist(), strict=True))
    allowed -= set(zip(first.row.tolist(), first.col.tolist(), strict=True))
    assert drawn <= allowed and len(drawn) > 40


def test_a_window_of_given_candidates_too(data, tmp_path, monkeypatch):
    found = candidates_of(data)
    options = {**FEATURES, "top": 4, "skip": 3, "max_steps": 30}
    drawn = negatives_of(data, tmp_path, monkeypatch, CetConfig(**options), candidates=found)
    place = np.arange(len(found)) % 8  # eight a row
    inside = found.filter((place >= 3) & (place < 7))
    assert drawn <= set(zip(inside.row.tolist(), inside.col.tolist(), strict=True)) and len(drawn) > 40


def test_random_negatives_and_distrusted_ones(data, tmp_path, monkeypatch):
    train_cet(data, CetConfig(**{**FEATURES, "miner": "random"}), tmp_path / "random")
    found = candidates_of(data)
    found = found.with_columns({"trust.j": np.where(found.col % 3 == 0, 0.1, 0.9)})
    config = CetConfig(**FEATURES, min_trust=0.5)
    drawn = negatives_of(data, tmp_path / "judged", monkeypatch, config, candidates=found)
    assert drawn and all(col % 3 for _, col in drawn)


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_trust": 0.5}, "min_trust needs candidates that were judged"),
        ({"miner": "random", "skip": 3}, "Random negatives have no first ranks to skip"),
        ({"selection_inputs": "lexikal"}, "There is no feature 'lexikal'"),
        ({"model": "tiny:bert", "selection_inputs": "same"}, "selection_inputs='same' would be the texts"),
        ({"top": 400}, "not top=400"),
        (
            {"skip": 100},
            r"skip=100 leaves no negatives: of the corpus's 40 documents as few as 3\d are .* Choose skip=3\d",
        ),
    ],
)
def test_options_that_cannot_work(data, tmp_path, options, message):
    with pytest.raises((LitotesError, DataError), match=message):
        train_cet(data, CetConfig(**{**FEATURES, **options}), tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"features": "lexical"}, "features='lexical' is of a model on features.*choose model='features'"),
        ({"hidden": 8}, "hidden=8 is of a model on features"),
        ({"selection_model": "tiny:bert", "selection_inputs": "all"}, "selection_inputs='all' is of a selection_model"),
        (
            {"selection_model": "tiny:bert", "selection_hidden": 8},
            r"selection_hidden=8 .*\(--selection-model features\)",
        ),
    ],
)
def test_what_a_model_on_texts_would_not_read_is_refused(options, said):
    with pytest.raises(LitotesError, match=said):
        CetConfig(**options)
    config = CetConfig(selection_model="tiny:bert")
    assert CetConfig(**config.model_dump()) == config, "a resumed run repeats every option"


@pytest.mark.parametrize("none", [None, "none", "inf", math.inf])
def test_no_cap_has_one_spelling_and_is_the_papers(none):
    assert CetConfig(max_weight=none) == CetConfig() and CetConfig().cap is None
    assert CetConfig(max_weight="20").cap == 20.0
    with pytest.raises(LitotesError, match="'max_weight"):
        CetConfig(max_weight=0.5)


def test_an_infinite_temperature_is_refused():
    with pytest.raises(LitotesError, match="'debias_ratio' option of CetConfig: Input should be a finite number"):
        CetConfig(debias_ratio=math.inf)


def test_weights_without_a_cap_are_reported_however_large(data, tmp_path, monkeypatch):
    monkeypatch.setattr(SelectionModel, "logits", lambda self, data, rows, cols, **k: np.full(len(rows), 1e4))
    train_cet(data, CetConfig(**FEATURES), tmp_path)
    assert summary(tmp_path)["summary"]["weights"]["highest"] == 1e30


def test_dev_metrics_are_those_of_reranking(data):
    import litotes.recipes.retrieval.cet as recipe
    from litotes.evaluation import evaluate
    from litotes.models.cell_model import cell_scores

    R = pair_ranker(0)
    found = recipe._metrics(data, R, CetConfig(**FEATURES, rerank=10))
    run = {}
    for row in range(data.n_rows):
        cols = np.argsort(-BM25Miner().scores(data, np.array([row]))[0], kind="stable")[:10]
        own = cell_scores(R, data, np.full(10, row), cols)
        run[data.row_ids[row]] = {data.col_ids[col]: score for col, score in zip(cols, own.tolist(), strict=True)}
    assert found == pytest.approx(evaluate(data, run).means, abs=0.005)  # near ties may fall otherwise
    assert recipe._metrics(None, R, CetConfig(**FEATURES)) == {}


def test_selection_inputs_same_are_those_of_the_relevance_model(data, tmp_path):
    with pytest.warns(IdenticalInputsWarning):
        train_cet(data, CetConfig(**FEATURES, features="bm25,tfidf", selection_inputs="same"), tmp_path)
    assert load_selection_model(tmp_path / "selection").inputs == load_model(tmp_path).inputs == ("bm25", "tfidf")


def test_the_papers_values_are_a_preset():
    config = CetConfig.preset("paper")
    assert config.model == config.selection_model == "bert-base-uncased" and config.max_weight is None
    assert (config.query_length, config.max_length) == (32, 288)
    assert (config.learning_rate, config.warmup(100_000), config.dropout, config.debias_ratio) == (
        3e-6,
        10_000,
        0.2,
        10,
    )
    assert config.per_device_train_batch_size == 32 and config.weight_decay == 0.01 and config.max_grad_norm == 1.0


def test_queries_are_cut_where_it_is_asked_for(data, tmp_path, monkeypatch):
    lengths, forward = [], PairRanker.forward
    monkeypatch.setattr(PairRanker, "forward", lambda self, *a: lengths.append(self.query_length) or forward(self, *a))
    train_cet(data, CetConfig(**{**TEXTS, "max_steps": 1}, query_length=3), tmp_path)
    assert lengths and set(lengths) == {3}


def test_training_writes_nothing_on_stdout(data, tmp_path, capsys):
    train_cet(data, CetConfig(**FEATURES), tmp_path)
    assert capsys.readouterr().out == ""


def test_lambda_of_the_trained_model_is_what_the_judge_says(data, trained):
    from litotes.judging import SelectionJudge

    cells = candidates_of(data)
    judge = SelectionJudge(str(trained[0]))
    assert type(judge.selection) is SelectionModel
    lam = judge.judge(cells, data).column("judge.selection")
    weights = negative_weights(judge.selection, data, cells.row, cells.col)
    np.testing.assert_allclose(weights, 1 / (1 - lam), rtol=1e-5)
