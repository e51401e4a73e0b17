"""A system's results as a section of its page: each number of the JSON where a reader looks for it."""

import copy
import json

import pytest

from litotes.core.errors import LitotesError
from litotes.evaluation.result_page import END, START, result_section, with_section


def arm(mean: float, rate: float | None, **shown: float) -> dict:
    tried = [] if rate is None else [{"options": {"rate": r}, "nDCG@10": 0.5} for r in (1e-4, 5e-4, 1e-3)]
    return {
        "config": {"steps": 50} | ({} if rate is None else {"rate": rate}),
        "tried": tried,
        "values": {"0": mean - 0.01, "1": mean, "2": mean + 0.01},
        "mean": mean,
        "sd": 0.0123456,
        "low": mean - 0.0111,
        "high": mean + 0.0111,
        "shown": shown,
    }


RECORD = {
    "name": "pydocs-best",
    "says": "New beats old",
    "source": "abstract; line 3",
    "data": "pydocs",
    "metric": "nDCG@10",
    "note": "A control is missing.",
    "digest": "d" * 32,
    "verdict": "too small to tell",
    "as_registered": True,
    "commit": "c0ffee" + "0" * 34,
    "clean": True,
    "arms": {"new": arm(0.65432, 5e-4, errors=12.345, **{"R@100": 0.91}), "old": arm(0.6, None, **{"R@100": 0.9})},
    "comparisons": [
        {
            "a": "new",
            "operator": ">",
            "b": "old",
            "difference": 0.054321,
            "level": 0.975,
            "t_interval": [-0.01234, 0.12098],
            "bootstrap_interval": [-0.00567, 0.1144],
            "p_value": 0.0318,
            "verdict": "too small to tell",
            "sentence": "The difference is so and so.",
        },
        {
            "a": "old",
            "operator": "<",
            "b": 0.7,
            "difference": -0.1,
            "level": 0.975,
            "t_interval": [-0.12, -0.08],
            "bootstrap_interval": None,
            "p_value": 1.23e-7,
            "verdict": "holds",
            "sentence": "It lies below.",
        },
    ],
    "seconds": 754.0,
    "versions": {"litotes": "0.1", "torch": "2.6.0"},
}


def result(**changes) -> dict:
    return {"slug": "new-old", "claims": [{**copy.deepcopy(RECORD), **changes}]}


def rows(section: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line[:1] == "|"]


