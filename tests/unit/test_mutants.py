"""The mutants: which changes are made and which are not, and that a trial tells whether a test notices."""

import json
from pathlib import Path

import pytest

from tools.mutants import __main__ as command
from tools.mutants import page, reach, trial
from tools.mutants.operators import Mutant, mutants

CHANGES = {
    "a < b": "a < b -> (a <= b)",
    "a is None": "a is None -> (a is not None)",
    "a + b": "a + b -> (a - b)",
    "a and b": "a and b -> (a or b)",
    "not a": "not a -> (a)",
    "x = 3": "3 -> 4",
    "x = 0.5": "0.5 -> 1.0",
    "x = True": "True -> False",
    "f(a, k=b)": "k= left out",
    "x = min(a)": "min -> max",
    "x = a.any()": "a.any -> a.all",
    "f(a)": "left out",
    "x += a": "x += a -> x -= a",
    "def f():\n    return a": "return None",
    "for a in b:\n    break": "break -> continue",
    "if a:\n    b = a": "a -> (not a)",
}
LEFT_ALONE = {
    "docstring": '"""1 + 1"""',
    "string": "x = 'a'",
    "annotation": "x: Literal[3] | None = None",
    "returns": "def f(a: int = None) -> Literal[1]: ...",
    "decorator": "@dataclass(frozen=True)\nclass A: ...",
    "editors only": "if TYPE_CHECKING:\n    x = 1",
    "public names": "__all__ = ['a'] + b",
    "inside a message": "x = f'{a + 1}'",
    "assertion of zip": "for a in zip(b, c, strict=True): ...",
    "nothing returned": "def f():\n    return None",
}
SOURCE = b"""def larger(a, b):
    '''
    >>> larger(5, 3)
    5
    '''
    return a if a > b else b


LIMIT = 7
"""


@pytest.mark.parametrize("source", CHANGES)
def test_each_change_is_made(source: str) -> None:
    assert CHANGES[source] in [mutant.change for mutant in mutants(source.encode(), "f.py")]


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_no_behaviour_is_left_alone(name: str) -> None:
    assert mutants(LEFT_ALONE[name].encode(), "f.py") == []


def test_a_mutant_differs_in_its_place_only_also_behind_letters_of_two_bytes() -> None:
    source = "é = 'é'; x = é + 1\ny = 2  # ü\n".encode()
    found = {mutant.change: mutant.applied(source).decode() for mutant in mutants(source, "f.py")}
    assert found == {
        "é + 1 -> (é - 1)": "é = 'é'; x = (é - 1)\ny = 2  # ü\n",
        "1 -> 2": "é = 'é'; x = é + 2\ny = 2  # ü\n",
        "2 -> 3": "é = 'é'; x = é + 1\ny = 3  # ü\n",
    }


