"""Where the lines of tables come from: what each format takes for a line, and what for none."""

from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from litotes.core.errors import DataError
from litotes.data.table_sources import CSVFile, DatasetRows, JSONLFile, ParquetFile, TSVFile, table_file


def read(source, used=("q", "p"), skip=False):
    notes = Counter()
    return source.columns(skip), list(source.rows(list(used), notes, skip)), notes


def test_the_ending_names_the_format(tmp_path):
    kinds = {"x.csv": CSVFile, "x.TSV": TSVFile, "x.tsv.gz": TSVFile, "x.parquet": ParquetFile, "x.jsonl.gz": JSONLFile}
    assert {name: type(table_file(tmp_path / name)) for name in kinds} == kinds


class TestCSV:
    def test_quoted_commas_quotes_and_line_breaks(self, put):
        text = 'q,p\r\n"a, b","say ""hi""\r\nthere\n"\r\n\r\n ,\r\nc,\u2028d\r\n'
        columns, rows, notes = read(CSVFile(put("x.csv", text)))
        assert columns == ["q", "p"] and notes == {"blank_lines": 2}
        assert rows == [(2, {"q": "a, b", "p": 'say "hi"\r\nthere\n'}), (7, {"q": "c", "p": "\u2028d"})]

    def test_a_cell_of_a_megabyte(self, put):
        long = "owl " * 300_000
        assert read(CSVFile(put("x.csv", f"q,p\na,{long}\n")))[1] == [(2, {"q": "a", "p": long})]

    def test_a_mark_and_a_gzip(self, put):
        assert read(CSVFile(put("x.csv", "\ufeffq,p\na,b\n", gz=True)))[0] == ["q", "p"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("q,p\na,b\nc,d,e\n", "x.csv:3: 3 columns where the header has 2. Quote texts that hold commas"),
            ('q,p\na,b\nc,"d\ne,f\n', "x.csv:3: a quote opened here is never closed"),
            ('q,p\na,b\nc,"d"e\n', "x.csv:3: not valid CSV"),
        ],
    )
    def test_bad_records(self, put, text, said):
        path = put("x.csv", text)
        with pytest.raises(DataError) as raised:
            read(CSVFile(path))
        assert said in str(raised.value)
        assert read(CSVFile(path), skip=True)[1:] == ([(2, {"q": "a", "p": "b"})], {"skipped_lines": 1})


class TestTSV:
    def test_quotes_are_characters(self, put):
        columns, rows, _ = read(TSVFile(put("x.tsv", 'q\tp\r\n"a\tb" c\n')))
        assert columns == ["q", "p"] and rows == [(2, {"q": '"a', "p": 'b" c'})]

    def test_too_many_columns(self, put):
        with pytest.raises(DataError, match=r"x\.tsv:2: 3 columns where the header has 2"):
            read(TSVFile(put("x.tsv", "q\tp\na\tb\tc\n")))


class TestJSONL:
    def test_the_first_object_names_the_columns(self, put):
        columns, rows, _ = read(JSONLFile(put("x.jsonl", '\n{"q": 1, "p": 2}\n{"p": 3}\n')))
        assert columns == ["q", "p"] and rows == [(2, {"q": 1, "p": 2}), (3, {"p": 3})]

    def test_no_object_at_all_names_the_first_bad_line(self, put):
        with pytest.raises(DataError, match=r"x\.jsonl:2: not valid JSON"):
            read(JSONLFile(put("x.jsonl", "\nnonsense\n[]\n")))


@pytest.mark.parametrize("source", [JSONLFile, CSVFile, TSVFile])
def test_empty_files(put, source):
    with pytest.raises(DataError, match="the file is empty"):
        read(source(put("x", "\n")))


class TestParquet:
    def test_rows_count_from_0_over_blocks(self, put):
        path = put("x.parquet", "")
        pq.write_table(pa.table({"q": [str(i) for i in range(3000)], "p": ["x"] * 3000, "z": [1] * 3000}), path)
        columns, rows, _ = read(ParquetFile(path))
        assert columns == ["q", "p", "z"] and rows[2999] == (2999, {"q": "2999", "p": "x"}) and len(rows) == 3000

    def test_a_dictionary_column(self, put):
        path = put("x.parquet", "")
        pq.write_table(
            pa.table({"q": pa.array(["a", "a"]).dictionary_encode(), "p": pa.array(["b", None], pa.large_string())}),
            path,
        )
        assert [fields for _, fields in read(ParquetFile(path))[1]] == [{"q": "a", "p": "b"}, {"q": "a", "p": None}]

    def test_a_cut_file(self, put):
        path = put("x.parquet", "")
        pq.write_table(pa.table({"q": ["a"], "p": ["b"]}), path)
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(DataError, match=r"x\.parquet: not a whole Parquet file"):
            read(ParquetFile(path))

    def test_texts_that_are_not_utf8(self, put):
        path = put("x.parquet", "")
        bad = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xe9")])
        pq.write_table(pa.table({"q": ["a"], "p": bad}), path)
        with pytest.raises(DataError, match="not UTF-8"):
            read(ParquetFile(path))

    def test_no_such_file(self, tmp_path):
        with pytest.raises(DataError, match="no such file"):
            ParquetFile(tmp_path / "x.parquet").columns(False)


def test_a_dataset_without_columns():
    datasets = pytest.importorskip("datasets")
    with pytest.raises(DataError, match="it has no columns"):
        DatasetRows(datasets.Dataset.from_dict({})).columns(False)
