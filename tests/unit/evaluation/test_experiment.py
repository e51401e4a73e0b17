"""Each cell is made once and kept: through kills, between claims, and never across a change of the source."""

import shutil
from dataclasses import replace

import pytest

from litotes.core.errors import LitotesError
from litotes.evaluation.claim import Arm
from litotes.evaluation.experiment import TUNING_SEED, Experiment, Outcome
from litotes.evaluation.provenance import Made
from tests.made_up_claims import CLAIM, GOOD, PLAIN, START, Runs, claim, score

DEV = 1 + 3 + 3  # a start, which all trials share
TEST = 3 * 5  # with each seed a start and two arms

NOW = Made("package", "a" * 40, True, {"python": "3"})


def experiment(folder, runs, slug="made-up", **changes):
    return Experiment(slug, runs, folder, lambda: replace(NOW, **changes))


def run_all(made, *claims):
    return {
        (each.name, name, seed): made.run(each, name, seed).outcome.metrics["score"]
        for each in claims
        for name in each.arms
        for seed in each.seeds
    }


def test_each_cell_is_made_once_and_kept(tmp_path):
    runs = Runs()
    found = run_all(experiment(tmp_path, runs), CLAIM)
    assert len(runs.cells) == DEV + TEST == len({cell.folder for cell in runs.cells})
    again = Runs()
    assert run_all(experiment(tmp_path, again), CLAIM) == found
    assert again.cells == []


def test_a_cell_knows_what_it_is_run_with(tmp_path):
    runs = Runs()
    experiment(tmp_path, runs).run(CLAIM, "good", 3)
    cell, start = runs.cells[-1], runs.cells[-2]
    assert (cell.data, cell.seed, cell.split, cell.arm.config) == ("made-up", 3, "test", {"steps": 2, "rate": 3.0})
    assert cell.start == start.folder
    assert start.start is None
    assert cell.folder.is_dir() and cell.folder.parent == tmp_path


def test_options_are_chosen_on_dev_with_a_seed_of_their_own(tmp_path):
    runs = Runs()
    made = experiment(tmp_path, runs)
    choice = made.choose(CLAIM, "good")
    assert choice.arm == replace(GOOD, config={"steps": 2, "rate": 3.0}, trials=())
    values = [pytest.approx(0.5 + 0.01 * rate) for rate in (1, 3, 2)]  # 1000 * 7 % 5 is 0
    assert choice.tried == [
        {"options": {"rate": rate}, "score": value} for rate, value in zip((1.0, 3.0, 2.0), values, strict=True)
    ]
    assert {(cell.seed, cell.split) for cell in runs.cells} == {(TUNING_SEED, "dev")}
    run_all(made, CLAIM)
    reported = [(cell.seed, cell.split) for cell in runs.cells if cell.seed != TUNING_SEED]
    assert set(reported) == {(seed, "test") for seed in range(5)}
    assert len(reported) == TEST
    tried = [cell.arm.command for cell in runs.cells if cell.split == "dev"]
    assert tried.count("good") == tried.count("plain") == 3


def test_of_equal_trials_the_first_is_taken(tmp_path):
    choice = experiment(tmp_path, Runs(lambda cell: 0.5)).choose(CLAIM, "good")
    assert choice.arm.config["rate"] == 1.0


def test_trials_are_compared_by_what_the_claim_says(tmp_path):
    def measured(cell):
        (cell.folder / "model").mkdir(exist_ok=True)
        return Outcome({"score": 0.0, "cost": -float(cell.arm.config["rate"])})

    made = experiment(tmp_path, measured)
    assert made.choose(claim(choose_by="cost"), "good").arm.config["rate"] == 1.0
    with pytest.raises(LitotesError, match=r"compares by 'speed', and the arm 'good' measures score, cost\."):
        made.choose(claim(choose_by="speed"), "good")


def test_nothing_is_chosen_where_nothing_is_tried(tmp_path):
    runs = Runs()
    choice = experiment(tmp_path, runs).choose(claim(arms={"good": START}, holds=[("good", ">", 0.0)]), "good")
    assert (choice.arm, choice.tried, runs.cells) == (START, [], [])


