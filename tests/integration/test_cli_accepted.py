"""Odd data that the command line takes: the right result, and what was odd is counted where people look."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

from litotes.cli.main import main
from litotes.core import Candidates
from litotes.core.files import read_json
from litotes.data import load
from tests.small_beir import write_small_beir


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_small_beir(Path("data"))
    return tmp_path


@pytest.fixture
def run(capsys):
    """A command's answer as JSON."""

    def call(*words):
        capsys.readouterr()
        code = main([*words, "--json"])
        said = capsys.readouterr()
        assert code == 0, said.err
        return json.loads(said.out)

    return call


@pytest.fixture
def whole(run):
    """Inspect, mine with BM25, judge by document, report: what each says."""

    def go(top="6"):
        return {
            "inspect": run("inspect", "data"),
            "mine": run("mine", "data", "--miner", "bm25", "--top", top, "--out", "run"),
            "judge": run("judge", "run", "--by", "document"),
            "report": run("report", "run"),
        }

    return go


def lines(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def write_lines(path: str, rows: list[dict]) -> None:
    Path(path).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def change(path: str, place: int, **fields) -> None:
    rows = lines(path)
    rows[place] |= fields
    write_lines(path, rows)


def add_judgement(line: str) -> None:
    with open("data/qrels/train.tsv", "a") as file:
        file.write(line + "\n")


def baseline(here, whole):
    found = whole()
    shutil.rmtree("run")
    return found


def counts(found) -> tuple:
    return found["mine"]["cells"], found["judge"]["judged"], found["report"]["suspected"]


def test_lines_that_end_as_on_windows(here, whole):
    before = baseline(here, whole)
    for path in Path("data").rglob("*.*"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert counts(whole()) == counts(before)


def test_a_byte_order_mark(here, whole):
    before = baseline(here, whole)
    for path in Path("data").rglob("*.*"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert counts(whole()) == counts(before)


def test_gzipped_files(here, whole):
    before = baseline(here, whole)
    for path in [*Path("data").rglob("*.*")]:
        Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert counts(whole()) == counts(before)


def test_no_line_end_at_the_end_and_empty_lines(here, whole):
    before = baseline(here, whole)
    for path in Path("data").rglob("*.*"):
        path.write_text(path.read_text().replace("\n", "\n\n").rstrip("\n"))
    assert counts(whole()) == counts(before)


def test_tabs_emoji_and_markup_in_texts(here, whole):
    change("data/corpus.jsonl", 5, text="tab\there, 🦉 and <b>bold</b> & \\u2028 \u2028 end", title="Ünïcode\n名前")
    change("data/queries.jsonl", 0, text="Which 🦉 <script>alert(1)</script>\tcomet?")
    found = whole()
    assert found["report"]["suspected"] == 4
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "🦉" in page


def test_a_document_of_a_megabyte(here, whole):
    change("data/corpus.jsonl", 5, text="long " * 200_000)
    found = whole()
    assert found["inspect"]["long_documents"] == 1
    assert found["report"]["suspected"] == 4
    assert Path("run/report.html").stat().st_size < 2_000_000


def test_one_document(here, run):
    write_lines("data/corpus.jsonl", lines("data/corpus.jsonl")[:1])
    Path("data/qrels/train.tsv").write_text("query-id\tcorpus-id\tscore\nq0\td0\t1\nq1\td0\t0\n")
    found = run("mine", "data", "--miner", "bm25", "--top", "5", "--out", "run")
    assert found["cells"] == 1  # the judged zero; the positive is none
    assert found["counts"]["short_rows"] == 2


def test_queries_without_positives(here, whole):
    add_judgement("q20\td3\t0")
    found = whole()
    assert found["inspect"]["queries_without_positive"] == 1
    candidates, data = Candidates.load("run"), load("data")
    row = data.row_ids.index("q20")
    assert (candidates.row == row).sum() == 6
    assert found["judge"]["judged"] == found["judge"]["cells"] - 6  # there is no positive to compare with


def test_judged_zeros_stay_candidates(here, whole):
    add_judgement("q0\tc0\t0")
    found = whole()
    assert found["inspect"]["explicit_negatives"] == 1
    candidates, data = Candidates.load("run"), load("data")
    cell = (candidates.row == data.row_ids.index("q0")) & (candidates.col == data.col_ids.index("c0"))
    assert cell.any()


def test_what_a_person_judged_is_not_relabelled(here, whole, run):
    add_judgement("q0\tc0\t0")
    whole()
    words = ["--relabel-below", "0.5", "--format", "beir", "--out", "repaired", "--accept-foreign-calibration"]
    found = run("export", "run", *words)
    assert (found["new_judgements"], found["kept_judged_negatives"]) == (3, 1)
    assert load("repaired").relevant_docs["q0"] == {"d0"}


def test_more_candidates_asked_for_than_there_are_documents(here, whole):
    found = whole(top="500")
    assert found["mine"]["cells"] == 16 * 27
    assert found["mine"]["counts"]["short_rows"] == 16
    miner = read_json("run/report.json")["miners"][0]
    assert miner["left_out"]["short_rows"] == 16
    assert miner["left_out"]["excluded_positive"] == 16


def test_ids_that_look_like_numbers(here, whole):
    new = {"d": "00", "c": "1e", "q": "0x"}

    def renamed(name: str) -> str:
        return new[name[0]] + name[1:]

    for path in ("data/corpus.jsonl", "data/queries.jsonl"):
        write_lines(path, [row | {"_id": renamed(row["_id"])} for row in lines(path)])
    header, *cells = Path("data/qrels/train.tsv").read_text().splitlines()
    cells = ["\t".join([*map(renamed, cell.split("\t")[:2]), "1"]) for cell in cells]
    Path("data/qrels/train.tsv").write_text("\n".join([header, *cells]) + "\n")
    found = whole()
    assert found["report"]["suspected"] == 4
    assert {"000", "0010", "1e0"} <= set(load("data").col_ids)


def test_text_twins_of_a_positive_are_left_out_and_counted(here, whole):
    rows = lines("data/corpus.jsonl")
    write_lines("data/corpus.jsonl", [*rows, {**rows[0], "_id": "twin", "text": rows[0]["text"].upper() + "  "}])
    found = whole(top="500")
    assert found["inspect"]["text_twins"] == 1
    assert found["mine"]["counts"]["excluded_twin"] == 1
    assert read_json("run/report.json")["miners"][0]["left_out"]["excluded_twin"] == 1
    assert "very text of a positive" in Path("run/report.html").read_text(encoding="utf-8")


def test_documents_without_text(here, whole):
    change("data/corpus.jsonl", 20, text=" ", title="")
    found = whole(top="500")
    assert found["inspect"]["documents_without_text"] == 1
    assert found["mine"]["counts"]["excluded_no_text"] == 16
    candidates, data = Candidates.load("run"), load("data")
    assert data.col_ids.index("d20") not in candidates.col


def test_judgements_of_documents_that_are_not_there(here, whole):
    add_judgement("q1\tgone\t1")
    found = whole()
    assert found["inspect"]["documents_without_text"] == 1
    assert found["inspect"]["judgements_without_text"] == 1
    assert found["report"]["suspected"] == 4


def test_equal_judgements_twice(here, whole):
    before = baseline(here, whole)
    add_judgement("q1\td1\t1")
    found = whole()
    assert found["inspect"]["notes"]["repeated_judgements"] == 1
    assert counts(found) == counts(before)


def test_contradicting_judgements_settled(here, run):
    add_judgement("q1\td1\t0")
    assert run("inspect", "data", "--duplicates", "max")["explicit_negatives"] == 0
    assert run("inspect", "data", "--duplicates", "last")["explicit_negatives"] == 1


def test_bad_lines_skipped_on_request(here, run):
    with open("data/corpus.jsonl", "a") as file:
        file.write("{broken\n")
    found = run("inspect", "data", "--skip-bad-lines")
    assert found["documents"] == 28
    assert any("could not be read: 1" in warning for warning in found["warnings"])


def test_grades_above_one_and_a_higher_bar(here, run):
    edited = Path("data/qrels/train.tsv").read_text().replace("q0\td0\t1", "q0\td0\t3")
    Path("data/qrels/train.tsv").write_text(edited)
    found = run("inspect", "data", "--min-grade", "2")
    assert (found["positives"], found["explicit_negatives"]) == (1, 15)


def test_a_half_written_shard_is_made_again(here, run):
    words = ["mine", "data", "--miner", "bm25", "--top", "6", "--out", "run"]
    run(*words)
    shard = Path("run/candidates/bm25/0000.parquet")
    before = shard.read_bytes()
    shard.write_bytes(before[: len(before) // 2])
    run(*words)
    assert shard.read_bytes() == before


def test_a_forgotten_temporary_file_does_no_harm(here, run):
    words = ["mine", "data", "--miner", "bm25", "--top", "6", "--out", "run"]
    run(*words)
    Path("run/candidates/bm25/.0001.parquet.abc.partial").write_bytes(b"half")
    assert run(*words)["cells"] == 96
    assert run("judge", "run", "--by", "document")["judged"] == 96


def test_a_table_with_columns_of_other_names(here, run):
    rows = ["question,answer,extra"] + [f'"what is {i}, really?","it is ""{i}""",x' for i in range(8)]
    Path("t.csv").write_text("\r\n".join(rows) + "\r\n")
    columns = ["--query-column", "question", "--positive-column", "answer"]
    found = run("mine", "t.csv", *columns, "--miner", "bm25", "--out", "t")
    assert found["rows"] == 8
    assert run("judge", "t", "--by", "document")["cells"] == found["cells"]  # read again with the same columns


def test_folders_with_blanks_and_letters_in_their_names(here, run):
    Path("data").rename("my däta")
    run("mine", "my däta", "--miner", "bm25", "--out", "my rün/a")
    assert run("report", "my rün/a")["candidates"] == 16 * 27
