"""Tables of examples with labels: what is read as what, what is refused and where it stands, what is written back."""

import datasets
import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from litotes.core.errors import DataError, LitotesError
from litotes.data.labelled_table import LabelledTable, read_labelled_table, write_labelled_table

ROWS = [
    {"ticket": "a7", "body": "the app, it crashes", "queue": "bug", "age": 3, "score": 0.5},
    {"ticket": "b2", "body": "give me my money", "queue": "billing", "age": 41, "score": 1.25},
    {"ticket": "c9", "body": 'what is a "plan"?', "queue": "billing", "age": 7, "score": -2.0},
]


def csv_of(rows, divider=","):
    def cell(value):
        text = "" if value is None else str(value)
        return '"' + text.replace('"', '""') + '"' if divider == "," and any(c in text for c in ',"\n') else text

    return "\n".join([divider.join(rows[0]), *(divider.join(map(cell, row.values())) for row in rows)]) + "\n"


def parquet_of(put, rows):
    path = put("x.parquet", "")
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


SOURCES = {
    "JSONL table": lambda put, rows: put("x.jsonl", rows),
    "gzipped JSONL table": lambda put, rows: put("x.jsonl.gz", rows, gz=True),
    "CSV table": lambda put, rows: put("x.csv", csv_of(rows)),
    "TSV table": lambda put, rows: put("x.tsv", csv_of(rows, "\t")),
    "Parquet table": parquet_of,
    "datasets.Dataset": lambda put, rows: datasets.Dataset.from_list(rows),
    "datasets.IterableDataset": lambda put, rows: datasets.Dataset.from_list(rows).to_iterable_dataset(),
    "pandas.DataFrame": lambda put, rows: pandas.DataFrame(rows, index=["i", "j", "j"]),
}


@pytest.mark.parametrize("form", SOURCES)
def test_every_source_gives_the_same(put, form):
    table = read_labelled_table(
        SOURCES[form](put, ROWS), label="queue", text="body", features=["age", "score"], id_column="ticket"
    )
    assert table.labels == ["bug", "billing", "billing"] and table.classes == ["billing", "bug"]
    assert table.texts == [row["body"] for row in ROWS] and table.ids == ["a7", "b2", "c9"]
    assert table.features.dtype == np.float32 and table.features.tolist() == [[3, 0.5], [41, 1.25], [7, -2]]
    assert list(table.columns) == list(ROWS[0]) and len(table) == 3
    assert (table.label_column, table.text_column, table.feature_columns) == ("queue", "body", ("age", "score"))
    again = read_labelled_table(
        put("y.jsonl", ROWS), label="queue", text="body", features=["age", "score"], id_column="ticket"
    )
    assert table.fingerprint == again.fingerprint and table.parts == again.parts


@pytest.mark.parametrize(("form", "first"), [("CSV table", 2), ("JSONL table", 1), ("Parquet table", 0)])
def test_a_row_keeps_its_place(put, form, first):
    source = SOURCES[form](put, ROWS)
    assert read_labelled_table(source, label="queue").places == [f"{source}:{first + row}" for row in range(3)]


def test_what_was_read_is_said(put, capsys):
    read_labelled_table(put("x.csv", csv_of(ROWS)), label="queue", text="body")
    assert "x.csv: read as CSV table (text: 'body'): 3 rows, 2 classes in 'queue'." in capsys.readouterr().err


