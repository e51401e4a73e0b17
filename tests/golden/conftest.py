"""``pytest tests/golden [--golden-dir DIR]... [--break]``: every case of a folder is one test, named ``slug/case``."""

from pathlib import Path
from types import ModuleType

import pytest

from tests.golden import adapters as adapters_module
from tests.golden.breaking import break_results
from tests.golden.harness import GoldenCase, find_cases


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("golden")
    group.addoption(
        "--golden-dir",
        action="append",
        type=Path,
        metavar="DIR",
        help="run the cases in DIR/*.npz and DIR/<slug>/*.npz instead of those beside the tests; may be repeated",
    )
    group.addoption(
        "--break",
        action="store_true",
        dest="break_results",
        help="make every result of litotes wrong: every case must then fail",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "golden_case" in metafunc.fixturenames:
        # the options are unknown where pytest was started above this folder and read them without this file
        folders = metafunc.config.getoption("golden_dir", None) or [Path(__file__).parent]
        try:
            cases = [case for folder in folders for case in find_cases(folder)]
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
        metafunc.parametrize("golden_case", cases, ids=[case.name for case in cases])


@pytest.fixture
def golden_case(request: pytest.FixtureRequest) -> GoldenCase:
    """One case, from the folders that were asked for."""
    return request.param


@pytest.fixture(scope="session")
def adapters(request: pytest.FixtureRequest) -> ModuleType:
    """The adapters; with ``--break``, all that litotes returns to them is wrong."""
    if request.config.getoption("break_results", False):
        break_results(adapters_module)
    return adapters_module
