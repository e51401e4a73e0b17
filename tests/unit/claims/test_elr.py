"""The claims of ELR can be decided fairly: one network and weight decay, equal trials on noisy labels, controls."""

from dataclasses import replace

import numpy as np
import pytest

from litotes.claims.elr import CLAIMS, run
from litotes.claims.noisy_classes import METRICS, rows
from litotes.evaluation.experiment import Cell
from litotes.recipes.classification.elr import ELRClassifier, ELRPlusClassifier

SPARED = {"noise", "rate"}
ARMS = {str(arm.to_dict()): arm for claim in CLAIMS for arm in claim.arms.values()}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_is_well_formed(claim):
    named = {side for a, _, b in claim.holds for side in (a, b) if isinstance(side, str)}
    assert set(claim.arms) == named and claim.name.startswith(f"{claim.data}-")
    assert {len(arm.trials) for arm in claim.arms.values()} == {3}
    assert claim.metric in METRICS and {claim.metric, *claim.shown} == set(METRICS)
    assert claim.choose_by == "accuracy" and not claim.is_lower_better  # the memorised are never chosen by
    assert len(claim.seeds) >= (8 if claim.data == "digits" else 5)
    assert all(claim.digest != other.digest for other in CLAIMS if other is not claim)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_compared_arms_have_one_network_one_weight_decay_one_noise_and_as_many_epochs(claim):
    for name in ("hidden", "weight_decay", "num_train_epochs", "noise", "standardize", "batch_size"):
        assert len({str(arm.config.get(name)) for arm in claim.arms.values()}) == 1, name
    assert all(arm.config["weight_decay"] == 1e-3 for arm in claim.arms.values())


def test_every_arm_has_options_that_its_classifier_takes():
    for arm in ARMS.values():
        kind = ELRPlusClassifier if arm.command == "elr-plus" else ELRClassifier
        for trial in arm.trials:
            options = {name: x for name, x in {**arm.config, **trial}.items() if name not in SPARED}
            kind(**options, random_state=0)._options()


def test_the_controls_of_the_page_are_there():
    compared = {name for claim in CLAIMS for name in claim.arms}
    assert {"early-stopped", "label smoothing", "random deletion", "cleanlab, retrained", "clean rows only"} <= compared


def cell(tmp_path, command="elr", split="test", **options) -> Cell:
    arm = next(arm for claim in CLAIMS for arm in claim.arms.values() if arm.command == "elr")
    config = {**arm.config, "hidden": (8,), "num_train_epochs": 2, "regularization": 0.0, **options}
    return Cell("digits", replace(arm, command=command, config=config, trials=()), 3, split, tmp_path, None)


def test_a_cell_says_all_its_metrics_and_repeats_itself(tmp_path):
    found, again = run(cell(tmp_path)), run(cell(tmp_path))
    assert tuple(found.metrics) == METRICS and found.metrics == again.metrics
    assert found.metrics["wrong"] == pytest.approx(0.4, abs=0.01) and found.metrics["left out"] == 0
    assert found.metrics["accuracy"] <= found.metrics["best accuracy"]
    assert {len(values) for values in found.facts["history"].values()} == {2}


def test_dev_is_measured_by_noisy_labels(tmp_path):
    found = run(cell(tmp_path, split="dev", num_train_epochs=10))
    assert found.metrics["accuracy"] < 0.75 < found.metrics["early-stopped accuracy"]  # that one is of test


def test_as_many_rows_are_left_out_at_random_as_are_wrong(tmp_path):
    random, clean = (run(cell(tmp_path, command)).metrics for command in ("random-deletion", "clean-only"))
    assert random["left out"] == clean["left out"] == pytest.approx(0.4, abs=0.02)
    assert clean["AP of wrong labels"] == 0 < random["AP of wrong labels"]  # no wrong row is left to find


def test_the_digits_are_split_without_overlap():
    data = rows("digits")
    assert len(data.y) == 1078 and len(data.y_test) == 719 and data.X.max() == 1
    assert len(np.unique(np.vstack([data.X, data.X_test]), axis=0)) > 1700
