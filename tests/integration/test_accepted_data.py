"""Data that look odd and are right: read as they are meant, and counted where somebody may want to know."""

import gzip
import json
import os
from pathlib import Path

import datasets
import numpy as np
import pytest

from litotes.data.export import FORMATS, export
from litotes.data.inspect import inspect
from litotes.data.load import load
from litotes.data.trec import read_run, write_run

DOCUMENTS = [{"_id": "d1", "title": "Owls", "text": "hunt at night"}, {"_id": "d2", "text": "larks sing"}]
QUERIES = [{"_id": "q1", "text": "night birds"}, {"_id": "q2", "text": "morning birds"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n"


def as_lines(objects, end="\n", **options):
    return "".join(json.dumps(line, ensure_ascii=False, **options) + end for line in objects)


def beir(folder: Path, corpus=DOCUMENTS, queries=QUERIES, qrels=QRELS, pack=lambda raw: raw, gz="") -> Path:
    texts = {
        "corpus.jsonl": corpus if isinstance(corpus, str) else as_lines(corpus),
        "queries.jsonl": queries if isinstance(queries, str) else as_lines(queries),
        "qrels/train.tsv": qrels,
    }
    for name, text in texts.items():
        path = folder / f"{name}{gz}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pack(text.encode()))
    return folder


def grades(data):
    return {(data.row_ids[r], data.col_ids[c]): g for r, c, g in zip(*data.labels.cells(), strict=True)}


@pytest.fixture
def plain(tmp_path):
    return load(beir(tmp_path / "plain"))


@pytest.mark.parametrize(
    ("name", "pack", "gz"),
    [
        ("CRLF line ends", lambda raw: raw.replace(b"\n", b"\r\n"), ""),
        ("byte order mark", lambda raw: b"\xef\xbb\xbf" + raw, ""),
        ("gzipped", gzip.compress, ".gz"),
        ("gzipped without saying so", gzip.compress, ""),
        ("not gzipped in spite of its name", lambda raw: raw, ".gz"),
        ("all of it at once", lambda raw: gzip.compress(b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n")), ".gz"),
        ("no line end at the end", lambda raw: raw.removesuffix(b"\n"), ""),
        ("blanks before the end of lines", lambda raw: raw.replace(b"}\n", b"} \n"), ""),
    ],
)
def test_files_that_are_the_same_data(tmp_path, plain, name, pack, gz):
    data = load(beir(tmp_path / "odd", pack=pack, gz=gz))
    assert data.fingerprint == plain.fingerprint and data.notes == plain.notes


def test_blank_lines_are_counted(tmp_path, plain):
    corpus = as_lines(DOCUMENTS).replace("\n", "\n\n  \n")
    data = load(beir(tmp_path / "odd", corpus=corpus, qrels=f"\n{QRELS}\n"))
    assert data.fingerprint == plain.fingerprint
    assert data.notes["blank_lines"] == 6 and inspect(data).notes["blank_lines"] == 6


def test_an_absent_header(tmp_path, plain):
    assert load(beir(tmp_path / "odd", qrels=QRELS.split("\n", 1)[1])).fingerprint == plain.fingerprint


def test_tabs_emoji_and_line_breaks_in_texts(tmp_path):
    text = "a\tb\r\nc \U0001f989\u2028d\u2029e\x85f \u05d0 'g' \"h\" \\i \x00 e\u0301"
    for ascii_only in (True, False):
        corpus = json.dumps({"_id": "d1", "text": text}, ensure_ascii=ascii_only) + "\n"
        data = load(beir(tmp_path / str(ascii_only), corpus=corpus, qrels="q1\td1\t1\n"))
        assert data.col_texts == [text] and data.n_cols == 1


def test_a_document_of_a_megabyte(tmp_path):
    long = "owl night " * 110_000
    data = load(beir(tmp_path, corpus=[{"_id": "d1", "text": long}, DOCUMENTS[1]]))
    assert data.col_texts[0] == long.strip()
    found = inspect(data)
    assert found.document_words["max"] == 220_000 and found.long_documents == 1
    for format in FORMATS:
        out = (
            tmp_path / f"{format}.csv"
            if format == "csv"
            else tmp_path / f"{format}.parquet"
            if format == "parquet"
            else tmp_path / f"{format}.jsonl"
        )
        export(data, format, out)
        assert long.strip() in load(out).col_texts, format


def test_one_document_and_one_query(tmp_path):
    data = load(beir(tmp_path, corpus=DOCUMENTS[:1], queries=QUERIES[:1], qrels="q1\td1\t1\n"))
    assert (data.n_rows, data.n_cols, len(data.labels)) == (1, 1, 1) and inspect(data).warnings == []


def test_queries_without_positives(tmp_path):
    folder = beir(tmp_path, qrels="q1\td1\t0\nq2\td2\t1\n")
    data = load(folder)
    assert data.n_rows == 2 and data.relevant_docs == {"q2": {"d2"}}
    assert inspect(data).queries_without_positive == 1


def test_queries_without_judgements(tmp_path):
    folder = beir(tmp_path, qrels="q2\td2\t1\n")
    assert load(folder).queries == {"q2": "morning birds"} and load(folder).notes["queries_without_judgement"] == 1
    assert load(folder, split=None).n_rows == 2


def test_ids_that_look_like_numbers(tmp_path):
    corpus = [{"_id": "007", "text": "bond"}, {"_id": "7", "text": "seven"}, {"_id": 70, "text": "seventy"}]
    data = load(beir(tmp_path, corpus=corpus, queries=[{"_id": 1, "text": "q"}], qrels="1\t007\t1\n1\t70\t0\n"))
    assert data.col_ids.values == ["007", "7", "70"] and data.row_ids.values == ["1"]
    assert grades(data) == {("1", "007"): 1, ("1", "70"): 0} and data.notes["numeric_ids"] == 2


def test_negative_and_fractional_grades(tmp_path):
    data = load(beir(tmp_path, qrels="q1\td1\t-2\nq1\td2\t0.5\nq2\td2\t2\n"))
    assert grades(data) == {("q1", "d1"): -2, ("q1", "d2"): 0.5, ("q2", "d2"): 2}
    found = inspect(data)
    assert found.grades == {"-2": 1, "0.5": 1, "2": 1} and found.explicit_negatives == 2
    assert inspect(load(tmp_path, min_grade=0.5)).explicit_negatives == 1


def test_missing_and_empty_titles(tmp_path):
    corpus = [
        {"_id": "d1", "title": None, "text": "a"},
        {"_id": "d2", "title": "", "text": "b"},
        {"_id": "d3", "title": "t", "text": ""},
    ]
    data = load(beir(tmp_path, corpus=corpus))
    assert data.col_texts == ["a", "b", "t"] and inspect(data).documents_without_text == 0


def test_documents_without_text_and_judgements_of_unknown_ids(tmp_path):
    corpus = [*DOCUMENTS, {"_id": "d3", "text": "  "}]
    data = load(beir(tmp_path, corpus=corpus, qrels=QRELS + "q1\td3\t1\nq1\td9\t1\nq9\td1\t1\n"))
    assert data.col_texts[2:] == [None, None] and data.row_texts[2] is None
    assert data.notes["documents_without_text"] == 1 and data.notes["queries_without_text"] == 1
    assert inspect(data).documents_without_text == 2 and inspect(data).judgements_without_text == 3


def test_repeated_lines(tmp_path, plain):
    data = load(beir(tmp_path / "odd", corpus=[*DOCUMENTS, DOCUMENTS[0]], qrels=QRELS + "q1\td1\t1\n"))
    assert data.fingerprint == plain.fingerprint
    assert data.notes["repeated_document_ids"] == 1 and data.notes["repeated_judgements"] == 1


def test_contradictions_settled_on_request(tmp_path):
    folder = beir(tmp_path, qrels="q1\td1\t1\nq1\td1\t0\nq2\td2\t1\n")
    assert grades(load(folder, duplicates="max"))[("q1", "d1")] == 1
    assert grades(load(folder, duplicates="last"))[("q1", "d1")] == 0


def test_documents_of_the_same_text(tmp_path):
    data = load(beir(tmp_path, corpus=[*DOCUMENTS, {"_id": "d3", "text": "LARKS  sing"}]))
    assert data.n_cols == 3 and inspect(data).text_twins == 1 and inspect(data).positive_twins == 1
    assert data.is_positive(np.array([1]), np.array([2])).tolist() == [True]


def test_csv_with_commas_quotes_and_line_breaks(tmp_path):
    (tmp_path / "x.csv").write_bytes(
        b'\xef\xbb\xbfquery,positive\r\n"a, b","say ""hi""\r\nthere"\r\n,,\r\n007,x\r\n'.replace(b",,\r\n", b",\r\n")
    )
    data = load(tmp_path / "x.csv")
    assert data.row_texts == ["a, b", "007"] and data.col_texts == ['say "hi"\r\nthere', "x"]
    assert data.notes["blank_lines"] == 1


def test_a_table_of_unequal_numbers_of_negatives(tmp_path):
    rows = [{"q": "a", "p": "b", "negative_1": "c"}, {"q": "a", "p": "d", "negative_1": None}, {"q": "e", "p": "b"}]
    (tmp_path / "x.jsonl").write_text(as_lines(rows))
    assert len(load(tmp_path / "x.jsonl").labels) == 4


def test_more_fields_than_needed(tmp_path, plain):
    corpus = [{**line, "url": "http://x", "metadata": {"year": 1999}} for line in DOCUMENTS]
    assert load(beir(tmp_path / "odd", corpus=corpus)).fingerprint == plain.fingerprint


def test_a_dataset_of_any_string_type():
    features = datasets.Features({"q": datasets.Value("large_string"), "p": datasets.Value("string")})
    data = load(datasets.Dataset.from_dict({"q": ["a", "a"], "p": ["b", "c"]}, features=features))
    assert data.n_rows == 1 and len(data.labels) == 2


def test_a_run_with_tabs_ties_and_odd_ranks(tmp_path):
    (tmp_path / "run").write_text("q\tQ0\t007\t9\t1e-3\tt\r\nq Q0 d2 0 -7 t\r\n\r\n")
    assert read_run(tmp_path / "run") == {"q": {"007": 0.001, "d2": -7.0}}
    write_run(tmp_path / "again", read_run(tmp_path / "run"))
    assert read_run(tmp_path / "again") == read_run(tmp_path / "run")


def test_a_folder_reached_by_a_link_and_read_twice_at_once(tmp_path, plain):
    (tmp_path / "link").symlink_to(tmp_path / "plain")
    assert (
        load(tmp_path / "link").fingerprint == load(str(tmp_path / "plain") + os.sep).fingerprint == plain.fingerprint
    )


REAL = [
    ("cranfield", "all", 225, 1400, 1837),
    ("nfcorpus", "dev", 324, 3395, None),
    ("scifact", "train", 809, 5183, 919),
    ("vaswani", "all", 93, 11429, 2083),
]


@pytest.mark.data
@pytest.mark.parametrize(("name", "split", "queries", "documents", "judgements"), REAL)
def test_real_collections(tmp_path, name, split, queries, documents, judgements):
    if "LITOTES_DATA" not in os.environ:
        pytest.skip("LITOTES_DATA does not name a folder of data sets")
    data = load(Path(os.environ["LITOTES_DATA"]) / f"retrieval-{name}", split=split)
    found = inspect(data)
    assert (found.queries, found.documents) == (queries, documents)
    assert judgements is None or found.judgements == judgements
    for format in ("beir", "trec"):
        export(data, format, tmp_path / format)
        assert load(tmp_path / format, split=split).fingerprint == data.fingerprint
