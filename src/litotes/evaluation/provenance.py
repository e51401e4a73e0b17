"""Which code runs: its commit and whether anything was changed since, and a digest of the package's own source."""

from __future__ import annotations

import subprocess
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["Commit", "checkout", "commit", "package_digest"]

_PACKAGE = Path(__file__).parents[1]
_DECIDES = ("src", "pyproject.toml", "constraints.txt")  # what in a checkout decides the numbers


class Commit(NamedTuple):
    """A commit, and whether the source stands as it has it."""

    name: str
    clean: bool


def checkout() -> Path | None:
    """The folder of the repository that this package is run from; None where it was installed as a wheel."""
    root = _PACKAGE.parents[1]
    return root if (root / ".git").exists() and (root / "pyproject.toml").is_file() else None


def commit() -> Commit | None:
    """The commit of the checkout; None outside one, or without git."""
    root = checkout()
    if root is None:
        return None
    name = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--", *_DECIDES)
    return None if name is None or changed is None else Commit(name, not changed)


@lru_cache
def package_digest() -> str:
    """One word for the source of this package: every module of it, by name."""
    from litotes.core.fingerprint import digest, digest_file

    files = sorted(_PACKAGE.rglob("*.py"))
    return digest([[path.relative_to(_PACKAGE).as_posix(), digest_file(path)] for path in files])


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
