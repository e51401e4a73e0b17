"""``litotes audit``: what it prints and writes, what it accepts, what it refuses, and going on after a stop."""

import csv
import json
from pathlib import Path

import pytest

from litotes.cli.main import main
from litotes.core.files import read_json
from litotes.data import load
from litotes.data.beir import write_beir
from litotes.models.vector_folder import save_vectors
from tests.unit.auditing.audit_data import library, word_vectors

LISTS = ["false-negatives", "false-positives", "near-duplicates", "text-twins"]
LISTS += ["unanswerable-queries", "indistinct-queries"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with data of two splits and ready vectors, so that nothing has to be embedded."""
    monkeypatch.chdir(tmp_path)
    train = library("train")
    train = train.with_labels(train.labels.with_cells([0], [4], [0.0]))  # one judgement more than in test
    write_beir("data", {"test": library(), "train": train})
    _write_vectors(Path("vectors"))
    return tmp_path


def _write_vectors(folder):
    data = library()
    sides = []
    for contents in (data.rows, data.cols):
        there = {name: text for name, text in zip(contents.ids, contents.texts, strict=True) if text is not None}
        sides += [list(there), word_vectors(list(there.values()))]
    save_vectors(folder, *sides)


DATA = ["data/corpus.jsonl", "data/qrels/test.tsv", "data/qrels/train.tsv", "data/queries.jsonl"]
AUDIT = ["audit", "retrieval", "data", "--encoder", "vectors:vectors", "--reach", "2", "--top", "10", "--out", "audit"]


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


def review(verdicts, name="reviewed.csv", source="audit/false-negatives.csv"):
    """The list with verdicts filled in, by document."""
    with open(source, newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["verdict"] = verdicts.get((row["query_id"], row["document_id"]), "")
    with open(name, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return name


def test_lists_report_and_answer(capsys):
    found = asked(capsys, *AUDIT)
    assert found["verb"] == "audit retrieval" and list(found["lists"]) == LISTS
    assert found["lists"]["false-positives"] == {"found": 1, "rows": 1}
    suspects = found["lists"]["false-negatives"]
    assert set(suspects) == {"ordered", "rows"} and suspects["ordered"] >= suspects["rows"]
    assert "labelled positives" in found["pooling"]["says"]
    made = {path.name for path in Path("audit").iterdir()}
    assert {"report.html", "report.json", "review.qrels.tsv", "run.json"} <= made
    assert {f"{name}.{ending}" for name in LISTS for ending in ("csv", "jsonl")} <= made
    assert Path(found["page"]).exists()


def test_what_people_read(capsys):
    assert main(AUDIT) == 0
    said = capsys.readouterr().out
    assert "data, split test" in said and "Suspected false positives" in said
    assert "Open audit/report.html" in said
    (suspects,) = [line for line in said.splitlines() if line.startswith("Suspected false negatives")]
    (wrong,) = [line for line in said.splitlines() if line.startswith("Suspected false positives")]
    assert " ordered " in suspects and " found " in wrong
    assert "looked at and put in order" in Path("audit/report.html").read_text()
    assert "litotes audit apply audit REVIEWED.csv --out CLEANED" in said


def test_from_audit_to_new_data(capsys):
    assert main(AUDIT) == 0
    file = review({("about-apples", "apple-twin"): "duplicate", ("about-oceans", "tide"): "Not Relevant"})
    found = asked(capsys, "audit", "apply", "audit", file, "--out", "cleaned")
    assert (found["changes"], found["confirmed"], found["judgements"]) == (2, 0, 10)
    assert found["verdicts"] == {"false-negatives": {"duplicate": 1, "not relevant": 1}}
    data = load("cleaned", split="test")
    assert data.labels.grades_at([data.row_ids.index("about-oceans")], [data.col_ids.index("tide")])[0] == 0
    lines = [json.loads(line) for line in Path(found["history"]).read_text().splitlines()]
    assert [line["document_id"] for line in lines] == ["apple-twin", "tide"]
    assert asked(capsys, "audit", "apply", "audit", file, "--out", "cleaned")["changes"] == 0
    assert main(["audit", "retrieval", "cleaned", *AUDIT[3:-1], "audit2"]) == 0


def test_the_other_splits_come_along(capsys):
    assert main([*AUDIT, "--split", "train"]) == 0
    found = asked(
        capsys, "audit", "apply", "audit", review({("about-apples", "apple-twin"): "relevant"}), "--out", "new"
    )
    assert found["changes"] == 1
    assert Path("new/qrels/test.tsv").read_bytes() == Path("data/qrels/test.tsv").read_bytes()
    assert len(load("new", split="train").labels) == 10


def test_data_that_moved_is_named(capsys):
    assert main(AUDIT) == 0
    Path("data").rename("elsewhere")
    file = review({("about-apples", "apple-twin"): "relevant"})
    said = refused(capsys, "audit", "apply", "audit", file, "--out", "new")
    assert "Say where it is with --data PATH" in said
    assert asked(capsys, "audit", "apply", "audit", file, "--out", "new", "--data", "elsewhere")["changes"] == 1


def test_further_judges_may_be_several(capsys):
    by = ["--by", "margin:scorer=bm25,name=by-words", "--by", "document:ngram=1,calibration=none,name=loose"]
    assert main([*AUDIT, *by]) == 0
    with open("audit/false-negatives.csv", newline="") as file:
        assert {"by-words", "loose"} <= set(next(csv.reader(file)))


def test_a_stopped_audit_is_resumed_with_its_options_and_gives_the_same_bytes(capsys, monkeypatch):
    def contents(folder):
        skipped = ("run.json", "log.jsonl", "report.html", "report.json")  # which name the folder, or the time
        paths = [path for path in sorted(Path(folder).rglob("*")) if path.is_file() and path.name not in skipped]
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}

    options = [*AUDIT[:-1], "whole", "--limit", "7", "--by", "margin:scorer=bm25"]
    assert main(options) == 0
    options[options.index("whole")] = "stopped"

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("litotes.auditing.evidence.Evidence.table", stop)
        assert main(options) == 130
    assert "litotes resume" in capsys.readouterr().err
    assert not Path("stopped/report.html").exists()
    assert main(["resume", "stopped"]) == 0
    assert contents("stopped") == contents("whole")
    assert read_json("stopped/run.json")["commands"][-1]["done"]
    Path("stopped/evidence/cells/0000.parquet").write_bytes(b"damaged")
    assert main(["resume", "stopped"]) == 0
    assert contents("stopped") == contents("whole")


def test_every_verb_of_the_group_is_helpful(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    for verb in ("retrieval", "apply"):
        assert main(["audit", verb, "--help"]) == 0
        said = capsys.readouterr().out
        assert f"Example: litotes audit {verb}" in said and "--json" in said and "--seed" in said
    assert main(["audit"]) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--split", "dev"], "no split 'dev'. Splits there: test, train."),
        (["--near", "2"], "The 'near' parameter of audit_retrieval"),
        (["--depth", "20"], "The 'depth' parameter of audit_retrieval must be at most top"),
        (["--by", "oracle"], "The 'kind' parameter of --by must be one of"),
        (["--by", "margin:scorer=bm25,name=dense"], "'dense' is the name of a column of every list of suspects"),
        (["--by", "document"], "'document' is the name of a column of every list of suspects"),
        (["--out", "data/audit"], "data/audit lies in the folder of the data, data. Name a folder of its own."),
        (["--out", "data"], "data is the folder of the data, data."),
        (["--by", "cross-encoder:model=./nowhere"], "The cross-encoder './nowhere' is a folder that does not exist."),
        (["--encoder", "./nowhere"], "nowhere"),
        (["--top", "0"], "See: litotes audit retrieval --help"),
    ],
)
def test_wrong_options_leave_no_folder(capsys, words, said):
    assert said in refused(capsys, *AUDIT, *words)
    assert not Path("audit/report.html").exists()
    assert sorted(map(str, Path("data").rglob("*.*"))) == DATA
    assert main(AUDIT) == 0  # nothing stands in the way


def test_wrong_data_is_refused(capsys):
    assert "no such file or folder" in refused(capsys, "audit", "retrieval", "nowhere", "--out", "audit")
    assert main(AUDIT) == 0
    said = refused(capsys, *AUDIT, "--split", "train")
    assert "audit is about other data" in said and "split test there, train here" in said
    assert "Missing option '--out'" in refused(capsys, "audit", "retrieval", "data")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", "r.csv"], "nowhere: not a finished audit"),
        (["data", "r.csv"], "litotes audit retrieval DATA --out data"),
        (["audit", "nowhere.csv"], "nowhere.csv: no such file"),
        (["audit", "r.csv"], "r.csv:3: the verdict 'maybe' is unknown"),
    ],
)
def test_wrong_reviews_are_refused(capsys, words, said):
    assert main(AUDIT) == 0
    keys = [line.split(",")[0] for line in Path("audit/false-negatives.csv").read_text().splitlines()[1:]]
    Path("r.csv").write_text(f"key,verdict\n{keys[0]},relevant\n{keys[1]},maybe\n")
    assert said in refused(capsys, "audit", "apply", *words, "--out", "cleaned")
    assert not Path("cleaned").exists()


def test_a_review_without_a_verdict_is_refused(capsys):
    assert main(AUDIT) == 0
    said = refused(capsys, "audit", "apply", "audit", "audit/false-negatives.csv", "--out", "cleaned")
    assert "No row of audit/false-negatives.csv has a verdict" in said and not Path("cleaned").exists()


def test_a_list_that_was_cut_since_its_review_is_told(capsys):
    assert main(AUDIT) == 0
    file = review({("oceans-again", "ocean"): "relevant"})
    assert main([*AUDIT, "--limit", "1"]) == 0
    said = refused(capsys, "audit", "apply", "audit", file, "--out", "cleaned")
    assert "Its list was cut (a smaller --limit) or made again" in said and "Did you mean" not in said


def test_an_audit_keeps_its_page_and_its_facts_from_the_report_on_runs(capsys):
    assert main(AUDIT) == 0
    before = {name: Path("audit", name).read_bytes() for name in ("report.html", "report.json")}
    said = refused(capsys, "report", "audit")
    assert "audit is an audit, and its page is audit/report.html, which litotes audit retrieval writes." in said
    assert {name: Path("audit", name).read_bytes() for name in before} == before
    file = review({("about-apples", "apple-twin"): "relevant"})
    assert asked(capsys, "audit", "apply", "audit", file, "--out", "cleaned")["changes"] == 1


def test_the_report_is_refused_where_an_audit_was_stopped(capsys, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("litotes.auditing.evidence.Evidence.table", stop)
        assert main(AUDIT) == 130
    assert "is an audit" in refused(capsys, "report", "audit")
    assert not Path("audit/report.html").exists()


def test_data_changed_since_is_refused(capsys):
    assert main(AUDIT) == 0
    with open("data/qrels/test.tsv", "a") as file:
        file.write("about-apples\ttide\t1\n")
    said = refused(capsys, "audit", "apply", "audit", review({}), "--out", "cleaned")
    assert "not the data that audit was made from: the judgements differ" in said