def test_a_statement_over_several_lines_is_known_by_all_of_them_and_one_with_a_body_by_its_head() -> None:
    source = b"x = f(\n    1,\n    2,\n)\nif (a <\n    b):\n    y = 3\n"
    assert {mutant.change: mutant.statement for mutant in mutants(source, "f.py")} == {
        "1 -> 2": (1, 4),
        "2 -> 3": (1, 4),
        "a < b -> (a <= b)": (5, 6),
        "3 -> 4": (7, 7),
    }


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module, and tests of which one notices less than the other."""
    (tmp_path / "sized.py").write_bytes(SOURCE)
    (tmp_path / "test_sized.py").write_text(
        "import sized\n\n"
        "def test_larger():\n    assert sized.larger(2, 1) == 2 and sized.larger(1, 2) == 2\n\n"
        "def test_equal():\n    assert sized.larger(1, 1) == 1\n\n"
        "def test_ends():\n    while sized.LIMIT > 7: pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = --doctest-modules\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_trial_tells_killed_survived_and_endless(small: Path) -> None:
    found = {mutant.change: mutant for mutant in mutants(SOURCE, "sized.py")}
    assert set(found) == {"a > b -> (a >= b)", "return None", "7 -> 8"}
    doctest = "sized.py::sized.larger"
    every = [f"test_sized.py::test_{name}" for name in ("larger", "equal", "ends")]
    trials = [
        trial.Trial("sized.py", SOURCE, every, 60, note="unchanged"),
        trial.Trial("sized.py", found["a > b -> (a >= b)"].applied(SOURCE), every, 60, note="survived"),
        trial.Trial("sized.py", found["return None"].applied(SOURCE), every, 60, note="killed"),
        trial.Trial("sized.py", found["return None"].applied(SOURCE), [doctest], 60, note="by its own example"),
        trial.Trial("sized.py", found["7 -> 8"].applied(SOURCE), [doctest, *every[:2]], 60, note="not asked"),
        trial.Trial("sized.py", found["7 -> 8"].applied(SOURCE), every, 2, note="timeout"),
        trial.Trial("sized.py", b"no python", every, 60, note="not imported"),
    ]
    done = {one.note: (one.outcome, one.killer) for one in trial.run(trials, workers=2)}
    assert done == {
        "unchanged": ("survived", ""),
        "survived": ("survived", ""),
        "killed": ("killed", "test_sized.py::test_larger"),
        "by its own example": ("killed", doctest),
        "not asked": ("survived", ""),
        "timeout": ("timeout", ""),
        "not imported": ("killed", "test_sized.py"),
    }
    assert (small / "sized.py").read_bytes() == SOURCE


def test_tests_that_are_not_there_are_an_error_and_no_survivor(small: Path) -> None:
    with pytest.raises(SystemExit, match="was found: test_sized.py::test_gone"):
        list(trial.run([trial.Trial("sized.py", SOURCE, ["test_sized.py::test_gone"], 60)], workers=1))


class TestReach:
    SEEN = reach.Reach(
        seconds={
            "tests/unit/core/test_ids.py::test_a": 2.0,
            "tests/unit/core/test_other.py::test_b": 0.1,
            "src/litotes/core/ids.py::litotes.core.ids.Ids": 0.1,
            "tests/unit/data/test_load.py::test_c": 5.0,
            "tests/unit/data/test_load.py::test_d": 3.0,
            "tests/unit/data/test_load.py::test_e": 0.5,
        },
        lines={"src/litotes/core/ids.py": {1: [""], 5: []}},
    )

    def reached_by(self, *tests: str) -> reach.Reach:
        lines = {**self.SEEN.lines["src/litotes/core/ids.py"], 9: [*tests, "tests/unit/core/test_ids.py::test_failed"]}
        return reach.Reach(self.SEEN.seconds, {"src/litotes/core/ids.py": lines})

    def test_the_mirroring_file_comes_first_then_the_rooms_quicker_ones(self) -> None:
        seen = self.reached_by(*self.SEEN.seconds)
        assert seen.own(_mutant(9)) == [
            "src/litotes/core/ids.py::litotes.core.ids.Ids",
            "tests/unit/core/test_ids.py::test_a",
            "tests/unit/core/test_other.py::test_b",
        ]

    def test_of_other_rooms_the_quickest_within_the_seconds(self) -> None:
        seen = self.reached_by(*self.SEEN.seconds)
        others = ["tests/unit/data/test_load.py::test_d", "tests/unit/data/test_load.py::test_e"]
        assert sorted(seen.others(_mutant(9))) == others

    def test_a_line_that_runs_on_import_is_asked_of_all_files_that_reach_its_file(self) -> None:
        seen = self.reached_by("tests/unit/data/test_load.py::test_c")
        assert seen.own(_mutant(1)) == ["tests/unit/core/test_ids.py::test_a"]
        assert "tests/unit/data/test_load.py::test_e" in seen.others(_mutant(1))
        assert seen.own(_mutant(5)) == [] == seen.own(_mutant(77))


def test_a_mutant_known_as_killed_is_not_tried_again_and_a_survivor_only_after_tests_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file, tests = Path("src/litotes/core/ids.py"), Path("tests/unit/core/test_ids.py")
    for path, text in ((file, "x = 1\n"), (tests, "1")):
        path.parent.mkdir(parents=True)
        path.write_text(text)

    def journal(fresh: bool = False) -> command.Journal:
        command.digest_of_tests.cache_clear()
        return command.Journal(Path("build/j.jsonl"), fresh)

    [mutant] = command.mutants_of(file)
    first = journal()
    assert not first.knows(mutant)
    first.add(mutant, "survived", "")
    assert journal().knows(mutant)
    tests.write_text("2")
    again = journal()
    assert not again.knows(mutant)
    again.add(mutant, "killed", "test_x")
    tests.write_text("3")
    assert journal().knows(mutant) and journal().outcome(mutant)["killer"] == "test_x"
    file.write_text("x = 1  # longer\n")
    assert not journal().knows(command.mutants_of(file)[0])
    assert not journal(fresh=True).known


def test_the_sample_is_the_seeds_and_in_the_order_of_the_code() -> None:
    chosen, there = command.choose({"losses": "9"}, seed=3)
    assert chosen == command.choose({"losses": "9"}, seed=3)[0] != command.choose({"losses": "9"}, seed=4)[0]
    assert {mutant.room for mutant in chosen} == {"losses"} and there["losses"] > 100
    places = [(mutant.file, mutant.start) for mutant in chosen]
    assert len(places) == 9 and places == sorted(places)


class TestPage:
    RESULTS = (
        *[(n, "killed") for n in range(6)],
        (6, "timeout"),
        (7, "survived"),
        (8, "not reached"),
        (9, "survived"),
    )

    def result(self) -> dict:
        equal = {("src/litotes/core/ids.py", "x = 9 | 1", "9 -> 10", 1): "x is not read"}
        results = [(_mutant(n, f"x = {n} | 1", f"{n} -> {n + 1}"), {"outcome": how}) for n, how in self.RESULTS]
        return page.result(results, {"core": 50}, 0, equal)

    def test_equal_mutants_do_not_count_and_unreached_ones_do(self) -> None:
        found = self.result()
        assert found["rooms"]["core"] == {
            "there": 50, "tried": 10, "killed": 6, "timeout": 1, "survived": 1, "not reached": 1, "equal": 1,
            "score": 0.7778,
        }  # fmt: skip
        assert found["score"] == 0.7778
        assert [row["state"] for row in found["survivors"]] == ["survived", "not reached", "equal"]

    def test_the_section_has_the_numbers_the_survivors_and_the_reasons(self) -> None:
        lines = page.section(self.result()).splitlines()
        assert "| `core` | 50 | 10 | 7 | 1 | 1 | 1 | 1 | 77.8% |" in lines
        assert "| core/ids.py:9 | `x = 9 \\| 1` | `9 -> 10` | x is not read |" in lines
        assert "| core/ids.py:8 | `x = 8 \\| 1` | `8 -> 9` | not reached |" in lines

    def test_what_is_between_the_markers_is_replaced(self) -> None:
        text = f"a\n{page.START}\n\nold\n\n{page.END}\nb\n"
        assert page.with_section(text, "new") == f"a\n{page.START}\n\nnew\n\n{page.END}\nb\n"
        with pytest.raises(SystemExit, match="has no lines"):
            page.with_section("a", "new")

    def test_the_page_that_there_is_shows_the_recorded_run(self) -> None:
        text = (ROOT / page.PAGE).read_text(encoding="utf-8")
        recorded = ROOT / page.JSON
        section = (
            page.section(json.loads(recorded.read_text("utf-8"))) if recorded.exists() else "No run is recorded yet."
        )
        assert page.with_section(text, section) == text

    def test_each_equal_change_names_a_mutant_that_there_is_and_a_reason(self) -> None:
        equal = page.equal_ones()
        there = [m for file in {file for file, *_ in equal} for m in mutants((ROOT / file).read_bytes(), file)]
        places = [(mutant.file, mutant.text, mutant.change, mutant.nth) for mutant in there]
        assert len(places) == len(set(places)), "each place is one change"
        assert not equal.keys() - set(places) and all(why.strip() for why in equal.values())

    def test_of_changes_that_read_the_same_only_the_named_one_is_equal(self) -> None:
        made = [m for m in mutants(b"x = f(1)[1]\n", "src/litotes/core/x.py") if m.change == "1 -> 2"]
        assert [(m.nth, m.applied(b"x = f(1)[1]\n")) for m in made] == [(1, b"x = f(2)[1]\n"), (2, b"x = f(1)[2]\n")]
        equal = {("src/litotes/core/x.py", "x = f(1)[1]", "1 -> 2", 1): "f does not read it"}
        found = page.result([(mutant, {"outcome": "survived"}) for mutant in made], {"core": 2}, 0, equal)
        assert [row["state"] for row in found["survivors"]] == ["equal", "survived"]

    def test_an_entry_may_name_several(self, tmp_path: Path) -> None:
        file = tmp_path / "equal.toml"
        row = '[[equal]]\nfile = "f"\nline = "l"\nchange = "c"\nwhy = "w"\n'
        file.write_text(row + row.replace('"c"', '"d"') + "nth = [2, 3]\n", encoding="utf-8")
        assert list(page.equal_ones(file)) == [("f", "l", "c", 1), ("f", "l", "d", 2), ("f", "l", "d", 3)]


ROOT = Path(__file__).parents[2]


def _mutant(line: int, text: str = "", change: str = "") -> Mutant:
    return Mutant("src/litotes/core/ids.py", line, text, "constant", 0, 1, "2", (line, line), change)
