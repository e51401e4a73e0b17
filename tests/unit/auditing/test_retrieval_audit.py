"""The whole audit: what it finds in a library with one of every fault, its files, its page, and what it refuses."""

import csv
import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

from litotes.auditing.report import write_report
from litotes.auditing.retrieval_audit import Audit, audit_retrieval
from litotes.core import Collection
from litotes.core.errors import LitotesError, StaleError
from litotes.core.files import read_json
from litotes.data import load
from litotes.data.beir import write_beir
from litotes.judging import MarginJudge
from tests.unit.auditing.audit_data import library, word_encoder

LISTS = (
    "false-negatives",
    "false-positives",
    "near-duplicates",
    "text-twins",
    "unanswerable-queries",
    "indistinct-queries",
)
SETTINGS = {"top": 10, "reach": 2, "say": lambda _: None}


@pytest.fixture(scope="module")
def audit(audited, tmp_path_factory):
    return audit_retrieval(
        audited, word_encoder(), out=tmp_path_factory.mktemp("audit") / "run", shard_rows=2, **SETTINGS
    )


def tables(audit: Audit) -> dict[str, pa.Table]:
    return {name: getattr(audit, name.replace("-", "_")) for name in LISTS}


def test_finds_one_of_every_fault(audit):
    found = {name: table.to_pylist() for name, table in tables(audit).items()}
    assert found["false-negatives"][0]["document_id"] == "apple-twin"
    assert [row["document_id"] for row in found["false-positives"]] == ["zebra"]
    assert [row["other_id"] for row in found["near-duplicates"]] == ["apple-near"]
    assert [row["other_id"] for row in found["text-twins"]] == ["apple-twin"]
    assert {row["query_id"] for row in found["unanswerable-queries"]} == {"about-nothing", "about-engines", "silent"}
    assert [row["other_id"] for row in found["indistinct-queries"]] == ["oceans-again"]
    assert audit.pooling["labelled"]["cells"] == 7


@pytest.mark.parametrize(("reach", "is_said"), [(26, False), (27, True), (100, True)])
def test_a_reach_beyond_the_corpus_is_said(reach, is_said):
    """27 of the 28 documents have a text to be ranked by."""
    said: list[str] = []
    found = audit_retrieval(library(), word_encoder(), **{**SETTINGS, "reach": reach, "say": said.append})
    lines = [line for line in said if line.startswith("Nothing is beyond reach")]
    assert lines == is_said * [
        f"Nothing is beyond reach: {reach} ranks take in all 27 documents, so that no positive is suspected and no "
        "query called unanswerable for its rank. Give a smaller reach for that."
    ]
    if is_said:
        assert found.false_positives.num_rows == 0


def test_every_list_is_a_csv_and_a_jsonl_file_of_the_same_rows(audit):
    for name, table in tables(audit).items():
        with open(audit.folder / f"{name}.csv", newline="") as file:
            from_csv = list(csv.DictReader(file))
        from_jsonl = [json.loads(line) for line in (audit.folder / f"{name}.jsonl").read_text().splitlines()]
        keys = table["key"].to_pylist()
        assert keys == [row["key"] for row in from_csv] == [row["key"] for row in from_jsonl] and len(set(keys)) == len(
            keys
        )
        assert all(row["verdict"] == "" for row in from_csv) and all(row["verdict"] is None for row in from_jsonl)
        assert audit.facts["lists"][name]["rows"] == len(keys)


def test_suspects_as_judgements(audit):
    lines = [line.split("\t") for line in (audit.folder / "review.qrels.tsv").read_text().splitlines()]
    assert lines[0] == ["query-id", "corpus-id", "score"]
    assert ["about-apples", "apple-twin", "1"] in lines and ["about-oceans", "zebra", "0"] in lines
    assert len(lines) == 1 + len(audit.false_negatives) + len(audit.false_positives)


def test_report_json_holds_the_facts_and_nothing_of_the_clock(audit):
    facts = read_json(audit.folder / "report.json")
    assert facts == json.loads(json.dumps(audit.facts))
    assert (facts["audit"], list(facts["lists"]), facts["data"]["queries"]) == ("retrieval", list(LISTS), 6)
    assert facts["judges"] == {"document": "calibrated on pydocs, not on your data"}
    assert "begun" not in json.dumps(facts)


def test_the_page_is_whole_by_itself_and_shows_the_rows(audit):
    page = (audit.folder / "report.html").read_text()
    assert not re.search(r"<script|<link|src=|@import|url\(|https?://", page)
    assert page.count('<article class="cell"') == sum(min(len(table), 20) for table in tables(audit).values())
    for name in LISTS:
        assert f'id="{name}"' in page and f'href="#{name}"' in page
    assert "No score here is a probability" in page and "prefers-color-scheme: dark" in page
    assert "<mark>red apple fruit sweet</mark> and <mark>juicy</mark>" in page