def test_the_start_of_an_arm_is_the_one_that_was_chosen(tmp_path):
    runs = Runs()
    second = replace(GOOD, config={"steps": 9}, start=GOOD)
    experiment(tmp_path, runs).run(claim(arms={"second": second}, holds=[("second", ">", 0.1)]), "second", 2)
    assert [cell.arm.config for cell in runs.cells if cell.split == "test"] == [
        {"rate": 1.0},
        {"steps": 2, "rate": 3.0},
        {"steps": 9, "rate": 3.0},
    ]
    assert runs.words().count(("good", 3.0, TUNING_SEED, "dev")) == 2  # of the start, once; of the second, once


def test_claims_share_starts_and_arms(tmp_path):
    runs = Runs()
    other = claim(name="other", metric="other", choose_by="score", holds=[("plain", "<", "good")])
    third = claim(name="third", arms={"third": Arm("good", {"rate": 7.0}, START)}, holds=[("third", ">", 0.1)])
    made = experiment(tmp_path, runs)
    assert made.plan([CLAIM, other, third]).by_claim["other"] == (0, 0)
    run_all(made, CLAIM, other, third)
    assert len(runs.cells) == DEV + TEST + 5


def test_cells_that_differ_have_different_folders(tmp_path):
    runs = Runs()
    for slug in ("one", "two"):
        made = experiment(tmp_path, runs, slug=slug)
        run_all(made, CLAIM, claim(name="elsewhere", data="a/b"), claim(name="near", data="a-b"))
    made.run(CLAIM, "good", TUNING_SEED)  # on test: not what was measured on dev
    assert [cell.split for cell in runs.cells[-2:]] == ["test", "test"]
    assert len({cell.folder for cell in runs.cells}) == len(runs.cells) == 6 * (DEV + TEST) + 2
    assert all(cell.folder.parent == tmp_path for cell in runs.cells)


@pytest.mark.parametrize("killed_at", [0, 3, DEV, DEV + 4, DEV + TEST - 1])
def test_a_killed_experiment_goes_on(tmp_path, killed_at):
    first, then = Runs(fail_at=killed_at), Runs()
    with pytest.raises(KeyboardInterrupt):
        run_all(experiment(tmp_path, first), CLAIM)
    assert experiment(tmp_path, then).plan([CLAIM]).left == DEV + TEST - killed_at
    run_all(experiment(tmp_path, then), CLAIM)
    assert len(first.words() + then.words()) == DEV + TEST == len(set(first.words() + then.words()))


def test_the_remains_of_a_killed_cell_are_there_when_it_goes_on(tmp_path):
    def killed(cell):
        (cell.folder / "half").write_text("half")
        raise KeyboardInterrupt

    def going_on(cell):
        assert (cell.folder / "half").read_text() == "half"
        return Outcome({"score": 1.0})

    alone = claim(arms={"good": START}, holds=[("good", ">", 0.0)])
    with pytest.raises(KeyboardInterrupt):
        experiment(tmp_path, killed).run(alone, "good", 0)
    assert experiment(tmp_path, going_on).run(alone, "good", 0).outcome.metrics == {"score": 1.0}


@pytest.mark.parametrize("change", [{"package": "later"}, {"versions": {"python": "4"}}], ids=str)
def test_cells_of_another_source_are_not_taken(tmp_path, change):
    old, new = Runs(), Runs(lambda cell: score(cell) + 1)
    before = run_all(experiment(tmp_path, old), CLAIM)
    after = run_all(experiment(tmp_path, new, **change), CLAIM)
    assert len(new.cells) == DEV + TEST
    assert after == {key: value + 1 for key, value in before.items()}
    assert run_all(experiment(tmp_path, old), CLAIM) == before


def test_tidy_removes_models_and_keeps_outcomes(tmp_path):
    runs = Runs()
    made = experiment(tmp_path, runs)
    found = run_all(made, CLAIM)
    half = tmp_path / "killed"
    half.mkdir()
    (half / "checkpoint").write_text("half")
    made.tidy()
    assert {item.name for folder in tmp_path.iterdir() if folder != half for item in folder.iterdir()} == {
        "outcome.json"
    }
    assert (half / "checkpoint").is_file()  # not finished: its remains are needed
    assert run_all(made, CLAIM) == found
    assert made.plan([CLAIM]).left == 0
    assert len(runs.cells) == DEV + TEST


