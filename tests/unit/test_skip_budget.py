"""The skip budget of ``tests/conftest.py``, on runs of a small test folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
PASSING = "import pytest\n\n\n@pytest.mark.parametrize('i', range({n}))\ndef test_pass(i):\n    assert i >= 0\n"
SKIPPED = "\n\n{mark}\ndef test_skip_{name}():\n    pytest.skip('no {name} here')\n"


@pytest.mark.parametrize("workers", ["0", "2"])
def test_within_the_budget_the_run_passes_and_every_reason_is_printed(tmp_path: Path, workers: str) -> None:
    source = PASSING.format(n=9) + SKIPPED.format(mark="", name="gpu")
    run = _run(tmp_path, source, "--skip-budget", "0.1", "-n", workers)
    assert run.returncode == 0, run.stdout
    assert "SKIPPED test_it.py::test_skip_gpu: no gpu here" in run.stdout
    assert "1 of 10 tests skipped (10.0%, 10.0% allowed)" in run.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_over_the_budget_the_run_fails_though_no_test_did(tmp_path: Path, workers: str) -> None:
    source = PASSING.format(n=8) + SKIPPED.format(mark="", name="gpu") + SKIPPED.format(mark="", name="disk")
    run = _run(tmp_path, source, "--skip-budget", "0.1", "-n", workers)
    assert run.returncode == 1
    assert "OVER THE BUDGET" in run.stdout
    assert "2 of 10 tests skipped (20.0%, 10.0% allowed)" in run.stdout


def test_without_the_option_skips_do_not_fail(tmp_path: Path) -> None:
    run = _run(tmp_path, "import pytest\n" + SKIPPED.format(mark="", name="gpu"))
    assert run.returncode == 0
    assert "tests skipped" not in run.stdout


def test_data_and_peers_are_counted_apart(tmp_path: Path) -> None:
    source = PASSING.format(n=1)
    source += SKIPPED.format(mark="@pytest.mark.data", name="nfcorpus")
    source += SKIPPED.format(mark="@pytest.mark.peers", name="cleanlab")
    run = _run(tmp_path, source, "--skip-budget", "0")
    assert run.returncode == 0
    assert "SKIPPED APART test_it.py::test_skip_nfcorpus: no nfcorpus here" in run.stdout
    assert "0 of 3 tests skipped" in run.stdout
    assert "2 more skipped that are marked data or peers" in run.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_file_that_is_skipped_whole_counts_as_one_test(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_other.py").write_text("import pytest\n\npytest.importorskip('not_a_module')\n")
    run = _run(tmp_path, PASSING.format(n=3), "--skip-budget", "0.1", "-n", workers)
    assert run.returncode == 1
    assert "SKIPPED test_other.py: could not import 'not_a_module'" in run.stdout
    assert "1 of 4 tests skipped (25.0%" in run.stdout


def test_a_failure_stays_a_failure_and_an_expected_one_is_no_skip(tmp_path: Path) -> None:
    source = PASSING.format(n=1) + "\n\n@pytest.mark.xfail\ndef test_x():\n    assert False\n"
    run = _run(tmp_path, source, "--skip-budget", "0")
    assert run.returncode == 0
    assert "0 of 2 tests skipped" in run.stdout
    assert _run(tmp_path, source + "\n\ndef test_fail():\n    assert False\n", "--skip-budget", "0").returncode == 1


def _run(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(source)
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    data: d\n    peers: p\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
