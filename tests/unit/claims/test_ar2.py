"""The claims of AR2 can be decided fairly, and what runs their arms trains, reranks, measures and goes on."""

import numpy as np
import pytest

from litotes import training
from litotes.claims import ar2, opponents_study
from litotes.claims.opponents_study import CONFUSION, GAIN, HARDER, METRICS, run_opponents
from litotes.claims.registry import claims_of
from litotes.claims.retrieval_study import Splits
from litotes.core.errors import LitotesError
from litotes.evaluation import evaluate
from litotes.evaluation.claim import Arm
from litotes.evaluation.experiment import Cell, Experiment
from litotes.evaluation.provenance import Made
from litotes.recipes.retrieval.ar2 import Ar2Config, load_model
from litotes.training import NegativeDraws
from tests.unit.claims.test_star_adore import collection

CLAIMS = ar2.CLAIMS
DATA = ("pydocs", "nfcorpus")
TRAINED = {(data, name): arm for data in DATA for name, arm in ar2.arms_of(data).items() if arm.trials}
SMALL = {"scale": 1.0, "num_negatives": 2, "top": 5, "per_device_train_batch_size": 4, "warm_up_batch_size": 4}
WARM_UP = Arm("ar2", {**SMALL, "only_warm_up": True, "retriever_warm_up_steps": 2, "ranker_warm_up_steps": 2})
AGAIN = {"retriever_warm_up_steps": 0, "ranker_warm_up_steps": 0, "iteration_steps": 2, "ranker_steps": 1}
TURNS = Arm("ar2", {**SMALL, **AGAIN, "exact_steps": True, "max_steps": 4, "learning_rate": 1e-2}, WARM_UP)
RERANK = Arm("rerank", {"depth": 5}, WARM_UP)


def test_the_precondition_is_asked_first():
    assert claims_of("ar2").claims[0].name == "pydocs-precondition"
    for data in DATA:
        first, *others = [claim for claim in CLAIMS if claim.data == data]
        assert first.name == f"{data}-precondition"
        assert others and all(first.name in claim.note for claim in others)


def test_the_main_claims_are_asked_of_both_data_sets():
    names = [[c.name.removeprefix(f"{data}-") for c in CLAIMS if c.data == data] for data in DATA]
    assert set(names[0]) > set(names[1]) >= {"warm-up", "ar2", "adversary", "refresh", "harder", "confusion"}
    assert len(CLAIMS) == sum(map(len, names))


def test_all_of_them_fit_into_an_hour_and_a_half(tmp_path):
    made = Made("package", None, True, {})
    plan = Experiment("ar2", ar2.run, tmp_path, lambda: made).plan(CLAIMS)
    assert plan.left == plan.cells and plan.seconds <= 90 * 60


def test_the_official_terms_stand_to_each_other_as_published():
    for data in DATA:
        config = Ar2Config(**ar2.arms_of(data)["AR2, official"].config)
        here = config.per_device_train_batch_size * config.adv_lambda / (1 - config.adv_lambda)
        paper = Ar2Config.preset("paper")
        assert here == pytest.approx(paper.per_device_train_batch_size * paper.adv_lambda / (1 - paper.adv_lambda))


def test_the_adversary_is_asked_light_and_heavy_and_the_ranker_s_rates_are_named():
    for data in DATA:
        adversary = next(claim for claim in CLAIMS if claim.name == f"{data}-adversary")
        assert [a for a, _, b in adversary.holds if b == "AR2, lambda 0"] == ["AR2", "AR2, lambda 0.5"]
        precondition = next(claim for claim in CLAIMS if claim.name == f"{data}-precondition")
        assert "the best of 0.0003, 0.001, 0.003 by RR@10 of its reranking on dev" in precondition.note
        assert f"is {ar2.arms_of(data)['warm-up'].config['ranker_warm_up_rate']:g}:" in precondition.note


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_is_well_formed(claim):
    named = {side for a, _, b in claim.holds for side in (a, b) if isinstance(side, str)}
    assert set(claim.arms) == named and list(claim.seeds) == list(range(20, 28))
    assert {len(arm.trials) for arm in claim.arms.values()} in ({3}, {0})
    assert claim.metric in {*METRICS, GAIN, HARDER, CONFUSION} and claim.choose_by in METRICS
    assert all(claim.digest != other.digest for other in CLAIMS if other is not claim)


