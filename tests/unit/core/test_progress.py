"""Progress on a clock that the test holds: what is said, when, and what is not."""

import io
import sys

import pytest

from litotes.core import progress
from litotes.core.progress import Progress, track


@pytest.fixture
def clock(monkeypatch):
    """Seconds that the test sets."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def lines_at(clock, moments, capsys, **options) -> list[str]:
    """What a bar says that advances by one at each of these seconds."""
    with Progress("Encoding", **options) as bar:
        for moment in moments:
            clock[0] = 1000.0 + moment
            bar.advance()
    return capsys.readouterr().err.splitlines()


def test_before_two_seconds_nothing_and_then_a_line_in_twenty_seconds(clock, capsys, monkeypatch):
    assert lines_at(clock, [1, 19.9], capsys, total=9) == []
    clock[0] = 1000.0
    assert lines_at(clock, [1, 20, 39, 40], capsys, total=9) == [
        "Encoding: 2 of 9 rows, about 133 s left",
        "Encoding: 4 of 9 rows, about 65 s left",
    ]
    clock[0] = 1000.0
    monkeypatch.setattr(progress, "_LINE_SECONDS", 0.0)
    assert lines_at(clock, [1.9, 2.0, 3.5], capsys) == ["Encoding: 2 rows, 2 s", "Encoding: 3 rows, 4 s"]


def test_without_a_total_units_and_seconds_are_told(clock, capsys):
    assert lines_at(clock, [1, 30], capsys, unit="texts") == ["Encoding: 2 texts, 30 s"]


def test_tracking_counts_items_and_knows_a_list_s_length(clock, capsys):
    def at_thirty(items):
        for item in items:
            clock[0] += 30
            yield item

    for item in track([1, 2, 3], "Counting"):
        clock[0] += 30
        assert item
    assert capsys.readouterr().err.splitlines()[0] == "Counting: 1 of 3 rows"
    list(track(at_thirty([1, 2]), "Counting", total=2))
    assert capsys.readouterr().err.splitlines()[-1].startswith("Counting: 2 of 2 rows")
    list(track(at_thirty([1, 2]), "Counting"))
    assert capsys.readouterr().err.splitlines()[-1] == "Counting: 2 rows, 60 s"
    list(track(at_thirty("ab"), "Counting", total=7))
    assert "of 7 rows" in capsys.readouterr().err


def test_a_bar_on_a_terminal_is_on_stderr_and_gone_afterwards(monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "_QUIET_SECONDS", -1.0)
    with Progress("Encoding", total=4) as bar:
        bar.advance(3)
        assert bar._bar.live.is_started and bar._bar.live.transient
        assert bar._bar.console.stderr and bar._bar.tasks[0].total == 4
    assert not bar._bar.live.is_started and capsys.readouterr().out == ""
