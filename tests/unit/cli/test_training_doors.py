"""How the doors read: judgements as before, tables of examples with labels by their columns."""

import json
from pathlib import Path

import pytest
from pydantic import Field

from litotes.cli.main import main
from litotes.cli.training_doors import door_of, split_names
from litotes.core import Config, RunFolder
from litotes.core.errors import LitotesError
from litotes.recipes.catalogue import CATALOGUE, find
from litotes.recipes.training_command import TrainingCommand

TICKETS = 'body,queue,age\n"the app, it crashes",bug,3\ngive me my money,billing,41\nwhat is a plan,billing,7\n'
CHECKED = "body,queue,age\nit crashed,bug,5\n"


class MadeUpConfig(Config):
    """Options of a recipe that is none."""

    encoder: str = Field("builtin:minilm", description="What embeds the texts.")
    regularization: float = Field(3.0, ge=0, description="Lambda.")


@pytest.fixture
def caught(tmp_path, monkeypatch):
    """What a recipe of the door ``classification`` is called with, and the summary that it leaves."""
    monkeypatch.chdir(tmp_path)
    Path("tickets.csv").write_text(TICKETS)
    Path("checked.csv").write_text(CHECKED)
    calls = []

    def fake(data, config, run, *, dev=None):
        calls.append({"data": data, "config": config, "dev": dev})
        stage = run.stage("train/made-up", verb="train made-up", config={}, fingerprints={}, shards=0)
        if config.regularization == 13:
            raise KeyboardInterrupt
        stage.finish({"epochs": 7, "valid_accuracy": {"best": 0.75, "final": 0.5}, "encoder": "x", "is_good": True})

    command = TrainingCommand("made-up", find("elr"), MadeUpConfig, fake)
    monkeypatch.setattr("litotes.recipes.training_command.find_training_command", lambda name: command)
    monkeypatch.setattr("litotes.cli.train._CatalogueGroup.list_commands", lambda self, ctx: ["made-up"])
    monkeypatch.setattr("litotes.recipes.catalogue.find_command", lambda name: find("elr"))
    return calls


TRAIN = ["train", "made-up", "tickets.csv", "--label", "queue", "--out", "m"]


def test_every_door_is_a_folder_of_the_catalogue():
    doors = {row.door for row in CATALOGUE}
    assert {"retrieval", "classification"} <= doors
    assert door_of("classification") is not door_of("retrieval") is door_of("graph")


def test_names_between_commas():
    assert split_names("a, b,,c") == ["a", "b", "c"] and split_names(None) is None


def test_a_table_with_texts(caught):
    assert main([*TRAIN, "--text", "body", "--valid", "checked.csv", "--encoder", "tiny:bert"]) == 0
    [call] = caught
    assert call["data"].texts[0] == "the app, it crashes" and call["data"].labels == ["bug", "billing", "billing"]
    assert call["data"].features is None and call["config"] == MadeUpConfig(encoder="tiny:bert")
    assert call["dev"].texts == ["it crashed"] and call["dev"].labels == ["bug"]


def test_a_table_with_numbers(caught):
    assert main([*TRAIN, "--valid", "checked.csv"]) == 0
    assert main([*TRAIN[:-1], "m2", "--features", "age"]) == 0
    assert [call["data"].features.tolist() for call in caught] == [[[3], [41], [7]]] * 2
    assert caught[0]["dev"].feature_columns == ("age",) and caught[1]["dev"] is None


def test_the_columns_of_the_validation_table_are_those_of_the_data(caught):
    Path("checked.csv").write_text("other,queue,age\n1,bug,5\n")
    assert main([*TRAIN, "--valid", "checked.csv"]) == 0
    assert caught[0]["dev"].features.tolist() == [[5]]


def test_the_run_remembers_how_the_table_was_read(caught):
    assert main([*TRAIN, "--id-column", "body"]) == 0
    known = RunFolder.open("m", create=False).record["data"]
    assert known["reading"] == {"label": "queue", "text": None, "features": ["age"], "id_column": "body"}
    assert known["source"] == str(Path("tickets.csv").absolute()) and known["parts"] == caught[0]["data"].parts


