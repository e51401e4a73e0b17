"""A claim's record: its numbers by hand, its verdict as decided, and what it says of how it was made."""

import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from litotes.core.errors import LitotesError
from litotes.core.files import read_json
from litotes.evaluation import claim_result
from litotes.evaluation.claim_result import claim_record, enter_results
from litotes.evaluation.experiment import Choice, Outcome, Run
from litotes.evaluation.provenance import Made
from litotes.evaluation.verdict import decide
from tests.made_up_claims import CLAIM, GOOD, PLAIN, claim

SEEDS = range(5)
LEVELS = {"good": 0.55, "plain": 0.3}
NOISE = np.random.default_rng(0).normal(scale=0.02, size=(2, 5, 30))
AT = Made("package", "a" * 40, True, {"litotes": "1", "numpy": "2"}, "f")


def runs_of(per_query=True, seeds=SEEDS, names=None, **metrics):
    """Each arm's score of 30 queries with each seed; ``names``: what a seed's queries are called."""
    found = {}
    for arm, noise in zip(LEVELS, NOISE, strict=True):
        found[arm] = {}
        for seed in seeds:
            values = LEVELS[arm] + noise[seed % 5] + (0.001 * seed if arm == "good" else 0)
            queries = [f"q{i}" for i in range(30)] if names is None else names(seed)
            table = {"score": dict(zip(queries, values.tolist(), strict=True))} if per_query else {}
            facts = {"data": {"name": "made-up", "fingerprint": "f"}, "seed": seed}
            found[arm][seed] = Run(Outcome({"score": float(values.mean()), **metrics}, table, facts), 2.0, [AT])
    return found


def choices():
    tried = [{"options": {"rate": 1.0}, "score": 0.4}, {"options": {"rate": 3.0}, "score": 0.5}]
    return {"good": Choice(GOOD, tried, [AT]), "plain": Choice(PLAIN, tried, [AT])}


def record(of=CLAIM, runs=None):
    return claim_record(of, runs or runs_of(), choices())


def scores(runs, arm):
    return np.array([run.outcome.metrics["score"] for run in runs[arm].values()])


def test_it_says_what_the_claim_is_and_what_made_it():
    found = record(claim(note="no control"))
    assert {name: found[name] for name in ("name", "says", "source", "data", "metric", "note")} == {
        "name": "better",
        "says": "Good beats plain",
        "source": "section 1",
        "data": "made-up",
        "metric": "score",
        "note": "no control",
    }
    assert found["digest"] == CLAIM.digest
    assert (found["verdict"], found["as_registered"], found["commit"], found["clean"]) == (
        "holds",
        True,
        "a" * 40,
        True,
    )
    assert found["seconds"] == 20.0
    assert (found["versions"], found["package"]) == ({"litotes": "1", "numpy": "2"}, "package")
    assert set(found["arms"]) == {"good", "plain"}


def made_otherwise(where, **changes):
    """The runs and choices of the claim, one of them made by something else as well."""
    other, runs, chosen = replace(AT, **changes), runs_of(), choices()
    if where == "a trial":
        chosen["plain"] = replace(chosen["plain"], made=[AT, other])
    else:
        runs["plain"][3] = replace(runs["plain"][3], made=[AT, other] if where == "a start" else [other])
    return runs, chosen


WHERE = ["a run", "a start", "a trial"]


@pytest.mark.parametrize("where", WHERE)
def test_a_record_is_clean_only_if_all_of_it_is(where):
    found = claim_record(CLAIM, *made_otherwise(where, clean=False))
    assert (found["commit"], found["clean"]) == ("a" * 40, False)


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"commit": "b" * 40}, "they were made at different commits (aaaaaaaaaaaa and bbbbbbbbbbbb)"),
        ({"commit": None}, "they were made at different commits (aaaaaaaaaaaa and none)"),
        ({"data": "g"}, "they were made from different data (f and g)"),
        ({"versions": {"litotes": "1", "numpy": "3"}}, "they were made by different versions (numpy 2 and 3)"),
        ({"versions": {"litotes": "1"}}, "they were made by different versions (numpy 2 and None)"),
        ({"package": "edited"}, "they were made by different files of the package (package and edited)"),
    ],
    ids=str,
)
def test_runs_that_something_else_made_are_not_compared(where, changes, says):
    with pytest.raises(LitotesError) as refused:
        claim_record(CLAIM, *made_otherwise(where, **changes))
    assert str(refused.value) == (
        f"The runs of the claim 'better' cannot be compared: {says}. "
        "Give another --out, or remove the older folders under runs/."
    )


