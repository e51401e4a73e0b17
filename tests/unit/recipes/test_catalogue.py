"""The catalogue tells the truth about the package, and the README shows what the catalogue says."""

import importlib
import importlib.util
import inspect
from pathlib import Path

import pytest

from litotes.core.errors import LitotesError
from litotes.recipes.catalogue import CATALOGUE, find, find_command, table
from tools.readme_table import README, readme_with_table

DOORS = {
    "retrieval",
    "multimodal",
    "representation",
    "graph",
    "recommendation",
    "classification",
    "multilabel",
    "survival",
    "language",
}
WORKING = [row for row in CATALOGUE if row.state == "works"]


def test_there_are_32_systems_in_order_each_behind_a_known_door() -> None:
    slugs = [row.slug for row in CATALOGUE]
    assert len(slugs) == len(set(slugs)) == 32
    assert slugs == sorted(slugs)
    assert {row.door for row in CATALOGUE} == DOORS


def test_every_row_says_in_one_sentence_what_the_system_does() -> None:
    for row in CATALOGUE:
        assert row.title, row.slug
        assert row.paper, row.slug
        assert row.sentence.endswith("."), row.slug
        assert ". " not in row.sentence, row.slug
        assert "|" not in row.sentence + row.paper, row.slug


@pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.slug)
def test_the_state_is_whether_the_module_is_there(row: object) -> None:
    try:
        found = importlib.util.find_spec(row.module) is not None
    except ModuleNotFoundError:  # its door has no folder yet
        found = False
    assert (row.state == "works") == found


@pytest.mark.parametrize("row", WORKING, ids=lambda row: row.slug)
def test_each_command_of_a_working_system_has_its_function(row: object) -> None:
    module = importlib.import_module(row.module)
    for command in row.commands:
        train = getattr(module, f"train_{command.replace('-', '_')}")
        assert list(inspect.signature(train).parameters)[:3] == ["data", "config", "run"]


def test_only_a_working_system_has_commands_and_no_two_share_one() -> None:
    commands = [command for row in CATALOGUE for command in row.commands]
    assert len(commands) == len(set(commands))
    assert {row.slug for row in CATALOGUE if row.commands} <= {row.slug for row in WORKING}


def test_rows_are_found_by_slug_and_by_command() -> None:
    assert find("star-adore").commands == ("star", "adore")
    assert find_command("adore") is find("star-adore")
    assert find("star-adore").module == "litotes.recipes.retrieval.star_adore"


def test_an_unknown_name_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(LitotesError, match="There is no system 'star-adroe'. Did you mean 'star-adore'?"):
        find("star-adroe")
    known = "adore, ar2, cet, elr, elr-plus, nested-co-teaching, peg, star"
    with pytest.raises(LitotesError, match=f"There is no training command 'qqq'. Known: {known}."):
        find_command("qqq")


def test_the_table_shows_working_systems_first() -> None:
    states = [row["state"] for row in table()]
    assert states == sorted(states, key=lambda state: state != "works")
    assert len(states) == 32


def test_the_readme_shows_the_table_of_the_catalogue() -> None:
    text = README.read_text(encoding="utf-8")
    assert readme_with_table(text) == text, "run: python tools/readme_table.py"


def test_the_tool_rewrites_a_table_that_differs(tmp_path: Path) -> None:
    before = "# A\n<!-- systems -->\nan old table\n<!-- /systems -->\nend\n"
    after = readme_with_table(before)
    assert after.startswith("# A\n<!-- systems -->\n| system ")
    assert after.endswith("<!-- /systems -->\nend\n")
    assert "an old table" not in after
    with pytest.raises(SystemExit, match="no lines"):
        readme_with_table("# A\n")
