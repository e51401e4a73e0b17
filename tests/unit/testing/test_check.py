"""Checks and suites: what a call says, what may be expected to fail, and that nothing of pytest is needed."""

import subprocess
import sys

import pytest

import litotes.testing
from litotes.core.errors import LitotesError
from litotes.testing.check import Check, Suite, demand

SUITE = Suite("bridge")


@SUITE
def bears_ten_tons(case: "Bridge") -> None:
    """It bears ``ten`` tons,
    and says so.
    """
    demand(case.bears >= 10, f"it bears {case.bears} tons.")


@SUITE
def has_a_railing(case: "Bridge") -> None:
    """Nobody falls off."""
    raise OSError("no such railing")


class Bridge:
    def __init__(self, bears: int) -> None:
        self.bears = bears

    def __str__(self) -> str:
        return f"Bridge{self.bears}"


def test_a_check_has_a_name_an_explanation_and_a_call():
    kept, crashed = SUITE.over(Bridge(12))
    assert (kept.name, str(kept), kept.explanation) == ("bears_ten_tons",) * 2 + (
        "It bears ``ten`` tons, and says so.",
    )
    assert kept() is None
    with pytest.raises(
        AssertionError, match="Bridge12 breaks 'has_a_railing': it raised OSError: no such railing\n"
    ) as e:
        crashed()
    assert isinstance(e.value.__cause__, OSError)


def test_a_broken_promise_is_a_sentence_with_numbers_and_the_promise():
    [broken, _] = SUITE.over(Bridge(9))
    with pytest.raises(AssertionError) as caught:
        broken()
    assert str(caught.value) == (
        "Bridge9 breaks 'bears_ten_tons': it bears 9 tons.\nPromised: It bears ``ten`` tons, and says so."
    )


def test_an_expected_failure_passes_while_it_fails_and_fails_when_it_holds():
    reasons = {"bears_ten_tons": "it is for walkers", "has_a_railing": "nor for children"}
    for check in SUITE.over(Bridge(9), expected_failures=reasons):
        assert check() is None
    first, second = SUITE.over(Bridge(10), expected_failures=reasons)
    assert str(first) == "bears_ten_tons-expected-to-fail" and first.expected_failure == "it is for walkers"
    with pytest.raises(
        AssertionError,
        match=r"Bridge10 was expected to break 'bears_ten_tons' \(it is for walkers\), and keeps it. Take",
    ):
        first()
    second()


@pytest.mark.parametrize("reason", ["", "  ", None, True])
def test_a_reason_that_says_nothing_is_refused(reason):
    with pytest.raises(LitotesError, match=r"expected_failures\['bears_ten_tons'\] must be a written reason.*Got "):
        SUITE.over(Bridge(1), expected_failures={"bears_ten_tons": reason})


def test_an_unknown_check_is_refused_with_the_nearest():
    with pytest.raises(LitotesError, match="no check of this bridge is called that; did you mean 'has_a_railing'"):
        SUITE.over(Bridge(1), expected_failures={"has_railing": "it is a plank"})
    with pytest.raises(LitotesError, match=r"called that\. There are: bears_ten_tons\."):
        SUITE.over(Bridge(1), without=["has_a_railing"], expected_failures={"has_a_railing": "it is a plank"})


def test_a_check_is_more_than_an_assert_statement():
    program = (
        "from litotes.testing.check import Check\nCheck('a', 'b', lambda: (_ for _ in ()).throw(ValueError), str)()"
    )
    run = subprocess.run([sys.executable, "-O", "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and "AssertionError" in run.stderr


def test_neither_pytest_nor_torch_is_loaded_by_suites_that_do_not_need_them():
    program = """
import sys
from litotes.testing import check_judge, check_miner, check_negative_sampler, example_candidates, example_collection
from litotes.mining import RandomMiner, UniformNegativeSampler
reason = {"rows_without_content": "it looks at no texts"}
for check in [*check_miner(RandomMiner, expected_failures=reason), *check_negative_sampler(UniformNegativeSampler)]:
    check()
print(*sorted({"torch", "pytest", "_pytest", "scipy", "sklearn"} & set(sys.modules)))
from litotes.testing import check_batch_sampler, check_loss
print(*sorted({"torch", "pytest", "_pytest"} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "\ntorch\n"


def test_every_public_name_resolves():
    for name in litotes.testing.__all__:
        assert getattr(litotes.testing, name).__module__ == litotes.testing._HOMES[name]
    assert litotes.testing.Check is Check
