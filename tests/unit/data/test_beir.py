"""BEIR folders."""

import pytest

from litotes.core.errors import DataError, LitotesError
from litotes.data.beir import beir_splits, looks_like_beir, read_beir, write_beir
from litotes.data.load import load


def grades(data):
    return {(data.row_ids[r], data.col_ids[c]): g for r, c, g in zip(*data.labels.cells(), strict=True)}


def test_texts_judgements_and_grades(beir):
    data = load(beir())
    assert data.queries == {"q1": "night birds", "q2": "morning birds"}
    assert data.corpus == {"d1": "Owls hunt at night", "d2": "larks sing at dawn", "d3": "bats are no birds"}
    assert grades(data) == {("q1", "d1"): 1, ("q1", "d3"): 0, ("q2", "d2"): 2}
    assert data.relevant_docs == {"q1": {"d1"}, "q2": {"d2"}}
    assert (data.name, data.split, data.notes) == ("set", "train", {"format": "BEIR"})


@pytest.mark.parametrize(
    "header",
    ["", "query-id\tcorpus-id\tscore\n", "query_id\tdoc_id\trelevance\n", "\nqid\tpid\tlabel\n"],
)
def test_the_header_may_be_absent_or_have_other_names(beir, header):
    assert grades(load(beir(qrels=f"{header}q1\td1\t1\nq2\td3\t-1\n"))) == {("q1", "d1"): 1, ("q2", "d3"): -1}


def test_a_header_says_where_the_columns_are(beir):
    folder = beir(qrels="corpus-id\tscore\tquery-id\tannotator\nd1\t2\tq1\tann\n")
    assert grades(load(folder)) == {("q1", "d1"): 2}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("q1\td1\thigh", "train.tsv:2: the score 'high' is not a number"),
        ("q1\td1\tnan", "train.tsv:2: the score 'nan' is not a number"),
        ("q1\td1", r"train.tsv:2: 2 columns: 'q1\td1'. Expected 3 columns divided by tabs"),
        ("q1\td1\t1\tx", "train.tsv:2: 4 columns"),
        ("q1 0 d1 1", "This looks like a TREC qrels file"),
        ("q1\t\t1", "train.tsv:2: an empty id"),
    ],
)
def test_bad_judgements_name_their_line_or_are_counted(beir, line, said):
    folder = beir(qrels=f"q1\td1\t1\n{line}\n")
    with pytest.raises(DataError) as raised:
        load(folder)
    assert said in str(raised.value) and "skip_bad_lines=True" in str(raised.value)
    data = load(folder, skip_bad_lines=True)
    assert grades(data) == {("q1", "d1"): 1}
    assert data.notes == {"format": "BEIR", "queries_without_judgement": 1, "skipped_lines": 1}


def test_splits(beir, put):
    folder = beir()
    put("set/qrels/test.tsv", "q2\td3\t1\n", gz=True).rename(folder / "qrels" / "test.tsv.gz")
    assert list(beir_splits(folder)) == ["test", "train"]
    assert grades(load(folder, split="test")) == {("q2", "d3"): 1}
    assert load(folder, split="test").notes["queries_without_judgement"] == 1
    everything = load(folder, split=None)
    assert len(everything.labels) == 4 and everything.split is None
    with pytest.raises(
        DataError, match=r"no split 'dev'\. Splits there: test, train\. In Python, split=None reads all"
    ):
        load(folder, split="dev")


def test_splits_that_contradict_each_other(beir, put):
    folder = beir()
    put("set/qrels/test.tsv", "q1\td1\t0\n")
    with pytest.raises(DataError, match=r"judged 0 and 1 \(lines .*test\.tsv:1 and .*train\.tsv:2\)"):
        load(folder, split=None)


def test_what_a_beir_folder_lacks_is_named(beir):
    folder = beir()
    (folder / "queries.jsonl").unlink()
    assert looks_like_beir(folder)
    with pytest.raises(DataError, match=r"no queries\.jsonl or queries\.jsonl\.gz"):
        load(folder)


def test_two_files_of_one_name(beir, put):
    folder = beir()
    put("set/corpus.jsonl.gz", "", gz=True)
    with pytest.raises(DataError, match=r"holds corpus\.jsonl and corpus\.jsonl\.gz\. Keep one"):
        load(folder)
    (folder / "corpus.jsonl.gz").unlink()
    put("set/qrels/train.tsv.gz", "", gz=True)
    with pytest.raises(DataError, match=r"holds both train\.tsv and train\.tsv\.gz"):
        load(folder)


def test_no_judgements_at_all(beir):
    folder = beir()
    (folder / "qrels" / "train.tsv").rename(folder / "train.tsv")
    with pytest.raises(DataError, match="no judgements"):
        read_beir(folder, None)


def test_written_splits_share_texts(beir, put, tmp_path):
    folder = beir()
    put("set/qrels/test.tsv", "q2\td3\t1\n")
    splits = {name: load(folder, name) for name in ("train", "test")}
    write_beir(tmp_path / "out", splits)
    for name, data in splits.items():
        assert load(tmp_path / "out", name).fingerprint == data.fingerprint
    assert (tmp_path / "out" / "qrels" / "train.tsv").read_text().startswith("query-id\tcorpus-id\tscore\nq1\td1\t1\n")


def test_a_text_that_differs_between_splits_is_refused(beir, tmp_path):
    train = load(beir())
    test = load(beir(queries=({"_id": "q1", "text": "other words"},)))
    with pytest.raises(LitotesError, match="The query 'q1' has another text in the split 'test'"):
        write_beir(tmp_path / "out", {"train": train, "test": test})
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


def test_an_id_that_a_qrels_file_cannot_hold(beir, tmp_path):
    data = load(beir(corpus=({"_id": "d\t1", "text": "x"}, {"_id": "d1", "text": "y"})))
    with pytest.raises(LitotesError, match=r"The id 'd\\t1' cannot stand in a BEIR qrels file"):
        write_beir(tmp_path / "out", data)
