"""Calibrating on cells of known truth: which cells count, what is said, what is refused."""

import numpy as np
import pytest

from litotes.core import LabelMatrix
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.judging.calibrate import CalibratedJudge, calibrate, known_cells, read_known
from litotes.judging.calibration import Calibration
from litotes.judging.margin import MarginJudge
from litotes.mining.random import RandomMiner
from tests.unit.mining.small_data import make_collection

ROWS, COLS = 40, 12


class Leaky:
    """A judge whose raw value is high for the columns that are truly positive, with noise; some values are missing."""

    kind = name = "leaky"

    def __init__(self, spread: float = 1.0, silent: int = -1):
        self.spread, self.silent = spread, silent

    def judge(self, candidates, data):
        noise = np.random.default_rng(0).normal(size=(ROWS, COLS)) * self.spread
        values = 2.0 * truly_positive(candidates.row, candidates.col) + noise[candidates.row, candidates.col]
        return candidates.with_columns({"judge.leaky": np.where(candidates.row == self.silent, np.nan, values)})

    def fingerprint(self):
        return {"judge": "leaky", "spread": str(self.spread)}


def truly_positive(rows, cols):
    return (rows + cols) % 4 == 0


@pytest.fixture(scope="module")
def data():
    texts = [f"text {col}" for col in range(COLS)]
    return make_collection(
        [f"query {row}" for row in range(ROWS)], texts, positives=[(row, -row % 4) for row in range(ROWS)]
    )


@pytest.fixture(scope="module")
def found(data):
    return RandomMiner(top=COLS).mine(data)


@pytest.fixture(scope="module")
def known():
    """Rows 0 to 29, fully judged."""
    rows, cols = (grid.ravel() for grid in np.indices((30, COLS)))
    grades = truly_positive(rows, cols).astype(float)
    return LabelMatrix([f"q{row}" for row in range(30)], [f"d{col}" for col in range(COLS)], rows, cols, grades)


def test_only_candidates_of_known_truth_count(data, found, known):
    is_known, is_positive = known_cells(found, data, known)
    np.testing.assert_array_equal(is_known, found.row < 30)
    np.testing.assert_array_equal(is_positive, truly_positive(found.row, found.col)[found.row < 30])
    assert 0 < is_positive.sum() < len(is_positive)


def test_what_is_not_mentioned_is_unknown_unless_the_truth_is_complete(data, found):
    only_positives = LabelMatrix(["q0", "q1"], [f"d{col}" for col in range(COLS)], [0, 1], [4, 3])
    is_known, is_positive = known_cells(found, data, only_positives)
    cells = list(zip(found.row[is_known].tolist(), found.col[is_known].tolist(), strict=True))
    assert cells == [(0, 4)] and is_positive.tolist() == [True]  # (1, 3) is the data's own positive, no candidate
    is_known, is_positive = known_cells(found, data, only_positives, complete=True)
    assert set(found.row[is_known]) == {0, 1} and is_known.sum() == 2 * (COLS - 1) and is_positive.sum() == 1


def test_what_is_known_of_a_text_is_known_of_its_twins():
    data = make_collection(["q"], ["a", "Same  text", "same text", "b"], positives=[(0, 0)])
    found = RandomMiner().mine(data)
    known = LabelMatrix(["q0"], ["d2", "d3", "elsewhere"], [0, 0, 0], [0, 1, 2], [1.0, 0.0, 1.0])
    is_known, is_positive = known_cells(found, data, known)
    assert is_known.all()
    assert dict(zip(found.col.tolist(), is_positive.tolist(), strict=True)) == {1: True, 2: True, 3: False}


