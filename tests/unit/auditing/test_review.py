"""Reading a person's verdicts: odd files that are fine, and mistakes named by file and line."""

import csv
import gzip
import io
import json

import pytest

from litotes.auditing.findings import key_of
from litotes.auditing.review import audit_facts, read_review
from litotes.core.errors import DataError, LitotesError
from litotes.core.files import write_json

FN, DUP = key_of("fn", "q1", "d1"), key_of("dup", "d1", "d2")


@pytest.fixture
def audit(tmp_path):
    folder = tmp_path / "audit"
    folder.mkdir()
    lists = {
        "missing": {"verdicts": {"relevant": "", "not relevant": "", "unsure": ""}, "graded": True},
        "copies": {"verdicts": {"duplicate": "", "different": "", "unsure": ""}, "graded": False},
    }
    write_json(folder / "report.json", {"audit": "retrieval", "lists": lists})
    rows = {"missing": [{"key": FN, "query_id": "q1"}, {"key": "fn-2"}, {"key": "fn-3"}], "copies": [{"key": DUP}]}
    for name, found in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    return folder


@pytest.fixture
def review(audit, tmp_path):
    """What is read of a file of this name and content."""

    def read(content, name="reviewed.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [(row.key, row.list, row.verdict, row.grade, row.note) for row in read_review(audit, path)]

    return read


def test_rows_of_several_lists_in_one_file(review):
    assert review(f"key,verdict,grade,note\n{FN},relevant,2,sure\n{DUP},different,,\nfn-2,,,\n") == [
        (FN, "missing", "relevant", 2.0, "sure"),
        (DUP, "copies", "different", None, ""),
    ]


@pytest.mark.parametrize("verdict", ["not relevant", "Not Relevant", " not_relevant ", "NOT-RELEVANT"])
def test_verdicts_as_people_write_them(review, verdict):
    assert review(f"key,verdict\n{FN},{verdict}\n")[0][2] == "not relevant"


@pytest.mark.parametrize(
    "content",
    [
        f"key;verdict;other\n{FN};relevant;x,y\n",
        f"key\tverdict\n{FN}\trelevant\n",
        f"verdict,KEY ,extra\r\nrelevant,{FN},1\r\n\r\n",
        f"\ufeffkey,verdict\n{FN},relevant\n",
        gzip.compress(f"key,verdict\n{FN},relevant\n".encode()),
    ],
    ids=["semicolons", "tabs", "Windows", "byte order mark", "gzip"],
)
def test_files_as_programs_write_them(review, content):
    assert [row[:3] for row in review(content)] == [(FN, "missing", "relevant")]


def test_json_lines(review):
    lines = [
        {"key": FN, "verdict": "relevant", "grade": 2},
        {"key": DUP, "verdict": None},
        {"key": "fn-2", "verdict": ""},
    ]
    assert review("\n".join(map(json.dumps, lines)) + "\n\n", "reviewed.jsonl") == [
        (FN, "missing", "relevant", 2.0, "")
    ]


def test_a_cell_of_several_lines_is_one_row_and_lines_are_counted_right(review):
    out = io.StringIO()
    csv.writer(out).writerows([["key", "verdict", "note"], [FN, "relevant", "two\nlines"], ["fn-9", "relevant", ""]])
    with pytest.raises(DataError, match=r"reviewed.csv:4: the key 'fn-9'"):
        review(out.getvalue())


def test_the_same_twice_is_said_once(review):
    assert len(review(f"key,verdict\n{FN},relevant\n{FN},Relevant\n")) == 1


def test_the_place_is_remembered(audit, tmp_path):
    path = tmp_path / "r.csv"
    path.write_text(f"key,verdict\nfn-2,\n{FN},relevant\n")
    (row,) = read_review(audit, path)
    assert row.place == f"{path}:3" and row.found == {"key": FN, "query_id": "q1"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"key,verdict\n{FN},relevnt\n", r"reviewed.csv:2: the verdict 'relevnt' is unknown. Rows of missing take "
         r"'relevant', 'not relevant', 'unsure', or nothing. Did you mean 'relevant'\?"),
        (f"key,verdict\n{DUP},relevant\n", "Rows of copies take 'duplicate', 'different', 'unsure', or nothing."),
        ("key,verdict\nfn-4,relevant\n", r"reviewed.csv:2: the key 'fn-4' is in no list of this audit. Its list was "
         r"cut \(a smaller --limit\) or made again from other data since; review the lists as they are now.$"),
        ("key,verdict\n,relevant\n", "the key '' is in no list"),
        (f"key,verdict,grade\n{FN},relevant,high\n", "reviewed.csv:2: the grade 'high' is not a number"),
        (f"key,verdict\n{FN},relevant\n{FN},not relevant\n",
         f"reviewed.csv:3: {FN} is said to be 'not relevant' here and 'relevant' at .*reviewed.csv:2. Keep one"),
        (f"key,verdict,grade\n{FN},relevant,2\n{FN},relevant,1\n",
         f"reviewed.csv:3: {FN} is said to be 'relevant' with the grade 1 here and "
         "'relevant' with the grade 2 at .*reviewed.csv:2. Keep one of them"),
        (f"key,verdict,grade\n{FN},relevant,2\n{FN},relevant,\n", "'relevant' without a grade here and 'relevant'"),
        ("query-id\tcorpus-id\tscore\nq1\td1\t1\n", "reviewed.csv:1: these are judgements, which are not read back"),
        ("query,verdict\nq1,relevant\n", "reviewed.csv:1: no 'key'. A reviewed file has a key and a verdict in"),
        ("a,b\n1,2\n", "no 'key' and no 'verdict'"),
        ("", "the file is empty. Expected the columns 'key' and 'verdict'"),
        (f"key,verdict\n{FN},relevant,1,2\n", "reviewed.csv:2: 4 cells under 2 columns"),
        (f'key,verdict\n{FN},"relevant\n', "reviewed.csv:2: not valid CSV"),
        (b"key,verdict\n\xff\xfe,relevant\n", "reviewed.csv:2: not UTF-8"),
    ],
)  # fmt: skip
def test_mistakes_in_csv_are_named_by_line(review, content, said):
    with pytest.raises(DataError, match=said):
        review(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"key": "x"}\n', "reviewed.jsonl:1: no 'verdict'"),
        (f'{{"key": "{FN}", "verdict": "relevant"}}\n{{"key": \n', "reviewed.jsonl:2: not valid JSON"),
        ("[1]\n", "reviewed.jsonl:1: a list"),
        (f'{{"key": "{FN}", "verdict": true}}\n', "'verdict' holds 'True'. Expected a text"),
        (f'{{"key": "{FN}", "verdict": ["relevant"]}}\n', "'verdict' holds .* Expected a text"),
    ],
)
def test_mistakes_in_json_lines_are_named_by_line(review, content, said):
    with pytest.raises(DataError, match=said):
        review(content, "reviewed.jsonl")


def test_a_missing_file_is_named(audit):
    with pytest.raises(DataError, match="nowhere.csv: no such file"):
        read_review(audit, "nowhere.csv")


def test_a_folder_that_is_no_audit_is_refused_with_what_to_type(tmp_path, audit):
    with pytest.raises(LitotesError, match=r"not a finished audit .* litotes audit retrieval DATA --out"):
        audit_facts(tmp_path)
    write_json(audit / "report.json", {"run": "a report of litotes report"})
    with pytest.raises(LitotesError, match="not a finished audit"):
        audit_facts(audit)
