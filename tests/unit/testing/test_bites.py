"""The suites bite: for each check there are wrong parts, and it catches them. Right parts pass every check."""

import pytest

from litotes.testing import (
    check_batch_sampler,
    check_judge,
    check_loss,
    check_miner,
    check_negative_sampler,
)
from litotes.testing.listing import SUITES
from tests.unit.testing import (
    wrong_batch_samplers,
    wrong_judges,
    wrong_losses,
    wrong_miners,
    wrong_negative_samplers,
)

PARTS: dict[str, tuple] = {
    "loss": (check_loss, wrong_losses),
    "miner": (check_miner, wrong_miners),
    "judge": (check_judge, wrong_judges),
    "negative sampler": (check_negative_sampler, wrong_negative_samplers),
    "batch sampler": (check_batch_sampler, wrong_batch_samplers),
}

#: What is wrong with these shows as an error: of their own, or of ``Candidates``, which refuses such a table.
CRASH = {
    ("miner", "FillsUpWithMinusOne"),
    ("miner", "FindsTheFirstTwice"),
    ("miner", "NeedsAsManyAsTop"),
    ("miner", "NeedsRowsInOrder"),
    ("judge", "NeedsACandidate"),
    ("negative sampler", "NeedsACell"),
}


def called(part: dict) -> str:
    made = part.get("loss") or part["make"]
    return getattr(made, "__name__", type(made).__name__)


BITES = [
    pytest.param(kind, check, part, id=f"{kind}-{check}-{called(part)}")
    for kind, (_, module) in PARTS.items()
    for check, parts in module.WRONG.items()
    for part in parts
]
RIGHT = [
    pytest.param(check, id=f"{kind}-{name}-{check}")
    for kind, (make_checks, module) in PARTS.items()
    for name, part in module.RIGHT_PARTS.items()
    for check in make_checks(**part)
]


@pytest.mark.parametrize(("kind", "check", "part"), BITES)
def test_a_wrong_part_is_caught(kind: str, check: str, part: dict):
    [found] = [one for one in PARTS[kind][0](**part) if one.name == check]
    with pytest.raises(AssertionError, match=f"breaks '{check}': .*\nPromised: ") as caught:
        found()
    assert ("it raised" in str(caught.value)) == ((kind, called(part)) in CRASH), (
        "caught for another reason than its fault"
    )


@pytest.mark.parametrize("check", RIGHT)
def test_a_right_part_passes(check):
    check()


MESSAGES = {
    (
        "loss",
        "direction",
        "turns_the_sign",
    ): r"what should rise went from -?\d.* to -?\d.* in 30 steps down",
    ("loss", "masked", "multiplies_by_the_mask"): "and nan with NaN in the entries that the masks leave out",
    ("loss", "memory", "broadcasts_the_cosine"): r"queries \(64, 96\), documents \(64, 96\) .* of 393,216 numbers",
    ("miner", "never_positive", "FindsPositives"): r"row 'q\d+' of the mixed example gets column 'd\d+', an observed",
    ("miner", "at_most_top", "TakesOneTooMany"): r"row 'q\d+' gets 9 cells; top is 8",
    ("judge", "trust_in_range", "TrustsTooMuch"): r"\d+ cells have a trust outside \[0, 1\], such as \[[2-9].0\]",
    ("negative sampler", "frequencies", "PrefersTheFirst"): r"chi-square is \d+\.\d, at most \d+\.\d is chance",
    ("negative sampler", "frequencies", "DrawsThemTooOften"): (r"columns \[1, 11, .*\] came \d+ times of 20000"),
    (
        "batch sampler",
        "resumed_between_epochs",
        "RepeatsAnEpoch",
    ): "it goes on with 8, .* never stopped it gives 0",
}


@pytest.mark.parametrize(("kind", "check", "name"), MESSAGES)
def test_the_message_has_the_numbers(kind: str, check: str, name: str):
    make_checks, module = PARTS[kind]
    part = next(part for part in module.WRONG[check] if called(part) == name)
    [found] = [one for one in make_checks(**part) if one.name == check]
    with pytest.raises(AssertionError, match=MESSAGES[kind, check, name]):
        found()


@pytest.mark.parametrize("kind", SUITES)
def test_there_is_a_wrong_part_for_every_check_and_a_right_one(kind: str):
    make_checks, module = PARTS[kind]
    assert list(module.WRONG) == list(SUITES[kind].explanations)
    passed = {check.name for part in module.RIGHT_PARTS.values() for check in make_checks(**part)}
    assert passed == set(module.WRONG)