class TestFeatures:
    def test_without_a_text_every_column_of_numbers_is_one(self, put):
        rows = [{"id": row, "age": row, "sex": "f", "queue": "ab"[row % 2], "tall": bool(row)} for row in range(4)]
        table = read_labelled_table(put("x.jsonl", rows), label="queue")
        assert table.feature_columns == ("age", "tall") and table.texts is None  # an id says nothing of its row
        assert table.features.tolist() == [[0, 0], [1, 1], [2, 1], [3, 1]]

    def test_a_label_of_numbers_is_no_feature_and_neither_is_the_id(self, put):
        table = read_labelled_table(put("x.csv", "number,x,y\n9,1,0\n8,2,1\n"), label="y", id_column="number")
        assert table.feature_columns == ("x",) and table.ids == ["9", "8"]

    def test_an_id_may_be_asked_for_by_name(self, put):
        table = read_labelled_table(put("x.csv", "id,y\n9,a\n8,b\n"), label="y", features=["id"])
        assert table.features.tolist() == [[9], [8]]

    def test_a_column_of_lists(self, put):
        rows = [{"v": [1, 2.5], "w": 7, "y": "a"}, {"v": [3, 4], "w": 8, "y": "b"}]
        for source in (put("x.jsonl", rows), parquet_of(put, rows), datasets.Dataset.from_list(rows)):
            table = read_labelled_table(source, label="y", features=["v", "w"])
            assert table.features.tolist() == [[1, 2.5, 7], [3, 4, 8]]

    def test_no_numbers_at_all(self, put):
        with pytest.raises(DataError, match="x.csv: no column of numbers beside the label. Name the column of texts"):
            read_labelled_table(put("x.csv", "body,y\nhello,a\n"), label="y")

    @pytest.mark.parametrize(
        ("cells", "said"),
        [
            (["1", "2", "ten"], "x.csv:4: the cell of 'x' 'ten' is not a number. Expected one such as 1, 0 or 0.5."),
            (["1", "", "3"], "x.csv:3: the column 'x' is empty. Expected a number."),
            (["1", "2", "nan"], "x.csv:4: the cell of 'x' 'nan' is not a number"),
            (["1", "inf", "3"], "x.csv:3: the cell of 'x' 'inf' is not a number"),
            (["1", "1_0", "3"], "x.csv:3: the cell of 'x' '1_0' is not a number"),
            (
                ["1e39", "2", "3"],
                "x.csv:2: the cell of 'x' 1e+39 is too large. Expected a number that 32 bits",
            ),
        ],
    )
    def test_a_cell_that_is_no_number(self, put, cells, said):
        path = put("x.csv", "x,y\n" + "".join(f"{cell},{label}\n" for cell, label in zip(cells, "aba", strict=True)))
        with pytest.raises(DataError) as raised:
            read_labelled_table(path, label="y")
        assert said in str(raised.value) and str(raised.value).endswith("Mend the line, or pass skip_bad_lines=True.")
        table = read_labelled_table(path, label="y", skip_bad_lines=True)
        assert len(table) == 2 and table.notes == {"skipped_lines": 1} and np.isfinite(table.features).all()

    def test_a_missing_number_of_pandas(self):
        frame = pandas.DataFrame({"x": [1.0, None, 3.0], "y": list("aba")})
        with pytest.raises(DataError, match="pandas.DataFrame:1: the column 'x' is empty. Expected a number."):
            read_labelled_table(frame, label="y")

    @pytest.mark.parametrize(
        ("second", "said"), [([3], "holds a list of 1"), (7, "is no list"), ([3, "x"], "'x' is not a number")]
    )
    def test_lists_that_differ(self, put, second, said):
        rows = [{"v": [1, 2], "y": "a"}, {"v": second, "y": "b"}]
        with pytest.raises(DataError, match=f"x.jsonl:2: .*{said}"):
            read_labelled_table(put("x.jsonl", rows), label="y", features=["v"])


