"""Which tests reach which line: one run of the unit tests and doctests under coverage, a context a test.

Lines that run when a file is imported have no test of their own; what changes there is asked of every test file that
reaches the file. A line that a fixture reaches counts for every test of the fixture's file. Lines that only another
process reaches (a command that a test starts) count as reached by nothing, since a trial changes one process.
"""

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.mutants.operators import Mutant

SECONDS_FILE = "--mutants-seconds"
OTHERS_SECONDS = 6.0  # of tests outside the room's own, for a mutant that those pass


@dataclass(frozen=True)
class Reach:
    """Seconds of each test that passed, and the tests that reach each line of each file."""

    seconds: dict[str, float]
    lines: dict[str, dict[int, list[str]]]

    def own(self, mutant: Mutant) -> list[str]:
        """The room's own tests that reach the changed statement, those of the mirroring file first."""
        homes = (f"tests/unit/{mutant.room}/", f"src/litotes/{mutant.room}/")
        mine = [test for test in self._tests(mutant) if test.startswith(homes)]
        inside = Path(mutant.file.removeprefix("src/litotes/"))
        mirror = str(Path("tests/unit", inside.parent, f"test_{inside.name}"))
        return self._files_together(mine, first=(mirror, mutant.file))

    def others(self, mutant: Mutant) -> list[str]:
        """Tests of other rooms that reach it, the quickest, six seconds of them."""
        own, chosen, left = set(self.own(mutant)), [], OTHERS_SECONDS
        for test in sorted(set(self._tests(mutant)) - own, key=lambda test: (self.seconds[test], test)):
            left -= self.seconds[test]
            if left < 0:
                break
            chosen.append(test)
        return self._files_together(chosen)

    def expected(self, tests: list[str]) -> float:
        """Seconds that the tests took under coverage."""
        return sum(self.seconds[test] for test in tests)

    def _tests(self, mutant: Mutant) -> list[str]:
        reached = self.lines.get(mutant.file, {})
        first, last = mutant.statement
        tests = {test for line in range(first, last + 1) for test in reached.get(line, [])}
        if "" in tests:
            reaching = {test.partition("::")[0] for line in reached for test in reached[line]}
            tests = {test for test in self.seconds if test.partition("::")[0] in reaching}
        return [test for test in sorted(tests) if test in self.seconds]

    def _files_together(self, tests: list[str], first: tuple[str, ...] = ()) -> list[str]:
        """File after file, so that a file's fixtures are made once: those in ``first``, then the quick ones."""
        files: dict[str, list[str]] = defaultdict(list)
        for test in tests:
            files[test.partition("::")[0]].append(test)
        order = sorted(files, key=lambda file: (file not in first, self.expected(files[file]), file))
        return [test for file in order for test in files[file]]


def measure(folder: Path, workers: int) -> Reach:
    """Run the unit tests once, in ``workers`` processes; a minute or two."""
    import coverage

    folder.mkdir(parents=True, exist_ok=True)
    settings, data = folder / "coveragerc", folder / "coverage"
    settings.write_text(
        f"[run]\nsource_pkgs = litotes\nparallel = true\ndata_file = {data.resolve()}\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "pytest", "tests/unit", "src/litotes", "-q", "-n", str(workers)]
    command += ["--dist", "loadfile", "-p", "no:cacheprovider", "-p", "tools.mutants.reach"]
    command += [SECONDS_FILE, str(folder / "seconds.json"), "--cov", f"--cov-config={settings}", "--cov-context=test"]
    done = subprocess.run([*command, "--cov-report="], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):  # tests that fail as the code stands are left out of every trial
        raise SystemExit(done.stdout[-3000:])
    seconds = json.loads((folder / "seconds.json").read_text(encoding="utf-8"))
    measured = coverage.CoverageData(str(data))
    measured.read()
    of_file: dict[str, list[str]] = defaultdict(list)
    for test in seconds:
        of_file[test.partition("::")[0]].append(test)
    lines = {}
    for file in measured.measured_files():
        lines[str(Path(file).relative_to(Path.cwd()))] = {
            line: sorted({test for context in contexts for test in _tests_of(context, of_file)})
            for line, contexts in measured.contexts_by_lineno(file).items()
        }
    return Reach(seconds, lines)


def _tests_of(context: str, of_file: dict[str, list[str]]) -> list[str]:
    test, _, phase = context.rpartition("|")
    return of_file[test.partition("::")[0]] if phase == "setup" else [test]


# --- the plugin that notes how long each test took ------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the seconds go."""
    parser.addoption(SECONDS_FILE, help="file for the seconds of each test that passed")


def pytest_configure(config: pytest.Config) -> None:
    """Note in the process that reports."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Seconds(config.getoption(SECONDS_FILE)), "mutants-seconds")


class _Seconds:
    def __init__(self, file: str) -> None:
        self.file = file
        self.seconds: dict[str, float] = {}
        self.passed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.when == "call" and report.passed and not hasattr(report, "wasxfail"):
            self.passed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        kept = {test: round(self.seconds[test], 4) for test in sorted(self.passed)}
        Path(self.file).write_text(json.dumps(kept, indent=0), encoding="utf-8")
