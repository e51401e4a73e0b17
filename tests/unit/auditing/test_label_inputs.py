"""What an audit of labels reads, and what it refuses, word by word."""

import numpy as np
import pandas as pd
import pytest

from litotes.auditing.label_inputs import class_order, read_inputs, read_pred_probs
from litotes.core.errors import ArrayError, DataError, LitotesError
from litotes.data.labelled_table import LabelledTable
from tests.unit.auditing.label_data import embed, frame

pytest.importorskip("pandas")


def numbers(labels=("a", "b", "a", "b")):
    return pd.DataFrame({"x": [0.0, 1.0, 2.0, 6.0], "y": [1.0, 1.0, 3.0, 3.0], "label": list(labels)})


def test_texts_come_at_length_one_and_numbers_standardised():
    texts = read_inputs(frame(), label="queue", text="body").with_vectors(embed)
    np.testing.assert_allclose(np.linalg.norm(texts.vectors, axis=1), 1, atol=1e-6)
    found = read_inputs(numbers(), label="label").with_vectors(None)
    np.testing.assert_allclose(found.vectors.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(found.vectors.std(axis=0), 1, atol=1e-6)
    assert found.codes.tolist() == [0, 1, 0, 1] and found.vectors.dtype == np.float32


def test_a_reference_is_seen_with_the_eyes_of_the_data():
    clean = pd.DataFrame({"x": [10.0], "y": [5.0], "label": ["b"]})
    found = read_inputs(numbers(), label="label", reference=clean).with_vectors(None)
    x = np.array([0.0, 1.0, 2.0, 6.0])
    np.testing.assert_allclose(found.reference_vectors[0][0, 0], (10 - x.mean()) / x.std(), rtol=1e-6)
    assert found.reference_vectors[1].tolist() == [1]


def test_probabilities_alone_are_enough():
    given = np.full((36, 3), 1 / 3)
    found = read_inputs(frame()[["queue"]], label="queue", pred_probs=given)
    assert not found.has_features and found.with_vectors("unused").vectors is None


def test_classes_that_are_numbers_go_by_value():
    assert class_order(LabelledTable.from_arrays(["10", "9", "-1"])) == ["-1", "9", "10"]
    assert class_order(LabelledTable.from_arrays(["10", "9", "x"])) == ["10", "9", "x"]


def test_probabilities_from_a_frame_or_a_file_go_by_the_names_of_columns(tmp_path):
    table = LabelledTable.from_arrays(["10", "9", "10"])
    given = pd.DataFrame({"proba.10": [0.1, 0.2, 0.3], "proba.9": [0.9, 0.8, 0.7], "note": ["", "", "x"]})
    expected = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]
    np.testing.assert_allclose(read_pred_probs(given, table), expected)
    for ending in ("csv", "parquet"):
        path = tmp_path / f"p.{ending}"
        given.to_csv(path, index=False) if ending == "csv" else given.to_parquet(path)
        np.testing.assert_allclose(read_pred_probs(path, table), expected)
    np.save(tmp_path / "p.npy", np.array(expected))
    np.testing.assert_allclose(read_pred_probs(str(tmp_path / "p.npy"), table), expected)


def test_a_class_without_a_column_is_refused():
    table = LabelledTable.from_arrays(["a", "b"])
    with pytest.raises(ArrayError, match=r"pred_probs has no column for the class 'b'. Its columns are the classes"):
        read_pred_probs(pd.DataFrame({"a": [1.0, 1.0]}), table)


def test_files_that_hold_no_array_are_refused(tmp_path):
    table = LabelledTable.from_arrays(["a", "b"])
    with pytest.raises(DataError, match="p.npy: no such file"):
        read_pred_probs(tmp_path / "p.npy", table)
    np.save(tmp_path / "o.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="o.npy: not an array that can be read"):
        read_pred_probs(tmp_path / "o.npy", table)


def refused(source, says, kind=LitotesError, **more):
    with pytest.raises(kind, match=says):
        read_inputs(source, label="label", **more)


def test_labels_that_are_missing_are_refused():
    refused(numbers(["a", None, "a", "b"]), r"pandas.DataFrame:1: .*label", DataError)
    refused(numbers(["a", float("nan"), "a", "b"]), r"pandas.DataFrame:1: .*label", DataError)


def test_one_class_only_is_refused():
    refused(numbers("aaaa"), "every row has the label 'a'. Expected two classes at least", DataError)


def test_a_reference_that_overlaps_the_data_is_refused():
    says = r"The reference overlaps the data: 1 rows of the data are also in the reference, the first is .*:2 \(.*:0\)"
    refused(numbers(), says, DataError, reference=numbers().iloc[[2]])
    texts = frame().rename(columns={"queue": "label"})
    twin = pd.DataFrame({"body": [texts["body"].iloc[2].upper()], "label": ["fruit"]})
    refused(texts, says, DataError, text="body", reference=twin)


def test_a_class_that_only_the_reference_has_is_refused():
    clean = pd.DataFrame({"x": [10.0], "y": [5.0], "label": ["c"]})
    refused(numbers(), "the label 'c' is none of the 2 classes", DataError, reference=clean)


def test_probabilities_that_do_not_sum_to_one_are_refused():
    refused(numbers(), r"row 0 \(from 0\) sums to 0.9, not to 1", ArrayError, pred_probs=np.full((4, 2), 0.45))


def test_texts_and_numbers_at_once_are_refused():
    refused(numbers(), "give text= or features=, not both", text="label", features=["x"])


def test_a_reference_beside_probabilities_alone_is_refused():
    refused(
        numbers(), "A reference is compared by texts or numbers", pred_probs=np.full((4, 2), 0.5), reference=numbers()
    )


def test_parts_tell_what_decides_the_numbers():
    plain = read_inputs(numbers(), label="label")
    given = read_inputs(numbers(), label="label", pred_probs=np.full((4, 2), 0.5))
    other = read_inputs(numbers(), label="label", pred_probs=np.array([[0.4, 0.6]] * 4))
    assert plain.parts(True) == plain.table.parts
    assert given.parts(True)["pred_probs"] != other.parts(True)["pred_probs"]
