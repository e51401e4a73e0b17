"""What every test runs under: no hub, a cache of its own, shapes checked at run time, and skips counted in the open.

``pytest --skip-budget 0.05`` prints each skipped test with its reason at the end and fails when more than that share
of the tests was skipped. Tests marked ``data`` or ``peers`` are counted and printed apart and do not use the budget.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field

import hypothesis
import jaxtyping
import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

hypothesis.settings.register_profile("suite", deadline=None, derandomize=True)  # busy machines, same cases each time
hypothesis.settings.load_profile("suite")

# The functions of tensors, whose signatures write shapes: a call that disagrees with them fails.
jaxtyping.install_import_hook(["litotes.losses", "litotes.training.document_index"], "beartype.beartype")

APART = ("data", "peers")


@dataclass
class SkipCount:
    """The tests of a whole run, also one that is spread over several processes."""

    budget: float | None = None
    n_tests: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    """Reason of each skipped test, by its id; a file that is skipped whole counts as one test."""
    apart: dict[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float:
        return len(self.skipped) / max(self.n_tests, 1)

    @property
    def is_over(self) -> bool:
        return self.budget is not None and self.share > self.budget

    def lines(self) -> list[str]:
        lines = [f"SKIPPED {test}: {reason}" for test, reason in sorted(self.skipped.items())]
        lines += [f"SKIPPED APART {test}: {reason}" for test, reason in sorted(self.apart.items())]
        allowed = "" if self.budget is None else f", {self.budget:.1%} allowed"
        lines.append(f"{len(self.skipped)} of {self.n_tests} tests skipped ({self.share:.1%}{allowed})")
        lines.append(f"{len(self.apart)} more skipped that are marked {' or '.join(APART)}")
        return lines


SKIPS = pytest.StashKey[SkipCount]()
OWN_CACHE = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--skip-budget", type=float, help="share of skipped tests above which the run fails, e.g. 0.05")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SKIPS] = SkipCount(config.getoption("--skip-budget"))
    config.pluginmanager.register(_SkipPlugin(config), "skip-budget")
    if "LITOTES_CACHE" not in os.environ:  # the workers inherit it from the first process
        config.stash[OWN_CACHE] = os.environ["LITOTES_CACHE"] = tempfile.mkdtemp(prefix="litotes-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if OWN_CACHE in config.stash:
        shutil.rmtree(config.stash[OWN_CACHE], ignore_errors=True)


class _SkipPlugin:
    """Counts in the process that reports; a worker only passes on the files that it skipped whole."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.count = config.stash[SKIPS]
        self.skipped_files: dict[str, str] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped_files[report.nodeid] = _reason(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.count.n_tests += report.when == "setup"
        if report.skipped and not hasattr(report, "wasxfail"):
            is_apart = any(mark in report.keywords for mark in APART)
            (self.count.apart if is_apart else self.count.skipped)[report.nodeid] = _reason(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object, error: object) -> None:
        self.skipped_files |= getattr(node, "workeroutput", {}).get("skipped_files", {})

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["skipped_files"] = self.skipped_files
            return (yield)
        self.count.n_tests += len(self.skipped_files)
        self.count.skipped |= self.skipped_files
        if self.count.is_over and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return (yield)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.count.budget is not None:
            terminalreporter.section("skipped tests" + (" (OVER THE BUDGET)" if self.count.is_over else ""))
            for line in self.count.lines():
                terminalreporter.line(line)


def _reason(report: pytest.CollectReport | pytest.TestReport) -> str:
    """The reason given to ``skip``: the last of (path, line, message)."""
    message = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return message.removeprefix("Skipped: ")