def test_ids_decide_not_positions(data, found, known):
    order = np.random.default_rng(0).permutation(30)
    rows, cols, grades = known.cells()
    shuffled = LabelMatrix(
        [known.row_ids[row] for row in order], [*known.col_ids, "extra"], np.argsort(order)[rows], cols, grades
    )
    for ours, theirs in zip(known_cells(found, data, known), known_cells(found, data, shuffled), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_calibrated_judge_gives_a_trust(data, found, known):
    said = []
    judge = calibrate(Leaky(), found, data, known, say=said.append)
    of_known = int((found.row < 30).sum())
    positives = int(truly_positive(found.row, found.col)[found.row < 30].sum())
    assert said == [
        f"leaky: calibrated on {of_known} of {len(found)} candidates, those of known truth: "
        f"{positives} positives, {of_known - positives} negatives."
    ]
    judged = judge.judge(found, data)
    truth, trust = truly_positive(found.row, found.col), judged.column("trust.leaky")
    assert judged.column("judge.leaky").tolist() == Leaky().judge(found, data).column("judge.leaky").tolist()
    assert trust[~truth].mean() > 0.8 > 0.5 > trust[truth].mean()
    unseen = found.row >= 30
    np.testing.assert_allclose((1 - trust[unseen]).mean(), truth[unseen].mean(), atol=0.06)  # probabilities, not scores
    assert judge.calibration.measured.startswith("on held-out rows")
    assert judge.says(data) == "calibrated on these data" and judge.name == "leaky" and judge.kind == "leaky"


def test_cells_without_a_value_are_counted(data, found, known):
    said = []
    judge = calibrate(Leaky(silent=3), found, data, known, say=said.append)
    assert said[0].endswith(f"; {int((found.row == 3).sum())} of them have no raw value.")
    assert np.isnan(judge.judge(found, data).column("trust.leaky")[found.row == 3]).all()


def test_a_cell_assumed_positive_is_trusted_the_other_way(data, found, known):
    judge = calibrate(Leaky(), found, data, known, say=[].append)
    turned = type(found)(found.table.set_column(2, "assumed", [[1] * len(found)]), made_from=found.made_from)
    sums = judge.judge(found, data).column("trust.leaky") + judge.judge(turned, data).column("trust.leaky")
    np.testing.assert_allclose(sums, 1.0)


def test_nothing_known_and_one_kind_only_are_refused(data, found, known):
    strangers = LabelMatrix(["x"], ["y"], [0], [0])
    with pytest.raises(LitotesError, match="None of the .* candidates is among the 1 cells of known truth .0 of which"):
        calibrate(Leaky(), found, data, strangers)
    only_positives = LabelMatrix(["q0"], ["d4"], [0], [0])
    with pytest.raises(LitotesError, match="A calibration needs cells of both kinds. Got 1 positives and 0 others"):
        calibrate(Leaky(), found, data, only_positives, say=[].append)


def test_the_fingerprint_holds_the_calibration(data, found, known):
    judge = calibrate(Leaky(), found, data, known, say=[].append)
    assert judge.fingerprint() == {**Leaky().fingerprint(), "calibration": judge.calibration.fingerprint}
    again = calibrate(Leaky(), found, data, known, say=[].append)
    assert again.fingerprint() == judge.fingerprint()


def test_a_calibration_of_another_judge_is_refused(data, found, known, tmp_path):
    calibration = calibrate(Leaky(), found, data, known, say=[].append).calibration
    calibration.save(tmp_path / "c.json")
    loaded = Calibration.load(tmp_path / "c.json")
    assert CalibratedJudge(Leaky(), loaded).judge(found, data).trusted_by == ["leaky"]
    with pytest.raises(StaleError, match="fitted to another judge: the spread differ"):
        CalibratedJudge(Leaky(spread=2.0), loaded)
    two = Calibration(("a", "b"), (1.0, 1.0), 0.0)
    with pytest.raises(LitotesError, match="reads a, b; the judge 'leaky' gives one raw value"):
        CalibratedJudge(Leaky(), two)


def test_a_margin_can_be_calibrated(data, found, known):
    judge = calibrate(MarginJudge(scorer="bm25"), found, data, known, say=[].append)
    assert judge.judge(found, data).trusted_by == ["margin"]


# --- files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "q0 0 d1 1\nq0 0 d2 0\nq1 0 d1 2\n",
        "query-id\tcorpus-id\tscore\nq0\td1\t1\nq0\td2\t0\nq1\td1\t2\n",
        "\nq0\td1\t1\nq0\td2\t0\nq1\td1\t2\n",
    ],
    ids=["trec", "beir", "beir without header"],
)
def test_qrels_files_are_read(tmp_path, text):
    path = tmp_path / "qrels"
    path.write_text(text)
    known = read_known(path)
    rows, cols, grades = known.cells()
    cells = {
        (known.row_ids[row], known.col_ids[col]): grade for row, col, grade in zip(rows, cols, grades, strict=True)
    }
    assert cells == {("q0", "d1"): 1.0, ("q0", "d2"): 0.0, ("q1", "d1"): 2.0}
    assert read_known(path, min_grade=2).is_positive(rows, cols).sum() == 1


def test_calibrate_takes_a_file(data, found, known, tmp_path):
    path = tmp_path / "known.tsv"
    rows, cols, grades = known.cells()
    path.write_text("".join(f"q{r}\td{c}\t{int(g)}\n" for r, c, g in zip(rows, cols, grades, strict=True)))
    from_file = calibrate(Leaky(), found, data, str(path), say=[].append)
    assert from_file.calibration == calibrate(Leaky(), found, data, known, say=[].append).calibration


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is not a single judgement"),
        ("q0 0 d1 x\n", ":1: "),
        ("q0\td1\t1\nq0\td1\t0\n", "was judged 1 and 0"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, text, message):
    path = tmp_path / "known"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_known(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="gone: no such file"):
        read_known(tmp_path / "gone")


@pytest.mark.parametrize(("every", "warned"), [(1, False), (4, True)])
def test_known_cells_that_are_mostly_positive_are_said_to_suspect_too_much(data, found, known, every, warned):
    rows, cols, grades = known.cells()
    few = (grades == 1) | (np.arange(len(rows)) % every == 0)
    said = []
    chosen = LabelMatrix(known.row_ids, known.col_ids, rows[few], cols[few], grades[few])
    calibrate(Leaky(), found, data, chosen, say=said.append)
    assert any("too much will be suspected" in line for line in said) == warned
