"""The demo on a tenth of its data with a model of random weights: every step runs and every figure is there."""

import json
from pathlib import Path

import pytest

from litotes.cli import demo as demo_verb
from litotes.cli.main import main
from litotes.core.files import read_json

SMALL = {"SIZE": "tiny", "ENCODER": "tiny:bert", "STEPS": 2, "TOP": 10}


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The folder of a small demo, the facts it answers with, and the parts it shows."""
    answers = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("demo"))
        for name, value in SMALL.items():
            patch.setattr(demo_verb, name, value)
        patch.setattr(demo_verb, "answer", lambda as_json, facts, *parts: answers.append((facts, parts)))
        assert main(["demo", "--out", "d"]) == 0
        folder = Path("d").absolute()
    return folder, *answers[0]


@pytest.mark.slow
def test_before_after_and_both_judges_by_both_truths(shown):
    _, facts, _ = shown
    assert set(facts["before"]) == set(facts["after"]) == {"complete truth", "labels only"}
    assert set(facts["before"]["complete truth"]) == {"nDCG@10", "RR@10", "R@100"}
    assert facts["before"] != facts["after"]
    for by in ("complete truth", "rules (a)-(c) alone"):
        assert set(facts["judges"][by]) == {"document", "margin"}
        assert facts["judges"][by]["document"]["precision"] > facts["judges"][by]["margin"]["precision"]
    everything, without_d = (facts["judges"][by]["document"] for by in facts["judges"])
    assert without_d["false_negatives"] <= everything["false_negatives"]


@pytest.mark.slow
def test_it_ends_with_one_table_that_holds_every_figure(shown):
    _, facts, parts = shown
    table = parts[-1]
    first_column = [row[0] for row in table.rows]
    assert len(first_column) == 6 + 2 + 4
    assert table.rows[0][1] == facts["before"]["complete truth"]["nDCG@10"]
    assert table.rows[-1][1:3] == [
        facts["judges"]["rules (a)-(c) alone"]["margin"]["recall"],
        facts["judges"]["rules (a)-(c) alone"]["document"]["recall"],
    ]


@pytest.mark.slow
def test_it_leaves_a_run_a_report_and_a_model(shown):
    folder, facts, parts = shown
    assert (folder / "report.html").exists()
    assert any(str(facts["report"]) in part for part in parts if isinstance(part, str))
    record = read_json(folder / "run.json")
    assert record["data"]["split"] == "all"
    assert [(command["verb"], command["done"]) for command in record["commands"]] == [("demo", True)]
    from litotes import load_model

    assert load_model(folder / "adore-seed0") is not None


@pytest.mark.slow
def test_stopped_it_goes_on(shown, monkeypatch, capsys):
    folder, facts, _ = shown
    for name, value in SMALL.items():
        monkeypatch.setattr(demo_verb, name, value)
    record = read_json(folder / "run.json")
    record["commands"][0]["done"] = False
    (folder / "run.json").write_text(json.dumps(record))
    assert main(["resume", str(folder), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["after"] == facts["after"]
