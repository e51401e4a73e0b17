"""A collection's content, identity and edits against plain Python."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core import Collection, LabelMatrix, LitotesError
from litotes.core.text import normalise

TEXTS = st.sampled_from(["one", "ONE", " one ", "two", "Two  ", "three", "", "  "])


def texts_table(texts, prefix, titles=None):
    table = {"id": [f"{prefix}{i}" for i in range(len(texts))], "text": list(texts)}
    return pa.table({**table, **({"title": list(titles)} if titles else {})}, schema=None)


@st.composite
def collections(draw):
    docs = draw(st.lists(TEXTS, min_size=1, max_size=12))
    n_rows = draw(st.integers(1, 5))
    cell = st.tuples(st.integers(0, n_rows - 1), st.integers(0, len(docs) - 1))
    cells = draw(st.dictionaries(cell, st.sampled_from([0.0, 1.0, 2.0])))
    rows, cols = (np.array([c[i] for c in cells], dtype=np.int64) for i in (0, 1))
    labels = LabelMatrix(
        [f"q{i}" for i in range(n_rows)], [f"d{i}" for i in range(len(docs))], rows, cols, list(cells.values())
    )
    return Collection(labels, texts_table(["query"] * n_rows, "q"), texts_table(docs, "d")), docs, cells


@given(collections())
def test_identity_is_id_and_text(made):
    data, docs, cells = made

    def same(a: int, b: int) -> bool:
        return a == b or (bool(docs[a].strip()) and normalise(docs[a]) == normalise(docs[b]))

    for row in range(data.n_rows):
        positives = [col for (r, col), grade in cells.items() if r == row and grade >= 1]
        expected = [any(same(col, positive) for positive in positives) for col in range(data.n_cols)]
        assert data.is_positive(np.full(data.n_cols, row), np.arange(data.n_cols)).tolist() == expected
        indptr, never = data.never_negative()
        assert never[indptr[row] : indptr[row + 1]].tolist() == np.flatnonzero(expected).tolist()
        assert data.twin_counts()[row] == sum(expected) - len(set(positives))


@given(collections())
def test_content(made):
    data, docs, cells = made
    assert data.col_texts == [text.strip() or None for text in docs]
    assert data.cols_with_content.tolist() == [bool(text.strip()) for text in docs]
    assert data.corpus == {f"d{i}": text.strip() for i, text in enumerate(docs) if text.strip()}
    relevant: dict = {}
    for (row, col), grade in cells.items():
        if grade >= 1:
            relevant.setdefault(f"q{row}", set()).add(f"d{col}")
    assert data.relevant_docs == relevant


def small(**options):
    labels = LabelMatrix.from_qrels({"q0": {"d0": 1}, "q1": {"d2": 1, "d1": 0}}, cols=["d0", "d1", "d2", "d3"])
    cols = texts_table(["alpha", "beta", "gamma"], "d", titles=["A", "", "C"])
    return Collection(labels, texts_table(["first", "second"], "q"), cols, **options)


def test_a_documents_text_is_title_blank_text():
    data = small()
    assert data.col_texts == ["A alpha", "beta", "C gamma", None]
    assert data.col_titles == ["A", "", "C", ""]
    assert data.col_bodies == ["alpha", "beta", "gamma", None]
    assert data.cols_with_content.tolist() == [True, True, True, False]


def test_a_batch_mask_broadcasts():
    mask = small().is_positive(np.array([0, 1])[:, None], np.array([0, 2, 3])[None, :])
    assert mask.tolist() == [[True, False, False], [False, True, False]]


def test_selecting_rows_keeps_columns_and_truth():
    labels = small().labels
    data = small(truth=labels.with_cells([0], [3]))
    one = data.select_rows([1])
    assert one.queries == {"q1": "second"} and one.n_cols == 4
    assert one.truth.positives(0).tolist() == [2] and one.relevant_docs == {"q1": {"d2"}}


def test_extending_adds_columns_and_says_whence():
    data = small().extended(pa.table({"id": ["g0"], "text": ["generated"]}), source="llm")
    assert data.corpus["g0"] == "generated" and data.n_cols == 5
    assert data.notes["extended"] == [{"source": "llm", "cols": 1}]
    assert data.col_texts[3] is None, "a column that had no text still has none"


def test_the_fingerprint_sees_labels_and_texts_but_not_truth():
    data = small()
    assert data.fingerprint == small().fingerprint == small(truth=data.labels).fingerprint
    edited = Collection(
        data.labels, data.rows.table, texts_table(["alpha", "beta", "delta"], "d", titles=["A", "", "C"])
    )
    relabelled = data.with_labels(data.labels.with_cells([0], [3]))
    assert len({data.fingerprint, edited.fingerprint, relabelled.fingerprint}) == 3


def test_pairs_carry_positions():
    pairs = small().pairs()
    assert pairs.column_names == ["anchor", "positive", "label"]
    assert pairs["label"][:] == [[0, 0], [1, 2]] and pairs["positive"][:] == ["A alpha", "C gamma"]


def test_vectors_and_paths_as_content():
    labels = LabelMatrix.from_pairs([("q0", "d1")], cols=["d0", "d1", "d2"])
    cols = pa.table({"id": ["d2", "d0"], "vector": pa.array([[1.0, 2.0], None], pa.list_(pa.float32()))})
    data = Collection(labels, pa.table({"id": ["q0"], "path": ["a.png"]}), cols)
    assert data.cols.vectors.tolist() == [[0, 0], [0, 0], [1, 2]]
    assert data.cols_with_content.tolist() == [False, False, True]
    assert data.rows.paths == ["a.png"] and data.row_texts == [None]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small().with_labels(LabelMatrix(["x"], ["y"], [], [])), "same row and column ids"),
        (lambda: small(truth=LabelMatrix(["x"], ["y"], [], [])), "truth of a collection"),
        (lambda: Collection(small().labels, pa.table({"id": ["zz"], "text": ["?"]})), "for example 'zz'"),
        (lambda: Collection(small().labels, pa.table({"id": ["q0"]})), "one of 'text', 'path', 'vector'"),
        (
            lambda: Collection(small().labels, cols=pa.table({"id": ["d0"], "text": [3]})),
            "'text' of the columns holds int64",
        ),
        (lambda: small().extended(pa.table({"text": ["new"]}), "llm"), "needs a column 'id'"),
        (lambda: small().is_positive([0], [9]), r"Column positions must lie in \[0, 4\)"),
        (
            lambda: (
                Collection(
                    small().labels, cols=pa.table({"id": ["d0", "d1"], "vector": [[1.0], [1.0, 2.0]]})
                ).cols.vectors
            ),
            r"several widths: \[1, 2\]",
        ),
        (
            lambda: Collection(small().labels, cols=pa.table({"id": ["d0"], "vector": [[float("nan")]]})).cols.vectors,
            "'d0' holds NaN",
        ),
    ],
)
def test_refused(make, message):
    with pytest.raises(LitotesError, match=message):
        make()


def test_what_is_made_from_a_collection_keeps_its_name_and_origin():
    labels = small().labels
    data = small(name="n", origin="o", split="s", notes={"k": 1}, truth=labels.with_cells([0], [3]))
    made = (
        data.select_rows([0]),
        data.with_labels(labels.with_cells([1], [0])),
        data.extended(pa.table({"id": ["g0"], "text": ["new"]}), source="llm"),
    )
    for other in made:
        assert (other.name, other.origin, other.split, other.notes["k"]) == ("n", "o", "s", 1)
        assert other.truth is not None and other.truth.is_positive([0], [3]).all()


def test_text_twins_follow_the_texts_into_what_is_made():
    data = Collection(
        LabelMatrix.from_qrels({"q0": {"d0": 1}}, cols=["d0", "d1"]), None, texts_table(["same", "SAME"], "d")
    )
    assert data.first_twin.tolist() == [0, 0]  # looked at before, so that others may take it over
    assert data.with_labels(data.labels).first_twin.tolist() == [0, 0]
    more = data.extended(pa.table({"id": ["d2", "d3"], "text": ["other", "same"]}), source="llm")
    assert more.first_twin.tolist() == [0, 0, 2, 0] and more.is_positive([0], [3]).tolist() == [True]


def test_columns_without_content_cannot_be_extended():
    with pytest.raises(LitotesError, match="columns have no content cannot be extended"):
        Collection(small().labels).extended(pa.table({"id": ["x"], "text": ["y"]}), "llm")


@pytest.mark.parametrize("cols", [[0, 4], [-1, 0], [4]])
def test_one_column_outside_is_enough(cols):
    with pytest.raises(LitotesError, match=r"Column positions must lie in \[0, 4\)"):
        small().is_positive([0] * len(cols), cols)
    assert small().is_positive([0], [3]).tolist() == [False] and small().is_positive([], []).tolist() == []
