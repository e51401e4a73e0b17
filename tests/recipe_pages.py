"""Recipe pages are held to the tests they name: each must have run in this run of the suite, and have passed.

A row that says *shown* must name tests that passed; one whose test was skipped must say *not runnable here*. The check
is made at the end of a run of the whole suite (no ``-k``, no ``-m``, no single files), since only then every test ran.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "recipes"
_NAMED = re.compile(r"`(tests/[\w/.-]+\.py(?:::[\w\[\]/.,-]+)*)`")


@dataclass(frozen=True)
class Row:
    """One line of a checklist: what is claimed, by which tests, and the state it is said to be in."""

    page: str
    claim: str
    tests: tuple[str, ...]
    state: str


def rows_of(page: Path) -> list[Row]:
    """The rows of all tables of a page whose last column is ``state``."""
    rows, in_checklist = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if not cells:
            in_checklist = False
        elif cells[-1].strip("| ") == "state":
            in_checklist = True
        elif in_checklist and not set(line) <= set("|- "):
            claim, *_, state = cells
            rows.append(Row(page.name, claim, tuple(_NAMED.findall(line)), state.strip("| ")))
    return rows


def complaints(rows: list[Row], outcomes: dict[str, str]) -> list[str]:
    """What the rows say that the run does not bear out; ``outcomes`` are passed, failed or skipped by test id."""
    found = []
    for row in rows:
        if row.state == "shown" and not row.tests:
            found.append(f"{row.page}: {row.claim!r} is said to be shown and names no test")
        for test in row.tests:
            mine = {how for name, how in outcomes.items() if _is_within(name, test)}
            if not mine:
                found.append(f"{row.page}: {row.claim!r} names {test}, which did not run")
            elif "failed" in mine or (row.state == "shown" and "passed" not in mine):
                found.append(
                    f"{row.page}: {row.claim!r} is said to be {row.state}, but {test} {'/'.join(sorted(mine))}"
                )
            elif row.state == "not runnable here" and mine == {"passed"}:
                found.append(f"{row.page}: {row.claim!r} is said to be not runnable here, but {test} passed")
    return found


class RecipePages:
    """The plugin: gathers outcomes, and fails a whole run that leaves a complaint."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.outcomes: dict[str, str] = {}
        self.found: list[str] = []

    @property
    def is_whole_run(self) -> bool:
        """Whether this process reports a run of everything."""
        options = self.config.option
        chosen = options.keyword or options.markexpr or getattr(options, "lf", False) or options.collectonly
        alone = not hasattr(self.config, "workerinput")
        return alone and not chosen and self.config.args_source is pytest.Config.ArgsSource.TESTPATHS

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember how each test ended; a failure in setup or teardown is a failure."""
        if report.failed or report.when == "call" or report.skipped:
            ended = "failed" if report.failed else "skipped" if report.skipped else "passed"
            if self.outcomes.get(report.nodeid) != "failed":
                self.outcomes[report.nodeid] = ended

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Compare the pages with what ran."""
        if self.is_whole_run and self.outcomes:
            rows = [row for page in sorted(PAGES.glob("*.md")) for row in rows_of(page)]
            self.found = complaints(rows, self.outcomes)
            if self.found and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return (yield)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what does not hold."""
        if self.found:
            terminalreporter.section("recipe pages that this run does not bear out")
            for line in self.found:
                terminalreporter.line(line)


def _is_within(test_id: str, named: str) -> bool:
    """Whether a test is the one named, one of its parameters, or inside the file or class named."""
    return test_id == named or test_id.startswith((f"{named}[", f"{named}::"))
