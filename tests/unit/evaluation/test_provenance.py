"""A result names the commit it was run from, and whether the source stood as that commit has it."""

import json
import subprocess
from pathlib import Path

import pytest

from litotes.core import fingerprint
from litotes.evaluation import provenance
from litotes.evaluation.provenance import Commit, Made, checkout, commit, made_now, package_digest


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=A Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """A repository with a package in it, which the module takes for its own."""
    package = tmp_path / "src" / "litotes"
    (package / "part").mkdir(parents=True)
    (package / "one.py").write_text("1")
    (package / "part" / "two.py").write_text("2")
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "README.md").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    monkeypatch.setattr(provenance, "_PACKAGE", package)
    return tmp_path


def test_a_commit_as_it_stands(root):
    assert checkout() == root
    assert commit() == Commit(git(root, "rev-parse", "HEAD"), True)


@pytest.mark.parametrize(
    ("file", "clean"),
    [
        ("src/litotes/one.py", False),
        ("src/litotes/new.py", False),  # not in git at all: it may run all the same
        ("pyproject.toml", False),
        ("constraints.txt", False),
        ("README.md", True),
        ("docs/results/x.json", True),
    ],
)
def test_it_is_clean_while_nothing_that_decides_was_changed(root, file, clean):
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text("changed")
    assert commit() == Commit(git(root, "rev-parse", "HEAD"), clean)
    git(root, "add", "-A")
    assert commit().clean is clean  # staged is not committed


def test_a_removed_file_is_a_change(root):
    (root / "src/litotes/one.py").unlink()
    assert commit().clean is False


def test_a_wheel_has_no_commit(tmp_path, monkeypatch):
    package = tmp_path / "lib" / "site-packages" / "litotes"
    package.mkdir(parents=True)
    monkeypatch.setattr(provenance, "_PACKAGE", package)
    assert checkout() is None
    assert commit() is None


def test_no_more_has_a_machine_without_git_or_a_repository_without_commits(root, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commit() is None
    monkeypatch.undo()


def test_a_repository_without_commits_has_none(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("")
    git(tmp_path, "init", "-q")
    monkeypatch.setattr(provenance, "_PACKAGE", tmp_path / "src" / "litotes")
    assert commit() is None


@pytest.mark.parametrize(
    "change",
    [
        lambda package: (package / "part" / "two.py").write_text("3"),
        lambda package: (package / "three.py").write_text("2"),
        lambda package: (package / "part" / "two.py").unlink(),
        lambda package: (package / "part" / "two.py").rename(package / "two.py"),
        lambda package: (package / "part" / "numbers.json").write_text("2"),
        lambda package: (package / "part" / "weights.safetensors").write_text("1"),
        lambda package: (package / "part" / "weights.safetensors").rename(package / "part" / "other.safetensors"),
    ],
    ids=["changed", "added", "removed", "moved", "a table", "weights", "weights renamed"],
)
def test_the_digest_of_the_package_is_of_every_file_that_decides(root, change):
    package = root / "src/litotes"
    (package / "part" / "numbers.json").write_text("1")
    (package / "part" / "weights.safetensors").write_text("0")
    before = package_digest()
    for name in (
        "__pycache__/one.pyc",
        "part/__pycache__/two.json",
        "claims/results/x.json",
        "report.css",
        ".one.py.swp",
    ):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("decides nothing")
    assert package_digest() == before
    change(package)
    assert package_digest() != before


def test_what_makes_a_number_now(root):
    found = made_now()
    assert (found.package, found.commit, found.clean) == (package_digest(), git(root, "rev-parse", "HEAD"), True)
    assert {"python", "numpy", "litotes"} <= set(found.versions) and found.data is None
    (root / "src/litotes/one.py").write_text("changed")
    now = made_now()
    assert (now.commit, now.clean) == (found.commit, False) and now.package != found.package
    assert Made(**json.loads(json.dumps(now.to_dict()))) == now


def test_a_wheel_makes_numbers_too(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "_PACKAGE", tmp_path)
    assert (made_now().commit, made_now().clean) == (None, False)


def test_the_real_package_counts_its_calibrations(monkeypatch):
    names = []
    monkeypatch.setattr(fingerprint, "digest_file", lambda path: names.append(path.name) or "")
    package_digest()
    assert {"names.json", "no-names.json", "provenance.py"} <= set(names)
    assert not {"report.css", "report.html.jinja", "py.typed"} & set(names)