class TestLabels:
    @pytest.mark.parametrize("missing", [None, "", "  ", float("nan"), "NaN", "nan"])
    def test_a_missing_label(self, put, missing):
        rows = [*ROWS[:2], {**ROWS[2], "queue": missing}]
        sources = [put("x.jsonl", rows), pandas.DataFrame(rows)]
        sources += [put("x.csv", csv_of(rows))] if missing != "  " else []
        for source, place in zip(sources, ["x.jsonl:3", "pandas.DataFrame:2", "x.csv:4"], strict=False):
            with pytest.raises(DataError, match=rf"{place}: the column 'queue' (is empty|holds '[nN]a[nN]')"):
                read_labelled_table(source, label="queue")
            table = read_labelled_table(source, label="queue", text="body", skip_bad_lines=True)
            assert table.labels == ["bug", "billing"] and table.texts == [row["body"] for row in ROWS[:2]]

    def test_numbers_are_one_class_however_they_are_written(self, put):
        sources = [put("x.csv", "x,y\n1,1\n2,0\n"), put("x.jsonl", [{"x": 1, "y": 1}, {"x": 2, "y": 0.0}])]
        sources += [pandas.DataFrame({"x": [1, 2], "y": [1.0, 0.0]}), pandas.DataFrame({"x": [1, 2], "y": [1, 0]})]
        assert [read_labelled_table(source, label="y").labels for source in sources] == [["1", "0"]] * 4

    def test_truth_values(self, put):
        assert read_labelled_table(put("x.jsonl", [{"x": 1, "y": True}]), label="y").labels == ["True"]

    def test_a_class_label_of_datasets_has_its_name(self):
        features = datasets.Features({"x": datasets.Value("int64"), "y": datasets.ClassLabel(names=["ham", "spam"])})
        rows = {"x": [5, 6, 7], "y": [1, 0, -1]}
        with pytest.raises(DataError, match="datasets.Dataset:2: the column 'y' is empty. Expected the label"):
            read_labelled_table(datasets.Dataset.from_dict(rows, features=features), label="y")
        table = read_labelled_table(datasets.Dataset.from_dict(rows, features=features), label="y", skip_bad_lines=True)
        assert table.labels == ["spam", "ham"] and table.columns["y"] == [1, 0]

    def test_a_list_is_no_label(self, put):
        with pytest.raises(DataError, match=r"x.jsonl:1: the column 'y' holds .*Expected one label."):
            read_labelled_table(put("x.jsonl", [{"x": 1, "y": ["a"]}]), label="y")

    def test_a_table_may_have_none(self, put):
        table = read_labelled_table(put("x.csv", "x\n1\n"), label=None)
        assert table.labels == [] and table.label_column is None and table.select([0]).labels == []


class TestTexts:
    @pytest.mark.parametrize(
        ("cell", "said"), [("", "is empty"), (None, "is empty"), (" ", "is empty"), (5, "holds '5'")]
    )
    def test_what_is_no_text(self, put, cell, said):
        rows = [{"body": "ok", "y": "a"}, {"body": cell, "y": "b"}]
        with pytest.raises(DataError, match=f"x.jsonl:2: the column 'body' {said}. Expected a text."):
            read_labelled_table(put("x.jsonl", rows), label="y", text="body")

    def test_half_a_character(self, put):
        path = put("x.jsonl", '{"body": "\\ud800", "y": "a"}\n')
        with pytest.raises(DataError, match=r"x.jsonl:1: 'body' holds half a character \(U\+D800\)"):
            read_labelled_table(path, label="y", text="body")


class TestColumns:
    @pytest.mark.parametrize("option", ["label", "text", "id_column"])
    def test_an_unknown_column_names_the_nearest(self, put, option):
        path = put("x.csv", csv_of(ROWS))
        with pytest.raises(DataError, match=f"x.csv: {option}='quue' is not among the columns 'ticket', .* 'queue'?"):
            read_labelled_table(path, **{"label": "queue", option: "quue"})

    def test_an_unknown_feature(self, put):
        with pytest.raises(DataError, match="features='agge' is not among the columns .* Did you mean 'age'?"):
            read_labelled_table(put("x.csv", csv_of(ROWS)), label="queue", features=["score", "agge"])

    def test_a_column_that_stands_twice(self, put):
        with pytest.raises(DataError, match="x.csv: the column 'y' stands twice. Rename one of them."):
            read_labelled_table(put("x.csv", "x,y,y\n1,a,b\n"), label="y")

    def test_a_field_that_only_later_lines_have(self, put):
        rows = [{"x": 1, "y": "a"}, {"x": 2, "y": "b", "note": "late"}]
        table = read_labelled_table(put("x.jsonl", rows), label="y")
        assert table.columns == {"x": [1, 2], "y": ["a", "b"], "note": [None, "late"]}

    def test_an_id_that_stands_twice_or_is_missing(self, put):
        with pytest.raises(DataError, match="x.csv:3: the id '7' in the column 'n' stood before"):
            read_labelled_table(put("x.csv", "n,x,y\n7,1,a\n7,2,b\n"), label="y", id_column="n")
        with pytest.raises(DataError, match="x.csv:3: the column 'n' is empty. Expected an id."):
            read_labelled_table(put("x.csv", "n,x,y\n7,1,a\n,2,b\n"), label="y", id_column="n")


