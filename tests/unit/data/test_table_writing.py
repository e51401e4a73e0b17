"""Tables written: what each format holds, and what it cannot."""

import datetime
import gzip
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from litotes.core.errors import DataError, LitotesError
from litotes.data.table_writing import write_columns

COLUMNS = {
    "text": ["a, b", 'say "hi"', "two\nlines", "lone\rreturn"],
    "number": [1, None, 2, 3],
    "share": [0.5, float("nan"), np.float32(0.25), 1e-9],
    "list": [[1, "x"], None, np.array([2, 3]), []],
}


def test_jsonl(tmp_path):
    write_columns(tmp_path / "x.jsonl", COLUMNS)
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().split("\n") if line]
    assert lines[0] == {"text": "a, b", "number": 1, "share": 0.5, "list": [1, "x"]}
    assert lines[1] == {"text": 'say "hi"', "number": None, "share": None, "list": None}
    assert lines[2] == {"text": "two\nlines", "number": 2, "share": 0.25, "list": [2, 3]}


def test_csv(tmp_path):
    write_columns(tmp_path / "x.csv", COLUMNS)
    assert (tmp_path / "x.csv").read_bytes().decode() == (
        "text,number,share,list\n"
        '"a, b",1,0.5,"[1, ""x""]"\n'
        '"say ""hi""",,,\n'
        '"two\nlines",2,0.25,"[2, 3]"\n'
        '"lone\rreturn",3,1e-09,[]\n'
    )


def test_tsv_holds_no_tabs_and_no_line_breaks(tmp_path):
    write_columns(tmp_path / "x.tsv", {"a": ['"q"', "b"], "n": [1, True]})
    assert (tmp_path / "x.tsv").read_text() == 'a\tn\n"q"\t1\nb\tTrue\n'
    with pytest.raises(DataError, match="The column 'text' holds a tab or a line break in row 2, which a TSV cannot"):
        write_columns(tmp_path / "y.tsv", COLUMNS)
    assert not (tmp_path / "y.tsv").exists()


def test_parquet_keeps_types(tmp_path):
    day = datetime.date(2024, 2, 29)
    write_columns(tmp_path / "x.parquet", {"n": [1, None], "s": [np.float64(0.5), float("nan")], "d": [day, None]})
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == [{"n": 1, "s": 0.5, "d": day}, dict.fromkeys("nsd")]
    with pytest.raises(DataError, match="The column 'm' holds cells of several types, which Parquet cannot hold"):
        write_columns(tmp_path / "y.parquet", {"m": [1, "a"]})


def test_the_same_columns_give_the_same_zipped_bytes(tmp_path):
    write_columns(tmp_path / "x.csv.gz", COLUMNS)
    write_columns(tmp_path / "y.csv.gz", COLUMNS)
    write_columns(tmp_path / "x.csv", COLUMNS)
    assert (tmp_path / "x.csv.gz").read_bytes() == (tmp_path / "y.csv.gz").read_bytes()
    assert (tmp_path / "x.csv.gz").read_bytes()[3:8] == bytes(5)  # neither a name nor a time
    assert gzip.decompress((tmp_path / "x.csv.gz").read_bytes()) == (tmp_path / "x.csv").read_bytes()


@pytest.mark.parametrize("name", ["x.xlsx", "x", "x.parquet.gz"])
def test_the_ending_says_how(tmp_path, name):
    with pytest.raises(LitotesError, match="the ending says how a table is written. Known: .jsonl"):
        write_columns(tmp_path / name, {"a": [1]})


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(LitotesError, match="a folder stands where a file is to be written"):
        write_columns(tmp_path / "x.csv", {"a": [1]})
