"""What the pages show of recorded results is what the JSON says, and the JSON is of the claims as they stand, and
follows from its own values.
"""

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from litotes.claims import claims_of, slugs_with_claims
from litotes.core.errors import LitotesError
from litotes.core.files import read_json, write_json
from litotes.evaluation.claim_result import claim_record
from litotes.evaluation.dot_chart import dot_chart
from litotes.evaluation.experiment import Experiment, Outcome
from litotes.evaluation.provenance import Made
from litotes.evaluation.result_page import END, START
from tests.made_up_claims import GOOD, PLAIN, claim, score
from tests.recorded_results import complaints
from tools.result_pages import DOCS, pages

RECORDED = [path for slug in slugs_with_claims() if (path := DOCS / "results" / f"{slug}.json").is_file()]


def test_every_page_reads_as_its_results_say():
    for page, text in pages(DOCS).items():
        assert page.read_text(encoding="utf-8") == text, f"{page.name}: run python -m tools.result_pages"


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_results_are_of_the_claims_as_they_stand(path: Path):
    claims = {claim.name: claim.digest for claim in claims_of(path.stem).claims}
    for record in read_json(path)["claims"]:
        assert claims.get(record["name"]) == record["digest"], f"{record['name']} was changed after its result"


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_numbers_and_verdicts_follow_from_the_values(path: Path):
    claims = {claim.name: claim for claim in claims_of(path.stem).claims}
    for record in read_json(path)["claims"]:
        assert complaints(record, claims[record["name"]]) == [], record["name"]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_plot_is_that_of_its_record(path: Path):
    for record in read_json(path)["claims"]:
        plot = path.with_name(f"{path.stem}-{record['name']}.svg")
        assert plot.read_text(encoding="utf-8") == dot_chart(record)


ASKED = claim(
    arms={"good": replace(GOOD, start=None), "plain": replace(PLAIN, start=None)},
    holds=[("good", ">", "plain"), ("plain", "<", 0.9), ("good", "=", 0.53)],
    margin=0.05,
)


def measured(cell):
    noise = np.random.default_rng(cell.seed + 100 * len(cell.arm.command)).normal(scale=0.02, size=20)
    values = score(cell) + noise - noise.mean()
    table = {f"q{i}": value for i, value in enumerate(values.tolist())}
    return Outcome({"score": float(np.mean(values))}, {"score": table}, {})


@pytest.fixture(scope="module", params=[True, False], ids=["with queries", "seeds alone"])
def genuine(tmp_path_factory, request):
    def run(cell):
        found = measured(cell)
        return found if request.param else Outcome(found.metrics)

    now = Made("package", "a" * 40, True, {})
    made = Experiment("made-up", run, tmp_path_factory.mktemp("runs"), lambda: now)
    choices = {name: made.choose(ASKED, name) for name in ASKED.arms}
    runs = {name: {seed: made.run(ASKED, name, seed) for seed in ASKED.seeds} for name in ASKED.arms}
    return claim_record(ASKED, runs, choices)


def test_a_genuine_record_leaves_nothing_to_say(genuine):
    assert complaints(genuine, ASKED) == []
    assert complaints(json.loads(json.dumps(genuine)), ASKED) == []
    older = {name: value for name, value in genuine.items() if name != "package"}
    assert complaints(older, ASKED) == []  # written before that was recorded


def put(*path_and_value):
    """A forger who puts a value in one place."""
    *path, last, value = path_and_value

    def forge(record):
        place = record
        for key in path:
            place = place[key]
        place[last] = value

    return forge


FORGERIES = {
    "verdict": put("verdict", "not separable here"),
    "a seed's value": put("arms", "good", "values", "3", 0.7),
    "a seed left out": lambda record: record["arms"]["good"]["values"].pop("2"),
    "mean": put("arms", "plain", "mean", 0.1),
    "sd": put("arms", "plain", "sd", 0.0),
    "high": put("arms", "good", "high", 0.6),
    "another trial taken": put("arms", "good", "config", {"steps": 2, "rate": 2.0}),
    "a trial left out": lambda record: record["arms"]["good"]["tried"].pop(),
    "a trial's value": lambda record: record["arms"]["good"]["tried"][0].update(score=0.99),
    "command": put("arms", "good", "command", "better"),
    "a comparison left out": lambda record: record["comparisons"].pop(),
    "operator": put("comparisons", 0, "operator", "<"),
    "the verdict on one": put("comparisons", 0, "verdict", "too small to tell"),
    "the verdict on an equality": put("comparisons", 2, "verdict", "does not hold"),
    "difference": put("comparisons", 0, "difference", 0.4),
    "low": put("comparisons", 0, "low", 0.2),
    "t interval": put("comparisons", 0, "t_interval", [0.2, 0.3]),
    "bootstrap interval": put("comparisons", 0, "bootstrap_interval", [0.5, 0.6]),
    "level": put("comparisons", 0, "level", 0.9),
    "p": put("comparisons", 0, "p_value", 1e-9),
    "effect": put("comparisons", 0, "effect", 0.5),
    "margin": put("comparisons", 2, "margin", 0.5),
    "sentence": lambda record: record["comparisons"][0].update(
        sentence=record["comparisons"][0]["sentence"].replace("+", "+1")
    ),
    "digest": put("digest", "0" * 32),
    "says": put("says", "Good beats everything"),
    "note": put("note", "no caveat"),
    "seeds": put("as_registered", False),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_record_is_complained_of(genuine, what):
    forged = copy.deepcopy(genuine)
    FORGERIES[what](forged)
    assert complaints(forged, ASKED)


def docs_with(tmp_path, page, **results):
    for folder in ("recipes", "guide", "results"):
        (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / "recipes" / "made-up.md").write_text(page)
    for slug, result in results.items():
        write_json(tmp_path / "results" / f"{slug}.json", result)
    return pages(tmp_path)


def test_numbers_between_marks_without_a_result_go(tmp_path):
    page = f"# Page\n\n{START}\n\n| made up | 0.9 |\n\n{END}\nMore\n"
    empty = f"# Page\n\n{START}\n{END}\nMore\n"
    home = tmp_path / "recipes" / "made-up.md"
    assert docs_with(tmp_path, page) == {home: empty}
    assert docs_with(tmp_path, empty) == {home: empty}
    assert docs_with(tmp_path, page, other={"slug": "other", "claims": []}) == {home: empty}
    assert docs_with(tmp_path, "# No marks\n") == {}


def test_a_result_has_one_page(tmp_path, genuine):
    result = {"slug": "made-up", "claims": [genuine]}
    docs_with(tmp_path, "# Recipe\n", **{"made-up": result})
    (tmp_path / "guide" / "made-up.md").write_text(f"# Guide\n\n{START}\n\nold\n\n{END}\n")
    found = pages(tmp_path)
    assert "Good beats plain" in found[tmp_path / "recipes" / "made-up.md"]
    assert found[tmp_path / "guide" / "made-up.md"] == f"# Guide\n\n{START}\n{END}\n"


def test_a_mark_without_its_other_half_is_an_error(tmp_path):
    with pytest.raises(LitotesError, match="Mend the marks by hand"):
        docs_with(tmp_path, f"# Page\n\n{START}\n")
