"""The whole audit: what it finds in a library with one of every fault, its files, its page, and what it refuses."""

import csv
import json
import re

import pyarrow as pa
import pytest

from litotes.auditing.retrieval_audit import Audit, audit_retrieval
from litotes.core import Collection
from litotes.core.errors import LitotesError, StaleError
from litotes.core.files import read_json
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
def data():
    return library()


@pytest.fixture(scope="module")
def audit(data, tmp_path_factory):
    return audit_retrieval(data, word_encoder(), out=tmp_path_factory.mktemp("audit") / "run", shard_rows=2, **SETTINGS)


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
    assert audit.pooling["labelled"]["cells"] == 6


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


def test_in_memory_is_the_same_and_leaves_nothing(data, audit):
    kept = audit_retrieval(data, word_encoder(), shard_rows=3, **SETTINGS)
    assert kept.folder is None
    for name, table in tables(kept).items():
        assert table.equals(tables(audit)[name]), name
    assert kept.pooling == audit.pooling


def test_repeating_makes_the_same_bytes(data, audit):
    files = [path for path in audit.folder.rglob("*") if path.is_file() and path.name not in ("run.json", "log.jsonl")]
    before = {path: path.read_bytes() for path in files}
    audit_retrieval(data, word_encoder(), out=audit.folder, shard_rows=2, **SETTINGS)
    assert {path: path.read_bytes() for path in files} == before


def test_other_data_in_the_same_folder_is_refused(audit):
    other = library().select_rows([0, 1])
    with pytest.raises(StaleError, match="made from another data set or split"):
        audit_retrieval(other, word_encoder(), out=audit.folder, **SETTINGS)


def test_another_encoder_needs_force(data, tmp_path):
    audit_retrieval(data, word_encoder(), out=tmp_path, **SETTINGS)
    with pytest.raises(StaleError, match="similarity"):
        audit_retrieval(data, word_encoder("dot"), out=tmp_path, **SETTINGS)
    forced = audit_retrieval(data, word_encoder("dot"), out=tmp_path, force=True, **SETTINGS)
    assert forced.facts["made_from"]["query similarity"] == "dot"


def test_a_further_judge_by_name_or_object(data, tmp_path):
    by = [MarginJudge(encoder=word_encoder()), "margin:scorer=bm25,name=words"]
    made = audit_retrieval(data, word_encoder(), out=tmp_path, by=by, **SETTINGS)
    assert {"margin", "words"} <= set(made.false_negatives.column_names)
    assert set(made.facts["judges"]) == {"document", "margin", "words"}


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
def test_settings_out_of_range_are_refused_before_anything_is_made(data, tmp_path, options, said):
    with pytest.raises(LitotesError, match=said):
        audit_retrieval(data, word_encoder(), out=tmp_path / "new", **{**SETTINGS, **options})
    assert not (tmp_path / "new").exists()