class TestSection:
    def test_the_whole_of_it(self):
        assert result_section(result()) == (
            "| claim | data | verdict |\n"
            "| --- | --- | --- |\n"
            "| [New beats old](#pydocs-best) | pydocs | **too small to tell** |\n\n"
            "### pydocs-best\n\n"
            "New beats old (abstract; line 3). Data: `pydocs`; metric: nDCG@10.\n\n"
            "Verdict: **too small to tell**.\n\n"
            "A control is missing.\n\n"
            "| arm | nDCG@10 | sd | 95 % interval | seeds | chosen on dev | errors | R@100 |\n"
            "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
            "| new | 0.6543 | 0.0123 | 0.6432 to 0.6654 | 3 | rate 0.0005 (of 3) | 12.3 | 0.9100 |\n"
            "| old | 0.6000 | 0.0123 | 0.5889 to 0.6111 | 3 | - | - | 0.9000 |\n\n"
            "| comparison | difference | level | t interval | with queries | p | verdict |\n"
            "| --- | --- | --- | --- | --- | --- | --- |\n"
            "| new > old | +0.05432 | 97.5 % | -0.01234 to +0.121 | -0.00567 to +0.1144 | 0.032 | too small to tell |\n"
            "| old < 0.7 | -0.1 | 97.5 % | -0.12 to -0.08 | - | 1.2e-07 | holds |\n\n"
            "- new > old: The difference is so and so.\n"
            "- old < 0.7: It lies below.\n\n"
            "![New beats old](../results/new-old-pydocs-best.svg)\n\n"
            f"Digest `{'d' * 32}`, commit `c0ffee000000`, 13 minutes of runs.\n\n"
            "Versions: litotes 0.1, torch 2.6.0.\n"
        )

    def test_it_says_why_there_is_no_interval_over_queries(self):
        first, second = copy.deepcopy(RECORD["comparisons"])
        section = result_section(result(comparisons=[first, {**second, "queries_differ": True}]))
        assert "| -0.12 to -0.08 | none: seeds ask other queries |" in section

    @pytest.mark.parametrize("p", [0.0, 1.0])
    def test_seeds_that_all_say_the_same_have_no_p(self, p):
        equal = {**copy.deepcopy(RECORD["comparisons"][0]), "t_interval": [0.05, 0.05], "p_value": p}
        section = result_section(result(comparisons=[equal]))
        assert "| +0.05 to +0.05 | -0.00567 to +0.1144 | - | too small to tell |" in section

    def test_it_reads_what_json_gives_back(self):
        assert result_section(json.loads(json.dumps(result()))) == result_section(result())

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"as_registered": False}, "Verdict: **too small to tell**. Run with other seeds than registered."),
            ({"commit": None}, "`, no commit, 13 minutes of runs."),
            ({"clean": False}, "commit `c0ffee000000` with changes that no commit has, 13 minutes"),
            ({"seconds": 59.6}, ", 60 seconds of runs."),
        ],
        ids=str,
    )
    def test_what_a_reader_must_know(self, changes, says):
        assert says in result_section(result(**changes))
        assert says not in result_section(result())

    def test_without_a_note_there_is_no_gap(self):
        assert "**.\n\n| arm |" in result_section(result(note=""))

    def test_several_claims_come_in_order_and_versions_once(self):
        both = {"slug": "s", "claims": [{**RECORD, "name": name} for name in ("b", "a")]}
        section = result_section(both)
        assert section.index("(#b)") < section.index("(#a)") < section.index("### b") < section.index("### a")
        assert section.count("Versions: ") == 1
        both["claims"][1] = {**both["claims"][1], "versions": {"litotes": "0.2"}}
        assert "Versions: litotes 0.1, torch 2.6.0.\n\nVersions: litotes 0.2.\n" in result_section(both)

    def test_an_option_that_only_some_trials_have(self):
        arms = {"new": {**RECORD["arms"]["new"], "tried": [{"options": {}}, {"options": {"rate": 5e-4, "warm": True}}]}}
        assert rows(result_section(result(arms=arms)))[5][5] == "rate 0.0005 (of 2)"

    def test_what_markdown_could_take_for_markup(self):
        section = result_section(result(says="a [b] | c"))
        assert "| [a (b) \\| c](#pydocs-best) |" in section
        assert "![a (b) | c](../results/" in section

    def test_plots_may_lie_elsewhere(self):
        assert "](plots/new-old-pydocs-best.svg)" in result_section(result(), plots="plots")


class TestPage:
    PAGE = f"# New\n\nwords\n\n{START}\nold numbers\n{END}\n\n## After\n"

    def test_only_what_lies_between_the_marks_changes(self):
        page = with_section(self.PAGE, "numbers\n")
        assert page == f"# New\n\nwords\n\n{START}\n\nnumbers\n\n{END}\n\n## After\n"
        assert with_section(page, "numbers\n") == page
        assert with_section(with_section(page, "other\n"), "numbers\n") == page

    def test_marks_are_added_where_there_are_none(self):
        page = with_section("# New\n\nwords\n", "numbers\n")
        assert page == f"# New\n\nwords\n\n## Results\n\n{START}\n\nnumbers\n\n{END}\n"
        assert with_section(page, "numbers\n") == page
        assert with_section("", "numbers\n").startswith("## Results")

    @pytest.mark.parametrize(
        "page",
        [f"{START}\n", f"{END}\n", f"{END}\n{START}\n", f"{START}\n{START}\n{END}\n", f"{START}\n{END}\n{END}\n"],
    )
    def test_marks_that_do_not_fit_are_refused(self, page):
        with pytest.raises(LitotesError, match=f"must hold {START} once and {END} once after it, or neither. It holds"):
            with_section(page, "numbers\n")
