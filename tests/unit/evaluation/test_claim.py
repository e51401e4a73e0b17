"""A claim's digest covers what decides its outcome, and a claim that cannot be decided fairly is refused."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from litotes.core.errors import LitotesError
from litotes.evaluation.claim import Arm
from tests.made_up_claims import CLAIM, GOOD, PLAIN, START, claim

ROOT = Path(__file__).parents[3]


def with_arm(**changes):
    return {"good": replace(GOOD, **changes), "plain": PLAIN}


CHANGED = {
    "name": claim(name="best"),
    "says": claim(says="Good beats plain by far"),
    "source": claim(source="section 2"),
    "data": claim(data="other"),
    "metric": claim(metric="other"),
    "another arm": claim(arms={**CLAIM.arms, "third": GOOD}),
    "an arm's name": claim(arms={"GOOD": GOOD, "plain": PLAIN}, holds=[("GOOD", ">", "plain")]),
    "command": claim(arms=with_arm(command="better")),
    "config": claim(arms=with_arm(config={"steps": 3})),
    "type of an option": claim(arms=with_arm(config={"steps": "2"})),
    "no start": claim(arms=with_arm(start=None)),
    "the start's config": claim(arms=with_arm(start=replace(START, config={"rate": 2.0}))),
    "the start's trials": claim(arms=with_arm(start=replace(START, trials=[{"rate": 2.0}]))),
    "trials": claim(arms=with_arm(trials=[{"rate": 1.0}, {"rate": 3.0}, {"rate": 4.0}])),
    "order of trials": claim(arms=with_arm(trials=GOOD.trials[::-1])),
    "operator": claim(holds=[("good", "<", "plain")]),
    "a number to compare with": claim(holds=[("good", ">", 0.5)]),
    "another comparison": claim(holds=[*CLAIM.holds, ("plain", "<", "good")]),
    "effect": claim(effect=0.06),
    "seeds": claim(seeds=range(6)),
    "margin": claim(margin=0.1),
    "choose_by": claim(choose_by="other"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_the_digest_changes_with_what_decides(what):
    others = [other.digest for name, other in CHANGED.items() if name != what]
    assert CHANGED[what].digest not in {CLAIM.digest, *others}


@pytest.mark.parametrize(
    "same",
    [
        claim(note="no control"),
        claim(shown=["other"]),
        claim(arms=with_arm(seconds=9.0, start=replace(START, seconds=9.0))),
        claim(seeds=(0, 1, 2, 3, 4), holds=(("good", ">", "plain"),)),
        claim(effect=0.05, arms={"plain": PLAIN, "good": GOOD}),
    ],
    ids=["note", "shown", "seconds", "tuples for lists", "order of arms"],
)
def test_the_digest_is_of_nothing_else(same):
    assert same.digest == CLAIM.digest


def test_a_whole_number_is_the_same_effect():
    assert claim(effect=1).digest == claim(effect=1.0).digest


def test_another_process_finds_the_same_digest():
    code = "from tests.made_up_claims import CLAIM; print(CLAIM.digest)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == CLAIM.digest


def test_a_chain_is_what_is_made_first_to_last():
    second = Arm("second", start=GOOD)
    assert list(second.chain()) == [START, GOOD, second]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seeds": range(4)}, "The claim 'better' has 4 seeds; five are the least."),
        ({"seeds": (0, 1, 2, 3, 3)}, "The claim 'better' has 4 seeds; five are the least."),
        ({"seeds": (0, 1, 2, 3, 4, 4)}, "The claim 'better' names a seed twice."),
        ({"seeds": range(1000, 1005)}, "The claim 'better' reports the seed 1000, with which options are chosen."),
        ({"holds": []}, "The claim 'better' compares nothing."),
        ({"holds": [("good", ">=", "plain")]}, "The claim 'better' compares by '>='; it must be one of > < =."),
        ({"holds": [("best", ">", "plain")]}, "The claim 'better' speaks of an arm 'best' that it does not have."),
        ({"holds": [(0.5, ">", "plain")]}, "The claim 'better' speaks of an arm 0.5 that it does not have."),
        ({"holds": [("good", ">", "worst")]}, "The claim 'better' speaks of an arm 'worst' that it does not have."),
        ({"holds": [("good", "=", "plain")]}, "says 'equal' without the margin= that counts as equal."),
        ({"holds": [("good", "=", "plain")], "margin": 0.0}, "needs a finite margin= above 0"),
        ({"holds": [("good", "=", "plain")], "margin": float("nan")}, "needs a finite margin= above 0"),
        ({"holds": [("good", "=", "plain")], "margin": float("inf")}, "needs a finite margin= above 0"),
        ({"holds": [("good", ">", float("nan"))]}, "compares 'good' with nan, which is neither an arm nor a finite"),
        ({"holds": [("good", ">", float("inf"))]}, "compares 'good' with inf, which is neither"),
        ({"holds": [("good", ">", None)]}, "compares 'good' with None, which is neither"),
        ({"holds": [("good", ">", True)]}, "compares 'good' with True, which is neither"),
        ({"holds": [("good", ">", "good")]}, "The claim 'better' compares the arm 'good' with itself."),
        ({"effect": float("inf")}, "needs the effect that its page speaks of, finite and above 0."),
        (
            {"arms": with_arm(trials=GOOD.trials[:2])},
            "have unequal numbers of trials on dev: {'good': 2, 'plain': 3}.",
        ),
        ({"effect": 0.0}, "needs the effect that its page speaks of, finite and above 0."),
        ({"effect": float("nan")}, "needs the effect that its page speaks of, finite and above 0."),
    ],
    ids=str,
)
def test_what_cannot_be_decided_fairly_is_refused(changes, says):
    with pytest.raises(LitotesError) as refused:
        claim(**changes)
    assert says in str(refused.value)
