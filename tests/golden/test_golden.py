"""Inputs and outputs of reference implementations, through the public functions of litotes."""

from types import ModuleType

from tests.golden.harness import GoldenCase, check_case


def test_golden(golden_case: GoldenCase, adapters: ModuleType) -> None:
    check_case(golden_case, adapters.ADAPTERS)