def test_a_start_that_names_no_data_is_no_other_data():
    assert claim_record(CLAIM, *made_otherwise("a start", data=None))["clean"]


def test_outside_a_checkout_there_is_no_commit_to_name():
    runs, chosen = runs_of(), choices()
    bare = [replace(AT, commit=None, clean=False)]
    runs = {arm: {seed: replace(run, made=bare) for seed, run in of_arm.items()} for arm, of_arm in runs.items()}
    chosen = {arm: replace(choice, made=bare) for arm, choice in chosen.items()}
    found = claim_record(CLAIM, runs, chosen)
    assert (found["commit"], found["clean"]) == (None, False)


def test_runs_that_do_not_say_what_made_them_are_refused():
    runs = {arm: {seed: replace(run, made=()) for seed, run in of_arm.items()} for arm, of_arm in runs_of().items()}
    with pytest.raises(LitotesError, match="Nothing says what made the runs of the claim 'better'"):
        claim_record(CLAIM, runs, {arm: replace(choice, made=()) for arm, choice in choices().items()})


def test_an_arm_is_every_seed_its_mean_and_its_interval():
    runs = runs_of(other=2.0)
    arm = record(claim(shown=["other", "absent"]), runs)["arms"]["good"]
    values = scores(runs, "good")
    assert arm["values"] == {str(seed): value for seed, value in enumerate(values)}
    assert arm["mean"] == pytest.approx(values.mean())
    assert arm["sd"] == pytest.approx(values.std(ddof=1))
    half = 2.776445 * values.std(ddof=1) / np.sqrt(5)  # t of 4 degrees of freedom
    assert (arm["low"], arm["high"]) == pytest.approx((values.mean() - half, values.mean() + half))
    assert arm["shown"] == {"other": 2.0}
    assert (arm["command"], arm["config"], arm["start"]) == ("good", {"steps": 2}, GOOD.start.to_dict())
    assert arm["tried"] == choices()["good"].tried
    assert arm["facts"]["data"] == {"name": "made-up", "fingerprint": "f"}
    assert arm["seconds"] == 2.0


def test_a_comparison_is_decided_over_seeds_and_queries():
    runs = runs_of()
    [found] = record(runs=runs)["comparisons"]
    differences = scores(runs, "good") - scores(runs, "plain")
    matrix = 0.25 + NOISE[0] - NOISE[1] + 0.001 * np.arange(5)[:, None]
    expected = decide(">", differences, effect=0.05, per_query=matrix)
    assert found["bootstrap_interval"] == pytest.approx(expected.bootstrap_interval)
    assert found["t_interval"] == pytest.approx(expected.t_interval)
    assert {key: found[key] for key in ("a", "operator", "b", "effect", "margin", "verdict", "sentence")} == {
        "a": "good",
        "operator": ">",
        "b": "plain",
        "effect": 0.05,
        "margin": None,
        "verdict": "holds",
        "sentence": expected.sentence,
    }
    assert "30 queries" in found["sentence"]


def test_without_values_by_query_the_seeds_alone_decide():
    runs = runs_of(per_query=False)
    [found] = record(runs=runs)["comparisons"]
    expected = decide(">", scores(runs, "good") - scores(runs, "plain"), effect=0.05)
    about = {"a": "good", "operator": ">", "b": "plain", "effect": 0.05, "margin": None, "queries_differ": False}
    assert found == {**about, **expected.to_dict()}
    assert found["bootstrap_interval"] is None


def test_queries_by_another_order_are_the_same_queries():
    shuffled = runs_of()
    for arm in shuffled:
        run = shuffled[arm][2]
        table = dict(reversed(run.outcome.per_query["score"].items()))
        shuffled[arm][2] = replace(run, outcome=Outcome(run.outcome.metrics, {"score": table}))
    assert record(runs=shuffled)["comparisons"] == record()["comparisons"]


