"""Auditing labels: what comes back, what lies in the folder, going on after a stop, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest

import litotes
from litotes.auditing import label_audit as module
from litotes.auditing.label_audit import audit_labels, label_audit
from litotes.auditing.label_detectors import LabelScores, NeighbourDetector
from litotes.auditing.label_inputs import read_inputs
from litotes.core.errors import LitotesError, StaleError
from litotes.core.files import read_json
from tests.unit.auditing.label_data import WRONG, embed, frame, rows

QUICK = {"label": "queue", "text": "body", "encoder": embed, "by": "neighbours:n_neighbors=5"}


class Known:
    """A detector of somebody else's, which knows what is wrong."""

    name = "known"
    needs_features = False
    calls = 0

    def scores(self, features, labels, *, n_classes, seed=0):
        type(self).calls += 1
        assert features is None
        shares = np.full((len(labels), n_classes), 0.05)
        for row, label in enumerate(labels):
            shares[row, (label + 1) % n_classes if row in WRONG else label] = 1 - 0.05 * (n_classes - 1)
        return LabelScores.of_shares(shares, labels)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One audit by the default combination."""
    out = tmp_path_factory.mktemp("made") / "audit"
    return out, audit_labels(frame(), label="queue", text="body", encoder=embed, out=out)


def test_the_frame_that_comes_back_stands_on_the_index_of_the_data(made):
    found = made[1]
    assert found.columns.tolist() == ["is_label_issue", "label_score", "given_label", "predicted_label", "reason"]
    assert found.index.equals(frame().index)
    assert np.flatnonzero(found["is_label_issue"]).tolist() == list(WRONG)
    truth = rows()[1]
    assert found["predicted_label"].iloc[list(WRONG)].tolist() == [truth[row] for row in WRONG]
    assert found["given_label"].tolist() == frame()["queue"].tolist()
    assert set(np.argsort(found["label_score"].to_numpy())[:3]) == set(WRONG)
    assert frame().join(found).shape == (36, 8)


def test_what_lies_in_the_folder(made):
    out, found = made
    facts = read_json(out / "report.json")
    assert facts["audit"] == "labels" and facts["issues"] == 3 and facts["settings"]["by"] == list(module.DEFAULT)
    assert {"report.html", "run.json", "noise-matrix.csv"} < {path.name for path in out.iterdir()}
    listed = pd.read_csv(out / "label-issues.csv")
    assert listed["label_score"].is_monotonic_increasing and len(listed) == 36
    assert set(listed["id"][:3]) == set(WRONG)
    assert listed["label_score"][0] == pytest.approx(found["label_score"].min(), abs=1e-4)
    assert listed["against"][0].count("pandas.DataFrame:") == 3
    lines = [json.loads(line) for line in (out / "label-issues.jsonl").read_text().splitlines()]
    assert [line["key"] for line in lines] == listed["key"].tolist()
    matrix = pd.read_csv(out / "noise-matrix.csv")
    assert matrix["rows"].sum() == 3 and matrix.columns.tolist() == ["given_label", "predicted_label", "rows", "share"]


def test_the_page_is_whole_and_escapes(made, tmp_path):
    page = (made[0] / "report.html").read_text()
    assert "Of 36 labels 3 (8.3%) look wrong." in page and 'class="heat"' in page
    assert "<script" not in page and 'src="' not in page and "http" not in page
    bad = frame()
    bad.iloc[3, 0] += " <script>alert(1)</script>"
    audit_labels(bad, **QUICK, out=tmp_path / "audit")
    page = (tmp_path / "audit" / "report.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page


def test_labels_that_are_numbers_come_back_as_numbers():
    data = pd.DataFrame({"x": [0.0, 0.1, 5.0, 5.1, 0.2], "y": [2, 2, 10, 10, 10]})
    found = audit_labels(data, label="y", by="neighbours:n_neighbors=2")
    assert found["given_label"].tolist() == [2, 2, 10, 10, 10] and found["predicted_label"].iloc[4] == 2


def test_probabilities_alone():
    given = np.full((36, 3), 0.1)
    given[np.arange(36), [["fruit", "sea", "sky"].index(name) for name in rows()[1]]] = 0.8
    found = audit_labels(frame()[["queue"]], label="queue", pred_probs=given)
    assert np.flatnonzero(found["is_label_issue"]).tolist() == list(WRONG)
    assert found["reason"].iloc[3].startswith("looks like 'fruit': the model gives 0.80 to 'fruit' and 0.10 to 'sea'")


def test_a_clean_reference_is_asked():
    texts, truth = rows()
    clean = pd.DataFrame({"body": [f"{text} again" for text in texts], "queue": truth})
    found = audit_labels(frame(), **QUICK, reference=clean)
    assert np.flatnonzero(found["is_label_issue"]).tolist() == list(WRONG)
    with pytest.raises(LitotesError, match="A reference is given and no detector asks it. Add by='neighbours'"):
        audit_labels(frame(), **{**QUICK, "by": "pred-probs"}, reference=clean)


def test_a_detector_of_ones_own():
    found = audit_labels(frame(), **{**QUICK, "by": [Known(), NeighbourDetector(5)]})
    assert set(np.argsort(found["label_score"].to_numpy())[:3]) == set(WRONG)
    assert "known 0.90 to" in found["reason"].iloc[3] and "the nearest rows give" in found["reason"].iloc[3]
    alone = audit_labels(frame(), **{**QUICK, "by": Known()})
    assert np.flatnonzero(alone["is_label_issue"]).tolist() == list(WRONG)


def test_scores_that_are_none_are_refused():
    class Broken(Known):
        def scores(self, features, labels, **_):
            return LabelScores(np.full(36, 2.0), np.zeros(36, dtype=int), np.zeros((36, 3)))

    with pytest.raises(LitotesError, match=r"The detector 'known' must give a score in \[0, 1\]"):
        audit_labels(frame(), **{**QUICK, "by": Broken()})


def test_what_was_scored_is_kept_and_a_stopped_audit_goes_on(tmp_path, monkeypatch):
    inputs = read_inputs(frame(), label="queue", text="body")
    calls = []
    scores = NeighbourDetector.scores

    def counted(self, *words, **more):
        calls.append(self.name)
        if self.name == "second" and len(calls) == 2:
            raise KeyboardInterrupt
        return scores(self, *words, **more)

    monkeypatch.setattr(NeighbourDetector, "scores", counted)
    by = ["neighbours:name=first", "neighbours:n_neighbors=3,name=second"]
    with pytest.raises(KeyboardInterrupt):
        label_audit(inputs, embed, by=by, out=tmp_path / "audit")
    assert not (tmp_path / "audit" / "report.json").exists()
    again = label_audit(inputs, embed, by=by, out=tmp_path / "audit")
    assert calls == ["first", "second", "second"]
    whole = label_audit(inputs, embed, by=by, out=tmp_path / "other")
    for name in ("label-issues.csv", "label-issues.jsonl", "noise-matrix.csv", "conflicting-duplicates.csv"):
        assert (tmp_path / "audit" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    np.testing.assert_array_equal(again.ranking.score, whole.ranking.score)


def test_an_audit_of_other_labels_is_refused(tmp_path):
    audit_labels(frame(), **QUICK, out=tmp_path / "audit")
    other = frame()
    other.iloc[0, 1] = "sky"
    with pytest.raises(StaleError, match="labels differ"):
        audit_labels(other, **QUICK, out=tmp_path / "audit")
    with pytest.raises(StaleError, match="seed differs"):
        audit_labels(frame(), **QUICK, out=tmp_path / "audit", seed=1)


def test_detectors_that_nobody_can_tell_apart_are_asked_again(tmp_path):
    before = Known.calls
    for _ in range(2):
        audit_labels(frame(), **{**QUICK, "by": Known()}, out=tmp_path / "audit")
    assert Known.calls == before + 2


def test_wrong_words_are_refused(tmp_path):
    for more, says in [
        ({"by": []}, "must name one detector at least"),
        ({"by": ["neighbours", "neighbours:n_neighbors=3"]}, "Two detectors are called 'neighbours'. Add name=ANOTHER"),
        ({"top": 0}, "The 'top' parameter of audit_labels must be an int"),
        ({"seed": -1}, "The 'seed' parameter of audit_labels must be an int"),
    ]:
        with pytest.raises(LitotesError, match=says):
            audit_labels(frame(), **{**QUICK, **more})
    with pytest.raises(LitotesError, match="The detector 'elr' needs texts or numbers. Name their columns"):
        audit_labels(frame()[["queue"]], label="queue", pred_probs=np.full((36, 3), 1 / 3), by="elr")
    frame().to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(LitotesError, match=r"is the folder of the data, .*t.csv. Name a folder of its own"):
        audit_labels(tmp_path / "t.csv", **QUICK, out=tmp_path)
    assert not (tmp_path / "run.json").exists()


def test_a_file_comes_back_on_its_positions_or_ids(tmp_path):
    frame().to_csv(tmp_path / "t.csv", index_label="name")
    found = audit_labels(tmp_path / "t.csv", **QUICK)
    assert found.index.tolist() == list(range(36))
    assert audit_labels(tmp_path / "t.csv", **QUICK, id_column="name").index.tolist() == frame().index.tolist()


def test_the_public_name():
    assert litotes.audit_labels is audit_labels
