"""The contract suite of a judge: :func:`check_judge`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from litotes.core.checks import check_choice, check_float
from litotes.testing.check import Check
from litotes.testing.judge_checks import SUITE, JudgeCase
from litotes.testing.making import Making

__all__ = ["check_judge"]


def check_judge(
    make: Callable[..., Any],
    *,
    gives_trust: bool = False,
    gives: Collection[str] = (),
    tolerance: float = 1e-6,
    expected_failures: Mapping[str, str] | None = None,
) -> list[Check]:
    """Checks of a judge: ``judge(candidates, data) -> Candidates``, which adds columns and drops nothing.

    They run on :func:`~litotes.testing.example_candidates` of :func:`~litotes.testing.example_collection`.

    Args:
        make: ``make()`` gives a new judge; or ``make(data)``, where it is prepared on the data.
        gives_trust: it returns probabilities, or was calibrated. Only such a judge may fill ``trust.<name>``.
        gives: which of the columns ``weight`` and ``target``, by which training reads cells, it adds besides.
        tolerance: how far two numbers for one cell may differ when the cell is judged among others; a model that is run
            in batches rounds otherwise in each.
        expected_failures: the checks that fail, and shall: name and written reason. One that holds is a failure.

    Raises:
        LitotesError: an expected failure without a reason, or that no check is called.
    """
    check_float("check_judge", "tolerance", tolerance, at_least=0.0)
    for column in gives:
        check_choice("check_judge", "gives", column, ("weight", "target"))
    case = JudgeCase(Making(make, "judge", "judge"), gives_trust, frozenset(gives), tolerance)
    without = ["trust_withheld"] if gives_trust else ["trust_in_range", "trust_of_assumed_label"]
    return SUITE.over(case, without=without, expected_failures=expected_failures)
