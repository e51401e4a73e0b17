"""What stands under ids: texts, paths, vectors, in any order of lines and with some missing."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import DataError, Ids
from litotes.core.contents import Contents

IDS = Ids(["a", "b", "c", "d"])
VECTORS = pa.table({"id": ["d", "a", "b"], "vector": [[1.0, 2.0], None, [5.0, 6.0]]})


def contents(**columns) -> Contents:
    return Contents(pa.table(columns), IDS, "column")


def test_without_a_table_there_is_nothing_but_ids():
    none = Contents(None, IDS, "row")
    assert none.texts == none.bodies == none.paths == [None] * 4 and none.titles == [""] * 4
    assert none.present.tolist() == [False] * 4 and none.present.dtype == bool
    assert none.select(np.array([0])) is None and len(none.fingerprint) == 32
    with pytest.raises(DataError, match="The rows of this collection have no vectors"):
        _ = none.vectors


def test_texts_have_no_paths_and_no_vectors():
    texts = contents(id=["a"], text=["one"])
    assert texts.paths == [None] * 4
    with pytest.raises(DataError, match="The columns of this collection have no vectors"):
        _ = texts.vectors


def test_paths_in_another_order():
    paths = contents(id=["c", "a"], path=["c.png", None])
    assert paths.paths == [None, None, "c.png", None] and paths.texts == [None] * 4
    assert paths.present.tolist() == [False, False, True, False]


def test_vectors_in_another_order_with_a_null_between():
    found = Contents(VECTORS, IDS, "column")
    assert found.vectors.tolist() == [[0, 0], [5, 6], [0, 0], [1, 2]] and found.vectors.dtype == np.float32
    assert found.present.tolist() == [False, True, False, True]


def test_vectors_in_several_chunks():
    halves = pa.concat_tables([VECTORS.slice(0, 1), VECTORS.slice(1)])
    assert Contents(halves, IDS, "column").vectors.tolist() == Contents(VECTORS, IDS, "column").vectors.tolist()


def test_no_vector_at_all_has_no_width():
    empty = contents(id=["a"], vector=pa.array([None], pa.list_(pa.float32())))
    assert empty.vectors.shape == (4, 0)


def test_a_vector_that_is_not_finite_is_named():
    with pytest.raises(DataError, match="The vector of column 'b' holds NaN or infinity"):
        _ = contents(id=["a", "b"], vector=[[1.0, 2.0], [3.0, float("inf")]]).vectors


def test_selecting_keeps_the_first_line_of_the_table_too():
    texts = contents(id=["b", "a"], text=["two", "one"])
    assert texts.select(np.array([2, 0, 1])).to_pydict() == {"id": ["a", "b"], "text": ["one", "two"]}


def test_the_fingerprint_is_of_kind_content_and_places():
    made = [
        Contents(None, IDS, "row"),
        contents(id=["a"], text=["x"]),
        contents(id=["a"], text=["x"], title=["t"]),
        contents(id=["a"], path=["x"]),
        contents(id=["a"], path=["y"]),
        contents(id=["b"], path=["x"]),
        contents(id=["a"], vector=[[1.0]]),
        contents(id=["a"], vector=[[2.0]]),
    ]
    prints = [each.fingerprint for each in made]
    assert len(set(prints)) == len(made) and None not in prints
    lines = {"id": ["b", "a"], "text": ["2", "1"]}
    turned = {name: values[::-1] for name, values in lines.items()}
    assert contents(**lines).fingerprint == contents(**turned).fingerprint, "the order of lines is no content"


def test_an_odd_id_is_named():
    with pytest.raises(DataError, match="1 columns of the table are not among the labels' ids, for example 'z'"):
        contents(id=["a", "z"], text=["", ""])
