"""Data that are refused: each with one message that says where, what stood there and what to do, and exit code 2.

What is refused by name here is refused by every verb that reads data, since they all read through ``load``.
"""

import gzip
import json
from pathlib import Path

import datasets
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from litotes.core.errors import LitotesError, MachineError
from litotes.data.export import export
from litotes.data.inspect import inspect
from litotes.data.load import load
from litotes.data.trec import read_run

DOCUMENTS = [{"_id": "d1", "title": "Owls", "text": "hunt at night"}, {"_id": "d2", "text": "larks sing"}]
QUERIES = [{"_id": "q1", "text": "night birds"}, {"_id": "q2", "text": "morning birds"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n"


def as_lines(objects):
    return "".join(json.dumps(line) + "\n" for line in objects).encode()


def beir(folder: Path, **files: bytes) -> Path:
    """A whole BEIR folder, but for the files given (``corpus_jsonl=b"..."``)."""
    whole = {"corpus_jsonl": as_lines(DOCUMENTS), "queries_jsonl": as_lines(QUERIES), "qrels_train_tsv": QRELS.encode()}
    for name, content in {**whole, **files}.items():
        path = folder / name.replace("qrels_", "qrels/").replace("_jsonl", ".jsonl").replace("_tsv", ".tsv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def file(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cut(content: bytes) -> bytes:
    packed = gzip.compress(content * 200)
    return packed[: len(packed) // 2]


def cut_corpus(folder):
    beir(folder)
    (folder / "corpus.jsonl").unlink()
    return load(file(folder, "corpus.jsonl.gz", cut(as_lines(DOCUMENTS))).parent)


def cut_parquet(folder):
    pq.write_table(pa.table({"q": ["a"], "p": ["b"]}), folder / "x.parquet")
    return load(file(folder, "x.parquet", (folder / "x.parquet").read_bytes()[:-9]))


def corpus_is_a_folder(folder):
    beir(folder)
    (folder / "corpus.jsonl").unlink()
    (folder / "corpus.jsonl").mkdir()
    return load(folder)


def export_into_a_full_folder(folder):
    return export(load(beir(folder / "set")), "beir", folder / "set")


def id_with_a_blank(folder):
    queries, qrels = b'{"_id": "q 1", "text": "x"}\n', b"q 1\td1\t1\n"
    return export(load(beir(folder, queries_jsonl=queries, qrels_train_tsv=qrels)), "trec", folder / "out")


def no_queries(folder):
    beir(folder)
    (folder / "queries.jsonl").unlink()
    return load(folder)


TREC = {
    "topics.txt": "1\tnight birds\n",
    "documents.jsonl": '{"docno": "d1", "text": "owl"}\n',
    "qrels.txt": "1 0 d1 1\n",
}


def trec(folder, **files):
    for name, content in {**TREC, **{name.replace("_", "."): content for name, content in files.items()}}.items():
        file(folder, name, content)
    return load(folder)


def frame(column):
    return pandas.DataFrame({"query": ["a", "b"], "positive": column})


CASES = {
    # what is not there
    "missing folder": (lambda at: load(at / "absent"), "absent: no such file or folder"),
    "missing file, its neighbour named": (
        lambda at: load(file(at, "x.jsonl", "").with_name("y.jsonl")),
        "Did you mean",
    ),
    "empty folder": (lambda at: load(at), "nothing to read here. Looked for: a BEIR folder"),
    "BEIR folder without queries": (no_queries, "no queries.jsonl or queries.jsonl.gz"),
    "unknown split": (lambda at: load(beir(at), split="dev"), "no split 'dev'. Splits there: train"),
    "unknown ending": (lambda at: load(file(at, "x.xlsx", "PK")), "unknown format. Known endings: .jsonl"),
    "no path at all": (lambda at: load(42), "'source' parameter of load must be a path"),
    # files that are damaged
    "cut gzip file": (cut_corpus, "corpus.jsonl.gz: the gzip file is cut off after line"),
    "cut Parquet file": (cut_parquet, "x.parquet: not a whole Parquet file"),
    "folder in the place of a file": (corpus_is_a_folder, "corpus.jsonl: is a folder, where a file was expected"),
    "bytes that are not UTF-8": (
        lambda at: load(beir(at, corpus_jsonl=as_lines(DOCUMENTS) + b'{"_id": "d3", "text": "caf\xe9"}\n')),
        "corpus.jsonl:3: the byte 0xe9 at column 27 is not UTF-8",
    ),
    "bytes that are not UTF-8, in CSV": (
        lambda at: load(file(at, "x.csv", b"q,p\na,b\nc,caf\xe9\n")),
        "x.csv:3: 'p' holds the byte 0xe9, which is not UTF-8",
    ),
    "half a character in JSON": (
        lambda at: load(beir(at, queries_jsonl=b'{"_id": "q1", "text": "\\ud83e"}\n')),
        "queries.jsonl:1: 'text' holds half a character (U+D83E)",
    ),
    # lines that are none
    "bad JSON line": (
        lambda at: load(beir(at, corpus_jsonl=as_lines(DOCUMENTS) + b'{"_id": "d3", "text": }\n')),
        "corpus.jsonl:3: not valid JSON (Expecting value at column 23)",
    ),
    "JSON that is no object": (lambda at: load(beir(at, queries_jsonl=b'["q1", "x"]\n')), "queries.jsonl:1: a list"),
    "JSON over several lines": (lambda at: load(file(at, "x.json", "[\n{}\n]\n")), "x.json:1: one JSON document over"),
    "missing field, its neighbour named": (
        lambda at: load(beir(at, corpus_jsonl=b'{"_id": "d1", "txt": "x"}\n')),
        "corpus.jsonl:1: no field 'text' among '_id', 'txt'. Did you mean 'txt'?",
    ),
    "field of another kind": (
        lambda at: load(beir(at, queries_jsonl=b'{"_id": "q1", "text": ["x"]}\n')),
        "queries.jsonl:1: the field 'text' is a list. Expected a string",
    ),
    "empty id": (
        lambda at: load(beir(at, queries_jsonl=b'{"_id": "", "text": "x"}\n')),
        "the field '_id' is an empty string",
    ),
    "qrels with text grades": (
        lambda at: load(beir(at, qrels_train_tsv=b"q1\td1\t1\nq2\td2\thigh\n")),
        "train.tsv:2: the score 'high' is not a number",
    ),
    "qrels with too few columns": (
        lambda at: load(beir(at, qrels_train_tsv=b"q1\td1\n")),
        "train.tsv:1: 2 columns: 'q1\\td1'. Expected 3 columns divided by tabs",
    ),
    "TREC qrels with three columns": (
        lambda at: trec(at, qrels_txt="1 d1 1\n"),
        "qrels.txt:1: 3 columns: '1 d1 1'. Expected 4 columns",
    ),
    "TREC topics without a tab": (lambda at: trec(at, topics_txt="1 night\n"), "topics.txt:1: 1 column: '1 night'"),
    "TREC document that never ends": (
        lambda at: trec(at, documents_jsonl="<DOC>\n<DOCNO>d1</DOCNO>\n<TEXT>\n"),
        "documents.jsonl:1: the <doc> begun here is never closed: the file is cut off",
    ),
    "run without a tag": (lambda at: read_run(file(at, "x.trec", "q Q0 d 1 0.5\n")), "x.trec:1: 5 columns"),
    "run with a document twice": (
        lambda at: read_run(file(at, "x.trec", "q Q0 d 1 2 t\nq Q0 d 2 1 t\n")),
        "x.trec:2: the document 'd' stands here again under the query 'q', first in line 1",
    ),
    "FlagEmbedding positives that are no list": (
        lambda at: load(file(at, "x.jsonl", '{"query": "q", "pos": "owl"}\n')),
        "x.jsonl:1: the field 'pos' is 'owl'. Expected a list of strings",
    ),
    "Tevatron passage without an id": (
        lambda at: load(file(at, "x.jsonl", '{"query_id": "1", "query": "q", "positive_passages": [{"text": "x"}]}\n')),
        "x.jsonl:1: no field 'docid' among 'text'",
    ),
    "CSV with too many columns": (
        lambda at: load(file(at, "x.csv", "q,p\na,b,c\n")),
        "x.csv:2: 3 columns where the header has 2",
    ),
    "CSV quote that never ends": (
        lambda at: load(file(at, "x.csv", 'q,p\na,"b\nc,d\n')),
        "x.csv:2: a quote opened here is never closed",
    ),
    "CSV divided by semicolons": (
        lambda at: load(file(at, "x.csv", "q;p\na;b\n")),
        "Are its columns divided by semicolons? Save it with commas",
    ),
    # contradictions
    "contradicting judgements": (
        lambda at: load(beir(at, qrels_train_tsv=b"q1\td1\t1\nq2\td2\t1\nq1\td1\t0\n")),
        "The cell ('q1', 'd1') was judged 1 and 0 (lines {at}/qrels/train.tsv:1 and {at}/qrels/train.tsv:3)",
    ),
    "one id with two texts": (
        lambda at: load(beir(at, corpus_jsonl=as_lines([*DOCUMENTS, {"_id": "d1", "text": "other"}]))),
        "corpus.jsonl:3: the document id 'd1' stands here with another text than at {at}/corpus.jsonl:1",
    ),
    "one text as positive and negative": (
        lambda at: load(file(at, "x.jsonl", '{"query": "q", "pos": ["owl"], "neg": ["owl"]}\n')),
        "was judged 1 and 0 (lines {at}/x.jsonl:1 and {at}/x.jsonl:1)",
    ),
    # nothing to learn from
    "empty corpus": (
        lambda at: load(beir(at, corpus_jsonl=b"\n")),
        "the corpus is empty. Expected at least one document",
    ),
    "empty qrels": (
        lambda at: load(beir(at, qrels_train_tsv=b"query-id\tcorpus-id\tscore\n")),
        "train.tsv: there is not a single judgement",
    ),
    "empty table": (lambda at: load(file(at, "x.jsonl", "")), "x.jsonl: the file is empty"),
    # columns and cells
    "unknown column, its neighbour named": (
        lambda at: load(file(at, "x.csv", "query,answer\na,b\n"), positive_column="anwser"),
        "positive_column='anwser' is not among the columns 'query', 'answer'. Did you mean 'answer'?",
    ),
    "one column": (
        lambda at: load(file(at, "x.csv", "query\na\n")),
        "one column, 'query'. Expected a query and a positive",
    ),
    "column names for what is no table": (
        lambda at: load(beir(at), query_column="text"),
        "query_column is for tables, and this is none",
    ),
    "NaN in a frame": (
        lambda at: load(frame(["x", float("nan")])),
        "pandas.DataFrame:1: the column 'positive' holds nan",
    ),
    "numbers in a frame": (lambda at: load(frame([1, 2])), "pandas.DataFrame:0: the column 'positive' holds 1"),
    "null in a dataset": (
        lambda at: load(datasets.Dataset.from_dict({"q": ["a", "b"], "p": ["x", None]})),
        "datasets.Dataset:1: the column 'p' is empty. Expected a text",
    ),
    "unknown split of a dataset": (
        lambda at: load(datasets.DatasetDict({"test": datasets.Dataset.from_dict({"q": ["a"], "p": ["x"]})})),
        "DatasetDict: no split 'train'. Splits there: test",
    ),
    # options and writing
    "unknown way with duplicates": (
        lambda at: load(beir(at), duplicates="min"),
        "'duplicates' parameter of load must be",
    ),
    "min_grade that is not a number": (
        lambda at: load(beir(at), min_grade=float("nan")),
        "'min_grade' parameter of load",
    ),
    "unknown format": (lambda at: export(load(beir(at)), "bier", at / "out"), "Did you mean 'beir'?"),
    "export into a full folder": (export_into_a_full_folder, "set: the folder is not empty"),
    "file where a folder is written": (
        lambda at: export(load(beir(at / "set")), "beir", file(at, "out", "mine")),
        "out: a file stands where a folder is to be written",
    ),
    "TREC ids with blanks": (
        id_with_a_blank,
        "The id 'q 1' cannot stand in TREC topics",
    ),
}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("case", CASES)
def test_one_message_that_says_where_and_what_to_do(tmp_path, case):
    provoke, said = CASES[case]
    with pytest.raises(LitotesError) as raised:
        provoke(tmp_path)
    message = str(raised.value)
    assert said.format(at=tmp_path) in message
    assert raised.value.exit_code == 2
    assert "\n" not in message and 20 < len(message.replace(str(tmp_path), "")) < 420
    assert message.endswith((".", "?")) and "Traceback" not in message
    assert raised.value.__cause__ is None  # nothing from inside numpy or pyarrow is shown


def test_there_are_enough_cases():
    assert len(CASES) >= 40


@pytest.mark.parametrize(
    "case", [case for case in CASES if "export" in case or "file where" in case or "TREC ids" in case]
)
def test_a_refused_export_loses_nothing(tmp_path, case):
    with pytest.raises(LitotesError):
        CASES[case][0](tmp_path)
    before = contents(tmp_path)
    with pytest.raises(LitotesError):
        CASES[case][0](tmp_path)
    assert contents(tmp_path) == before and not list(tmp_path.glob(".*"))


def test_an_unreadable_file_is_the_machines_fault(tmp_path, monkeypatch):
    folder = beir(tmp_path)

    def refuse(path, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("litotes.data.lines.open", refuse, raising=False)
    with pytest.raises(MachineError, match="cannot be read \\(Permission denied\\)") as raised:
        load(folder)
    assert raised.value.exit_code == 1


def test_what_can_be_skipped_can_be_inspected(tmp_path):
    corpus = as_lines(DOCUMENTS) + b'{"_id": "d3"}\nnonsense\n{"_id": "d4", "text": "caf\xe9"}\n'
    found = inspect(load(beir(tmp_path, corpus_jsonl=corpus), skip_bad_lines=True))
    assert found.documents == 2 and found.notes["skipped_lines"] == 3
    assert "Lines that could not be read: 3." in found.warnings
