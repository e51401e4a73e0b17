"""The verb ``reproduce`` with claims that cost nothing: the plan, single arms and seeds, the files, the answers."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from litotes.claims import claims_of, registry
from litotes.cli.main import main
from litotes.core.files import read_json
from litotes.evaluation import provenance
from litotes.evaluation.provenance import Made
from tests import made_up_claims
from tests.made_up_claims import CLAIM, Runs, claim

RUNS = 1 + 6 + 15
WORSE = claim(name="worse", says="Plain beats <good> & all", holds=[("plain", ">", "good")], seeds=range(6))


NOW = Made("package", "a" * 40, True, {"litotes": "1"})


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """A system of two claims, in a folder of its own; what is run for it."""
    runs = Runs()
    monkeypatch.setitem(registry._MODULES, "made-up", "tests.made_up_claims")
    monkeypatch.setattr(made_up_claims, "CLAIMS", (CLAIM, WORSE), raising=False)
    monkeypatch.setattr(made_up_claims, "run", runs, raising=False)
    monkeypatch.setattr(provenance, "made_now", lambda: NOW)
    monkeypatch.chdir(tmp_path)
    return runs


def asked(capsys, *words):
    """The one JSON object on stdout."""
    assert main(["reproduce", "made-up", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_plan_runs_nothing(runs, capsys, tmp_path):
    facts = asked(capsys, "--plan")
    assert facts == {
        "verb": "reproduce",
        "slug": "made-up",
        "runs": RUNS + 3,
        "left": RUNS + 3,
        "seconds": 7 * 10.0 + 18 * 5.0,
        "claims": {"better": {"left": RUNS, "seconds": 140.0}, "worse": {"left": 3, "seconds": 20.0}},
        "absent": [],
    }
    assert runs.cells == [] and list(tmp_path.iterdir()) == []
    assert asked(capsys, "--plan", "--claim", "better")["left"] == RUNS
    assert asked(capsys, "--plan", "--arm", "good", "--seeds", "5")["left"] == 1 + 3 + 10
    assert asked(capsys, "--plan", "--seed", "9")["left"] == 1 + 6 + 3


def test_the_plan_for_people(runs, capsys):
    assert main(["reproduce", "made-up", "--plan"]) == 0
    said = capsys.readouterr().out
    assert f"made-up: {RUNS + 3} of {RUNS + 3} runs left, about 3 min on two cores" in said
    assert [line.split() for line in said.splitlines()[-2:]] == [
        ["better", str(RUNS), "140"],
        ["worse", "3", "20"],
    ]


def test_the_plan_is_what_is_left_of_it(runs, capsys):
    asked(capsys, "--arm", "good", "--seed", "0")
    made = len(runs.cells)
    assert asked(capsys, "--plan")["left"] == RUNS + 3 - made
    asked(capsys)
    assert len(runs.cells) == RUNS + 3
    assert asked(capsys, "--plan")["left"] == 0


def test_one_seed_alone_gives_values_and_no_verdict(runs, capsys, tmp_path):
    facts = asked(capsys, "--seed", "2", "--claim", "better")
    assert facts["values"] == [
        {"claim": "better", "arm": "good", "seed": 2, "score": pytest.approx(0.534), "other": 1.0},
        {"claim": "better", "arm": "plain", "seed": 2, "score": pytest.approx(0.264), "other": 1.0},
    ]
    assert [item.name for item in (tmp_path / "results").iterdir()] == ["runs"]
    assert {cell.seed for cell in runs.cells if cell.split == "test"} == {2}


def test_one_arm_alone_gives_values_and_no_verdict(runs, capsys, tmp_path):
    assert main(["reproduce", "made-up", "--arm", "plain", "--claim", "better", "--out", "there"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["claim", "arm", "seed", "metric", "value"],
        *(["better", "plain", str(seed), "score", f"{0.26 + 0.001 * (seed * 7 % 5):.4f}"] for seed in range(5)),
    ]
    assert [item.name for item in (tmp_path / "there").iterdir()] == ["runs"]
    assert {cell.arm.command for cell in runs.cells} == {"start", "plain"}


@pytest.mark.parametrize("seeds", ["1", "4"])
def test_fewer_than_five_seeds_give_no_verdict(runs, capsys, tmp_path, seeds):
    facts = asked(capsys, "--seeds", seeds)
    assert "claims" not in facts
    assert {value["seed"] for value in facts["values"]} == set(range(int(seeds)))
    assert not list((tmp_path / "results").glob("made-up*"))


def test_a_full_run_writes_the_results_the_plots_and_the_section(runs, capsys, tmp_path):
    facts = asked(capsys)
    assert facts["verb"] == "reproduce"
    assert {record["name"]: record["verdict"] for record in facts["claims"]} == {
        "better": "holds",
        "worse": "does not hold",
    }
    out = tmp_path / "results"
    assert {item.name for item in out.iterdir()} == {
        "runs",
        "made-up.json",
        "made-up.md",
        "made-up-better.svg",
        "made-up-worse.svg",
    }
    assert read_json(out / "made-up.json") == {"slug": "made-up", "claims": facts["claims"]}
    assert all(record["as_registered"] for record in facts["claims"])
    assert [record["digest"] for record in facts["claims"]] == [CLAIM.digest, WORSE.digest]
    for name in ("better", "worse"):
        assert ET.parse(out / f"made-up-{name}.svg").getroot().tag.endswith("svg")
    section = (out / "made-up.md").read_text()
    assert "Good beats plain" in section and "**does not hold**" in section
    assert "(./made-up-better.svg)" in section  # beside it
    assert not list((out / "runs").rglob("weights"))  # models are removed in the end


def test_a_full_run_says_the_verdicts_to_people(runs, capsys):
    assert main(["reproduce", "made-up"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "Verdict: holds" in said and "Verdict: does not hold" in said
    assert any(line.startswith("good > plain: holds. The difference is +0.27") for line in said)
    assert said[-2:] == ["Not shown to hold: worse", "Results, plots and made-up.md are in results"]
    assert main(["reproduce", "made-up", "--claim", "better"]) == 0
    assert "All of them hold." in capsys.readouterr().out.splitlines()


def test_a_killed_run_goes_on(runs, capsys):
    runs.fail_at = 9
    assert main(["reproduce", "made-up"]) == 130
    runs.fail_at = None
    capsys.readouterr()
    asked(capsys)
    assert len(runs.cells) == RUNS + 3 == len({cell.folder for cell in runs.cells})


def test_runs_of_two_commits_are_refused_before_all_are_run(runs, capsys, monkeypatch, tmp_path):
    asked(capsys, "--arm", "good", "--seed", "1")
    made = len(runs.cells)
    monkeypatch.setattr(provenance, "made_now", lambda: replace(NOW, commit="b" * 40))
    assert main(["reproduce", "made-up", "--claim", "better"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("The runs of the claim 'better' cannot be compared: they were made at different commits (")
    assert "aaaaaaaaaaaa" in said and "bbbbbbbbbbbb" in said
    assert len(runs.cells) == made + 3 + 2  # the trials of plain, seed 0 of good and its start
    assert not (tmp_path / "results" / "made-up.json").exists()


def test_a_record_says_what_made_it(runs, capsys):
    [record] = asked(capsys, "--claim", "better")["claims"]
    assert {name: record[name] for name in ("commit", "clean", "package", "versions")} == {
        "commit": NOW.commit,
        "clean": True,
        "package": NOW.package,
        "versions": NOW.versions,
    }


def test_other_numbers_of_seeds_are_not_as_registered(runs, capsys):
    more = asked(capsys, "--claim", "better", "--seeds", "7")
    [record] = more["claims"]
    assert list(record["arms"]["good"]["values"]) == [str(seed) for seed in range(7)]
    assert record["as_registered"] is False
    assert asked(capsys, "--claim", "better", "--seeds", "5")["claims"][0]["as_registered"] is True


def test_a_claim_that_was_run_before_keeps_its_record(runs, capsys, tmp_path):
    asked(capsys, "--claim", "worse")
    assert [each["name"] for each in asked(capsys, "--claim", "better")["claims"]] == ["better"]
    found = read_json(tmp_path / "results" / "made-up.json")
    assert [record["name"] for record in found["claims"]] == ["better", "worse"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["star-adorn"], "There are no claims of 'star-adorn'. Did you mean 'star-adore'?"),
        (["made-up", "--claim", "best"], "made-up has no claim 'best'. It has: better, worse."),
        (["made-up", "--arm", "fast"], "No claim of made-up has an arm 'fast'. There are: good, plain."),
        (["made-up", "--seeds", "0"], "See: litotes reproduce --help"),
        (["made-up", "--seed", "-1"], "See: litotes reproduce --help"),
        ([], "Missing argument 'SLUG'. See: litotes reproduce --help"),
    ],
    ids=" ".join,
)
def test_a_wrong_word_is_one_sentence(runs, capsys, words, says):
    assert main(["reproduce", *words]) == 2
    said = capsys.readouterr()
    assert said.out == "" and says in said.err
    assert len(said.err.splitlines()) == 1
    assert runs.cells == []


def test_the_real_plan_starts_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "star-adore", "--plan", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["left"] == facts["runs"] > 100
    assert set(facts["claims"]) == {each.name for each in claims_of("star-adore").claims}
    assert list(tmp_path.iterdir()) == []


def test_the_plan_says_which_data_is_absent(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LITOTES_DATA", raising=False)
    assert main(["reproduce", "audit-retrieval", "--plan"]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == (
        "Not on this machine: clinc150, cranfield, nfcorpus. Set LITOTES_DATA to the folder that holds them."
    )
    (tmp_path / "sets" / "cranfield").mkdir(parents=True)
    monkeypatch.setenv("LITOTES_DATA", str(tmp_path / "sets"))
    assert main(["reproduce", "audit-retrieval", "--plan", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["absent"] == ["clinc150", "nfcorpus"]
    assert main(["reproduce", "audit-retrieval", "--plan", "--claim", "pydocs-audit"]) == 0
    assert "LITOTES_DATA" not in capsys.readouterr().out
