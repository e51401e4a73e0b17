"""Labels in memory that are refused, with the row that is meant."""

import numpy as np
import pandas as pd
import pytest

from litotes.core.errors import ArrayError
from litotes.training.array_labels import check_labels, check_watched_labels


@pytest.mark.parametrize(
    ("y", "row", "shown", "counts"),
    [
        ([0.0, 1.0, np.nan, np.nan], 2, "nan", "2 of 4"),
        (["a", None, "b"], 1, "None", "1 of 3"),
        (pd.Series(["a", "b", np.nan]), 2, "nan", "1 of 3"),
        (pd.Series(["a", pd.NA], dtype="string"), 1, "<NA>", "1 of 2"),
    ],
)
def test_missing_labels(y, row, shown, counts):
    with pytest.raises(ArrayError) as error:
        check_labels("Fit", y)
    assert str(error.value) == (
        f"Fit: the label of row {row} is {shown}; {counts} rows have no label. Leave those rows out: X[keep], y[keep]."
    )


@pytest.mark.parametrize("y", [[1, 2], [0.0, 1.0], ["a", "b"], [True, False], np.array(["a", "b"], dtype=object), None])
def test_whole_labels_pass(y):
    check_labels("Fit", y)


def test_labels_to_watch_become_positions():
    classes = np.array(["a", "b", "c"])
    found = check_watched_labels("Fit", "valid", pd.Series(["c", "a"]), 2, classes)
    assert found.dtype == np.int64 and found.tolist() == [2, 0]
    assert check_watched_labels("Fit", "valid", [1.0, 0.0], 2, np.array([0, 1])).tolist() == [1, 0]


def test_a_label_that_no_training_row_has():
    with pytest.raises(ArrayError) as error:
        check_watched_labels("ELRClassifier", "valid", ["a", "z"], 2, np.array(["a", "b"]))
    assert str(error.value) == (
        "ELRClassifier: row 1 of valid has the label 'z', which no training row has. Classes of the training rows: "
        "'a', 'b'. Leave such rows out of valid, or add examples of the class to X."
    )
    with pytest.raises(ArrayError, match="'7' and 5 more. Leave"):
        check_watched_labels("Fit", "valid", ["z"], 1, np.array([f"{i:x}" for i in range(13)]))


def test_another_number_of_labels():
    with pytest.raises(ArrayError, match=r"Fit: valid has 3 rows and labels of shape \(2,\). Give one label a row."):
        check_watched_labels("Fit", "valid", [0, 1], 3, np.array([0, 1]))


def test_missing_labels_of_a_watched_set_name_it():
    with pytest.raises(ArrayError, match="Fit: valid: the label of row 0 is nan"):
        check_watched_labels("Fit", "valid", [np.nan], 1, np.array([0.0, 1.0]))
