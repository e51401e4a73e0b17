"""What makes a number: the package's own files, their commit and whether anything was changed since, the libraries, the
data. Numbers are compared only if the same things made them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from litotes.core.errors import LitotesError

__all__ = ["Commit", "Made", "agreed", "checkout", "commit", "made_now", "package_digest"]

_PACKAGE = Path(__file__).parents[1]
_DECIDES_NOTHING = (".pyc", ".jinja", ".css", ".typed")  # how pages look, and what is built from the rest
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


@dataclass(frozen=True)
class Made:
    """What made a number.

    Attributes:
        package: the digest of the package's files.
        commit, clean: where they stood, and whether they stood as it has them; None and False outside a checkout.
        versions: of Python and of the libraries.
        data: fingerprint of the data; None where it is not known.
    """

    package: str
    commit: str | None
    clean: bool
    versions: Mapping[str, str]
    data: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; ``Made(**...)`` is the way back."""
        return {**asdict(self), "versions": dict(self.versions)}


def made_now() -> Made:
    """What a number would be made by, as everything stands at this moment."""
    from litotes.core.run_folder import versions

    package, at = package_digest(), commit()
    return Made(package, None if at is None else at.name, at is not None and at.clean, versions())


def agreed(made: Iterable[Made], what: str) -> Made:
    """The one thing that made all; it is clean if all are.

    Args:
        what: was made, for the message.

    Raises:
        LitotesError: they were made from different data, by different libraries or package files, or at different
            commits; or nobody knows what made them.
    """
    each = list(made)
    if not each:
        raise LitotesError(f"Nothing says what made {what}.")
    kinds: dict[str, list[Any]] = {
        "from different data": [one.data for one in each if one.data is not None],
        "by different versions": [dict(one.versions) for one in each],
        "by different files of the package": [one.package for one in each],
        "at different commits": [one.commit for one in each],
    }
    for how, values in kinds.items():
        if differs := [value for value in values if value != values[0]]:
            raise LitotesError(
                f"{what[0].upper()}{what[1:]} cannot be compared: they were made {how} "
                f"({_beside(values[0], differs[0])}). Give another --out, or remove the older folders under runs/."
            )
    known = kinds["from different data"]
    return replace(each[0], clean=all(one.clean for one in each), data=known[0] if known else None)


def package_digest() -> str:
    """One word for the package as it lies on the disk now: each of its files that can decide a number, by name."""
    from litotes.core.fingerprint import digest, digest_file

    files = [(path.relative_to(_PACKAGE).as_posix(), path) for path in sorted(_PACKAGE.rglob("*")) if path.is_file()]
    return digest([[name, digest_file(path)] for name, path in files if _decides(name)])


def _decides(name: str) -> bool:
    parts = name.split("/")
    is_left_out = "__pycache__" in parts or parts[:2] == ["claims", "results"] or parts[-1].startswith(".")
    return not is_left_out and not name.endswith(_DECIDES_NOTHING)


def _beside(one: Any, other: Any) -> str:
    """Two values that differ, short."""
    if isinstance(one, dict):
        name = next(name for name in {**one, **other} if one.get(name) != other.get(name))
        return f"{name} {one.get(name)} and {other.get(name)}"
    return " and ".join("none" if value is None else value[:12] for value in (one, other))


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
