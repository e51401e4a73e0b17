"""``litotes predict``: every row of a table gets its class, by the columns that the model was trained on."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from litotes.cli.main import main
from litotes.core import RunFolder
from litotes.models import TextEncoder

NEW = 'body,age,note\n"aa, a",1,x\nbb,9,"y, z"\nab,5,\n'


class Counter:
    """Tells ``a`` from ``b`` by the letters of a text, or by whether a number is small."""

    classes_ = np.array(["a", "b"])

    def predict_proba(self, rows):
        shares = [
            row.count("a") / (row.count("a") + row.count("b")) if isinstance(row, str) else row[0] / 10 for row in rows
        ]
        return np.stack([shares, 1 - np.array(shares)], axis=1)

    def predict(self, rows):
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A model that was trained on texts (``model("text", "body")``) or numbers, and a table of new rows."""
    monkeypatch.chdir(tmp_path)
    Path("new.csv").write_text(NEW)
    loaded = []

    def load_model(folder, device="auto"):
        loaded.append((folder, device))
        return Counter()

    monkeypatch.setattr("litotes.recipes.load_model.load_model", load_model)

    def make(**columns):
        run = RunFolder.open("m")
        reading = {"label": "queue", "text": None, "features": None, "id_column": None, **columns}
        run.record["data"] = {"source": "tickets.csv", "reading": reading, "parts": {}}
        run.save()
        return loaded

    return make


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_texts(model, capsys):
    model(text="body")
    assert main(["predict", "m", "new.csv", "--out", "answers.csv"]) == 0
    rows = rows_of("answers.csv")
    assert [row["predicted_label"] for row in rows] == ["a", "b", "a"]
    assert [list(row) for row in rows] == [["body", "age", "note", "predicted_label"]] * 3
    assert rows[0]["body"] == "aa, a" and rows[1]["note"] == "y, z"
    assert "answers.csv: 3 rows:" in capsys.readouterr().out


def test_probabilities(model):
    model(text="body")
    assert main(["predict", "m", "new.csv", "--proba", "--out", "answers.csv"]) == 0
    rows = rows_of("answers.csv")
    assert [(row["proba.a"], row["proba.b"]) for row in rows] == [("1.0", "0.0"), ("0.0", "1.0"), ("0.5", "0.5")]


def test_numbers(model):
    loaded = model(features=["age"])
    assert main(["predict", "m", "new.csv", "--device", "cpu", "--out", "answers.jsonl"]) == 0
    rows = [json.loads(line) for line in Path("answers.jsonl").read_text().splitlines()]
    assert [row["predicted_label"] for row in rows] == ["b", "a", "a"] and loaded == [("m", "cpu")]


def test_the_encoder_of_texts_works_as_asked(model, monkeypatch):
    from sklearn.pipeline import Pipeline

    model(text="body")
    encoder = TextEncoder("tiny:bert", batch_size=7)
    pipeline = Pipeline([("encoder", encoder), ("classifier", Counter())])
    monkeypatch.setattr(pipeline, "predict", Counter().predict, raising=False)
    monkeypatch.setattr("litotes.recipes.load_model.load_model", lambda folder, device: pipeline)
    assert main(["predict", "m", "new.csv", "--out", "a.csv"]) == 0
    assert (encoder.batch_size, encoder.dtype) == (7, "auto")
    assert main(["predict", "m", "new.csv", "--batch-size", "2", "--dtype", "bfloat16", "--out", "a.csv"]) == 0
    assert (encoder.batch_size, encoder.dtype) == (2, "bfloat16")


def test_columns_may_have_other_names_now(model):
    model(text="text")
    assert main(["predict", "m", "new.csv", "--out", "answers.csv"]) == 2
    assert main(["predict", "m", "new.csv", "--text", "body", "--out", "answers.csv"]) == 0
    model(features=["x"])
    assert main(["predict", "m", "new.csv", "--features", "age", "--out", "answers.csv"]) == 0


def test_json(model, capsys):
    model(text="body")
    assert main(["predict", "m", "new.csv", "--out", "answers.csv", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts == {
        "verb": "predict",
        "model": "m",
        "table": "new.csv",
        "out": "answers.csv",
        "rows": 3,
        "labels": {"a": 2, "b": 1},
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "answers.xlsx"], "answers.xlsx: the ending says how a table is written"),
        (["--out", "a.csv", "--text", "body", "--features", "age"], "give --text or --features, not both"),
        (["--out", "a.csv", "--text", "boddy"], "text='boddy' is not among the columns 'body'"),
    ],
)
def test_what_is_refused_before_the_model_is_loaded(model, words, said, capsys):
    loaded = model(text="body")
    assert main(["predict", "m", "new.csv", *words]) == 2
    assert said in capsys.readouterr().err and not loaded


def test_a_missing_text_names_its_line(model, capsys):
    model(text="note")
    assert main(["predict", "m", "new.csv", "--out", "a.csv"]) == 2
    assert "new.csv:4: the column 'note' is empty. Expected a text." in capsys.readouterr().err
    Path("new.csv").write_text(NEW.replace("note", "n").replace("bb,9", ",9"))
    model(text="body")
    assert main(["predict", "m", "new.csv", "--skip-bad-lines", "--out", "a.csv"]) == 0
    assert [row["body"] for row in rows_of("a.csv")] == ["aa, a", "ab"]
    assert "1 skipped lines" in capsys.readouterr().err


def test_a_column_of_answers_that_is_there_already(model, capsys):
    model(text="body")
    Path("new.csv").write_text(NEW.replace("note", "predicted_label"))
    assert main(["predict", "m", "new.csv", "--out", "a.csv"]) == 2
    assert "new.csv: has a column 'predicted_label' already, which is for the answers" in capsys.readouterr().err


def test_a_model_that_does_not_say_what_it_was_trained_on(model, capsys):
    model()
    assert main(["predict", "m", "new.csv", "--out", "a.csv"]) == 2
    assert "m: does not say which columns it was trained on. Name them with --text or" in capsys.readouterr().err


def test_what_is_no_classifier(model, capsys, monkeypatch):
    model(text="body")
    monkeypatch.setattr("litotes.recipes.load_model.load_model", lambda folder, device: object())
    assert main(["predict", "m", "new.csv", "--out", "a.csv"]) == 2
    assert "m: a object, which tells no classes apart." in capsys.readouterr().err
    assert main(["predict", "nowhere", "new.csv", "--out", "a.csv"]) == 2
    assert "nowhere: not a run folder (no run.json)" in capsys.readouterr().err
