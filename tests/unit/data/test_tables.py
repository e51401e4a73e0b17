"""Tables: which column is what, and what a cell may hold."""

import datasets
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from litotes.core.errors import DataError
from litotes.data.load import load
from litotes.data.tables import Columns, choose_columns

ROWS = [
    {"anchor": "night", "positive": "owl", "negative": "lark", "id": 1},
    {"anchor": "night", "positive": "bat", "negative": None, "id": 2},
    {"anchor": "dawn", "positive": "lark", "negative": "", "id": 3},
]
CELLS = {("night", "owl"): 1, ("night", "lark"): 0, ("night", "bat"): 1, ("dawn", "lark"): 1}


def cells(data):
    rows, cols, grades = data.labels.cells()
    return {(data.row_texts[r], data.col_texts[c]): g for r, c, g in zip(rows, cols, grades, strict=True)}


def csv_of(rows):
    lines = [",".join(rows[0]), *(",".join(str(v or "") for v in row.values()) for row in rows)]
    return "\n".join(lines) + "\n"


def parquet_of(put, rows):
    path = put("x.parquet", "")
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


SOURCES = {
    "JSONL table": lambda put: put("x.jsonl", ROWS),
    "CSV table": lambda put: put("x.csv", csv_of(ROWS)),
    "TSV table": lambda put: put("x.tsv.gz", csv_of(ROWS).replace(",", "\t"), gz=True),
    "Parquet table": lambda put: parquet_of(put, ROWS),
    "datasets.Dataset": lambda put: datasets.Dataset.from_list(ROWS),
    "pandas.DataFrame": lambda put: pandas.DataFrame(ROWS, index=["a", "b", "b"]),
}


@pytest.mark.parametrize("form", SOURCES)
def test_every_source_gives_the_same(put, form):
    data = load(SOURCES[form](put), min_grade=2)  # which has nothing to say where there are no grades
    assert cells(data) == CELLS and data.labels.min_grade == 1
    assert data.row_ids.values == load(put("again.jsonl", ROWS)).row_ids.values
    assert data.notes == {
        "format": form,
        "columns": {"query": "anchor", "positive": "positive", "negatives": ["negative"]},
        "columns_not_used": ["id"],
    }


def test_a_streamed_dataset(put):
    assert cells(load(datasets.Dataset.from_list(ROWS).to_iterable_dataset())) == CELLS
    stream = datasets.IterableDataset.from_generator(lambda: iter(ROWS))
    assert cells(load(stream)) == CELLS


def test_a_dataset_that_was_filtered_and_shuffled(put):
    dataset = datasets.Dataset.from_list(ROWS).filter(lambda row: row["id"] != 2).shuffle(seed=0)
    assert cells(load(dataset)) == {key: value for key, value in CELLS.items() if key != ("night", "bat")}


def test_named_columns(put):
    rows = [{"id": 1, "answer": "owl", "question": "night", "negative_7": "lark", "negatives": "x"}]
    data = load(put("x.jsonl", rows), query_column="question", positive_column="answer")
    assert cells(data) == {("night", "owl"): 1, ("night", "lark"): 0}
    assert data.notes["columns_not_used"] == ["id", "negatives"]


def test_negatives_that_only_some_lines_have(put):
    rows = [{"q": "a", "p": "b"}, {"q": "a", "p": "c", "negative_1": "d", "negative_2": "e"}]
    assert sum(grade == 0 for grade in cells(load(put("x.jsonl", rows))).values()) == 2


def test_a_label_column_grades_the_pair(put):
    rows = [{"anchor": "night", "document": d, "label": g} for d, g in (("owl", 1), ("lark", 0), ("bat", 0.5))]
    data = load(put("x.jsonl", rows))
    assert cells(data) == {("night", "owl"): 1, ("night", "lark"): 0, ("night", "bat"): 0.5}
    assert data.notes["columns"]["grade"] == "label"
    assert load(put("x.jsonl", rows), min_grade=0.5).labels.positive_counts().tolist() == [2]
    assert cells(load(pandas.DataFrame(rows).assign(label=[True, False, False])))[("night", "bat")] == 0
    with pytest.raises(DataError, match=r"x\.jsonl:1: the label 'good' is not a number"):
        load(put("x.jsonl", [{"anchor": "a", "document": "b", "label": "good"}]))


class TestChooseColumns:
    def test_by_position_and_by_name(self):
        assert choose_columns(["q", "p", "x"], "t") == Columns("q", "p", [], None, ["x"])
        assert choose_columns(["p", "q"], "t", positive_column="p") == Columns("q", "p", [])
        assert choose_columns(["q", "negative"], "t") == Columns("q", "negative", [])

    @pytest.mark.parametrize(
        ("names", "options", "said"),
        [
            (["query", "a"], {"query_column": "querry"}, "among the columns 'query', 'a'. Did you mean 'query'?"),
            (["q", "p"], {"positive_column": "zzz"}, "positive_column='zzz' is not among the columns 'q', 'p'."),
            (["q"], {}, "one column, 'q'. Expected a query and a positive."),
            (["q;p"], {}, "Are its columns divided by semicolons?"),
            (["q", "p"], {"query_column": "p"}, "query and positive are both the column 'p'. Name both columns."),
            (["q", "p", "q"], {}, "the column 'q' stands twice"),
        ],
    )  # fmt: skip
    def test_what_is_refused(self, names, options, said):
        with pytest.raises(DataError) as raised:
            choose_columns(names, "t.csv", **options)
        assert str(raised.value).startswith("t.csv: ") and said in str(raised.value)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"q": "a", "p": None}], ":1: the column 'p' is empty. Expected a text"),
        ([{"q": " ", "p": "b"}], ":1: the column 'q' is empty"),
        ([{"q": "a", "p": 7}], ":1: the column 'p' holds 7"),
        ([{"q": "a", "p": ["b"]}], ":1: the column 'p' holds ['b']"),
        ([{"q": "a", "p": "b"}, {"q": "a", "pp": "b"}], ":2: no 'p' in this line. Expected a text. Did you mean 'pp'?"),
        ([{"q": "a", "p": "b", "negative": 3}], ":1: the column 'negative' holds 3"),
    ],
)
def test_cells_that_hold_no_text(put, rows, said):
    path = put("x.jsonl", [*rows, {"q": "fine", "p": "fine"}])
    with pytest.raises(DataError) as raised:
        load(path)
    assert f"x.jsonl{said}" in str(raised.value)
    data = load(path, skip_bad_lines=True)
    assert ("fine", "fine") in cells(data) and data.notes["skipped_lines"] == 1


@pytest.mark.parametrize("missing", [float("nan"), pandas.NA, pandas.NaT])
def test_nan_in_a_frame_names_its_row(missing):
    frame = pandas.DataFrame({"q": ["a", "b"], "p": ["x", missing], "negative": [missing, "y"]})
    with pytest.raises(DataError, match=r"pandas\.DataFrame:1: the column 'p' holds nan"):
        load(frame)
    assert cells(load(frame.iloc[:1])) == {("a", "x"): 1}
