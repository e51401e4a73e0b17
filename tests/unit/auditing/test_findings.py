"""A list as files: what a reviewer gets, and keys that stay."""

import csv
import io
import json
from dataclasses import replace

import pyarrow as pa

from litotes.auditing.findings import Findings, key_of, shortened

LIST = Findings(
    name="odd-rows",
    title="Odd rows",
    says="They are odd.",
    columns={"key": pa.string(), "score": pa.float64(), "text": pa.string(), "rank": pa.int64()},
    verdicts={"odd": "goes", "even": "stays"},
    graded=True,
    rows=[{"key": "odd-1", "score": 0.123456, "text": 'with "quotes", commas', "rank": None}],
    total=7,
)


def test_csv_has_empty_columns_to_fill_in():
    (row,) = csv.DictReader(io.StringIO(LIST.to_csv()))
    assert list(row) == ["key", "verdict", "grade", "note", "score", "text", "rank"]
    assert row == {
        "key": "odd-1",
        "verdict": "",
        "grade": "",
        "note": "",
        "score": "0.1235",
        "text": 'with "quotes", commas',
        "rank": "",
    }


def test_jsonl_has_null_where_there_is_nothing():
    assert json.loads(LIST.to_jsonl()) == {
        "key": "odd-1",
        "verdict": None,
        "grade": None,
        "note": None,
        "score": 0.1235,
        "text": 'with "quotes", commas',
        "rank": None,
    }


def test_a_list_without_grades_has_no_column_for_them():
    assert "grade" not in Findings("a", "A", "says", {"key": pa.string()}, {}).to_csv()


def test_the_table_has_types_and_no_columns_to_fill_in():
    table = LIST.table()
    assert table.schema.names == ["key", "score", "text", "rank"] and table.schema.field("rank").type == pa.int64()
    empty = Findings("a", "A", "says", {"key": pa.string(), "score": pa.float64()}, {}).table()
    assert len(empty) == 0 and empty.schema.field("score").type == pa.float64()


def test_facts_name_files_and_verdicts():
    assert LIST.facts() == {
        "title": "Odd rows",
        "says": "They are odd.",
        "rows": 1,
        "found": 7,
        "files": ["odd-rows.csv", "odd-rows.jsonl"],
        "verdicts": {"odd": "goes", "even": "stays"},
        "graded": True,
    }


def test_a_list_of_everything_in_order_does_not_say_found():
    facts = replace(LIST, counted="ordered").facts()
    assert facts["ordered"] == 7 and "found" not in facts


def test_keys_are_of_ids_alone_and_told_apart():
    assert key_of("fn", "q1", "d1") == "fn-e40a650941be"  # in every process and version
    keys = {key_of("fn", "q1", "d1"), key_of("fp", "q1", "d1"), key_of("fn", "q", "1d1"), key_of("fn", "d1", "q1")}
    assert len(keys) == 4


def test_texts_are_cut_at_a_word_and_put_on_one_line():
    assert shortened(None) == "" and shortened(" a\n b\t c ") == "a b c"
    cut = shortened("word " * 100, 30)
    assert cut == "word word word word word …" and len(cut) <= 30
