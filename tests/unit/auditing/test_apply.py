"""From a review to a new data folder: what it holds, its history, applied twice, by a second reviewer, and refusals."""

import json
import os
import shutil

import pytest

from litotes.auditing.apply import apply_review
from litotes.auditing.findings import key_of
from litotes.auditing.retrieval_audit import audit_retrieval
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.core.files import read_json
from litotes.data import load
from litotes.data.beir import write_beir
from tests.unit.auditing.audit_data import library, word_encoder

TWIN, ZEBRA = key_of("fn", "about-apples", "apple-twin"), key_of("fp", "about-oceans", "zebra")
NEAR = key_of("dup", "apple", "apple-near")
FIRST = f"key,verdict,grade,note\n{TWIN},relevant,2,the same\n{ZEBRA},not relevant,,\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data folder of two splits with a file that only its owner understands, and its audit."""
    folder = tmp_path_factory.mktemp("made")
    write_beir(folder / "data", {"test": library(), "train": library("train")})
    with open(folder / "data" / "queries.jsonl", "a") as file:
        file.write('{"_id": "unjudged", "text": "a query that nobody judged", "author": "me"}\n')
    data = load(folder / "data", split="test")
    audit_retrieval(data, word_encoder(), out=folder / "audit", top=10, reach=2, say=lambda _: None)
    return folder


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def apply(content, out="cleaned", name="reviewed.csv", data="data", audit="audit"):
    with open(name, "w") as file:
        file.write(content)
    return apply_review(load(data, split="test"), audit, name, out)


