"""What Litotes says when something is wrong: where, what came, what is allowed, what to do.

Every error of ours is a :class:`LitotesError`. Its ``exit_code`` is what the command line returns: 2 where the user can
mend it (a bad line, an unknown option), 1 where the machine failed (a full disk, a folder that cannot be written).
"""

from __future__ import annotations

import importlib.util
import os
import sys

__all__ = ["ArrayError", "DataError", "LitotesError", "MachineError", "MissingExtra", "StaleError", "require"]


class LitotesError(Exception):
    """Something the user can mend; the message is one sentence that says how."""

    exit_code = 2


class DataError(LitotesError):
    """A file, table or array that does not hold what it should."""

    @classmethod
    def at(cls, path: str | os.PathLike[str], line: int | None, message: str) -> DataError:
        """The error of one place in a file: ``name.tsv:1042: message``. Lines count from 1."""
        place = os.fspath(path) if line is None else f"{os.fspath(path)}:{line}"
        return cls(f"{place}: {message}")


class ArrayError(DataError, ValueError):
    """An array or table in memory that does not hold what it should; scikit-learn's world catches ``ValueError``."""


class StaleError(LitotesError):
    """An artefact that was made from something else than what it is used with now."""


class MissingExtra(LitotesError, ImportError):
    """A library that an optional part of Litotes needs is not installed."""


class MachineError(LitotesError):
    """The machine's fault, not the user's: no space, no permission."""

    exit_code = 1


def require(*modules: str, extra: str) -> None:
    """Check that ``modules`` can be imported, without importing them.

    Raises:
        MissingExtra: names the caller, what is missing and the command that brings it.
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        caller = sys._getframe(1).f_globals.get("__name__", "litotes")
        needs = ", ".join(missing)
        raise MissingExtra(f'{caller} needs {needs}; run: pip install "litotes[{extra}]"')
