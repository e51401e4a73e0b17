"""The four formats by hand, with and without scores; long columns in parts; names that clash."""

import numpy as np
import pytest
from datasets import Dataset, List, Value

import litotes.compat.dataset_formats as dataset_formats
from litotes.compat.chosen_negatives import Cells
from litotes.compat.dataset_formats import Lines, lay_out
from litotes.compat.training_pairs import TrainingPairs
from litotes.core.errors import LitotesError


def make(names=("q", "p"), length=1):
    """Three rows: ``a`` has positives x, y and negatives n, m; ``b`` has z and n; ``c`` has z and no negative."""
    lines = {names[0]: [text * length for text in "aabc"], names[1]: [text * length for text in "xyzz"]}
    data = TrainingPairs.read(Dataset.from_dict(lines), None, None, ["n" * length, "m" * length])
    at = {text[0]: col for col, text in enumerate(data.documents)}
    pairs = Cells(data.row, data.col, np.array([1.0, 0.5, 0.75, 0.25], dtype=np.float32))
    negatives = Cells(
        np.array([0, 0, 1]), np.array([at["n"], at["m"], at["n"]]), np.array([0.5, 0.25, 0.125], dtype=np.float32)
    )
    return data, pairs, negatives


def laid(form, scores, width=2):
    return lay_out(*make(), form, width, scores)


def test_a_part_is_no_longer_than_its_lines_and_their_negatives_allow(monkeypatch):
    """A row of n pairs and m negatives is n * (m + 1) texts at most: 3 rows of 1 * (4 + 1) texts of 10 bytes."""
    pairs = Cells(np.arange(3), np.arange(3), np.ones(3, dtype=np.float32))
    negatives = Cells(np.repeat(np.arange(3), 4), np.arange(12), np.ones(12, dtype=np.float32))
    for most, expected in ((50, 3), (49, 3), (101, 2), (151, 1)):
        monkeypatch.setattr(dataset_formats, "_PART_BYTES", most)
        parts = [part for part in dataset_formats._parts(pairs, negatives, 3, 10) if len(part[0])]
        assert len(parts) == expected, most
        assert max(len(p) * (len(n) // len(p) + 1) * 10 for p, n in parts) <= max(most, 50)


def test_triplets():
    lines = [("a", "x", "n"), ("a", "x", "m"), ("a", "y", "n"), ("a", "y", "m"), ("b", "z", "n")]
    plain, scored = laid("triplet", False), laid("triplet", True)
    assert plain.column_names == ["q", "p", "negative"]
    assert list(zip(plain["q"], plain["p"], plain["negative"], strict=True)) == lines
    assert scored.remove_columns("scores").to_dict() == plain.to_dict()
    assert list(scored["scores"]) == [[1.0, 0.5], [1.0, 0.25], [0.5, 0.5], [0.5, 0.25], [0.75, 0.125]]
    assert scored.features["scores"] == List(Value("float64")) and scored.features["q"] == Value("string")


def test_n_tuples_are_whole():
    plain, scored = laid("n-tuple", False), laid("n-tuple", True)
    assert plain.to_dict() == {"q": ["a", "a"], "p": ["x", "y"], "negative_1": ["n", "n"], "negative_2": ["m", "m"]}
    assert scored.remove_columns("scores").to_dict() == plain.to_dict()
    assert list(scored["scores"]) == [[1.0, 0.5, 0.25], [0.5, 0.5, 0.25]]


def test_labelled_pairs():
    plain, scored = laid("labeled-pair", False), laid("labeled-pair", True)
    assert plain.to_dict() == {
        "q": ["a", "a", "a", "a", "b", "b", "c"],
        "p": ["x", "y", "n", "m", "z", "n", "z"],
        "label": [1, 1, 0, 0, 1, 0, 1],
    }
    assert scored.column_names == ["q", "p", "score"] and list(scored["p"]) == list(plain["p"])
    assert list(scored["score"]) == [1.0, 0.5, 0.5, 0.25, 0.75, 0.125, 0.25]


def test_labelled_lists():
    plain, scored = laid("labeled-list", False), laid("labeled-list", True)
    assert plain.to_dict() == {
        "q": ["a", "a", "b"],
        "p": [["x", "n", "m"], ["y", "n", "m"], ["z", "n"]],
        "labels": [[1, 0, 0], [1, 0, 0], [1, 0]],
    }
    assert scored.column_names == ["q", "p", "scores"] and list(scored["p"]) == list(plain["p"])
    assert list(scored["scores"]) == [[1.0, 0.5, 0.25], [0.5, 0.5, 0.25], [0.75, 0.125]]


@pytest.mark.parametrize("form", dataset_formats.FORMATS)
@pytest.mark.parametrize("scores", [False, True])
def test_parts_change_nothing(form, scores, monkeypatch):
    case = make(length=20)
    whole = lay_out(*case, form, 1, scores)
    monkeypatch.setattr(dataset_formats, "_PART_BYTES", 40)
    parts = lay_out(*case, form, 1, scores)
    assert parts.to_dict() == whole.to_dict() and parts.features == whole.features
    assert parts.data.column(0).num_chunks > 1 == whole.data.column(0).num_chunks


@pytest.mark.parametrize(("form", "lines"), [("triplet", 0), ("n-tuple", 0), ("labeled-pair", 4), ("labeled-list", 0)])
@pytest.mark.parametrize("scores", [False, True])
def test_without_negatives_the_columns_keep_their_types(form, lines, scores):
    data, pairs, negatives = make()
    empty = lay_out(data, pairs, negatives.take(slice(0)), form, 2, scores)
    assert len(empty) == lines and empty.features == laid(form, scores).features


def test_columns_that_clash_are_refused():
    with pytest.raises(LitotesError) as caught:
        lay_out(*make(("q", "negative")), "triplet", 2, False)
    assert str(caught.value) == (
        "The format 'triplet' adds a column 'negative', and the dataset has one. "
        "Rename it first: dataset.rename_column('negative', ...)."
    )
    assert lay_out(*make(("q", "negative")), "labeled-pair", 2, False).column_names == ["q", "negative", "label"]


def test_lines_stand_each_pair_beside_its_negatives():
    _, pairs, negatives = make()
    lines = Lines.of(pairs, negatives, 3)
    assert lines.counts.tolist() == [2, 2, 1, 0]
    assert list(zip(lines.pair.tolist(), lines.negative.tolist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (2, 2),
    ]
    whole = lines.whole(2)
    assert whole.counts.tolist() == [2, 2, 0, 0] and whole.pair.tolist() == [0, 0, 1, 1]
    assert whole.negative.tolist() == [0, 1, 0, 1]