def grades(folder, split="test"):
    data = load(folder, split=split)
    return {
        (data.row_ids[row], data.col_ids[col]): grade
        for row, col, grade in zip(*(part.tolist() for part in data.labels.cells()), strict=True)
    }


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def history(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def test_loading_the_folder_gives_the_new_judgements(here):
    before = grades("data")
    done = apply(FIRST)
    assert grades("cleaned") == before | {("about-apples", "apple-twin"): 2.0, ("about-oceans", "zebra"): 0.0}
    assert load("cleaned", split="test").labels.fingerprint == done.data.labels.fingerprint
    assert (len(done.changes), done.confirmed, str(done.folder)) == (2, 0, "cleaned")
    assert done.verdicts == {"false-negatives": {"relevant": 1}, "false-positives": {"not relevant": 1}}


def test_texts_and_other_splits_are_copied_byte_for_byte(here):
    apply(FIRST)
    ours, theirs = files(here / "cleaned"), files(here / "data")
    assert all(ours[name] == theirs[name] for name in ("corpus.jsonl", "queries.jsonl", "qrels/train.tsv"))
    assert set(ours) == {*theirs, "history.jsonl", "reviews.json"}
    assert files(here / "data") == theirs


def test_the_history_says_what_changed_and_by_whom(here):
    done = apply(FIRST)
    first, second = history(here / "cleaned")
    assert {
        name: first[name] for name in ("query_id", "document_id", "was", "is", "key", "verdict", "note", "list")
    } == {
        "query_id": "about-apples",
        "document_id": "apple-twin",
        "was": None,
        "is": 2,
        "key": TWIN,
        "verdict": "relevant",
        "note": "the same",
        "list": "false-negatives",
    }
    assert (second["was"], second["is"], second["split"], second["review"]) == (1, 0, "test", "reviewed.csv")
    data = load("data", split="test")
    assert first["audit"] == str(here / "audit") and first["data_fingerprint"] == data.fingerprint
    assert first["kind"] == "retrieval" and first["at"].endswith("+00:00") and len(first["digest"]) == 32
    (review,) = read_json(here / "cleaned" / "reviews.json")["reviews"]
    assert review["verdicts"] == done.verdicts and review["digest"] == first["digest"]


def test_applying_twice_is_the_same(here):
    apply(FIRST)
    before = files(here / "cleaned")
    again = apply(FIRST)
    assert files(here / "cleaned") == before
    assert (len(again.changes), again.confirmed) == (0, 2)


def test_a_second_review_builds_on_the_first(here):
    apply(FIRST)
    apply(f"key,verdict\n{ZEBRA},relevant\n{NEAR},duplicate\n", name="second.csv")
    found = grades("cleaned")
    assert found["about-apples", "apple-twin"] == 2 and found["about-oceans", "zebra"] == 1
    assert found["about-apples", "apple-near"] == 1  # as apple
    lines = history(here / "cleaned")
    assert [(line["review"], line["was"], line["is"]) for line in lines[2:]] == [
        ("second.csv", 0, 1),
        ("second.csv", None, 1),
        ("second.csv", None, 1),  # apple is relevant to the silent query too
    ]
    assert [each["review"] for each in read_json("cleaned/reviews.json")["reviews"]] == ["reviewed.csv", "second.csv"]


def test_a_later_audit_keeps_the_history_of_an_earlier_one(here):
    apply(FIRST)
    cleaned = load("cleaned", split="test")
    audit_retrieval(cleaned, word_encoder(), out="audit2", top=10, reach=2, say=lambda _: None)
    key = key_of("fn", "about-oceans", "tide")
    apply(f"key,verdict\n{key},relevant\n", out="cleaned2", name="second.csv", data="cleaned", audit="audit2")
    assert [line["key"] for line in history(here / "cleaned2")] == [TWIN, ZEBRA, key]
    assert len(read_json("cleaned2/reviews.json")["reviews"]) == 2
    with pytest.raises(StaleError, match="cleaned: was made from other data than this audit is about"):
        apply(f"key,verdict\n{key},relevant\n", out="cleaned", name="second.csv", data="cleaned", audit="audit2")


def test_what_a_person_confirmed_is_in_the_history(here):
    done = apply(f"key,verdict\n{ZEBRA},relevant\n")
    (line,) = history(here / "cleaned")
    assert (line["was"], line["is"], done.confirmed, list(done.changes)) == (1, 1, 1, [])


def test_a_dropped_query_is_gone_when_the_folder_is_loaded(here):
    apply(f"key,verdict\n{key_of('query', 'about-engines')},drop\n")
    assert "about-engines" not in load("cleaned", split="test").row_ids
    assert history(here / "cleaned")[0]["is"] is None


def test_nothing_is_written_without_out(here):
    with open("reviewed.csv", "w") as file:
        file.write(FIRST)
    before = files(here)
    done = apply_review(load("data", split="test"), "audit", "reviewed.csv")
    assert files(here) == before and done.folder is None and len(done.changes) == 2
    row, col = done.data.row_ids.index("about-oceans"), done.data.col_ids.index("zebra")
    assert done.data.labels.grades_at([row], [col])[0] == 0


@pytest.mark.parametrize(
    ("name", "content"), [("r.csv", "key,verdict\n"), ("r.csv", f"key,verdict\n{TWIN},\n"), ("r.jsonl", "")]
)
def test_a_review_without_a_verdict_makes_nothing(here, name, content):
    with pytest.raises(
        LitotesError, match=f"^No row of {name} has a verdict. Fill in the column 'verdict' of some rows"
    ):
        apply(content, name=name)
    assert not (here / "cleaned").exists()


def test_an_untouched_list_is_no_review(here):
    with pytest.raises(LitotesError, match="No row of audit/false-negatives.csv has a verdict"):
        apply_review(load("data", split="test"), "audit", "audit/false-negatives.csv", "cleaned")


def test_the_last_line_on_a_cell_says_what_its_judgement_is(here):
    """One review, another that takes it back, the first again."""
    second = f"key,verdict\n{TWIN},not relevant\n"
    for content, name in ((FIRST, "first.csv"), (second, "second.csv"), (FIRST, "first.csv"), (FIRST, "first.csv")):
        apply(content, name=name)
        said = {(line["query_id"], line["document_id"]): line["is"] for line in history(here / "cleaned")}
        assert {cell: grades("cleaned")[cell] for cell in said} == said
    lines = [line for line in history(here / "cleaned") if line["key"] == TWIN]
    assert [(line["review"], line["was"], line["is"]) for line in lines] == [
        ("first.csv", None, 2),
        ("second.csv", 2, 0),
        ("first.csv", 0, 2),
    ]


def test_a_judgement_that_somebody_changed_by_hand_is_entered_again(here):
    apply(FIRST)
    path = here / "cleaned" / "qrels" / "test.tsv"
    path.write_text(path.read_text().replace("about-apples\tapple-twin\t2", "about-apples\tapple-twin\t0"))
    apply(FIRST)
    lines = [line for line in history(here / "cleaned") if line["key"] == TWIN]
    assert [(line["was"], line["is"]) for line in lines] == [(None, 2), (0, 2)]


def test_a_query_that_gets_a_judgement_and_is_dropped_is_told_once(here):
    labels = key_of("fn", "about-engines", "zebra")
    rows = [json.loads(line) for line in (here / "audit" / "false-negatives.jsonl").read_text().splitlines()]
    assert labels in {row["key"] for row in rows}
    content = f"key,verdict\n{labels},relevant\n{key_of('query', 'about-engines')},drop\n"
    apply(content)
    before = files(here / "cleaned")
    assert [line["is"] for line in history(here / "cleaned") if line["key"] == labels] == [1]
    apply(content)
    assert files(here / "cleaned") == before


def test_the_folder_of_the_data_is_no_place_for_what_is_made_of_it(here):
    before = files(here / "data")
    with pytest.raises(
        LitotesError, match=r"^data/cleaned lies in the folder of the data, data. Name a folder of its own"
    ):
        apply(FIRST, out="data/cleaned")
    assert files(here / "data") == before


def test_judgements_to_review_are_not_a_review(here):
    with pytest.raises(DataError, match=r"review.qrels.tsv:1: these are judgements, which are not read back"):
        apply_review(load("data", split="test"), "audit", "audit/review.qrels.tsv", "cleaned")


def test_data_that_is_no_beir_folder_becomes_one(here):
    data = library()
    audit_retrieval(data, word_encoder(), out="audit3", top=10, reach=2, say=lambda _: None)
    with open("reviewed.csv", "w") as file:
        file.write(FIRST)
    apply_review(data, "audit3", "reviewed.csv", "fresh")
    assert grades("fresh")["about-apples", "apple-twin"] == 2
    assert {"corpus.jsonl", "queries.jsonl", "qrels/test.tsv", "history.jsonl"} <= set(files(here / "fresh"))


def test_a_killed_write_can_be_repeated(here, monkeypatch):
    """Killed after the history was moved and before the judgements were: no change is lost, none is entered twice."""
    apply(FIRST)
    real, moved = os.replace, []

    def replace(source, target):
        if str(target).endswith(".tsv"):
            raise KeyboardInterrupt
        moved.append(str(target))
        return real(source, target)

    monkeypatch.setattr("litotes.data.writing.os.replace", replace)
    second = f"key,verdict\n{NEAR},duplicate\n"
    with pytest.raises(KeyboardInterrupt):
        apply(second, name="second.csv")
    assert any(path.endswith("history.jsonl") for path in moved)
    monkeypatch.undo()
    monkeypatch.chdir(here)
    apply(second, name="second.csv")
    assert grades("cleaned")["about-apples", "apple-near"] == 1
    assert len(history(here / "cleaned")) == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("key,verdict\nfn-none,relevant\n", "reviewed.csv:2: the key 'fn-none'"),
        (f"key,verdict\n{TWIN},yes\n", "reviewed.csv:2: the verdict 'yes' is unknown"),
        (f"key,verdict,grade\n{TWIN},relevant,0\n", "reviewed.csv:2: 'relevant' with the grade 0"),
    ],
)
def test_mistakes_leave_nothing_behind(here, content, said):
    with pytest.raises(DataError, match=said):
        apply(content)
    assert not (here / "cleaned").exists()


