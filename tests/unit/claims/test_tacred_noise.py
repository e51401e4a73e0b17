"""The claims of neighbour cleaning can be decided fairly: known truth, equal trials on noisy dev, controls."""

from dataclasses import replace

import numpy as np
import pytest

from litotes.claims.relation_noise import NEGATIVE, RATE, _pair, _told_words, hidden_model, sentences_of, world
from litotes.claims.tacred_noise import CLAIMS, DETECTION, IN_NEGATIVES, run
from litotes.data.public import PUBLIC
from litotes.evaluation.experiment import Cell

ARMS = {name: arm for claim in CLAIMS if claim.data == "digits" for name, arm in claim.arms.items()}
SEED = 1


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_is_well_formed(claim):
    assert claim.name.startswith(f"{claim.data}-")
    assert {len(arm.trials) for arm in claim.arms.values()} == {3}
    assert len({str([dict(trial) for trial in arm.trials]) for arm in claim.arms.values()}) == 1
    assert len(claim.seeds) == 8 and claim.choose_by == "F1"
    assert all(claim.digest != other.digest for other in CLAIMS if other is not claim)


def test_the_controls_of_the_page_stand_in_the_comparisons():
    compared = {side for claim in CLAIMS for a, _, b in claim.holds for side in (a, b)}
    assert {"as IS-E, at random", "as EN, at random", "clean set", "noisy + clean", "noisy"} <= compared
    assert {"cleanlab, dropped", "confident learning, dropped"} <= compared
    shown = {name for claim in CLAIMS for name in claim.arms}
    assert {"clean labels", "cleanlab, relabelled", "IS-E, k = 1", "IS-E, k = 5", "IS-R", "RNP + clean"} <= shown


def cell(tmp_path, name, split="test", **options):
    arm = ARMS[name]
    return Cell(
        "digits",
        replace(arm, config={**arm.config, "strength": 0.1, **options}, trials=()),
        SEED,
        split,
        tmp_path,
        None,
    )


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_measures_what_its_claims_compare_and_show(name, tmp_path):
    found = run(cell(tmp_path, name)).metrics
    wanted = {
        metric
        for claim in CLAIMS
        if claim.data == "digits" and name in claim.arms
        for metric in (claim.metric, *claim.shown, claim.choose_by)
    }
    assert wanted <= set(found)
    assert all(np.isfinite(value) for value in found.values())
    assert 0 <= found["F1"] <= 1


def test_a_cell_repeats_itself(tmp_path):
    first = run(cell(tmp_path, "IS-E"))
    hidden_model.cache_clear()
    world.cache_clear()
    assert run(cell(tmp_path, "IS-E")) == first


def test_the_parts_share_no_row_and_only_positives_were_flipped():
    drawn = world("digits", SEED)
    rows = [row.tobytes() for part in drawn[:4] for row in part.inputs["pixels"]]
    assert len(rows) == 1797 and len(set(rows)) == 1797
    for name in ("fit", "dev", "test"):
        part = getattr(drawn, name)
        wrong = part.given != part.truth
        assert wrong.sum() == round(RATE * (part.truth != NEGATIVE).sum())
        assert (part.given[wrong] == NEGATIVE).all() and (part.truth[wrong] != NEGATIVE).all()
    assert (drawn.clean.given == drawn.clean.truth).all()
    assert (drawn.fit.given == NEGATIVE).mean() > 0.75  # the negative class dominates, as in TACRED
    assert world("digits", SEED + 1).rows.tolist() != drawn.rows.tolist()


def test_dev_is_measured_by_the_labels_that_a_user_has(tmp_path):
    on_dev, on_test = (run(cell(tmp_path, "noisy", split)).metrics for split in ("dev", "test"))
    assert on_dev["F1"] == on_dev["F1 as given"] and on_test["F1"] != on_test["F1 as given"]


def test_the_random_control_drops_as_many_negatives_as_its_arm(tmp_path):
    arm, control = (run(cell(tmp_path, name)).metrics for name in ("IS-E", "as IS-E, at random"))
    assert arm["flagged"] == control["flagged"] > 0
    assert control["base rate"] == arm["base rate"] and arm["lift"] > 2 > control["lift"]


def test_detection_is_held_against_what_was_flipped(tmp_path):
    found = run(cell(tmp_path, "EN")).metrics
    fit = world("digits", SEED).fit
    wrong = fit.given != fit.truth
    assert found["base rate"] == wrong.sum() / (fit.given == NEGATIVE).sum()
    assert found["lift"] == pytest.approx(found["flag precision"] / found["base rate"])
    assert found["flag recall"] * wrong.sum() == pytest.approx(found["flag precision"] * found["flagged"])
    assert set(DETECTION) <= set(found)


def test_errors_are_characterised_on_the_noisy_arm(tmp_path):
    outcome = run(cell(tmp_path, "noisy"))
    counts = outcome.facts["spaces"]["pixels"]["errors of the model"]["counts"]
    assert outcome.metrics[IN_NEGATIVES] == counts["share_with_negative"] > 0.5
    relations = run(cell(tmp_path, "EN")).facts["spaces"]["pixels"]["relations"]
    assert sum(relations.values()) == 2


@pytest.mark.data
@pytest.mark.skipif(PUBLIC["semeval2010-task8"].found() is None, reason="semeval2010-task8 is not on this machine")
def test_relations_have_the_sizes_that_the_design_asks_for(monkeypatch):
    import litotes.claims.relation_noise as module

    monkeypatch.setattr(module, "_spaces", lambda data: {"words": np.zeros((10717, 1), dtype=np.float32)})
    module._whole.cache_clear()
    world.cache_clear()
    drawn = world("semeval2010-task8", SEED)
    assert [len(part.given) for part in drawn[:4]] == [6000, 1000, 1000, 2717]
    assert 0.19 <= (drawn.fit.truth != NEGATIVE).mean() <= 0.27
    wrong = drawn.fit.given != drawn.fit.truth
    assert 0.05 < wrong.sum() / (drawn.fit.given == NEGATIVE).sum() < 0.12
    with_other = world("semeval2010-task8", SEED, "other")
    assert len(set(with_other.fit.truth.tolist())) >= 18 and (with_other.fit.truth == NEGATIVE).mean() < 0.2
    module._whole.cache_clear()
    world.cache_clear()


@pytest.mark.data
@pytest.mark.skipif(PUBLIC["semeval2010-task8"].found() is None, reason="semeval2010-task8 is not on this machine")
def test_every_sentence_marks_its_pair():
    sentences = sentences_of("semeval2010-task8")[0]
    pairs = [_pair(sentence) for sentence in sentences]
    assert all("".join(pair) == sentence for pair, sentence in zip(pairs, sentences, strict=True))


def test_a_pair_is_told_by_its_marks_and_by_the_words_around_it():
    assert _told_words(_pair("The <e1>cat</e1> sat on <e2>the mat</e2> today.")) == [
        "before the", "after today", "first e1", "first cat", "first e1", "second e2", "second the", "second mat",
        "second e2", "between sat", "between on", "between sat on",
    ]  # fmt: skip
