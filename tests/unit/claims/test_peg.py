"""The claims of PEG can be decided fairly: equal steps, equal trials, one start, and noise that is counted."""

import numpy as np
import pytest

from litotes.claims import peg, retrieval_study
from litotes.claims.peg import CLAIMS, NOISE, run
from litotes.claims.retrieval_study import METRICS, Splits
from litotes.core import Candidates
from litotes.data import noisy_positives
from litotes.evaluation.claim import Arm
from litotes.evaluation.experiment import Cell
from litotes.recipes.training_command import find_training_command
from tests.unit.claims.test_star_adore import collection

SMALL = {
    "encoder": "word-bag",
    "similarity": "cosine",
    "mini_batch_size": 0,
    "max_steps": 2,
    "save_steps": 100,
    "per_device_train_batch_size": 4,
    "num_negatives": 0,
    "in_batch_epochs": 0,
    "learning_rate": 1e-2,
}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_is_well_formed(claim):
    named = {side for a, _, b in claim.holds for side in (a, b) if isinstance(side, str)}
    assert set(claim.arms) == named and claim.name.startswith(f"{claim.data}-")
    (trials,) = {len(arm.trials) for arm in claim.arms.values()}
    assert trials >= 3
    assert len(claim.seeds) == 8
    assert claim.metric in METRICS and set(claim.shown) <= {*METRICS, *NOISE}
    assert all(claim.digest != other.digest for other in CLAIMS if other is not claim)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_every_arm_is_a_command_that_takes_its_options(claim):
    for arm in claim.arms.values():
        for link in arm.chain():
            for trial in link.trials or [{}]:
                options = {**link.config, **trial}
                options.pop("encoder")
                options.pop("noise", None)
                config = find_training_command(link.command).config(**options, seed=0)
                assert options.items() <= config.model_dump().items()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_compared_arms_take_as_many_steps_from_one_start_on_one_noise(claim):
    chains = {name: list(arm.chain()) for name, arm in claim.arms.items()}
    assert len({tuple(link.config["max_steps"] for link in chain) for chain in chains.values()}) == 1
    if "harm" not in claim.name:  # there the noise is what the arms differ in
        assert len({link.config.get("noise", 0.0) for chain in chains.values() for link in chain}) == 1
        assert len({str(chain[0].to_dict()) for chain in chains.values() if len(chain) > 1}) <= 1


def test_arms_differ_in_what_their_claim_is_about_and_in_nothing_else():
    about = {
        "batch-size": {"per_device_train_batch_size", "gradient_accumulation_steps"},
        "hard-negatives": {"num_negatives"},
        "weights": {"beta_end"},
        "progressive": {"beta_start", "beta_end"},
        "noise-20": {"filter_top"},
        "noise-40": {"filter_top"},
        "harm-20": set(),
        "harm-40": set(),
    }
    for claim in CLAIMS:
        made = [
            find_training_command("peg").config(
                **{k: v for k, v in {**arm.config, **trial}.items() if k not in ("encoder", "noise")}
            )
            for arm in claim.arms.values()
            for trial in arm.trials
        ]
        differs = {name for name in type(made[0]).model_fields if len({str(getattr(c, name)) for c in made}) > 1}
        control = {"miner"} if "random" in claim.arms else set()
        assert differs == about[claim.name.partition("-")[2]] | control | {"learning_rate"}, claim.name


@pytest.mark.parametrize("claim", [c for c in CLAIMS if "noise-" not in c.name], ids=lambda claim: claim.name)
def test_all_arms_try_the_same_learning_rates_and_nothing_else(claim):
    (trials,) = {str([dict(trial) for trial in arm.trials]) for arm in claim.arms.values()}
    assert "beta" not in trials


def test_the_control_of_the_largest_batch_reads_as_many_pairs_in_as_many_steps():
    (claim,) = (c for c in CLAIMS if c.name == "nfcorpus-batch-size")
    largest, parts = (claim.arms[name].config for name in ("batch 512", "32 times 16"))
    assert parts["per_device_train_batch_size"] * parts["gradient_accumulation_steps"] == 512
    assert largest["per_device_train_batch_size"] == 512 and "gradient_accumulation_steps" not in largest


def test_constant_weights_stand_at_the_mean_of_the_rising_ones():
    (claim,) = (c for c in CLAIMS if c.name == "nfcorpus-progressive")
    constant, rising = (claim.arms[name].config for name in ("hard, constant", "hard, rising"))
    assert constant["beta_start"] == constant["beta_end"] == rising["beta_end"] / 2 == 3
    assert "beta_start" not in rising  # 0


@pytest.fixture
def cell_in(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    parts = Splits(collection("f", 8, rng), collection("v", 4, rng), collection("t", 6, rng, with_truth=True))
    monkeypatch.setattr(retrieval_study, "splits", {"made-up": parts}.__getitem__)
    monkeypatch.setattr(peg, "splits", {"made-up": parts}.__getitem__)
    peg._noisy.cache_clear()

    def make(options, folder, *, start=None, seed=0):
        (tmp_path / folder).mkdir(exist_ok=True)
        arm = Arm("peg", {**SMALL, **options})
        return Cell("made-up", arm, seed, "test", tmp_path / folder, None if start is None else tmp_path / start)

    make.fit = parts.fit
    yield make
    peg._noisy.cache_clear()


def test_noise_is_in_the_training_part_alone_and_its_rate_is_measured(cell_in, monkeypatch):
    seen, found = [], find_training_command("peg")

    def watching(data, *args, **kwargs):
        seen.append(data)
        return found.train(data, *args, **kwargs)

    import litotes.recipes.training_command as module

    monkeypatch.setattr(
        module, "find_training_command", lambda name: module.TrainingCommand("peg", None, found.config, watching)
    )
    clean, noisy = run(cell_in({}, "clean")), run(cell_in({"noise": 0.5}, "noisy", seed=1))
    assert clean.metrics["noise"] == 0 and noisy.metrics["noise"] == 0.5
    assert seen[0].labels.fingerprint == cell_in.fit.labels.fingerprint
    assert seen[1].labels.fingerprint == noisy_positives(cell_in.fit, 0.5, 1).data.labels.fingerprint
    assert clean.metrics["right pairs kept"] == clean.metrics["wrong pairs kept"] == 1.0


def test_what_the_filter_keeps_is_held_against_what_was_replaced(cell_in, tmp_path):
    outcome = run(cell_in({"noise": 0.5, "filter_top": 3}, "filtered", seed=1))
    pairs = Candidates.load(tmp_path / "filtered" / "model" / "pairs.parquet")
    kept = pairs.column("weight") == 1
    put = {tuple(cell) for cell in noisy_positives(cell_in.fit, 0.5, 1).put.tolist()}
    wrong = np.array([cell in put for cell in zip(pairs.row.tolist(), pairs.col.tolist(), strict=True)])
    assert wrong.sum() == 4 and 0 < kept.sum() < 8
    assert outcome.metrics["wrong pairs kept"] == kept[wrong].mean()
    assert outcome.metrics["right pairs kept"] == kept[~wrong].mean()


def test_an_arm_starts_from_its_warm_up_and_goes_on_to_the_same_numbers(cell_in):
    first = run(cell_in({}, "first"))
    second = run(cell_in({"num_negatives": 2, "range_min": 2, "range_max": 8}, "second", start="first"))
    assert set(METRICS) | set(NOISE) <= set(second.metrics) and second.metrics != first.metrics
    again = run(cell_in({"num_negatives": 2, "range_min": 2, "range_max": 8}, "second", start="first"))
    assert again == second
