"""From a review of labels to a new table: its format and columns, its history, applied twice, and refusals."""

import csv
import gzip
import json

import pandas as pd
import pytest

from litotes.auditing.apply import apply_review
from litotes.auditing.findings import key_of
from litotes.auditing.label_apply import apply_label_review
from litotes.auditing.label_audit import label_audit
from litotes.auditing.label_inputs import read_inputs
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.core.files import read_json
from litotes.data.labelled_table import read_labelled_table
from tests.unit.auditing.label_data import embed, frame

BY = "neighbours:n_neighbors=5"
ROW = {number: key_of("label", str(number)) for number in range(36)}
TEXT, LABEL = "body", "queue"


def data(path="tickets.csv"):
    return read_labelled_table(path, label=LABEL, text=TEXT)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A table with a pair of equal rows apart (4 and 5), its audit, and the folder that we stand in."""
    monkeypatch.chdir(tmp_path)
    rows = frame()
    rows.iloc[5, 0], rows.iloc[5, 1] = rows.iloc[4, 0], "sky"
    rows.to_csv("tickets.csv", index=False)
    label_audit(read_inputs("tickets.csv", label=LABEL, text=TEXT), embed, by=BY, out="audit", say=lambda _: None)
    return tmp_path


def apply(content, out="cleaned", name="reviewed.csv", table="tickets.csv", audit="audit"):
    with open(name, "w") as file:
        file.write("key,verdict,new_label,note\n" + content)
    return apply_label_review(data(table), audit, name, out)


def labels(path="cleaned/tickets.csv"):
    with open(path, newline="") as file:
        return [row["queue"] for row in csv.DictReader(file)]


def history(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


FIRST = f"{ROW[3]},wrong,,a fruit\n{ROW[17]},Wrong,sea,\n{ROW[0]},right,,\n{ROW[30]},drop,,\n{ROW[1]},unsure,,\n"


def test_the_table_is_written_in_its_own_format_with_its_columns(here):
    before = labels("tickets.csv")
    done = apply(FIRST)
    after = pd.read_csv("cleaned/tickets.csv")
    expected = pd.read_csv("tickets.csv")
    expected.loc[3, "queue"], expected.loc[17, "queue"] = "fruit", "sea"
    pd.testing.assert_frame_equal(after, expected.drop(index=30).reset_index(drop=True))
    assert labels("tickets.csv") == before
    assert (len(done.changes), done.confirmed, len(done.table)) == (3, 1, 35)
    assert done.table.labels == labels() and str(done.path) == "cleaned/tickets.csv"
    assert done.verdicts == {"label-issues": {"wrong": 2, "right": 1, "drop": 1, "unsure": 1}}
    assert set(files(here / "cleaned")) == {"tickets.csv", "history.jsonl", "reviews.json"}


def test_the_history_says_what_was_and_is_and_whose_word_it_was(here):
    apply(FIRST)
    lines = {line["id"]: line for line in history(here / "cleaned")}
    assert {row: (line["was"], line["is"]) for row, line in lines.items()} == {
        "0": ("fruit", "fruit"),
        "3": ("sea", "fruit"),
        "17": ("sky", "sea"),
        "30": ("fruit", None),
    }
    assert lines["3"]["note"] == "a fruit" and lines["3"]["place"] == "tickets.csv:5"
    assert lines["3"]["verdict"] == "wrong" and lines["3"]["review"] == "reviewed.csv"
    assert lines["3"]["data_fingerprint"] == data().fingerprint and lines["3"]["key"] == ROW[3]
    assert read_json(here / "cleaned" / "reviews.json")["made_from"] == data().parts


@pytest.mark.parametrize("ending", ["jsonl", "parquet", "csv.gz", "tsv"])
def test_other_formats(here, ending):
    rows, name = pd.read_csv("tickets.csv"), f"t.{ending}"
    if ending == "jsonl":
        rows.to_json(name, orient="records", lines=True)
    elif ending == "parquet":
        rows.to_parquet(name)
    else:
        rows.to_csv(name, index=False, sep="\t" if ending == "tsv" else ",")
    label_audit(read_inputs(name, label=LABEL, text=TEXT), embed, by=BY, out="other", say=lambda _: None)
    apply(FIRST, table=name, audit="other")
    assert data(f"cleaned/{name}").labels[:4] == ["fruit"] * 4 and len(data(f"cleaned/{name}")) == 35
    if ending == "csv.gz":
        assert gzip.decompress((here / "cleaned" / name).read_bytes()).startswith(b"body,queue,note\n")


def test_labels_that_are_numbers_stay_numbers(here):
    rows = pd.DataFrame({"x": [0.0, 0.1, 5.0, 5.1, 0.2], "y": [2, 2, 10, 10, 10]})
    rows.to_parquet("n.parquet")
    label_audit(read_inputs("n.parquet", label="y"), None, by="neighbours:n_neighbors=2", out="n", say=lambda _: None)
    with open("r.csv", "w") as file:
        file.write(f"key,verdict\n{ROW[4]},wrong\n")
    apply_label_review(read_labelled_table("n.parquet", label="y"), "n", "r.csv", "cleaned")
    assert pd.read_parquet("cleaned/n.parquet")["y"].tolist() == [2, 2, 10, 10, 2]


def test_a_pair_gets_one_label(here):
    pair = key_of("pair", "4", "5")
    assert [change["is"] for change in apply(f"{pair},first,,\n").changes] == ["fruit"]
    assert labels()[4:6] == ["fruit", "fruit"]
    apply(f"{pair},other,,\n", out="again")
    assert labels("again/tickets.csv")[4:6] == ["sky", "sky"]
    assert not apply(f"{pair},different,,\n", out="third").changes


def test_a_word_on_a_row_comes_before_one_on_its_pair(here):
    pair = key_of("pair", "4", "5")
    apply(f"{pair},first,,\n{ROW[5]},right,,\n")
    assert labels()[4:6] == ["fruit", "sky"]
    apply(f"{pair},first,,\n{ROW[4]},wrong,sea,\n", out="again")
    assert labels("again/tickets.csv")[4:6] == ["sea", "sea"]


def test_applying_twice_changes_nothing(here):
    apply(FIRST)
    before = files(here / "cleaned")
    apply(FIRST)
    assert files(here / "cleaned") == before


def test_another_review_builds_on_the_first(here):
    apply(FIRST)
    done = apply(f"{ROW[3]},wrong,sky,\n{ROW[30]},wrong,sky,\n", name="second.csv")
    assert labels()[3] == "sky" and len(labels()) == 36 and labels()[17] == "sea"
    assert [(change["was"], change["is"]) for change in done.changes] == [("fruit", "sky"), (None, "sky")]
    reviews = read_json(here / "cleaned" / "reviews.json")["reviews"]
    assert [review["review"] for review in reviews] == ["reviewed.csv", "second.csv"]
    assert len(history(here / "cleaned")) == 6


def test_the_first_review_said_again_after_the_second_is_the_last_word(here):
    apply(FIRST)
    apply(f"{ROW[3]},wrong,sky,\n", name="second.csv")
    apply(FIRST)
    assert labels()[3] == "fruit"


def test_the_next_round_keeps_the_history(here):
    apply(FIRST)
    table = "cleaned/tickets.csv"
    label_audit(read_inputs(table, label=LABEL, text=TEXT), embed, by=BY, out="next", say=lambda _: None)
    apply(f"{ROW[5]},wrong,fruit,\n", out="twice", table=table, audit="next", name="next.csv")
    assert [line["id"] for line in history(here / "twice")] == ["3", "17", "0", "30", "5"]
    assert labels("twice/tickets.csv")[5] == "fruit" and len(labels("twice/tickets.csv")) == 35
    assert len(read_json(here / "twice" / "reviews.json")["reviews"]) == 2


def test_nothing_is_written_without_a_folder(here):
    done = apply(FIRST, out=None)
    assert done.path is None and done.table.labels[3] == "fruit" and not (here / "cleaned").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f"{ROW[3]},wrong,frut,\n", r"reviewed.csv:2: the new label 'frut' is none of the 3 classes .* mean 'fruit'"),
        (f"{ROW[3]},wrong,sea,\n", "'wrong', and the new label 'sea' is the given one. Write another"),
        (f"{ROW[0]},wrong,,\n", "the new label 'fruit' would be the predicted one, which is the given one"),
        (f"{ROW[3]},right,fruit,\n", "'right' with the new label 'fruit'. Only 'wrong' takes one"),
        (
            f"{ROW[3]},wrongly,,\n",
            "the verdict 'wrongly' is unknown. Rows of label-issues take 'wrong', 'right', 'drop'",
        ),
        (f"{ROW[3]},wrong,sky,\n{ROW[3]},wrong,,\n", "'wrong' without a new label here and 'wrong' with the new label"),
        ("label-none,wrong,,\n", "the key 'label-none' is in no list of this audit"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_and_nothing_is_written(here, content, says):
    with pytest.raises(DataError, match=says):
        apply(content)
    assert not (here / "cleaned").exists()


def test_a_label_from_a_row_that_is_left_out_is_refused(here):
    with pytest.raises(DataError, match="the row '4', whose label the other one would get, is left out"):
        apply(f"{key_of('pair', '4', '5')},first,,\n{ROW[4]},drop,,\n")


def test_a_review_without_verdicts_is_refused(here):
    with pytest.raises(LitotesError, match="No row of reviewed.csv has a verdict"):
        apply(f"{ROW[3]},,,\n")


def test_no_row_left_is_refused(here):
    with pytest.raises(LitotesError, match="no row would be left"):
        apply("".join(f"{ROW[row]},drop,,\n" for row in range(36)))


def test_other_data_and_other_folders_are_refused(here):
    rows = frame()
    rows.to_csv("other.csv", index=False)
    with pytest.raises(StaleError, match="is an audit of other data: the labels"):
        apply(FIRST, table="other.csv")
    (here / "full").mkdir()
    (here / "full" / "mine.txt").write_text("mine")
    with pytest.raises(LitotesError, match="full: there is something that no review wrote"):
        apply(FIRST, out="full")
    with pytest.raises(LitotesError, match=r"is the folder of the data, tickets.csv"):
        apply(FIRST, out=".")


def test_the_applier_of_judgements_says_what_it_is_not_for(here):
    with pytest.raises(LitotesError, match="is an audit of labels, not of judgements"):
        apply_review(None, "audit", "reviewed.csv")
