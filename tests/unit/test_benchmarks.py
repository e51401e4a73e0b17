"""The benchmarks run, take turns, and stand on their page as they were written; nothing here asks how fast they are."""

import argparse
import json

import pytest

from benchmarks import labels, measuring
from tools import benchmarks_page

TABLE = measuring.part(
    "search",
    {
        "litotes": {"median": 2.0, "q20": 1.9, "q80": 2.1, "least": 1.8, "cpu": 4.0, "rounds": 6},
        "faiss": {"median": 1.6, "q20": 1.5, "q80": 1.7, "least": 1.5, "cpu": 3.0, "rounds": 6},
    },
    goal={"peer": "faiss", "at_most": 1.2},
)
MEMORY = measuring.memory_part(
    "mine", {"litotes": {"1,000": 0.1, "4,000": 0.2}, "other": {"1,000": 0.4}}, goal={"at_most": 0.4}
)


def found(**changes: object) -> dict:
    made = measuring.result(
        name="mining", says="What.", equal="all is one", setting={"rows": 5000}, libraries=("numpy", "no-such-package"),
        seconds=[TABLE], memory=[MEMORY], facts={"kills": 20},
    )  # fmt: skip
    return {"quick": False, **made, **changes}


def test_contestants_take_turns_and_the_first_round_is_not_counted() -> None:
    order = []
    seconds = measuring.in_turns({name: lambda name=name: order.append(name) for name in "abc"}, rounds=2)
    assert "".join(order) == "cba" + "abc" + "cba"
    assert {numbers["rounds"] for numbers in seconds.values()} == {2}


def test_a_summary_has_quantiles() -> None:
    numbers = measuring.summary([5.0, 1.0, 2.0, 3.0, 4.0, 0.0], [1.0, 3.0, 2.0])
    assert numbers == {"median": 2.5, "q20": 1.0, "q80": 4.0, "least": 0.0, "cpu": 2.0, "rounds": 6}


def test_a_result_tells_versions_and_machine() -> None:
    made = found()
    assert (
        made["versions"]["numpy"][0].isdigit() and made["versions"]["no-such-package"] == "not installed as a package"
    )
    assert {"processor", "cpus", "load"} == set(made["machine"])


def test_a_peak_is_what_was_taken_over_the_start() -> None:
    import numpy as np

    assert 0.1 < measuring.peak_over_inputs(lambda: np.ones(2**24)) < 0.3  # an eighth of a GiB
    assert measuring.peak_over_inputs(lambda: 1) < 0.05


def test_a_benchmark_runs_and_its_page_can_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    made = labels.measure(argparse.Namespace(quick=True, rounds=1))
    assert {"litotes", "set of tuples"} == set(made["seconds"][0]["contestants"])
    assert "grouped by row" in benchmarks_page.page_of([{"quick": True, **made}])


def test_one_that_answers_otherwise_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litotes.core.LabelMatrix.is_observed", lambda self, rows, cols: rows > cols)
    with pytest.raises(AssertionError, match="different answers"):
        labels.measure(argparse.Namespace(quick=True, rounds=1))


def test_the_page_has_ratios_both_ways_quantiles_goals_and_versions() -> None:
    page = benchmarks_page.page_of([found()])
    for line in (
        "| seconds: search | median | 20 % to 80 % | CPU | rounds | litotes / this | this / litotes |",
        "| litotes | 2.00 | 1.90 to 2.10 | 4.00 | 6 |  |  |",
        "| faiss | 1.60 | 1.50 to 1.70 | 3.00 | 6 | 1.25 | 0.80 |",
        "Goal: at most 1.2 times faiss; **missed** (1.25).",
        "| other | 0.40 |  | 0.25 | 4.00 |",
        "Goal: litotes at most 0.4 GiB; met (0.20).",
        "| kills | 20 |",
        "Setting: rows 5,000.  ",
        "Asserted first: all is one.",
    ):
        assert line in page.splitlines()
    assert "quick" not in page.removeprefix(benchmarks_page.HEAD).replace("quicker", "")
    assert "**A quick look, not a measurement.**" in benchmarks_page.page_of([found(quick=True)])


def test_the_page_that_there_is_has_the_recorded_numbers_none_of_them_from_a_quick_look() -> None:
    recorded = benchmarks_page.read(benchmarks_page.FOLDER)
    assert benchmarks_page.PAGE.read_text(encoding="utf-8") == benchmarks_page.page_of(recorded)
    assert not [found["name"] for found in recorded if found["quick"]]


def test_the_command_line_writes_json(tmp_path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["x", "--out", str(tmp_path / "new" / "x.json"), "--quick", "--rounds", "3"])
    made = measuring.run("Doc.", lambda options: found(setting={"rounds": options.rounds}))
    assert json.loads((tmp_path / "new" / "x.json").read_text())["setting"] == {"rounds": 3} == made["setting"]
    assert "litotes" in capsys.readouterr().out
