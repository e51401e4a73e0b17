"""``litotes clean``: tables in and out, what it says, and what it refuses."""

import csv
import json

import numpy as np
import pytest

from litotes.cli.main import main
from litotes.models.vector_folder import save_vectors
from litotes.recipes.classification.tacred_noise import NeighbourCleaner

LABELS = ["no", "born", "died"]


def points(seed, n, wrong=0.0):
    """Rows around three centres with their labels, a share of the smaller classes called "no", and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.6, 0.2, 0.2])
    X = 8.0 * np.eye(3)[truth] + rng.standard_normal((n, 3))
    given = np.where((truth > 0) & (rng.random(n) < wrong), 0, truth)
    return X.round(3), [LABELS[c] for c in given], [LABELS[c] for c in truth]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A noisy table and a clean one, as numbers and as texts whose vectors are ready."""
    monkeypatch.chdir(tmp_path)
    keys, vectors = [], []
    for name, seed, n, wrong in (("noisy", 0, 80, 0.3), ("checked", 1, 60, 0.0)):
        X, given, _ = points(seed, n, wrong)
        lines = [
            [f"{name}{i}", f"{name} text {i}", label, i % 7, *row]
            for i, (label, row) in enumerate(zip(given, X, strict=True))
        ]
        write(f"{name}.csv", ["key", "body", "queue", "note", "x", "y", "z"], lines)
        keys += [line[0] for line in lines]
        vectors.append(X)
    save_vectors("vectors", keys, np.concatenate(vectors), keys, np.concatenate(vectors))
    return tmp_path


def write(path, heading, lines):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([heading, *lines])


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


EXTRINSIC = ["--by", "neighbours:strategy=extrinsic,reference=checked.csv", "--negative-label", "no"]
NUMBERS = ["--label", "queue", "--features", "x,y,z"]
TEXTS = ["--label", "queue", "--text", "body", "--id-column", "key", "--encoder", "vectors:vectors"]


def run(capsys, *words):
    capsys.readouterr()
    code = main(["clean", *words, "--json"])
    said = capsys.readouterr()
    assert code == 0, said.err
    return json.loads(said.out), said.err


