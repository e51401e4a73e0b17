"""Recorded results: where they lie, and their verdicts in a few words."""

import importlib

import pytest

from litotes.claims.recorded import recorded, recorded_verdicts, results_folder
from litotes.core.files import write_json

module = importlib.import_module("litotes.claims.recorded")  # the package gives the function of this name


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "checkout", lambda: tmp_path)
    return tmp_path


def write(root, *verdicts):
    found = {"slug": "made-up", "claims": [{"name": str(i), "verdict": v} for i, v in enumerate(verdicts)]}
    write_json(root / "docs" / "results" / "made-up.json", found)
    return found


def test_they_lie_in_the_repository_or_in_the_wheel(root, monkeypatch):
    assert results_folder() == root / "docs" / "results"
    monkeypatch.setattr(module, "checkout", lambda: None)
    assert results_folder().parts[-3:] == ("litotes", "claims", "results")


def test_a_result_is_what_its_file_says(root):
    assert recorded("made-up") is None
    found = write(root, "holds")
    assert recorded("made-up") == found
    assert recorded("other") is None


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        ([], ""),
        (["holds"], "1 claim holds"),
        (["holds", "holds"], "2 claims hold"),
        (["does not hold"], "1 does not hold"),
        (["does not hold", "does not hold"], "2 do not hold"),
        (["too small to tell"] * 2, "2 too small to tell"),
        (
            ["too small to tell", "holds", "not separable here", "does not hold", "holds", "not separable here"],
            "2 claims hold, 1 does not hold, 2 not separable here, 1 too small to tell",
        ),
    ],
    ids=str,
)
def test_verdicts_in_a_few_words(root, verdicts, words):
    write(root, *verdicts)
    assert recorded_verdicts("made-up") == words


def test_without_a_result_there_are_no_words(root):
    assert recorded_verdicts("made-up") == ""