class TestSources:
    def test_what_is_no_table(self, put, tmp_path):
        with pytest.raises(DataError, match="a folder. Name the table in it"):
            read_labelled_table(tmp_path, label="y")
        put("tickets.csv", "x,y\n1,a\n")
        with pytest.raises(DataError, match=r"tickts.csv: no such file or folder. Did you mean .*tickets.csv\?"):
            read_labelled_table(tmp_path / "tickts.csv", label="y")
        with pytest.raises(DataError, match="x.xlsx: unknown format. Known endings: .jsonl"):
            read_labelled_table(put("x.xlsx", "x"), label="y")
        with pytest.raises(LitotesError, match="must be a path, a datasets.Dataset or a pandas.DataFrame. Got list"):
            read_labelled_table([], label="y")

    def test_an_empty_table(self, put):
        with pytest.raises(DataError, match="x.csv: the table has no rows."):
            read_labelled_table(put("x.csv", "x,y\n"), label="y")
        with pytest.raises(
            DataError, match="x.csv: all 1 rows were skipped, the first because the column 'y' is empty"
        ):
            read_labelled_table(put("x.csv", "x,y\n1,\n"), label="y", skip_bad_lines=True)

    def test_a_line_that_cannot_be_read(self, put):
        path = put("x.csv", "x,y\n1,a\n2,b,c\n3,b\n")
        with pytest.raises(DataError, match="x.csv:3: 3 columns where the header has 2"):
            read_labelled_table(path, label="y")
        table = read_labelled_table(path, label="y", skip_bad_lines=True)
        assert table.labels == ["a", "b"] and table.places == [f"{path}:2", f"{path}:4"] and table.ids == ["0", "1"]


class TestTable:
    def test_the_fingerprint_knows_what_decides_the_numbers(self, put):
        def parts(rows, **options):
            return read_labelled_table(put("x.jsonl", rows), label="queue", **options).parts

        before = parts(ROWS, text="body", features=["age"])
        assert set(before) == {"labels", "ids", "texts", "features"}
        changes = {"queue": ("bill", "labels"), "body": ("other", "texts"), "age": (42, "features")}
        for column, (value, part) in changes.items():
            after = parts([*ROWS[:2], {**ROWS[2], column: value}], text="body", features=["age"])
            assert [name for name in before if before[name] != after[name]] == [part]
        assert parts([*ROWS[:2], {**ROWS[2], "ticket": "x"}], text="body", features=["age"]) == before

    @pytest.mark.parametrize("rows", [[2, 0], np.array([True, False, True])], ids=["positions", "mask"])
    def test_some_rows(self, put, rows):
        table = read_labelled_table(put("x.csv", csv_of(ROWS)), label="queue", text="body", features=["age"])
        order = [2, 0] if isinstance(rows, list) else [0, 2]
        some = table.select(rows)
        assert some.labels == [table.labels[row] for row in order] and some.ids == [table.ids[row] for row in order]
        assert some.texts == [table.texts[row] for row in order]
        np.testing.assert_array_equal(some.features, table.features[order])
        assert some.places == [table.places[row] for row in order]
        assert some.columns["ticket"] == [table.columns["ticket"][row] for row in order]
        assert some.fingerprint != table.fingerprint

    def test_what_is_in_memory(self):
        table = LabelledTable.from_arrays([1, 0], texts=["a", "b"], features=[[1, 2], [3, 4]], name="mine")
        assert table.labels == ["1", "0"] and table.features.dtype == np.float32 and table.places[1] == "mine:1"
        with pytest.raises(DataError, match="mine: 2 labels and 1 texts. Give one of each a row."):
            LabelledTable.from_arrays([1, 0], texts=["a"], name="mine")
        for features in ([[1.0], [np.nan]], [1.0, 2.0]):
            with pytest.raises(DataError, match=r"features are finite numbers \[rows, columns\]. Got the shape"):
                LabelledTable.from_arrays([1, 0], features=features)