def test_a_start_that_was_tidied_away_is_made_again_when_needed(tmp_path):
    runs = Runs()
    made = experiment(tmp_path, runs)
    run_all(made, CLAIM)
    made.tidy()
    runs.cells.clear()
    arms = {"third": Arm("good", {"rate": 7.0}, START), "fourth": Arm("good", {"rate": 8.0}, START)}
    later = claim(name="later", arms=arms, holds=[("fourth", ">", "third")])
    assert made.plan([later]).left == 15
    run_all(made, later)
    assert sorted(runs.words()) == sorted(
        (command, rate, seed, "test")
        for seed in range(5)
        for command, rate in (("start", 1.0), ("good", 7.0), ("good", 8.0))
    )


def test_so_is_a_whole_chain_and_half_a_tidying(tmp_path):
    def in_an_empty_folder(cell):
        assert list(cell.folder.iterdir()) == []
        return score(cell)

    runs = Runs(in_an_empty_folder)
    made = experiment(tmp_path, runs)
    middle = Arm("good", {"rate": 2.0}, START)
    made.run(claim(arms={"middle": middle}, holds=[("middle", ">", 0.1)]), "middle", 0)
    made.tidy()
    for cell in runs.cells:  # tidying was killed before it came to the log
        (cell.folder / "log").write_text("left")
    runs.cells.clear()
    later = claim(arms={"last": Arm("plain", {"rate": 2.0}, middle)}, holds=[("last", ">", 0.1)])
    assert made.plan([later], seeds={"better": [0]}).left == 3
    made.run(later, "last", 0)
    assert [cell.arm.command for cell in runs.cells] == ["start", "good", "plain"]


def test_a_start_that_leaves_nothing_is_made_once(tmp_path):
    made = []

    def nothing_left(cell):
        made.append(cell)
        return Outcome({"score": 1.0})

    run_all(experiment(tmp_path, nothing_left), CLAIM)
    assert len(made) == DEV + TEST


def test_the_plan_counts_what_is_left(tmp_path):
    runs = Runs()
    made = experiment(tmp_path, runs)
    plan = made.plan([CLAIM])
    assert (plan.cells, plan.left) == (DEV + TEST, DEV + TEST)
    assert plan.seconds == 6 * 10.0 + (6 + 10) * 5.0
    assert plan.by_claim == {"better": (DEV + TEST, plan.seconds)}
    assert runs.cells == []
    one = made.plan([CLAIM], ["good"], {"better": [7]})
    assert (one.left, one.seconds) == (1 + 3 + 2, 20.0 + 4 * 5.0)
    made.run(CLAIM, "good", 7)
    assert len(runs.cells) == one.left
    assert made.plan([CLAIM], ["good"], {"better": [7]}).left == 0
    assert made.plan([CLAIM]).left == DEV + TEST - 4
    run_all(made, CLAIM)
    assert made.plan([CLAIM]).left == 0
    assert made.plan([CLAIM]).cells == DEV + TEST


def test_a_start_is_not_needed_for_what_is_made(tmp_path):
    runs = Runs()
    made = experiment(tmp_path, runs)
    made.run(CLAIM, "good", 7)
    shutil.rmtree(next(cell.folder for cell in runs.cells if (cell.arm.command, cell.seed) == ("start", 7)))
    runs.cells.clear()
    assert made.plan([CLAIM], ["good"], {"better": [7]}).left == 0
    made.run(CLAIM, "good", 7)
    assert runs.cells == []