def test_texts_cannot_break_the_page(tmp_path):
    data = library()
    evil = '<img src=x onerror="alert(1)">'
    texts = pa.table(
        {"id": data.cols.table["id"], "text": [f"{evil} {t}" for t in data.cols.table["text"].to_pylist()]}
    )
    spoilt = Collection(data.labels, data.rows.table, texts, name=evil)
    made = audit_retrieval(spoilt, word_encoder(), out=tmp_path, **SETTINGS)
    assert "<img" not in (made.folder / "report.html").read_text()


def test_in_memory_is_the_same_and_leaves_nothing(audited, audit):
    kept = audit_retrieval(audited, word_encoder(), shard_rows=3, **SETTINGS)
    assert kept.folder is None
    for name, table in tables(kept).items():
        assert table.equals(tables(audit)[name]), name
    assert kept.pooling == audit.pooling


def test_repeating_makes_the_same_bytes(audited, audit):
    files = [path for path in audit.folder.rglob("*") if path.is_file() and path.name not in ("run.json", "log.jsonl")]
    before = {path: path.read_bytes() for path in files}
    audit_retrieval(audited, word_encoder(), out=audit.folder, shard_rows=2, **SETTINGS)
    assert {path: path.read_bytes() for path in files} == before


def test_other_data_in_the_same_folder_is_refused(audit):
    other = library().select_rows([0, 1])
    with pytest.raises(StaleError, match="made from another data set or split"):
        audit_retrieval(other, word_encoder(), out=audit.folder, **SETTINGS)


def test_another_encoder_needs_force(audited, tmp_path):
    audit_retrieval(audited, word_encoder(), out=tmp_path, **SETTINGS)
    with pytest.raises(StaleError, match="similarity"):
        audit_retrieval(audited, word_encoder("dot"), out=tmp_path, **SETTINGS)
    forced = audit_retrieval(audited, word_encoder("dot"), out=tmp_path, force=True, **SETTINGS)
    assert forced.facts["made_from"]["query similarity"] == "dot"


def test_a_further_judge_by_name_or_object(audited, tmp_path):
    by = [MarginJudge(encoder=word_encoder()), "margin:scorer=bm25,name=by-words"]
    made = audit_retrieval(audited, word_encoder(), out=tmp_path, by=by, **SETTINGS)
    assert {"margin", "by-words"} <= set(made.false_negatives.column_names)
    assert set(made.facts["judges"]) == {"document", "margin", "by-words"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"top": 0}, "'top' parameter of audit_retrieval"),
        ({"limit": 0}, "'limit'"),
        ({"near": 1.5}, "'near'"),
        ({"reach": 0}, "'reach'"),
        ({"depth": 11}, "'depth' parameter of audit_retrieval must be at most top"),
    ],
)
def test_settings_out_of_range_are_refused_before_anything_is_made(audited, tmp_path, options, said):
    with pytest.raises(LitotesError, match=said):
        audit_retrieval(audited, word_encoder(), out=tmp_path / "new", **{**SETTINGS, **options})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (["document"], "'document' is the name of a column of every list of suspects"),
        (["margin:scorer=bm25,name=dense"], "'dense' is the name of a column"),
        (["margin:scorer=bm25,name=verdict"], "'verdict' is the name of a column"),
        (["margin:scorer=bm25", "margin:scorer=bm25"], "'margin' is the name of two of them"),
    ],
)
def test_a_judge_without_a_column_of_its_own_is_refused_before_any_work(audited, tmp_path, by, said):
    with pytest.raises(LitotesError, match=f"The judges of 'by' need names of their own. {said}.* Add name=ANOTHER"):
        audit_retrieval(audited, word_encoder(), out=tmp_path / "new", by=by, **SETTINGS)
    assert not (tmp_path / "new").exists()


def test_the_first_suspects_of_pooling_do_not_depend_on_the_limit(audited, audit):
    cut = audit_retrieval(audited, word_encoder(), limit=1, **SETTINGS)
    assert cut.pooling == audit.pooling and audit.pooling["suspects"]["cells"] == 4
    parts = audit.pooling["suspects"]["parts"]
    assert parts["neither"]["share"] < 0.5  # the twins among them have ranks as well


@pytest.mark.parametrize(("out", "said"), [("data", "data is the folder"), ("data/audit", "data/audit lies in the")])
def test_the_folder_of_the_data_is_no_place_for_an_audit(tmp_path, monkeypatch, out, said):
    monkeypatch.chdir(tmp_path)
    write_beir("data", library())
    before = sorted(Path("data").rglob("*"))
    with pytest.raises(LitotesError, match=f"^{said}"):
        audit_retrieval(load("data", split="test"), word_encoder(), out=out, **SETTINGS)
    assert sorted(Path("data").rglob("*")) == before
    assert audit_retrieval(load("data", split="test"), word_encoder(), out="data-audit", **SETTINGS).folder


def test_the_report_on_a_run_is_refused_where_an_audit_is(audit, audited):
    before = (audit.folder / "report.json").read_bytes()
    with pytest.raises(LitotesError, match=r"run is an audit, and its page is .*report.html, which litotes audit"):
        write_report(audit.folder, audited)
    assert (audit.folder / "report.json").read_bytes() == before
