"""The data scientist's walk-through on a small table: train on labels of which some are wrong, stop, go on, predict."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import litotes
from litotes.cli.main import main
from litotes.core import RunFolder
from litotes.data import LabelledTable, symmetric_noise, write_labelled_table
from litotes.training.rounds import Rounds

WORDS = {"billing": ["invoice", "refund", "charged twice"], "bug": ["crash", "error 500", "it freezes"]}
QUICK = ["--encoder", "tiny:bert", "--num-train-epochs", "4", "--device", "cpu"]
TRAIN = ["train", "elr", "tickets.csv", "--text", "body", "--label", "queue", "--valid", "checked.csv", *QUICK]


def write_tickets(name, rows, rate=0.0, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=rows)
    classes = sorted(WORDS)
    texts = [f"{rng.choice(WORDS[classes[label]])}, ticket {row}" for row, label in enumerate(truth)]
    given = symmetric_noise(truth, rate, seed=seed).labels
    with open(name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["body", "queue", "hour"])
        writer.writerows(
            (text, classes[label], row % 24) for row, (text, label) in enumerate(zip(texts, given, strict=True))
        )


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with tables, and a model that was trained on them without being stopped."""
    folder = tmp_path_factory.mktemp("tickets")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_tickets("tickets.csv", 60, rate=0.2)
        write_tickets("checked.csv", 20, seed=1)
        write_tickets("new.csv", 30, seed=2)
        assert main([*TRAIN, "--out", "whole"]) == 0
    return folder


@pytest.fixture(autouse=True)
def here(work, monkeypatch):
    monkeypatch.chdir(work)


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def weights(folder):
    files = sorted(Path(folder).rglob("*.safetensors"))
    assert files
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_the_answers_stand_beside_the_rows(capsys):
    assert main(["predict", "whole", "new.csv", "--proba", "--out", "answers.csv", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    rows = rows_of("answers.csv")
    assert facts["rows"] == len(rows) == 30 and sum(facts["labels"].values()) == 30
    assert list(rows[0]) == ["body", "queue", "hour", "predicted_label", "proba.billing", "proba.bug"]
    for row in rows:
        shares = {name: float(row[f"proba.{name}"]) for name in WORDS}
        assert sum(shares.values()) == pytest.approx(1) and row["predicted_label"] == max(shares, key=shares.get)


def test_python_gives_the_same_answers():
    assert main(["predict", "whole", "new.csv", "--out", "again.csv"]) == 0
    rows = rows_of("again.csv")
    model = litotes.load_model("whole")
    assert model.predict([row["body"] for row in rows]).tolist() == [row["predicted_label"] for row in rows]


def test_stopped_and_resumed_is_never_stopped(monkeypatch, capsys, work):
    steps, original = [], Rounds._update

    def stopping(self, group):
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return original(self, group)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rounds, "_update", stopping)
        assert main([*TRAIN, "--out", "stopped"]) == 130
        assert "go on with: litotes resume stopped" in capsys.readouterr().err
    monkeypatch.chdir("/")
    assert main(["predict", str(work / "stopped"), str(work / "new.csv"), "--out", str(work / "none.csv")]) == 2
    assert "its training is not finished. Go on with: litotes resume" in capsys.readouterr().err
    assert main(["resume", str(work / "stopped")]) == 0
    assert weights(work / "stopped") == weights(work / "whole")
    assert RunFolder.open(work / "stopped", create=False).unfinished() == []


def test_numbers_instead_of_texts():
    table = LabelledTable.from_arrays(["a", "b"] * 20, features=np.arange(80).reshape(40, 2) % 7)
    columns = {"x": table.features[:, 0].tolist(), "y": table.features[:, 1].tolist()}
    write_labelled_table("numbers.jsonl", table, extra=columns)
    words = ["train", "elr", "numbers.jsonl", "--label", "label", "--num-train-epochs", "2", "--out", "numbers"]
    assert main(words) == 0
    assert main(["predict", "numbers", "numbers.jsonl", "--out", "numbers.csv"]) == 0
    assert {row["predicted_label"] for row in rows_of("numbers.csv")} <= {"a", "b"}


def test_a_pipeline_of_an_encoder_and_a_classifier():
    from sklearn.pipeline import make_pipeline

    rows = rows_of("tickets.csv")
    model = make_pipeline(
        litotes.TextEncoder("tiny:bert"),
        litotes.ELRClassifier(regularization=3.0, target_momentum=0.7, num_train_epochs=3, random_state=0),
    ).fit([row["body"] for row in rows], [row["queue"] for row in rows])
    assert set(model.predict(["refund", "it freezes"])) <= set(WORDS)
