"""The claims of AR2 can be decided fairly, and what runs their arms trains, reranks, measures and goes on."""

import numpy as np
import pytest

from litotes.claims import ar2, opponents_study
from litotes.claims.opponents_study import CONFUSION, GAIN, HARDER, METRICS, run_opponents
from litotes.claims.registry import claims_of
from litotes.claims.retrieval_study import Splits
from litotes.core.errors import LitotesError
from litotes.evaluation import evaluate
from litotes.evaluation.claim import Arm
from litotes.evaluation.experiment import Cell
from litotes.recipes.retrieval.ar2 import Ar2Config, load_model
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


def test_both_data_sets_are_asked_the_same():
    names = [[c.name.removeprefix(f"{data}-") for c in CLAIMS if c.data == data] for data in DATA]
    assert names[0] == names[1] and len(CLAIMS) == sum(map(len, names))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_is_well_formed(claim):
    named = {side for a, _, b in claim.holds for side in (a, b) if isinstance(side, str)}
    assert set(claim.arms) == named and len(claim.seeds) >= 5
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
        assert in_rounds + config.retriever_warm_up_steps == 300
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
