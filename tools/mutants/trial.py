"""One mutant in a process of its own, forked where the heavy libraries are loaded, so that a trial costs a second.

The child reads the changed text wherever Python would read the file (so that import hooks see it too), runs the chosen
tests until one fails, and ends. It has a temporary folder of its own, a limit of memory and a limit of time.
"""

import contextlib
import gc
import importlib
import os
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

HEAVY = ("numpy", "pyarrow.parquet", "pydantic", "rich.progress", "typer", "hypothesis", "jaxtyping", "beartype")
HEAVY += ("torch", "transformers", "sentence_transformers", "datasets", "faiss", "bm25s", "scipy.stats", "ir_measures")
HEAVY += ("sklearn.linear_model", "pandas", "safetensors.torch")
MEMORY = 6 * 2**30
PASSED, NO_TESTS = 0, 5


@dataclass
class Trial:
    """What to run; ``outcome`` is killed, timeout or survived afterwards, ``killer`` the test that failed."""

    file: str
    source: bytes
    tests: list[str]
    limit: float
    note: object = None
    outcome: str = ""
    killer: str = ""
    seconds: float = 0.0
    _pid: int = field(default=0, repr=False)
    _folder: Path = field(default=Path(), repr=False)
    _start: float = field(default=0.0, repr=False)

    def start(self) -> None:
        """Fork and let the child work."""
        self._folder, self._start = Path(tempfile.mkdtemp(prefix="mutant-")), time.monotonic()
        self._pid = os.fork()
        if not self._pid:
            try:
                code = _child(self.file, self.source, self.tests, self._folder)
            except BaseException:  # noqa: BLE001  whatever a mutant did, a copy of the parent must not go on
                code = 3
            os._exit(code)

    def is_over(self) -> bool:
        """Whether the child ended, or was ended now since its time is up."""
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        self.seconds = time.monotonic() - self._start
        if pid:
            code = os.waitstatus_to_exitcode(status)
            if code == NO_TESTS:
                raise SystemExit(
                    f"None of the {len(self.tests)} tests chosen for {self.file} was found: {self.tests[0]}"
                )
            self.outcome = "survived" if code == PASSED else "killed"
        elif self.seconds > self.limit:
            self.outcome = "timeout"
        else:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)  # and what it started
        if not pid:
            os.waitpid(self._pid, 0)
        killer = self._folder / "killer"
        self.killer = killer.read_text(encoding="utf-8") if killer.exists() else ""
        shutil.rmtree(self._folder, ignore_errors=True)
        return True


def warm() -> None:
    """Load what every trial needs, once, and nothing of ours."""
    os.environ.update(HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
    for name in HEAVY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def run(trials: Iterable[Trial], workers: int) -> Iterator[Trial]:
    """The trials as they end, ``workers`` at a time."""
    waiting, running = iter(trials), []
    try:
        while True:
            while len(running) < workers and (trial := next(waiting, None)) is not None:
                trial.start()
                running.append(trial)
            if not running:
                return
            over = [trial for trial in running if trial.is_over()]
            running = [trial for trial in running if trial not in over]
            yield from over
            if not over:
                time.sleep(0.01)
    finally:
        for trial in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(trial._pid, signal.SIGKILL)
            shutil.rmtree(trial._folder, ignore_errors=True)


def _child(file: str, source: bytes, tests: list[str], folder: Path) -> int:
    os.setsid()
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None
    _read_instead(Path(file).resolve(), source)
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    options = ["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"]
    options += ["--assert=plain"]  # rewriting asserts, pytest would read a file that it is given past the loaders
    return int(pytest.main([*files, *options, "--basetemp", str(folder / "pytest")], plugins=[_Chosen(tests, folder)]))


def _read_instead(path: Path, source: bytes) -> None:
    """From now on the loaders of this process read ``source`` for ``path``, and leave its compiled copy alone."""
    read, stats = SourceFileLoader.get_data, SourceFileLoader.path_stats

    def get_data(self: SourceFileLoader, name: str) -> bytes:
        return source if name == str(path) else read(self, name)

    def path_stats(self: SourceFileLoader, name: str) -> dict:
        if name == str(path):
            raise OSError("this file has no compiled copy")
        return stats(self, name)

    SourceFileLoader.get_data, SourceFileLoader.path_stats = get_data, path_stats


class _Chosen:
    """Keeps the chosen tests, in the order of the choice's files, and notes the first that fails."""

    def __init__(self, tests: list[str], folder: Path) -> None:
        self.tests, self.folder = set(tests), folder

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self.tests]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def _note(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.failed:
            (self.folder / "killer").write_text(report.nodeid, encoding="utf-8")
