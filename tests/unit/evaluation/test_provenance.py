"""A result names the commit it was run from, and whether the source stood as that commit has it."""

import subprocess
from pathlib import Path

import pytest

from litotes.evaluation import provenance
from litotes.evaluation.provenance import Commit, checkout, commit, package_digest


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
    package_digest.cache_clear()
    yield tmp_path
    package_digest.cache_clear()


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
    ],
    ids=["changed", "added", "removed", "moved"],
)
def test_the_digest_of_the_package_is_of_every_module(root, change):
    before = package_digest()
    package_digest.cache_clear()
    (root / "src/litotes/__pycache__").mkdir()
    (root / "src/litotes/__pycache__/one.pyc").write_text("built")
    assert package_digest() == before
    package_digest.cache_clear()
    change(root / "src/litotes")
    assert package_digest() != before
