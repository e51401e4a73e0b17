"""What is said about a mining, word by word."""

import numpy as np
from datasets import Dataset

from litotes.compat.chosen_negatives import Cells, Rules, Window
from litotes.compat.dataset_formats import Lines
from litotes.compat.mining_summary import summary
from litotes.compat.training_pairs import TrainingPairs


def said(window, rules=None, dropped=None, n_twins=0, n_ranked=8, negatives=3):
    lines = {"q": ["a", "a", "b"], "p": ["x", "y", "z"]}
    data = TrainingPairs.read(Dataset.from_dict(lines), None, None, ["n", "m"])
    pairs = Cells(data.row, data.col, np.array([1.0, 0.5, 0.75], dtype=np.float32))
    found = Cells(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.5, 0.25, 0.25], dtype=np.float32))
    found = found.take(slice(negatives))
    rules = rules or Rules()
    return summary(data, pairs, found, Lines.of(pairs, found, 2), window, rules, dropped or {}, n_ranked, n_twins)


def test_everything_there_is_to_say():
    rules = Rules(relative_margin=0.05, max_score=0.9, min_score=0.1)
    dropped = {"relative_margin": 2, "max_score": 0, "min_score": 1}
    assert said(Window(1, 4, 2), rules, dropped, n_twins=3) == (
        "2 anchors with 3 positives (3 lines), 5 documents; ranks 1 to 4 give up to 2 negatives each.\n"
        "score      positives   negatives  difference\n"
        "count              3           5           5\n"
        "mean          0.7500      0.3500      0.4000\n"
        "std           0.2041      0.1225      0.2550\n"
        "least         0.5000      0.2500      0.0000\n"
        "25 %          0.6250      0.2500      0.2500\n"
        "median        0.7500      0.2500      0.5000\n"
        "75 %          0.8750      0.5000      0.5000\n"
        "most          1.0000      0.5000      0.7500\n"
        "relative_margin=0.05 dropped 2 candidates (25.0%).\n"
        "min_score=0.1 dropped 1 candidates (12.5%).\n"
        "3 cells were left out: the document is a positive of the anchor with other blanks or capitals.\n"
        "1 of 3 pairs (33.3%) have fewer than 2 negatives. To find more: raise range_max, lower range_min, loosen "
        "relative_margin or max_score or min_score."
    )


def test_nothing_is_said_of_what_did_not_happen():
    lines = said(Window(0, 4, 1)).splitlines()
    assert len(lines) == 10 and lines[-1].startswith("most")


def test_advice_is_what_can_help():
    assert said(Window(0, 4, 3)).endswith("have fewer than 3 negatives. To find more: raise range_max.")
    assert said(Window(0, 5, 3)).endswith("have fewer than 3 negatives. There are no more documents.")


def test_no_negatives_leave_no_numbers():
    lines = said(Window(0, 4, 2), negatives=0).splitlines()
    assert lines[2] == "count              3           0           0"
    assert lines[3] == "mean          0.7500           -           -"
    assert lines[-1].startswith("3 of 3 pairs (100.0%) have fewer than 2 negatives.")
