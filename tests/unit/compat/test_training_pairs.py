"""Lines and documents as rows, columns and pairs, and which columns a row may be given."""

import numpy as np
import pytest
from datasets import Dataset, DatasetDict

from litotes.compat.training_pairs import TrainingPairs
from litotes.core.errors import LitotesError


def read(lines, corpus=None, anchor=None, positive=None):
    names = ("question", "answer")
    columns = {name: list(column) for name, column in zip(names, zip(*lines, strict=True), strict=True)}
    return TrainingPairs.read(Dataset.from_dict(columns), anchor, positive, corpus)


def test_texts_once_pairs_once_by_row_and_in_the_order_of_their_lines():
    lines = [("q1", "b"), ("q0", "a"), ("q1", "a"), ("q1", "b"), ("q0", "c")]
    data = read(lines, corpus=["x", "a", "x"])
    assert data.anchors == ["q1", "q0"] and data.documents == ["x", "a", "b", "c"]
    pairs = [(data.anchors[row], data.documents[col]) for row, col in zip(data.row, data.col, strict=True)]
    assert pairs == [("q1", "b"), ("q1", "a"), ("q0", "a"), ("q0", "c")]
    assert (data.n_rows, data.n_lines, data.most_lines) == (2, 5, 3)


def test_without_a_corpus_the_documents_are_the_positives():
    assert read([("q", "b"), ("r", "a")]).documents == ["b", "a"]


def test_columns_by_name_and_by_place():
    dataset = Dataset.from_dict({"id": ["1"], "question": ["q"], "answer": ["a"]})
    data = TrainingPairs.read(dataset, None, None, None)
    assert (data.anchor_name, data.positive_name, data.anchors, data.documents) == ("id", "question", ["1"], ["q"])
    data = TrainingPairs.read(dataset, "answer", "id", None)
    assert (data.anchor_name, data.positive_name, data.anchors, data.documents) == ("answer", "id", ["a"], ["1"])


def test_a_view_of_a_dataset_is_read_through_its_indices_whatever_its_format():
    dataset = Dataset.from_dict({"q": ["a", "b", "c"], "p": ["x", "y", "z"]}).select([2, 0]).with_format("numpy")
    assert TrainingPairs.read(dataset, None, None, None).anchors == ["c", "a"]


def test_what_a_row_may_not_get():
    lines = [("q0", "a b"), ("q1", "c"), ("Q0 ", "d"), ("q1", "e")]
    data = read(lines, corpus=["A  b ", "other", " ", "c", "C"])
    allowed = data.allowed()
    forbidden = [
        {data.documents[col] for col in allowed.cols[start:stop]}
        for start, stop in zip(allowed.indptr[:-1], allowed.indptr[1:], strict=True)
    ]
    assert data.anchors == ["q0", "q1", "Q0 "]
    assert forbidden == [{"a b", "A  b ", "d"}, {"c", "C", "e"}, {"a b", "A  b ", "d"}]
    assert [text for text, usable in zip(data.documents, allowed.usable, strict=True) if not usable] == [" "]
    assert allowed.counts["excluded_twin"] == 3  # "A  b " twice, "C" once
    assert np.array_equal(allowed.indptr, [0, 3, 6, 9])


@pytest.mark.parametrize(
    ("dataset", "options", "message"),
    [
        (
            DatasetDict({"train": Dataset.from_dict({"q": ["a"], "p": ["b"]})}),
            {},
            "mine_hard_negatives takes one split. Pass one of 'train'.",
        ),
        ([("a", "b")], {}, "mine_hard_negatives takes a datasets.Dataset. Got list instead."),
        (
            Dataset.from_dict({"q": ["a"]}),
            {},
            "The dataset has the columns 'q'. Expected an anchor and a positive.",
        ),
        (
            Dataset.from_dict({"question": ["a"], "answer": ["b"]}),
            {"anchor": "quesion"},
            "anchor_column_name='quesion' is not among the columns 'question', 'answer'. Did you mean 'question'?",
        ),
        (
            Dataset.from_dict({"question": ["a"], "answer": ["b"]}),
            {"anchor": "answer"},
            "Anchor and positive are both the column 'answer'. Name both columns.",
        ),
        (
            Dataset.from_dict({"q": [], "p": []}),
            {},
            "The dataset has no lines, so there is nothing to mine for.",
        ),
        (
            Dataset.from_dict({"q": ["a", "b"], "p": ["x", None]}),
            {},
            "Line 1 of the dataset (from 0): the column 'p' holds None. Expected a text; leave such lines out with "
            "dataset.filter.",
        ),
        (
            Dataset.from_dict({"q": ["a", " "], "p": ["x", "y"]}),
            {},
            "Line 1 of the dataset (from 0): the column 'q' holds ' '. Expected a text; leave such lines out with "
            "dataset.filter.",
        ),
        (
            Dataset.from_dict({"q": ["a"], "p": ["x"]}),
            {"corpus": "one text"},
            "The 'corpus' parameter of mine_hard_negatives must be a list of texts. Got one text.",
        ),
        (
            Dataset.from_dict({"q": ["a"], "p": ["x"]}),
            {"corpus": ["a", 3]},
            "The corpus holds 3 at place 1 (from 0). Expected a text.",
        ),
        (
            Dataset.from_dict({"q": ["a"], "p": ["x"]}),
            {"corpus": ["a", "\ud800"]},
            "The corpus at place 1 (from 0): 'the text' holds half a character (U+D800), which is not UTF-8. Mend it "
            "or leave it out.",
        ),
    ],
)
def test_what_is_no_training_set_is_refused(dataset, options, message):
    options = {"anchor": None, "positive": None, "corpus": None, **options}
    with pytest.raises(LitotesError) as caught:
        TrainingPairs.read(dataset, options["anchor"], options["positive"], options["corpus"])
    assert str(caught.value) == message