class TestWriting:
    @pytest.mark.parametrize("name", ["y.jsonl", "y.csv", "y.tsv", "y.parquet", "y.csv.gz"])
    def test_what_was_read_is_written_again(self, put, tmp_path, name):
        table = read_labelled_table(put("x.jsonl", ROWS), label="queue", text="body")
        write_labelled_table(tmp_path / name, table)
        again = read_labelled_table(tmp_path / name, label="queue", text="body")
        assert again.fingerprint == table.fingerprint
        assert [list(map(str, cells)) for cells in again.columns.values()] == [
            list(map(str, cells)) for cells in table.columns.values()
        ]

    def test_a_csv_comes_back_byte_by_byte(self, put, tmp_path):
        path = put("x.csv", csv_of(ROWS))
        write_labelled_table(tmp_path / "y.csv", read_labelled_table(path, label="queue"))
        assert (tmp_path / "y.csv").read_bytes() == path.read_bytes()

    def test_rows_left_out_other_labels_and_more_columns(self, put, tmp_path):
        table = read_labelled_table(put("x.csv", csv_of(ROWS)), label="queue", text="body")
        keep = np.array([True, False, True])
        write_labelled_table(
            tmp_path / "y.csv", table, keep, labels=["bug", "bug", "other"], extra={"was": table.labels}
        )
        again = read_labelled_table(tmp_path / "y.csv", label="queue", text="body")
        assert again.labels == ["bug", "other"] and again.columns["was"] == ["bug", "billing"]
        assert again.columns["ticket"] == ["a7", "c9"]

    def test_another_label_is_written_as_the_class_stood_in_the_original(self, put, tmp_path):
        table = read_labelled_table(parquet_of(put, [{"x": 1, "y": 0}, {"x": 2, "y": 1}]), label="y")
        write_labelled_table(tmp_path / "y.parquet", table, labels=["1", "1"])
        assert pq.read_table(tmp_path / "y.parquet")["y"].to_pylist() == [1, 1]
        features = datasets.Features({"x": datasets.Value("int64"), "y": datasets.ClassLabel(names=["ham", "spam"])})
        table = read_labelled_table(datasets.Dataset.from_dict({"x": [1], "y": [0]}, features=features), label="y")
        write_labelled_table(tmp_path / "z.parquet", table, labels=["spam"])
        assert pq.read_table(tmp_path / "z.parquet")["y"].to_pylist() == [1]

    def test_what_cannot_be_written(self, put, tmp_path):
        table = read_labelled_table(put("x.csv", csv_of(ROWS)), label="queue")
        for change, said in [
            ({"extra": {"age": [1, 2, 3]}}, "has a column 'age' already. Rename it, or leave it out."),
            ({"extra": {"new": [1]}}, "3 rows and 1 cells of 'new'. Give one a row."),
            ({"labels": ["a"]}, "3 rows and 1 labels. Give one a row."),
            ({"keep": [True]}, "3 rows and 1 entries of keep. Give one a row."),
            ({"keep": [0, 1, 2]}, "keep is a bool for every row. Got an array of int64."),
        ]:
            with pytest.raises(LitotesError) as raised:
                write_labelled_table(tmp_path / "y.csv", table, **change)
            assert said in str(raised.value)
        unlabelled = read_labelled_table(put("x.csv", csv_of(ROWS)), label=None)
        with pytest.raises(LitotesError, match="read without a label column, so there is none to write labels into"):
            write_labelled_table(tmp_path / "y.csv", unlabelled, labels=["a", "b", "c"])
        assert not (tmp_path / "y.csv").exists()
