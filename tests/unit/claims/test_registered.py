"""Every recorded result was registered: its claim stood in the commit that ran it, before there was a result."""

import json
import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from litotes.core.files import read_json

ROOT = Path(__file__).parents[3]
RESULTS = [path for path in sorted((ROOT / "docs" / "results").glob("*.json")) if "claims" in read_json(path)]
DIGESTS = """
import json, sys, litotes.claims
print(json.dumps([litotes.claims.__file__, {c.name: c.digest for c in litotes.claims.claims_of(sys.argv[1]).claims}]))
"""


def git(root: Path, *arguments: str) -> bytes | None:
    """What git says; None where it fails."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def digests_at(root: Path, commit: str, slug: str, folder: Path) -> dict[str, str]:
    """The digest of each claim as the package of that commit knows it, by its name."""
    archive = git(root, "archive", commit, "src/litotes")
    assert archive is not None
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS, slug], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {}  # the system had no claims then
    file, digests = json.loads(done.stdout)
    assert Path(file).is_relative_to(folder)  # and not the package that runs this test
    return digests


def objections(root: Path, result: dict, folder: Path) -> list[str]:
    """Why the records of a result do not count as registered; empty where they do."""
    slug, found, known = result["slug"], [], {}
    for record in result["claims"]:
        name, commit = record["name"], record["commit"]
        if not record["clean"]:
            found.append(f"{name}: run from a source that no commit has")
            continue
        if not record["as_registered"]:
            found.append(f"{name}: run with other seeds than registered")
        if git(root, "merge-base", "--is-ancestor", str(commit), "HEAD") is None:
            found.append(f"{name}: {commit} is no commit that led to this one")
            continue
        if commit not in known:
            known[commit] = digests_at(root, commit, slug, folder / commit)
        if known[commit].get(name) != record["digest"]:
            found.append(f"{name}: not the claim of commit {commit[:12]}")
        earlier = git(root, "show", f"{commit}:docs/results/{slug}.json")
        records = [] if earlier is None else json.loads(earlier).get("claims", [])
        if record["digest"] in {each["digest"] for each in records}:
            found.append(f"{name}: commit {commit[:12]} already holds a result of it")
    return found


def excuse(root: Path) -> str:
    """Why commits cannot be looked up here; empty where they can."""
    try:
        shallow = git(root, "rev-parse", "--is-shallow-repository")
    except OSError:
        return "there is no git here"
    if shallow is None:
        return "there is no repository here to look the claims up in"
    return "this clone is shallow, and lacks commits" if shallow.strip() == b"true" else ""


@pytest.mark.skipif(not RESULTS, reason="no result of a claim is recorded yet")
@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_every_recorded_result_was_registered(path, tmp_path):
    result = read_json(path)
    assert result["slug"] == path.stem
    if reason := excuse(ROOT):
        pytest.skip(reason)
    assert objections(ROOT, result, tmp_path) == []


def committed(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    who = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false")
    git(root, "add", "-A")
    assert git(root, *who, "commit", "-q", "-m", "a step") is not None
    return git(root, "rev-parse", "HEAD").decode().strip()


CLAIMS = """
from types import SimpleNamespace as Some
def claims_of(slug):
    return {{"made-up": Some(claims=[Some(name="a", digest="{a}"), Some(name="b", digest="b1")])}}[slug]
"""


@pytest.fixture
def history(tmp_path):
    """A repository in which claims were committed, changed, and then a result of ``a``."""
    root = tmp_path / "repository"
    root.mkdir()
    assert git(root, "init", "-q") is not None
    package = {"src/litotes/__init__.py": ""}
    before = committed(root, package)
    first = committed(root, {"src/litotes/claims/__init__.py": CLAIMS.format(a="a1")})
    second = committed(root, {"src/litotes/claims/__init__.py": CLAIMS.format(a="a2")})
    recorded = {"slug": "made-up", "claims": [{"name": "a", "digest": "a2"}]}
    third = committed(root, {"docs/results/made-up.json": json.dumps(recorded)})
    return root, {"before": before, "first": first, "second": second, "third": third}


def record(name, digest, at, **changes):
    return {"name": name, "digest": digest, "commit": at, "clean": True, "as_registered": True, **changes}


@pytest.mark.parametrize(
    ("name", "digest", "at", "changes", "objection"),
    [
        ("a", "a1", "first", {}, ""),
        ("a", "a2", "second", {}, ""),
        ("b", "b1", "third", {}, ""),
        ("a", "a2", "first", {}, "not the claim of commit"),
        ("a", "a1", "second", {}, "not the claim of commit"),
        ("a", "a1", "before", {}, "not the claim of commit"),
        ("c", "c1", "first", {}, "not the claim of commit"),
        ("a", "a2", "third", {}, "already holds a result of it"),
        ("a", "a1", "first", {"clean": False}, "run from a source that no commit has"),
        ("a", "a1", "first", {"clean": False, "commit": None}, "run from a source that no commit has"),
        ("a", "a1", "first", {"as_registered": False}, "run with other seeds than registered"),
    ],
)
def test_what_is_objected_to(history, tmp_path, name, digest, at, changes, objection):
    root, commits = history
    found = objections(root, {"slug": "made-up", "claims": [record(name, digest, commits[at], **changes)]}, tmp_path)
    assert len(found) == bool(objection)
    assert all(objection in each and each.startswith(f"{name}: ") for each in found)


@pytest.mark.parametrize("commit", ["f" * 40, "", "HEAD~99", None, "aside"])
def test_a_commit_that_did_not_lead_here_is_objected_to(history, tmp_path, commit):
    root, commits = history
    if commit == "aside":
        assert git(root, "checkout", "-q", "-b", "aside", commits["first"]) is not None
        commit = committed(root, {"README.md": "aside"})
        assert git(root, "checkout", "-q", commits["third"]) is not None
    forged = record("a", "a1", commit)
    assert excuse(root) == ""  # a commit that is made up is no reason to look away
    [found] = objections(root, {"slug": "made-up", "claims": [forged]}, tmp_path)
    assert found == f"a: {commit} is no commit that led to this one"


def test_only_what_cannot_be_looked_up_is_excused(history, tmp_path, monkeypatch):
    root, _ = history
    shallow = tmp_path / "shallow"
    assert git(tmp_path, "clone", "-q", "--depth", "1", root.as_uri(), str(shallow)) is not None
    assert excuse(shallow) == "this clone is shallow, and lacks commits"
    bare = tmp_path / "bare"
    bare.mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert excuse(bare) == "there is no repository here to look the claims up in"
    monkeypatch.setenv("PATH", "")
    assert excuse(root) == "there is no git here"
