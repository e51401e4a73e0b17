"""Several programs in one folder: a short lock around what one of them writes, and who is still at work in it.

Locks are the system's (``flock``): a program that is killed gives them back. Where the system knows none, nothing is
locked, and everybody is taken to be alone.
"""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Presence", "locked"]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold ``folder`` against other programs that save in it."""
    handle = _opened(folder, "LOCK_EX")
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


class Presence:
    """To be at work in a folder, along with others, until the program ends or this object is gone."""

    def __init__(self, folder: Path) -> None:
        self._handle = _opened(folder, "LOCK_SH")
        if self._handle is not None:
            weakref.finalize(self, os.close, self._handle)

    def is_alone(self) -> bool:
        """Whether nobody else is at work there; who comes later waits until this presence is gone."""
        if self._handle is None:
            return True
        import fcntl

        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _opened(folder: Path, kind: str) -> int | None:
    """The folder, locked; None where that cannot be."""
    handle = None
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, getattr(fcntl, kind))
    except (ImportError, OSError):
        if handle is not None:
            os.close(handle)
        return None
    return handle