def test_the_outcome_is_shown(caught, capsys):
    assert main([*TRAIN, "--text", "body"]) == 0
    said = capsys.readouterr().out
    assert "made-up in m:" in said and "Next: litotes predict m new.csv --out answers.csv" in said
    rows = [line.split() for line in said.splitlines()]
    assert ["epochs", "7"] in rows and ["valid", "accuracy", "final", "0.5000"] in rows
    assert "good" not in said
    assert main([*TRAIN, "--text", "body", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["valid_accuracy"] == {"best": 0.75, "final": 0.5}


def test_a_run_that_was_stopped_goes_on_from_anywhere(caught, tmp_path, monkeypatch):
    assert main([*TRAIN, "--text", "body", "--valid", "checked.csv", "--regularization", "13"]) == 130
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["resume", str(tmp_path / "m")]) == 130
    first, again = caught
    assert again["config"] == first["config"] and again["data"].fingerprint == first["data"].fingerprint
    assert again["dev"].fingerprint == first["dev"].fingerprint


def test_another_table_in_the_same_folder_is_refused(caught, capsys):
    assert main([*TRAIN, "--text", "body"]) == 0
    Path("tickets.csv").write_text(TICKETS.replace("crashes,bug", "crashes,billing").replace('s",bug', 's",billing'))
    assert main([*TRAIN, "--text", "body"]) == 2
    Path("tickets.csv").write_text(TICKETS.replace("money,billing", "money,bug"))
    assert main([*TRAIN, "--text", "body"]) == 2
    assert "m is about other data" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--text", "body", "--features", "age"],
            "A model reads texts or numbers: give --text or --features, not both",
        ),
        (["--text", "boddy"], "text='boddy' is not among the columns 'body', 'queue', 'age'. Did you mean 'body'?"),
        (["--text", "body", "--valid", "none.csv"], "none.csv: no such file or folder"),
    ],
)
def test_what_is_refused(caught, words, said, capsys):
    assert main([*TRAIN, *words]) == 2
    assert said in capsys.readouterr().err
    assert not caught and not Path("m").exists()


def test_labels_that_nobody_can_learn_from(caught, capsys):
    Path("checked.csv").write_text("body,queue\nhello,biling\n")
    assert main([*TRAIN, "--text", "body", "--valid", "checked.csv"]) == 2
    assert "checked.csv:2: the label 'biling' is none of the 2 classes of tickets.csv" in capsys.readouterr().err
    Path("tickets.csv").write_text("body,queue\nhello,bug\nbye,bug\n")
    assert main([*TRAIN, "--text", "body"]) == 2
    assert "tickets.csv: every row has the label 'bug'. Expected two classes at least." in capsys.readouterr().err


def test_a_missing_label_names_its_line(caught, capsys):
    Path("tickets.csv").write_text(TICKETS + "hello,,3\n")
    assert main([*TRAIN, "--text", "body"]) == 2
    assert "tickets.csv:5: the column 'queue' is empty. Expected the label of the row." in capsys.readouterr().err
    assert main([*TRAIN, "--text", "body", "--skip-bad-lines"]) == 0
    assert len(caught[0]["data"]) == 3


def test_the_label_must_be_named(caught, capsys):
    assert main(["train", "made-up", "tickets.csv", "--out", "m"]) == 2
    assert "Missing option '--label'" in capsys.readouterr().err


def test_help_has_the_options_of_the_door(caught, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["train", "made-up", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for option in ("--text", "--label", "--features", "--valid", "--encoder", "--regularization", "--skip-bad-lines"):
        assert option in said
    assert "--candidates" not in said and "--query-column" not in said
    assert "Example: litotes train made-up tickets.csv --text body --label queue --valid checked.csv --out" in said


def test_a_run_about_a_table_has_no_judgements_to_read_again(caught, tmp_path):
    from litotes.cli.run_record import reload_data

    assert main([*TRAIN, "--text", "body"]) == 0
    with pytest.raises(LitotesError, match="m: is about .*tickets.csv, a table of examples with labels. This verb"):
        reload_data(RunFolder.open("m", create=False))