def test_other_data_is_refused_by_part(here):
    with pytest.raises(StaleError, match="audit is an audit of other data: the judgements differ"):
        apply_review(_without_one("data"), "audit", _written(FIRST), "cleaned")


def _without_one(folder):
    data = load(folder, split="test")
    return data.with_labels(data.labels.without_cells([0], [0]))


def _written(content):
    with open("reviewed.csv", "w") as file:
        file.write(content)
    return "reviewed.csv"


def test_a_folder_of_something_else_is_never_written_to(here):
    with pytest.raises(LitotesError, match="audit: there is something that no review wrote. Name a new folder"):
        apply(FIRST, out="audit")
    with pytest.raises(LitotesError, match="data: there is something that no review wrote"):
        apply(FIRST, out="data")


def test_a_review_that_leaves_no_judgement_is_refused(here):
    data = load("data", split="test")
    only = data.select_rows([data.row_ids.index("about-engines")])
    audit_retrieval(only, word_encoder(), out="audit4", top=10, reach=2, say=lambda _: None)
    with pytest.raises(LitotesError, match="no judgement would be left"):
        apply_review(only, "audit4", _written(f"key,verdict\n{key_of('query', 'about-engines')},drop\n"), "cleaned")


def test_all_splits_at_once_are_refused(here):
    with pytest.raises(LitotesError, match="applied to one split"):
        apply_review(load("data", split=None, duplicates="max"), "audit", _written(FIRST))
