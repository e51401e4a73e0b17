"""Ranks of cells are the double loop's: over what nobody labelled, ties in the cell's favour, cut at ``top``."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import Candidates, Collection, LabelMatrix
from litotes.core.errors import LitotesError
from litotes.judging import RankJudge, judge_from_spec, observed_pairs

WIDTH = 4


def vectors(texts):
    """A vector by the number in the text; equal texts have equal vectors."""
    return np.stack([np.random.default_rng(int(text.split()[-1])).normal(size=WIDTH) for text in texts])


def collection(n_rows=6, n_cols=40):
    rng = np.random.default_rng(3)
    cells = [(row, col) for row in range(n_rows) for col in rng.permutation(n_cols - 2)[: row + 1]]
    rows, cols = [f"q{i}" for i in range(n_rows)], [f"d{j}" for j in range(n_cols)]
    texts = [f"doc {100 + j}" for j in range(n_cols)]
    texts[n_cols - 2] = texts[int(cells[0][1])].upper()  # a text twin of the first positive
    texts[n_cols - 1] = None
    labels = LabelMatrix(rows, cols, *np.array([*cells, (2, n_cols - 1)]).T)
    return Collection(
        labels,
        pa.table({"id": rows, "text": [f"ask {i}" for i in range(n_rows)]}),
        pa.table({"id": cols, "text": texts}),
    )


def all_cells(data, assumed=-1):
    row, col = (x.ravel() for x in np.meshgrid(range(data.n_rows), range(data.n_cols), indexing="ij"))
    return Candidates(pa.table({"row": row, "col": col, "assumed": np.full(len(row), assumed, dtype=np.int8)}))


def by_loop(data, top):
    queries = vectors(list(data.row_texts))
    documents = np.stack([np.zeros(WIDTH) if text is None else vectors([text.lower()])[0] for text in data.col_texts])
    scores = (queries / np.linalg.norm(queries, axis=1, keepdims=True)) @ (
        documents / np.maximum(np.linalg.norm(documents, axis=1, keepdims=True), 1e-9)
    ).T
    ranks = np.full(scores.shape, np.nan)
    for row in range(data.n_rows):
        others = [
            col
            for col in range(data.n_cols)
            if data.col_texts[col] is not None and not data.is_positive(np.array([row]), np.array([col]))[0]
        ]
        for col in range(data.n_cols):
            if data.col_texts[col] is not None:
                ranks[row, col] = min(top + 1, 1 + sum(scores[row, o] > scores[row, col] + 1e-6 for o in others))
    return ranks.ravel()


@pytest.mark.parametrize("top", [1, 7, 1000])
def test_it_is_the_double_loop(top):
    data = collection()
    judge = RankJudge(lambda texts: vectors([t.lower() for t in texts]), top=top)
    found = judge.judge(all_cells(data), data)
    np.testing.assert_array_equal(found.column("judge.rank"), by_loop(data, top))
    assert found.trusted_by == [] and len(found) == data.n_rows * data.n_cols


def test_other_positives_of_a_query_push_none_down():
    data = collection()
    judge = RankJudge(lambda texts: vectors([t.lower() for t in texts]))
    one = judge.judge(observed_pairs(data), data)
    best_alone = {}
    for row, col, rank in zip(one.row, one.col, one.column("judge.rank"), strict=True):
        alone = data.with_labels(LabelMatrix(data.row_ids, data.col_ids, [row], [col]))
        best_alone[row, col] = judge.judge(observed_pairs(alone), alone).column("judge.rank")[0]
        assert rank <= best_alone[row, col]
    assert any(rank < best_alone[r, c] for r, c, rank in zip(one.row, one.col, one.column("judge.rank"), strict=True))


def test_the_command_line_names_it():
    judge = judge_from_spec("rank:top=20,encoder=tiny:bert,name=deep")
    assert (judge.name, judge.top) == ("deep", 20) and judge.fingerprint()["top"] == "20"
    with pytest.raises(LitotesError, match="'top' parameter of RankJudge must be an int in the range"):
        RankJudge(vectors, top=0)