@pytest.mark.parametrize("which", TRAINED, ids=", ".join)
def test_every_arm_takes_its_options_and_trains_the_retriever_as_long_from_the_same_warm_up(which):
    arm, warm_up = TRAINED[which], ar2.arms_of(which[0])["warm-up"]
    assert arm.start == warm_up and len(arm.trials) == 3
    for trial in arm.trials:
        config = Ar2Config(**arm.config, **trial, seed=0)
        in_rounds = 0 if config.only_warm_up else config.turns.counts(config.max_steps)[1]
        assert in_rounds + config.retriever_warm_up_steps == 180
    Ar2Config(**warm_up.config)


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    return Splits(*(collection(name, n, rng, with_truth=name != "f") for name, n in (("f", 8), ("v", 4), ("t", 6))))


@pytest.fixture
def cell_in(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(opponents_study, "splits", {"made-up": parts}.__getitem__)

    def make(arm, folder, *, start=None, split="test", seed=0):
        (tmp_path / folder).mkdir(exist_ok=True)
        return Cell("made-up", arm, seed, split, tmp_path / folder, None if start is None else tmp_path / start)

    return make


def test_arms_train_from_both_models_of_the_warm_up_and_are_measured(cell_in, parts, tmp_path):
    first = run_opponents(cell_in(WARM_UP, "first"))
    turns = run_opponents(cell_in(TURNS, "turns", start="first"))
    again = run_opponents(cell_in(RERANK, "again", start="first"))
    assert set(first.metrics) == set(again.metrics) == set(METRICS)
    assert set(turns.metrics) == {*METRICS, GAIN, HARDER, CONFUSION}
    assert turns.metrics[GAIN] == pytest.approx(turns.metrics["RR@10"] - first.metrics["RR@10"])
    rounds = turns.facts["rounds"]
    assert len(rounds) == 3 and turns.metrics[HARDER] == pytest.approx(
        rounds[-1]["fresh_ranker_loss"] - rounds[0]["fresh_ranker_loss"]
    )
    for outcome in (first, turns, again):
        assert outcome.facts["data"] == {"name": "made-up", "fingerprint": parts.fit.fingerprint, "queries": 6}
        for metric, values in outcome.per_query.items():
            assert outcome.metrics[metric] == pytest.approx(np.mean(list(values.values())))
    assert again.metrics["R@5"] == pytest.approx(first.metrics["R@5"]), "the top five are those of the retriever"
    model = load_model(tmp_path / "first" / "model", device="cpu")
    expected = evaluate(parts.test, model, METRICS, qrels=parts.test.truth).means
    assert first.metrics == pytest.approx(expected)
    assert run_opponents(cell_in(TURNS, "turns", start="first")) == turns, "a finished cell is not trained again"


def test_an_arm_reads_and_draws_anew_and_not_what_its_warm_up_read(cell_in, monkeypatch):
    batches, draw = [], NegativeDraws.draw

    def drawing(self, lines):
        batches.append((lines.tolist(), draw(self, lines).tolist()))
        return draw(self, lines)

    monkeypatch.setattr(NegativeDraws, "draw", drawing)
    run_opponents(cell_in(WARM_UP, "first"))
    before = batches[:2]
    batches.clear()
    again = {**WARM_UP.config, "ranker_warm_up_steps": 0}
    run_opponents(cell_in(Arm("ar2", again, WARM_UP), "in-batch", start="first"))
    assert len(batches) == 2 and [lines for lines, _ in batches] != [lines for lines, _ in before]


def test_rounds_are_watched_on_dev(cell_in, parts, monkeypatch):
    watched = []

    class Watching(training.WatchedOpponents):
        def __init__(self, run, data, rows, *args, **options):
            watched.append((data, rows.tolist()))
            super().__init__(run, data, rows, *args, **options)

    monkeypatch.setattr(training, "WatchedOpponents", Watching)
    run_opponents(cell_in(WARM_UP, "first"))
    run_opponents(cell_in(TURNS, "turns", start="first"))
    assert watched == [(parts.dev, list(range(4)))]


def test_the_seed_decides_and_dev_is_measured_by_labels(cell_in, parts, tmp_path):
    one, other = (run_opponents(cell_in(WARM_UP, f"seed {seed}", seed=seed, split="dev")) for seed in (0, 1))
    model = load_model(tmp_path / "seed 0" / "model", device="cpu")
    assert one.metrics == pytest.approx(evaluate(parts.dev, model, METRICS).means)
    weights = [
        (tmp_path / f"seed {seed}" / "model" / "ranker" / "interaction.safetensors").read_bytes() for seed in (0, 1)
    ]
    assert weights[0] != weights[1] and other.metrics


def test_an_unknown_arm_is_refused(cell_in):
    with pytest.raises(LitotesError, match="There is no arm 'star'; an arm is 'ar2' or 'rerank'"):
        run_opponents(cell_in(Arm("star"), "x"))
