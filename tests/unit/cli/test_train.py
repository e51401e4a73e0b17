"""``litotes train``: its options are the config's, and what is given is what the recipe gets."""

from pathlib import Path
from typing import Literal

import pytest

from litotes.cli import train as train_verb
from litotes.cli.main import main
from litotes.core.errors import LitotesError
from litotes.recipes.catalogue import CATALOGUE
from litotes.recipes.training_command import find_training_command
from tests.small_beir import write_small_beir

WORKING = [name for row in CATALOGUE if row.state == "works" for name in row.commands]


@pytest.fixture
def caught(tmp_path, monkeypatch):
    """What the recipe's function is called with."""
    monkeypatch.chdir(tmp_path)
    write_small_beir(Path("data"))
    calls = []
    found = find_training_command("adore")

    def fake(data, config, run, *, dev=None, candidates=None):
        calls.append({"data": data, "config": config, "dev": dev, "candidates": candidates})
        stage = run.stage("train/adore", verb="train adore", config={}, fingerprints={}, shards=0)
        stage.finish({"steps": 7, "dev_before": {"RR@10": 0.25}, "dev_after": {"RR@10": 0.5}})

    patched = type(found)(found.name, found.recipe, found.config, fake)
    monkeypatch.setattr("litotes.recipes.training_command.find_training_command", lambda name: patched)
    return calls


@pytest.mark.parametrize("command", WORKING)
def test_every_field_of_the_config_is_an_option_with_its_help(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")
    assert main(["train", command, "--help"]) == 0
    said = whole(capsys.readouterr().out)
    for name, field in find_training_command(command).config.model_fields.items():
        assert f"--{name.replace('_', '-')}" in said
        assert whole(field.description) in said


def whole(text):
    """A text without its line breaks, those after a hyphen too."""
    return " ".join(text.split()).replace("- ", "-")


def test_only_what_is_given_is_passed(caught):
    assert main(["train", "adore", "data", "--learning-rate", "0.5", "--out", "m"]) == 0
    config = caught[0]["config"]
    assert config.learning_rate == 0.5
    assert config == type(config)(learning_rate=0.5)


def test_texts_are_passed_as_typed_also_where_files_have_their_names(caught):
    Path("cpu").mkdir()
    words = ["--query-prompt", "", "--corpus-prompt", "query:", "--device", "cpu", "--encoder", "data"]
    assert main(["train", "adore", "data", *words, "--out", "m"]) == 0
    config = caught[0]["config"]
    assert (config.query_prompt, config.corpus_prompt, config.device) == ("", "query:", "cpu")
    assert config.encoder == str(Path("data").absolute())


PLACES = [("adore", "encoder"), ("cet", "encoder"), ("cet", "model"), ("cet", "selection_model"), ("peg", "encoder")]
PLACES += [("elr", "encoder"), ("ar2", "encoder"), ("ar2", "ranker"), ("ar2", "answers")]


@pytest.mark.parametrize(("command", "option"), PLACES)
def test_a_place_is_found_from_anywhere(command, option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    field = find_training_command(command).config.model_fields[option]
    assert train_verb._found_from_anywhere("mine", field) == str(tmp_path / "mine")
    assert train_verb._found_from_anywhere("someone/model", field) == "someone/model"


@pytest.mark.parametrize(
    ("command", "option", "word"), [("cet", "model", "features"), ("ar2", "ranker", "interaction")]
)
def test_a_word_of_the_option_is_no_place_whatever_lies_there(command, option, word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(word).mkdir()
    assert train_verb._found_from_anywhere(word, find_training_command(command).config.model_fields[option]) == word


def test_a_preset_and_what_is_given_on_top(caught):
    assert main(["train", "adore", "data", "--preset", "paper", "--query-length", "9", "--out", "m"]) == 0
    config = caught[0]["config"]
    assert config == type(config).preset("paper", query_length=9)


def test_flags_go_both_ways(caught):
    assert main(["train", "adore", "data", "--dropout", "--out", "m"]) == 0
    assert main(["train", "adore", "data", "--no-dropout", "--preset", "paper", "--out", "m2"]) == 0
    assert [call["config"].dropout for call in caught] == [True, False]


def test_split_dev_and_candidates(caught):
    words = ["train", "adore", "data", "--split", "test", "--dev", "train", "--candidates", "runs/x", "--out", "m"]
    assert main(words) == 0
    [call] = caught
    assert (call["data"].split, call["dev"].split, call["candidates"]) == ("test", "train", "runs/x")


def test_the_outcome_is_shown(caught, capsys):
    assert main(["train", "adore", "data", "--out", "m"]) == 0
    said = capsys.readouterr().out
    assert "adore in m: 7 steps" in said
    assert "0.2500" in said
    assert "0.5000" in said


def test_types_that_the_command_line_reads():
    assert train_verb._typed(int | None) is int
    assert train_verb._typed(Literal["a", "b"] | None) == Literal["a", "b"]
    assert train_verb._typed(dict[str, int]) is str


def test_a_default_is_shown_as_one_would_type_it():
    assert [train_verb._as_typed(value) for value in ((256, 64), (0.5,), "auto", 3.0)] == [
        "256,64",
        "0.5",
        "auto",
        "3.0",
    ]


def test_a_planned_command_says_so(monkeypatch):
    import dataclasses

    planned = dataclasses.replace(next(row for row in CATALOGUE if row.state == "planned"), commands=("later",))
    monkeypatch.setattr("litotes.recipes.catalogue.CATALOGUE", (*CATALOGUE, planned))
    with pytest.raises(LitotesError, match="is planned and does not train yet"):
        find_training_command("later")
