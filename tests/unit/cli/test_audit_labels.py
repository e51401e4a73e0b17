"""``litotes audit labels`` and its review: what is printed and written, what is refused, and going on after a stop."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from litotes.auditing.label_detectors import NeighbourDetector
from litotes.cli.main import main
from litotes.core.files import read_json
from litotes.models.vector_folder import save_vectors
from tests.unit.auditing.label_data import WRONG, embed, frame, rows


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A table and ready vectors by its ids, so that nothing has to be embedded."""
    monkeypatch.chdir(tmp_path)
    frame().to_csv("tickets.csv", index_label="name")
    ids, texts = frame().index.tolist(), frame()["body"].tolist()
    save_vectors(Path("vectors"), ids[:1], embed(texts[:1]), ids, embed(texts))
    return tmp_path


AUDIT = ["audit", "labels", "tickets.csv", "--text", "body", "--label", "queue", "--id-column", "name"]
AUDIT += ["--encoder", "vectors:vectors", "--by", "neighbours:n_neighbors=5", "--out", "audit"]


def asked(capsys, *words):
    capsys.readouterr()
    code = main([*words, "--json"])
    said = capsys.readouterr()
    assert code == 0, said.err
    return json.loads(said.out)


def refused(capsys, *words, code=2):
    capsys.readouterr()
    assert main(list(words)) == code
    said = capsys.readouterr()
    assert said.out == "" and "Traceback" not in said.err
    return said.err.splitlines()[-1]


def review(verdicts, name="reviewed.csv"):
    """The list with verdicts filled in, by id."""
    with open("audit/label-issues.csv", newline="") as file:
        listed = list(csv.DictReader(file))
    for row in listed:
        row["verdict"] = verdicts.get(row["id"], "")
    with open(name, "w", newline="") as file:
        writer = csv.DictWriter(file, listed[0])
        writer.writeheader()
        writer.writerows(listed)
    return name


def test_lists_report_and_answer(capsys):
    found = asked(capsys, *AUDIT)
    assert (found["verb"], found["rows"], found["issues"]) == ("audit labels", 36, 3)
    assert found["lists"] == {
        "label-issues": {"ordered": 36, "rows": 36},
        "conflicting-duplicates": {"found": 0, "rows": 0},
    }
    assert sum(pair["rows"] for pair in found["noise_pairs"]) == 3 and Path(found["page"]).exists()
    with open("audit/label-issues.csv", newline="") as file:
        listed = list(csv.DictReader(file))
    assert {row["id"] for row in listed[:3]} == {f"t{row}" for row in WRONG}
    assert {"is_label_issue", "label_score", "given_label", "predicted_label", "reason"} < set(listed[0])
    assert listed[0]["is_label_issue"] == "True"


def test_what_people_read(capsys):
    assert main(AUDIT) == 0
    said = capsys.readouterr().out
    assert "tickets: 3 of 36 labels look wrong (8.3%), by neighbours." in said
    assert "Suspected labels" in said and "Open audit/report.html" in said
    assert "litotes audit apply audit REVIEWED.csv --out CLEANED" in said


def test_from_audit_to_new_table(capsys):
    assert main(AUDIT) == 0
    file = review({"t3": "wrong", "t17": "drop", "t0": "right"})
    found = asked(capsys, "audit", "apply", "audit", file, "--out", "cleaned")
    assert (found["changes"], found["dropped"], found["confirmed"], found["rows"]) == (2, 1, 1, 35)
    with open("cleaned/tickets.csv", newline="") as new:
        labels = {row["name"]: row["queue"] for row in csv.DictReader(new)}
    assert labels["t3"] == "fruit" and "t17" not in labels and len(labels) == 35
    assert len(Path("cleaned/history.jsonl").read_text().splitlines()) == 3


def test_what_people_read_of_a_review(capsys):
    assert main(AUDIT) == 0
    capsys.readouterr()
    assert main(["audit", "apply", "audit", review({"t3": "wrong", "t17": "drop"}), "--out", "cleaned"]) == 0
    said = capsys.readouterr().out
    assert "cleaned/tickets.csv: 2 verdicts, 1 labels changed, 1 rows left out, 0 confirmed; 35 rows now." in said


def test_a_table_that_moved(capsys):
    assert main(AUDIT) == 0
    file = review({"t3": "wrong"})
    Path("tickets.csv").rename("moved.csv")
    assert "is not there any more. Say where it is with --data" in refused(
        capsys, "audit", "apply", "audit", file, "--out", "cleaned"
    )
    assert asked(capsys, "audit", "apply", "audit", file, "--out", "cleaned", "--data", "moved.csv")["changes"] == 1
    Path("moved.csv").write_text(Path("moved.csv").read_text().replace("t0,", "t99,"))
    words = refused(capsys, "audit", "apply", "audit", file, "--out", "other", "--data", "moved.csv")
    assert "not the table that audit was made from: the ids differ" in words


def test_a_stopped_audit_goes_on(capsys, monkeypatch):
    scores, calls = NeighbourDetector.scores, []

    def stopped(self, *words, **more):
        calls.append(self.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return scores(self, *words, **more)

    monkeypatch.setattr(NeighbourDetector, "scores", stopped)
    assert main([*AUDIT, "--by", "neighbours:name=second"]) == 130
    assert "litotes resume" in capsys.readouterr().err
    assert not Path("audit/report.json").exists()
    assert main(["resume", "audit"]) == 0
    assert calls == ["neighbours", "second", "second"]
    assert read_json("audit/report.json")["settings"]["by"] == ["neighbours", "second"]
    assert "nothing to resume" in capsys.readouterr().out or main(["resume", "audit"]) == 0


def test_own_probabilities_without_texts(capsys):
    given = np.full((36, 3), 0.1)
    given[np.arange(36), [["fruit", "sea", "sky"].index(name) for name in rows()[1]]] = 0.8
    np.save("p.npy", given)
    words = ["audit", "labels", "tickets.csv", "--label", "queue", "--pred-probs", "p.npy", "--out", "audit"]
    assert asked(capsys, *words)["issues"] == 3
    file = review({"3": "wrong"})
    assert asked(capsys, "audit", "apply", "audit", file, "--out", "cleaned")["changes"] == 1
    np.save("p.npy", given / 2)
    assert "row 0 (from 0) sums to 0.5, not to 1" in refused(capsys, *words[:-1], "other")
    assert not Path("other").exists()


def test_mistakes_are_one_sentence_and_leave_no_trace(capsys):
    plain = [*AUDIT[:-1], "new"]
    assert "text='boddy' is not among the columns" in refused(
        capsys, *[("boddy" if word == "body" else word) for word in plain]
    )
    assert "Did you mean 'neighbours'" in refused(capsys, *plain, "--by", "neighbors")
    assert "--encoder vectors:vectors embeds texts" in refused(
        capsys, "audit", "labels", "tickets.csv", "--label", "queue", "--encoder", "vectors:vectors", "--out", "new"
    )
    frame().iloc[:4].to_csv("clean.csv", index_label="name")
    assert "The reference overlaps the data" in refused(capsys, *plain, "--reference", "clean.csv")
    assert not Path("new").exists()


def test_other_data_in_one_folder_is_refused(capsys):
    assert main(AUDIT) == 0
    text = Path("tickets.csv").read_text()
    Path("tickets.csv").write_text(text.replace(",fruit,0", ",sky,0"))
    assert "audit is about other data" in refused(capsys, *AUDIT)
