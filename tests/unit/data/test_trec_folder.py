"""Folders of TREC files."""

import pytest

from litotes.core.errors import DataError, LitotesError
from litotes.data.load import load
from litotes.data.trec_folder import looks_like_trec, trec_splits, write_trec
from litotes.data.trec_sgml import document_element, topic_element


@pytest.fixture
def folder(put):
    put("set/topics.trec", topic_element("301", "night birds") + topic_element("302", "bats"))
    put("set/documents.trec", document_element("d1", "Owls", "hunt") + document_element("d2", "", "sing"))
    put("set/qrels.train.txt", "301 0 d1 1\n301 0 d2 0\n")
    return put("set/qrels.test.txt", "302 0 d2 1\n").parent


def test_texts_and_judgements(folder):
    data = load(folder)
    assert data.queries == {"301": "night birds"} and data.corpus == {"d1": "Owls hunt", "d2": "sing"}
    assert data.relevant_docs == {"301": {"d1"}} and len(data.labels) == 2
    assert data.notes == {"format": "TREC", "queries_without_judgement": 1} and data.split == "train"
    assert load(folder, split=None).relevant_docs == {"301": {"d1"}, "302": {"d2"}}
    with pytest.raises(DataError, match=r"no judgements qrels\.dev\.txt\. Splits there: test, train"):
        load(folder, split="dev")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("topics.txt", "301\tnight birds\n302\tbats\n"),
        ("topics/adhoc", "301\tnight birds\n302\tbats\n"),
        ("queries.tsv", "301\tnight birds\r\n302\tbats\r\n"),
    ],
)
def test_topics_as_lines(folder, put, name, content):
    (folder / "topics.trec").unlink()
    put(f"set/{name}", content, gz=name == "queries.tsv")
    assert load(folder).queries == {"301": "night birds"}


@pytest.mark.parametrize(
    "lines",
    [
        [{"docno": "d1", "title": "Owls", "text": "hunt"}, {"docno": "d2", "text": "sing"}],
        [{"id": "d1", "contents": "Owls hunt"}, {"id": "d2", "contents": "sing"}],
    ],
)
def test_documents_as_json_lines(folder, put, lines):
    (folder / "documents.trec").unlink()
    put("set/docs/part1.jsonl", lines[:1])
    put("set/docs/part2.jsonl", lines[1:])
    assert load(folder).corpus == {"d1": "Owls hunt", "d2": "sing"}


def test_one_unnamed_qrels_has_no_splits(folder, put):
    (folder / "qrels.train.txt").unlink()
    (folder / "qrels.test.txt").rename(folder / "qrels.txt")
    assert trec_splits(folder).keys() == {""}
    data = load(folder, split="test")
    assert data.split is None and data.relevant_docs == {"302": {"d2"}} and data.n_rows == 2


def test_qrels_in_a_folder(folder):
    (folder / "qrels").mkdir()
    (folder / "qrels.train.txt").rename(folder / "qrels" / "train.qrels")
    (folder / "qrels.test.txt").rename(folder / "qrels" / "qrels.trec8")
    assert list(trec_splits(folder)) == ["trec8", "train"] and looks_like_trec(folder)
    assert load(folder).relevant_docs == {"301": {"d1"}}


@pytest.mark.parametrize(
    ("line", "said"),
    [("301", "topics.txt:1: 1 column: '301'. Expected 2 columns"), ("1\ta\tb", "3 columns"), ("\tx", "2 columns")],
)
def test_bad_topic_lines(folder, put, line, said):
    (folder / "topics.trec").unlink()
    put("set/topics.txt", line)
    with pytest.raises(DataError) as raised:
        load(folder)
    assert said in str(raised.value)


def test_no_documents(folder):
    (folder / "documents.trec").unlink()
    with pytest.raises(DataError, match=r"no documents\. Expected a file or folder named documents\*"):
        load(folder)


def test_the_same_split_twice(folder, put):
    put("set/qrels/train.txt", "301 0 d1 1\n")
    with pytest.raises(DataError, match="are the same split"):
        load(folder)


def test_ids_with_blanks_are_refused(beir, tmp_path):
    data = load(beir(queries=({"_id": "q 1", "text": "x"}, {"_id": "q1", "text": "y"}), qrels="q 1\td1\t1\n"))
    with pytest.raises(LitotesError, match="The id 'q 1' cannot stand in TREC topics"):
        write_trec(tmp_path / "out", data)