def test_it_says_what_remains(tmp_path, capsys):
    made = experiment(tmp_path, Runs())
    made.plan([CLAIM], ["good"], {"better": [7]})
    made.run(CLAIM, "good", 7)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert "start of good, trial 1 of 3, dev: score 0.1100" in lines[0] and "5 runs left, about 0 min" in lines[0]
    assert "made-up, made-up, good, seed 7: score 0.5340" in lines[-1] and "left" not in lines[-1]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused_and_not_kept(tmp_path, value):
    made = experiment(tmp_path, Runs(lambda cell: value))
    with pytest.raises(LitotesError, match=rf"The arm 'good' of made-up with seed 0 measured score = {value}\. This"):
        made.run(claim(arms={"good": START}, holds=[("good", ">", 0.0)]), "good", 0)
    assert not list(tmp_path.glob("*/outcome.json"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_query_without_a_number_is_named_and_what_was_finished_stays(tmp_path, value):
    def measured(cell):
        return Outcome({"score": 1.0}, {"score": {"q1": 1.0, "q2": value if cell.seed == 2 else 1.0}})

    alone = claim(arms={"good": START}, holds=[("good", ">", 0.0)])
    with pytest.raises(LitotesError) as refused:
        run_all(experiment(tmp_path, measured), alone)
    assert str(refused.value) == (
        f"The arm 'good' of made-up with seed 2 measured score = {value} for the query 'q2'. "
        "This run is not kept; those that were finished are."
    )
    assert experiment(tmp_path, measured).plan([alone]).left == 3


@pytest.mark.parametrize("fact", [float("nan"), {1, 2}], ids=str)
def test_facts_that_cannot_be_written_are_one_sentence(tmp_path, fact):
    made = experiment(tmp_path, lambda cell: Outcome({"score": 1.0}, facts={"it": fact}))
    with pytest.raises(LitotesError, match="The facts of the arm 'good' of made-up with seed 0 are not fit for JSON: "):
        made.run(claim(arms={"good": START}, holds=[("good", ">", 0.0)]), "good", 0)


def test_a_metric_that_nobody_measures_is_refused_after_the_first_cell_which_is_kept(tmp_path):
    bare = {name: replace(arm, start=None) for name, arm in CLAIM.arms.items()}
    plain = {name: replace(arm, trials=()) for name, arm in bare.items()}
    for arms in (bare, plain):
        runs = Runs(lambda cell: 0.5)
        made = experiment(tmp_path / f"{len(arms['good'].trials)}", runs)
        with pytest.raises(LitotesError, match=r"compares by 'scroe', and the arm 'good' measures score, other\."):
            run_all(made, claim(metric="scroe", choose_by="score", arms=arms))
        assert len(runs.cells) == 1
        before = made.plan([claim(arms=arms)])
        assert before.left == before.cells - 1


class TestLowerIsBetter:
    """An arm that scores by its cost: the trial to take is the cheapest where the claim says so."""

    LESS = claim(holds=[("good", "<", "plain")])

    @pytest.mark.parametrize(
        ("of", "rate"),
        [
            (LESS, 1.0),
            (claim(holds=[("good", "<", "plain"), ("good", "<", 9.0)]), 1.0),
            (replace(LESS, choose_by="score"), 3.0),
            (claim(holds=[("good", "<", "plain"), ("good", ">", 0.0)]), 3.0),
            (CLAIM, 3.0),
        ],
        ids=["<", "twice <", "choose_by", "< and >", ">"],
    )
    def test_the_trial_that_is_taken(self, tmp_path, of, rate):
        made = experiment(tmp_path, Runs())
        assert made.choose(of, "good").arm.config["rate"] == rate
        again = experiment(tmp_path, Runs())
        again.run(of, "good", 0)
        assert again.plan([of], ["good"], {"better": [0]}).left == 0  # the plan takes the same one


class TestWhatMadeACell:
    ALONE = claim(arms={"good": START}, holds=[("good", ">", 0.0)])

    def outcome(self, cell):
        return Outcome({"score": 1.0}, facts={"data": {"name": cell.data, "fingerprint": "f1"}})

    def test_it_is_kept_with_its_data(self, tmp_path):
        made = replace(NOW, data="f1")
        for _ in range(2):  # the second time from the disk
            assert list(experiment(tmp_path, self.outcome).run(self.ALONE, "good", 0).made) == [made]

    def test_a_start_made_elsewhere_is_told(self, tmp_path):
        experiment(tmp_path, self.outcome, clean=False).run(self.ALONE, "good", 0)
        later = claim(arms={"next": Arm("next", start=START)}, holds=[("next", ">", 0.0)])
        run = experiment(tmp_path, self.outcome).run(later, "next", 0)
        assert list(run.made) == [replace(NOW, data="f1"), replace(NOW, data="f1", clean=False)]
        assert run.made == experiment(tmp_path, Runs(fail_at=0)).run(later, "next", 0).made

    def test_so_are_trials_and_the_trials_of_a_start(self, tmp_path):
        made = experiment(tmp_path, Runs(), commit="b" * 40)
        made.choose(CLAIM, "good")
        second = claim(arms={"second": replace(GOOD, start=GOOD)}, holds=[("second", ">", 0.1)])
        later = experiment(tmp_path, Runs())
        assert {each.commit for each in later.choose(CLAIM, "good").made} == {"b" * 40}
        assert {each.commit for each in later.choose(second, "second").made} == {"a" * 40, "b" * 40}
        untried = claim(arms={"next": Arm("good", {"rate": 1.0}, GOOD)}, holds=[("next", ">", 0.1)])
        assert {each.commit for each in later.choose(untried, "next").made} == {"b" * 40}

    def test_a_change_while_it_runs_is_refused_and_not_kept(self, tmp_path):
        stands = [NOW, NOW, replace(NOW, package="edited")]
        made = Experiment("made-up", self.outcome, tmp_path, lambda: stands.pop(0))
        made.run(self.ALONE, "good", 0)
        with pytest.raises(LitotesError) as refused:
            made.run(self.ALONE, "good", 1)
        assert str(refused.value) == (
            "The files of litotes were changed while made-up ran the arm 'good' with seed 1: no version of them made "
            "what it measured, and it is not kept. Begin again, and change nothing meanwhile."
        )
        assert experiment(tmp_path, self.outcome).plan([self.ALONE]).left == 4

    def test_what_was_clean_only_at_first_is_not(self, tmp_path):
        stands = [NOW, replace(NOW, clean=False)]
        made = Experiment("made-up", self.outcome, tmp_path, lambda: stands.pop(0))
        assert [each.clean for each in made.run(self.ALONE, "good", 0).made] == [False]


def test_tidying_waits_for_the_last_program_in_the_folder(tmp_path):
    first, second = experiment(tmp_path, Runs()), experiment(tmp_path, Runs())
    first.run(CLAIM, "good", 0)
    second.run(CLAIM, "good", 1)
    models = len(list(tmp_path.glob("*/model")))
    first.tidy()
    assert len(list(tmp_path.glob("*/model"))) == models > 0
    second.run(CLAIM, "plain", 0)  # from a start that the first one made
    second.tidy()
    assert not list(tmp_path.glob("*/model")) and len(list(tmp_path.glob("*/outcome.json"))) > models


def test_there_is_nothing_to_tidy_where_nothing_was_run(tmp_path):
    experiment(tmp_path / "none", Runs()).tidy()
    assert not (tmp_path / "none").exists()


def test_what_was_found_comes_back_as_it_was(tmp_path):
    outcome = Outcome({"score": 1 / 3}, {"score": {"q1": 0.1, "q2": 17 / 30}}, {"data": {"queries": 2}})
    alone = claim(arms={"good": START}, holds=[("good", ">", 0.0)])
    first = experiment(tmp_path, lambda cell: outcome).run(alone, "good", 0)
    kept = experiment(tmp_path, Runs(fail_at=0)).run(alone, "good", 0)
    assert first.outcome == kept.outcome == outcome
    assert kept.seconds == pytest.approx(first.seconds, abs=0.01)


def test_arms_without_a_common_option_are_no_trouble(tmp_path):
    runs = Runs()
    bare = {name: replace(arm, start=None, trials=()) for name, arm in CLAIM.arms.items()}
    bare = {name: replace(arm, config={"rate": 1.0}) for name, arm in bare.items()}
    run_all(experiment(tmp_path, runs), claim(arms=bare))
    assert len(runs.cells) == 10
    assert PLAIN.trials  # the arms above have none of their own
