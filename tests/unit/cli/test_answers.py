"""Answers: tables for people, one JSON object for programs, each in its place."""

import json
from pathlib import Path

import numpy as np
import pytest

from litotes.cli.answers import Table, answer


def test_without_json_the_answer_is_stdouts(capsys):
    answer(False, {"a": 1}, "hello", Table(["x"], [[1]]))
    said = capsys.readouterr()
    assert "hello" in said.out
    assert said.err == ""


def test_with_json_stdout_holds_one_object_and_nothing_else(capsys):
    answer(True, {"a": 1}, "hello", Table(["x"], [[1]]))
    said = capsys.readouterr()
    assert json.loads(said.out) == {"a": 1}
    assert "hello" in said.err


def test_what_json_cannot_say_is_said_plainly(capsys):
    facts = {"path": Path("a/b"), "number": np.int64(3), "array": np.array([1.5, np.nan]), "infinite": float("inf")}
    answer(True, {**facts, 3: {"x"}, "text": "é"})
    said = capsys.readouterr().out
    assert json.loads(said) == {
        "path": str(Path("a/b")),
        "number": 3,
        "array": [1.5, None],
        "infinite": None,
        "3": ["x"],
        "text": "é",
    }
    assert "é" in said


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1234567, "1,234,567"), (0.5, "0.5000"), (12345.6, "12,346"), (None, "-"), (True, "True"), ("[bold]", "[bold]")],
)
def test_cells(value, shown, capsys):
    answer(False, {}, Table(["what"], [[value]]))
    assert capsys.readouterr().out.splitlines()[1].strip() == shown


def test_numbers_stand_right_and_words_left(capsys):
    answer(False, {}, Table(["name", "count"], [["a", 1], ["bcd", 1000]], title="two"))
    lines = capsys.readouterr().out.splitlines()
    assert [line.rstrip() for line in lines] == ["two", "name  count", "a         1", "bcd   1,000"]


def test_brackets_are_text_not_markup(capsys):
    answer(False, {}, "labels[0] and [red]this[/red]")
    assert capsys.readouterr().out.strip() == "labels[0] and [red]this[/red]"
