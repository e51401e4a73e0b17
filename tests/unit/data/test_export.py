"""``export``: what is written reads back as the same labels and texts, in every format."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from litotes.core.candidates import Candidates
from litotes.core.collection import Collection
from litotes.core.errors import LitotesError
from litotes.core.label_matrix import LabelMatrix
from litotes.data.export import FORMATS, export, write_trec_run
from litotes.data.load import load
from litotes.data.trec import read_run

EXAMPLES = 40  # files are synced to the disk, which takes most of the time

ids = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=4)
nasty = st.sampled_from(list("\t\n\r\"',;&<>\\ \U0001f989\u2028\x85\x00\u00e9e\u0301"))
texts = st.text(st.one_of(nasty, st.characters(exclude_categories=["Cs"])), max_size=12)


@st.composite
def collections(draw):
    """A small collection: some ids without text, some texts blank or repeated, grades of every kind."""
    row_ids = draw(st.lists(ids, min_size=1, max_size=4, unique=True))
    col_ids = draw(st.lists(ids, min_size=1, max_size=5, unique=True))
    cells = draw(
        st.dictionaries(
            st.tuples(st.sampled_from(row_ids), st.sampled_from(col_ids)),
            st.sampled_from([-1.0, 0.0, 0.1, 1.0, 2.0]),
            min_size=1,
        )
    )
    with_text = draw(st.lists(st.sampled_from(col_ids), min_size=1, unique=True))
    rows = pa.table({"id": row_ids, "text": [draw(texts) for _ in row_ids]})
    cols = pa.table(
        {"id": with_text, "title": [draw(texts) for _ in with_text], "text": [draw(texts) for _ in with_text]}
    )
    labels = LabelMatrix.from_qrels(((*cell, grade) for cell, grade in cells.items()), row_ids, col_ids)
    return Collection(labels, rows, cols, split="train")


def grades_by_id(data):
    return {(data.row_ids[r], data.col_ids[c]): g for r, c, g in zip(*data.labels.cells(), strict=True)}


def texts_by_id(contents):
    zipped = zip(contents.ids, contents.titles, contents.bodies, strict=True)
    return {name: (title, body) for name, title, body in zipped if body is not None}


def signs_by_text(data, rows=None):
    """``{(query text, document text): is positive}`` of the cells that have both; a positive beats a negative."""
    found: dict[tuple[str, str], bool] = {}
    queries = data.rows.bodies
    for row, col, grade in zip(*data.labels.cells(), strict=True):
        if data.rows_with_content[row] and data.cols_with_content[col] and (rows is None or row in rows):
            key = (queries[row], data.col_texts[col])
            found[key] = found.get(key, False) or bool(grade >= data.labels.min_grade)
    return found


def round_trip(data, format, folder, **options):
    ending = {"beir": "", "trec": "", "csv": ".csv", "parquet": ".parquet"}.get(format, ".jsonl")
    result = export(data, format, Path(folder) / f"out{ending}")
    return load(Path(folder) / f"out{ending}", **options), result["left_out"]["train"]


@pytest.mark.parametrize("format", ["beir", "trec"])
@settings(max_examples=EXAMPLES)
@given(data=collections())
def test_folders_hold_everything(format, data):
    with tempfile.TemporaryDirectory() as folder:
        again, left_out = round_trip(data, format, folder, split=None)
    assert left_out == {}
    assert grades_by_id(again) == grades_by_id(data)
    assert texts_by_id(again.cols) == texts_by_id(data.cols)
    assert texts_by_id(again.rows) == texts_by_id(data.rows)


@settings(max_examples=EXAMPLES)
@given(data=collections())
def test_tevatron_holds_ids_titles_and_signs(data):
    with tempfile.TemporaryDirectory() as folder:
        assume(signs_by_text(data))
        again, _ = round_trip(data, "tevatron", folder)
    rows, cols, grades = data.labels.cells()
    usable = data.rows_with_content[rows] & data.cols_with_content[cols]
    expected = {
        (data.row_ids[r], data.col_ids[c]): g >= 1
        for r, c, g in zip(rows[usable], cols[usable], grades[usable], strict=True)
    }
    assert {cell: grade == 1 for cell, grade in grades_by_id(again).items()} == expected
    assert texts_by_id(again.cols).items() <= {k: (t, b or "") for k, (t, b) in texts_by_id(data.cols).items()}.items()


@settings(max_examples=EXAMPLES)
@given(data=collections())
def test_flagembedding_holds_texts_and_signs(data):
    assume(signs_by_text(data))
    with tempfile.TemporaryDirectory() as folder:
        again, _ = round_trip(data, "flagembedding", folder)
    assert signs_by_text(again) == signs_by_text(data)


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
@settings(max_examples=EXAMPLES)
@given(data=collections())
def test_tables_hold_texts_and_signs_of_queries_with_a_positive(format, data):
    rows, cols = data.labels.positive_cells()
    usable = data.rows_with_content[rows] & data.cols_with_content[cols]
    assume(usable.any())
    with tempfile.TemporaryDirectory() as folder:
        again, _ = round_trip(data, format, folder)
    written = signs_by_text(data, set(rows[usable].tolist()))
    taken = {key for key, positive in signs_by_text(data).items() if positive}
    assert signs_by_text(again) == {key: sign for key, sign in written.items() if sign or key not in taken}


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_lost_is_counted_and_said(beir, tmp_path, capsys, format):
    data = load(beir(qrels="q1\td1\t2\nq1\tdx\t0\nq2\td2\t0\n"))
    capsys.readouterr()
    result = export(data, format, tmp_path / "out.x")
    tables = {"cells_without_text": 1, "documents_not_used": 1, "grades_other_than_0_and_1": 1}
    left_out = {
        "beir": {},
        "trec": {},
        "tevatron": tables,
        "flagembedding": tables,
    }.get(format, {**tables, "queries_without_positive": 1})
    assert result == {
        "format": format,
        "out": str(tmp_path / "out.x"),
        "splits": ["train"],
        "left_out": {"train": left_out},
    }
    said = capsys.readouterr().err
    assert ("1 documents not used" in said) == bool(left_out)


@pytest.mark.parametrize("format", FORMATS)
def test_several_splits_go_to_one_folder(beir, put, tmp_path, format):
    folder = beir()
    put("set/qrels/test.tsv", "q2\td3\t1\n")
    splits = {name: load(folder, name) for name in ("train", "test")}
    export(splits, format, tmp_path / "out")
    for name, data in splits.items():
        assert signs_by_text(load(tmp_path / "out", name)) == signs_by_text(data)


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_data_give_the_same_bytes(beir, tmp_path, format):
    data = load(beir())
    for name in ("a", "b"):
        export({"train": data}, format, tmp_path / name)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert files and all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


def test_negatives_beyond_the_positives_get_lines_of_their_own(beir, tmp_path):
    data = load(beir(qrels="q1\td1\t1\nq1\td2\t0\nq1\td3\t0\nq2\td2\t1\n"))
    export(data, "csv", tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == (
        "query,positive,negative\n"
        "night birds,Owls hunt at night,larks sing at dawn\n"
        "night birds,Owls hunt at night,bats are no birds\n"
        "morning birds,larks sing at dawn,\n"
    )


@pytest.mark.parametrize("format", ["flagembedding", "jsonl", "csv", "parquet"])
def test_where_texts_are_ids_a_copy_of_a_positive_is_no_negative(beir, tmp_path, format):
    corpus = [{"_id": "d1", "text": "same"}, {"_id": "d2", "text": "same"}, {"_id": "d3", "text": "other"}]
    data = load(beir(corpus, qrels="q1\td1\t1\nq1\td2\t0\nq1\td3\t0\n"))
    again, left_out = round_trip(data, format, tmp_path)
    assert signs_by_text(again) == {("night birds", "same"): True, ("night birds", "other"): False}
    assert left_out == {"negatives_equal_to_a_positive": 1, "documents_not_used": 1}


def test_no_negative_no_column(beir, tmp_path):
    export(load(beir(qrels="q1\td1\t1\n")), "jsonl", tmp_path / "x.jsonl")
    assert (tmp_path / "x.jsonl").read_text() == '{"query": "night birds", "positive": "Owls hunt at night"}\n'


def test_what_is_refused(beir, tmp_path):
    data = load(beir())
    with pytest.raises(
        LitotesError, match=r"'format' parameter of export must be one of 'beir'.*Did you mean 'parquet'"
    ):
        export(data, "parket", tmp_path / "x")
    with pytest.raises(LitotesError, match="There is no split to write"):
        export({}, "beir", tmp_path / "x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    for format in FORMATS:
        with pytest.raises(LitotesError, match="the folder is not empty"):
            export({"train": data}, format, tmp_path / "full")
        with pytest.raises(LitotesError, match="not empty|a folder stands where a file"):
            export(data, format, tmp_path / "full")
    nothing = load(beir(qrels="q1\td1\t0\n"))
    with pytest.raises(LitotesError, match="Not a single pair of a query and a positive"):
        export(nothing, "csv", tmp_path / "x.csv")
    vectors = Collection(data.labels, data.rows.table, pa.table({"id": ["d1"], "vector": [[0.5]]}))
    with pytest.raises(LitotesError, match="hold a vector each, and these formats hold texts"):
        export(vectors, "beir", tmp_path / "x")
    bare = Collection(data.labels)
    with pytest.raises(LitotesError, match="No document has a text"):
        export(bare, "beir", tmp_path / "x")
    assert {path.name for path in tmp_path.iterdir()} == {"full", "set"}


class TestRuns:
    @staticmethod
    def mined(data):
        dense = Candidates.build(
            np.array([0, 0, 1]), np.array([2, 1, 0]), miner="dense", score=[0.5, 0.5, 0.1], rank=[2, 1, 1], data=data
        )
        bm25 = Candidates.build(np.array([0]), np.array([2]), miner="bm25", score=[7.5], rank=[1], data=data)
        return dense, dense.merge(bm25)

    def test_a_miners_cells_become_a_run(self, beir, tmp_path):
        data = load(beir())
        dense, both = self.mined(data)
        write_trec_run(tmp_path / "x", data, dense)
        assert (tmp_path / "x").read_text() == "q1 Q0 d2 1 0.5 dense\nq1 Q0 d3 2 0.5 dense\nq2 Q0 d1 1 0.1 dense\n"
        write_trec_run(tmp_path / "y", data, both, miner="bm25")
        assert read_run(tmp_path / "y") == {"q1": {"d3": 7.5}}

    def test_which_miner_must_be_clear(self, beir, tmp_path):
        data = load(beir())
        _, both = self.mined(data)
        with pytest.raises(LitotesError, match="come from several miners; name one"):
            write_trec_run(tmp_path / "x", data, both)
        with pytest.raises(LitotesError, match="'miner' parameter of write_trec_run must be one of"):
            write_trec_run(tmp_path / "x", data, both, miner="dens")