@pytest.mark.parametrize(
    "names",
    [lambda seed: [f"{seed}-{i}" for i in range(30)], lambda seed: [f"q{i + (seed == 3)}" for i in range(30)]],
    ids=["all differ", "one differs"],
)
def test_queries_that_differ_by_seed_are_not_drawn_crossed(names):
    runs = runs_of(names=names)
    [found] = record(runs=runs)["comparisons"]
    assert (found["bootstrap_interval"], found["queries_differ"]) == (None, True)
    assert found["sentence"] == record(runs=runs_of(per_query=False))["comparisons"][0]["sentence"]


def test_a_number_can_be_compared_with():
    found = record(claim(holds=[("good", ">", 0.5), ("good", "<", 0.5)]))
    above, below = found["comparisons"]
    assert (above["verdict"], below["verdict"], found["verdict"]) == ("holds", "does not hold", "does not hold")
    assert above["difference"] == pytest.approx(scores(runs_of(), "good").mean() - 0.5)
    assert above["bootstrap_interval"] is not None
    assert above["level"] == 0.975  # two comparisons share the five per cent
    assert above["b"] == 0.5


def test_equal_within_its_margin():
    found = record(claim(holds=[("good", "=", "plain")], margin=0.3))
    assert (found["verdict"], found["comparisons"][0]["margin"]) == ("holds", 0.3)


@pytest.mark.parametrize("seeds", [range(4), range(6), range(1, 6), (4, 3, 2, 1, 0)], ids=list)
def test_other_seeds_are_not_what_was_registered(seeds):
    found = record(runs=runs_of(seeds=seeds))
    assert found["as_registered"] is False
    assert list(found["arms"]["good"]["values"]) == [str(seed) for seed in seeds]
    assert found["comparisons"][0]["seeds"] == len(seeds)


def test_an_arm_that_does_not_measure_it_is_refused():
    with pytest.raises(LitotesError) as refused:
        record(claim(metric="speed"), runs_of(other=1.0))
    assert str(refused.value) == "The claim 'better' compares 'speed', and the arm 'good' measures score, other."


def entered(*names, **changes):
    return [{"name": name, **changes} for name in names]


def test_records_of_claims_that_were_not_run_now_stay(tmp_path):
    path = tmp_path / "results" / "made-up.json"
    order = ["a", "b", "c"]
    assert enter_results(path, "made-up", entered("c"), order) == {"slug": "made-up", "claims": entered("c")}
    enter_results(path, "made-up", entered("a", "b", round=1), order)
    found = enter_results(path, "made-up", entered("b", round=2), order)
    assert found["claims"] == [{"name": "a", "round": 1}, {"name": "b", "round": 2}, {"name": "c"}]
    assert read_json(path) == found


def test_records_of_claims_that_are_gone_go(tmp_path):
    path = tmp_path / "made-up.json"
    enter_results(path, "made-up", entered("a", "b"), ["a", "b"])
    assert enter_results(path, "made-up", [], ["b", "new"])["claims"] == entered("b")


def test_programs_that_enter_at_once_lose_nothing(tmp_path, monkeypatch):
    path, order = tmp_path / "made-up.json", [f"claim{i}" for i in range(8)]
    pages = []
    enter_results(path, "made-up", entered(order[0]), order)
    read = claim_result.read_json
    monkeypatch.setattr(
        claim_result, "read_json", lambda path: (read(path), time.sleep(0.01))[0]
    )  # others come between
    programs = [
        threading.Thread(target=enter_results, args=(path, "made-up", entered(name), order, pages.append))
        for name in order[1:]
    ]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert read(path)["claims"] == entered(*order) == pages[-1]["claims"]
    assert [len(page["claims"]) for page in pages] == list(range(2, 9))  # a page is never older than the last one


def test_a_record_can_be_written_down(tmp_path):
    found = enter_results(tmp_path / "made-up.json", "made-up", [record()], ["better"])
    assert read_json(tmp_path / "made-up.json") == json.loads(json.dumps(found))
