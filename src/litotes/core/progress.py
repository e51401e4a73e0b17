"""Progress that a person can follow: a bar on a terminal, a quiet line now and then elsewhere, nothing on short work.

Everything goes to stderr; stdout belongs to results.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from types import TracebackType
from typing import Any, Self, TypeVar

__all__ = ["Progress", "say", "track"]

T = TypeVar("T")

_QUIET_SECONDS = 2.0  # work shorter than this shows nothing
_LINE_SECONDS = 20.0  # off a terminal, one line in so many seconds


class Progress:
    """A bar over ``total`` units of work, used as a context manager.

    >>> with Progress("Encoding", total=3, unit="texts") as bar:
    ...     bar.advance(3)
    """

    def __init__(self, description: str, total: int | None = None, unit: str = "rows") -> None:
        self.description, self.total, self.unit = description, total, unit
        self.done = 0
        self._bar: Any = None
        self._started = self._said = 0.0
        self._first: tuple[float, int] | None = None  # when the first units were done, and how many they were

    def __enter__(self) -> Self:
        self._started = self._said = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: int = 1) -> None:
        """``count`` more units are done."""
        self.done += count
        now = time.monotonic()
        self._first = self._first or (now, self.done)
        if now - self._started < _QUIET_SECONDS:
            return
        if sys.stderr.isatty():
            self._show_bar()
        elif now - self._said >= _LINE_SECONDS:
            self._said = now
            say(self._line(now))

    def _line(self, now: float) -> str:
        if not self.total:
            return f"{self.description}: {self.done:,} {self.unit}, {now - self._started:.0f} s"
        line = f"{self.description}: {self.done:,} of {self.total:,} {self.unit}"
        began, before = self._first or (now, self.done)
        if self.done == before:
            return line  # the first units came with all that had to be prepared: no pace yet
        return f"{line}, about {(now - began) / (self.done - before) * (self.total - self.done):.0f} s left"

    def _show_bar(self) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as RichProgress

            columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
            self._bar = RichProgress(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task(self.description, total=self.total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=self.done)


def track(items: Iterable[T], description: str, total: int | None = None, unit: str = "rows") -> Iterator[T]:
    """The items one by one, with a bar."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Progress(description, total, unit) as bar:
        for item in items:
            yield item
            bar.advance()


def say(message: str) -> None:
    """One line for the person at the terminal."""
    print(message, file=sys.stderr, flush=True)