def refused(capsys, *words):
    capsys.readouterr()
    assert main(["clean", *words]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("Traceback") == 0
    return said.err.splitlines()[-1]


@pytest.mark.parametrize("columns", [NUMBERS, TEXTS])
def test_relabelling_writes_the_same_table_with_mended_labels(capsys, columns):
    facts, said = run(capsys, "noisy.csv", *columns, *EXTRINSIC, "--action", "relabel", "--out", "cleaned.csv")
    before, after = read("noisy.csv"), read("cleaned.csv")
    assert [{**row, "queue": ""} for row in before] == [{**row, "queue": ""} for row in after]
    truth = points(0, 80)[2]
    wrong = sum(row["queue"] != label for row, label in zip(before, truth, strict=True))
    assert wrong > 5 and sum(row["queue"] != label for row, label in zip(after, truth, strict=True)) < wrong / 3
    changed = sum(row["queue"] != old["queue"] for row, old in zip(after, before, strict=True))
    assert facts["with_new_label"] == changed and facts["written"] == facts["rows"] == 80
    assert facts["examined"] == sum(row["queue"] == "no" for row in before)
    assert sum(facts["reference"].values()) == 60 and "flagged rows have another label" in said


def test_dropping_keeps_the_rest_in_order_and_lists_what_went(capsys):
    facts, _ = run(capsys, "noisy.csv", *NUMBERS, *EXTRINSIC, "--out", "cleaned.csv", "--flags", "flags.csv")
    before, after, flags = read("noisy.csv"), read("cleaned.csv"), read("flags.csv")
    gone = {int(row["id"]) for row in flags}
    assert after == [row for place, row in enumerate(before) if place not in gone]
    assert len(gone) == facts["flagged"] == 80 - facts["written"] > 0
    first = flags[0]
    place = int(first["id"])
    assert first["place"] == f"noisy.csv:{place + 2}" and first["given_label"] == before[place]["queue"] == "no"
    speaker = first["reason"].partition(" (")[2].partition(",")[0]
    assert speaker.startswith("checked.csv:") and first["reason"].count("away") == 3
    assert first["new_label"] in {"", *LABELS} and first["new_label"] == first["reason"].split()[0]


def test_the_answer_is_the_estimators(capsys):
    X, given, _ = points(0, 80, 0.3)
    clean_X, clean_y, _ = points(1, 60)
    X, clean_X = X.astype(np.float32).astype(float), clean_X.astype(np.float32).astype(float)
    cleaner = NeighbourCleaner(
        strategy="extrinsic", reference=(clean_X, clean_y), n_neighbors=5, with_positives=True, vote="nearest"
    )
    cleaner.fit_resample(X, given)
    spec = "neighbours:strategy=extrinsic,reference=checked.csv,n_neighbors=5,with_positives=true,vote=nearest"
    run(capsys, "noisy.csv", *NUMBERS, "--no-standardize", "--by", spec, "--out", "o.csv", "--flags", "flags.csv")
    assert [int(row["id"]) for row in read("flags.csv")] == np.flatnonzero(cleaner.flagged_).tolist()


def test_numbers_are_standardised_unless_told_otherwise(capsys):
    """A column a thousand times larger and without meaning drowns the others where numbers are taken as they are."""
    rng = np.random.default_rng(5)
    for name in ("noisy.csv", "checked.csv"):
        rows = read(name)
        write(
            name,
            ["queue", "x", "y", "z", "w"],
            [[r["queue"], r["x"], r["y"], r["z"], 1e4 * rng.random()] for r in rows],
        )
    options = ["noisy.csv", "--label", "queue", *EXTRINSIC, "--action", "relabel"]
    run(capsys, *options, "--out", "as-default.csv")
    run(capsys, *options, "--no-standardize", "--out", "as-they-are.csv")
    truth = points(0, 80)[2]
    right = {
        name: sum(row["queue"] == label for row, label in zip(read(f"{name}.csv"), truth, strict=True))
        for name in ("as-default", "as-they-are")
    }
    assert right["as-default"] > right["as-they-are"]


def test_intrinsic_predicts_by_cross_validation_or_takes_a_column(capsys):
    intrinsic = ["noisy.csv", *NUMBERS, "--negative-label", "no", "--out", "cleaned.csv"]
    facts, said = run(capsys, *intrinsic)
    assert facts["predictions"] == "cross-validation" and facts["reference"] is None
    assert "rows of other classes look negative (cross-validation)" in said
    rows = read("noisy.csv")
    write("noisy.csv", [*rows[0], "guess"], [[*row.values(), "no"] for row in rows])
    facts, _ = run(capsys, *intrinsic, "--by", "neighbours:predictions=guess")
    assert facts["predictions"] == "given"
    assert facts["false_negatives"] == sum(row["queue"] != "no" for row in rows) and facts["flagged"] > 0


def test_predictions_are_no_feature(capsys):
    rows = read("noisy.csv")
    write("coded.csv", ["queue", "x", "guess"], [[row["queue"], row["x"], 1] for row in rows])
    by = ["--by", "neighbours:predictions=guess", "--negative-label", "no"]
    said = refused(capsys, "coded.csv", "--label", "queue", *by, "--out", "cleaned.csv")
    assert said.startswith("predictions=guess is a column of numbers, and without --features or --text")


def test_people_read_the_balance_of_labels(capsys):
    assert main(["clean", "noisy.csv", *NUMBERS, *EXTRINSIC, "--out", "cleaned.csv"]) == 0
    said = capsys.readouterr().out
    assert "cleaned.csv: 80 rows, " in said and "left out." in said and "before" in said and "born" in said


def test_a_text_in_both_tables_is_refused_or_left_out_of_the_reference(capsys):
    rows = read("checked.csv")
    rows[4]["body"] = "  NOISY text 11 "
    write("checked.csv", list(rows[0]), [list(row.values()) for row in rows])
    said = refused(capsys, "noisy.csv", *TEXTS, *EXTRINSIC, "--out", "cleaned.csv")
    assert said == (
        "The reference overlaps the data: checked.csv:6 has the text of noisy.csv:13; rows of the reference whose text "
        "is in both: 1. Leave them out of one of the two, or add overlap=drop to --by."
    )
    by = ["--by", f"{EXTRINSIC[1]},overlap=drop", "--negative-label", "no"]
    facts, _ = run(capsys, "noisy.csv", *TEXTS, *by, "--out", "cleaned.csv")
    assert sum(facts["reference"].values()) == 59


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--by", "neighbors"], "The 'kind' parameter of --by must be one of 'neighbours'."),
        (["--by", "neighbours:strategy=extrinsic,refrence=checked.csv"], "Did you mean 'reference'?"),
        (["--by", "neighbours:n_neighbors=three"], "The 'n_neighbors' option of neighbours must be int. Got 'three'"),
        (["--by", "neighbours:n_neighbors=0"], "The 'n_neighbors' parameter of NeighbourCleaner must be an int in"),
        (["--by", "neighbours:cv=1"], "The 'cv' parameter of NeighbourCleaner must be an int in"),
        (["--by", "neighbours:estimator=foo"], "The 'estimator' parameter of NeighbourCleaner must be an object"),
        (["--by", "neighbours:vote=most"], "must be 'majority', 'unanimous', 'nearest'. Got 'most' instead."),
        (["--flags", "./cleaned.csv"], "is where the cleaned table goes. Give another file."),
        ([], "needs negative_label="),
        (["--negative-label", "non"], "negative_label='non' is no label of the data. Did you mean 'no'?"),
        (["--by", "neighbours:negative_label=no", "--negative-label", "no"], "stands in --by and as --negative-label"),
        (["--by", "neighbours:strategy=extrinsic"], "needs reference=(X, y)"),
        (["--by", "neighbours:predictions=gues", "--negative-label", "no"], "gues"),
        (["--by", "neighbours:strategy=extrinsic,reference=gone.csv"], "gone.csv"),
        (["--negative-label", "no", "--encoder", "builtin:minilm"], "no column of texts is named; add --text COLUMN."),
    ],
)
def test_what_cannot_work_is_refused_and_nothing_is_written(capsys, here, words, message):
    said = refused(capsys, "noisy.csv", *NUMBERS, "--out", "cleaned.csv", *words)
    assert message in said
    assert not (here / "cleaned.csv").exists()


def test_what_is_read_is_not_written_over(capsys):
    for out in ("noisy.csv", "checked.csv"):
        assert refused(capsys, "noisy.csv", *NUMBERS, *EXTRINSIC, "--out", out).startswith(f"{out}: is what is read.")


def test_a_reference_with_other_columns_is_refused(capsys):
    write("checked.csv", ["queue", "x", "y"], [["no", 1, 2], ["born", 3, 4]])
    said = refused(capsys, "noisy.csv", "--label", "queue", *EXTRINSIC, "--out", "cleaned.csv")
    assert "checked.csv: has other columns of numbers than noisy.csv: note, z. Name those of both" in said
