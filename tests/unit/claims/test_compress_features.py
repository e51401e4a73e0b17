"""The claims of compressed features can be decided fairly: one network and weight decay, equal trials, controls."""

from dataclasses import replace

import numpy as np
import pytest

from litotes.claims.compress_features import CLAIMS, run
from litotes.claims.compressed_study import DRAWS, METRICS, OF_DRAWS
from litotes.evaluation.experiment import Cell
from litotes.recipes.classification.compress_features import NestedCoTeachingClassifier
from litotes.recipes.classification.elr import ELRClassifier

SPARED = {"noise", "rate"}
ARMS = {str(arm.to_dict()): arm for claim in CLAIMS for arm in claim.arms.values()}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_is_well_formed(claim):
    named = {side for a, _, b in claim.holds for side in (a, b) if isinstance(side, str)}
    assert set(claim.arms) == named and claim.name.startswith(f"{claim.data}-")
    is_drawn = {arm.command == "draws" for arm in claim.arms.values()}
    assert is_drawn in ({True}, {False})
    assert {len(arm.trials) for arm in claim.arms.values()} == ({0} if is_drawn == {True} else {3})
    known = {*METRICS, *OF_DRAWS} if is_drawn == {True} else set(METRICS)
    assert claim.metric in known and {claim.metric, *claim.shown} == known
    assert claim.choose_by == "accuracy" and not claim.is_lower_better
    assert len(claim.seeds) >= (8 if claim.data == "digits" else 5)
    assert all(claim.digest != other.digest for other in CLAIMS if other is not claim)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_compared_arms_have_one_network_one_weight_decay_one_noise_and_as_many_epochs(claim):
    for name in ("hidden", "weight_decay", "noise", "rate", "standardize", "batch_size"):
        assert len({str(arm.config.get(name)) for arm in claim.arms.values()}) == 1, name
    if claim.name != "digits-variance-grows":  # there it is what they differ in
        assert len({arm.config["num_train_epochs"] for arm in claim.arms.values()}) == 1


def test_every_arm_has_options_that_its_classifier_takes():
    for arm in ARMS.values():
        kind = ELRClassifier if arm.command == "elr" else NestedCoTeachingClassifier
        for trial in arm.trials or [{}]:
            options = {name: x for name, x in {**arm.config, **trial}.items() if name not in SPARED}
            kind(**options, random_state=0)._options()


def test_the_controls_are_there():
    compared = {name for claim in CLAIMS for name in claim.arms}
    controls = {"early-stopped", "label smoothing", "random deletion", "cleanlab, retrained", "clean rows only"}
    assert {*controls, "nested, nothing forgotten", "co-teaching from scratch"} <= compared


def cell(tmp_path, command="nested-co-teaching", **options) -> Cell:
    arm = CLAIMS[0].arms["cross entropy"]
    small = {"hidden": (8, 6), "num_train_epochs": 2, "co_teaching_epochs": 1, "stages": "both", **options}
    return Cell(
        "digits", replace(arm, command=command, config={**arm.config, **small}, trials=()), 3, "test", tmp_path, None
    )


@pytest.mark.parametrize("compression", ["plain", "nested"])
def test_a_cell_says_all_its_metrics_and_repeats_itself(tmp_path, compression):
    found, again = (run(cell(tmp_path, compression=compression)) for _ in range(2))
    assert tuple(found.metrics) == METRICS and found.metrics == again.metrics
    bound = found.facts["information by channels"]
    assert len(bound) == 6 and bound == sorted(bound)
    channels = int(found.metrics["channels"])
    assert found.metrics["information"] == pytest.approx(bound[channels - 1], abs=1e-4)
    assert channels == 6 if compression == "plain" else len(found.facts["accuracy by channels"]) == 6


def test_label_smoothing_says_the_same_metrics(tmp_path):
    arm = next(claim.arms["label smoothing"] for claim in CLAIMS if "label smoothing" in claim.arms)
    config = {**arm.config, "hidden": (8, 6), "num_train_epochs": 1, "label_smoothing": 0.1}
    found = run(Cell("digits", replace(arm, config=config, trials=()), 3, "test", tmp_path, None))
    assert tuple(found.metrics) == METRICS


def test_draws_are_of_other_noise_and_error_is_bias_plus_variance(tmp_path):
    metrics = run(cell(tmp_path, "draws", compression="plain")).metrics
    assert tuple(metrics) == (*METRICS, *OF_DRAWS) and DRAWS > 1
    assert metrics["error"] == pytest.approx(metrics["bias"] + metrics["variance"], abs=1e-9)
    assert metrics["variance"] > 0 and metrics["pair variance"] > 0
    one = run(cell(tmp_path, "draws", compression="plain", stages="first")).metrics
    assert one["pair variance"] == pytest.approx(0.0, abs=1e-12)
    assert np.isfinite(list(one.values())).all()
