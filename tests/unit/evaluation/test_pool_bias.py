"""Ranks of labelled positives against those of relevant documents that nobody labelled."""

import json

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import Collection, LabelMatrix
from litotes.core.errors import LitotesError
from litotes.evaluation.pool_bias import compare_ranks, places, pool_bias

INF = np.inf


class Scores:
    """A retriever whose scores are given."""

    def __init__(self, table):
        self.table = np.asarray(table, dtype=float)

    def scores(self, data, rows):
        return self.table[rows]


def collection(labels, truth, n_rows=2, n_cols=5, texts=None):
    rows, cols = [f"q{i}" for i in range(n_rows)], [f"d{i}" for i in range(n_cols)]
    made = [LabelMatrix(rows, cols, *np.array(cells).T) for cells in (labels, truth)]
    tables = [pa.table({"id": rows, "text": rows}), pa.table({"id": cols, "text": texts or cols})]
    return Collection(made[0], *tables, truth=made[1])


def test_a_place_counts_every_document_above_it():
    data = collection([(0, 0), (0, 1)], [(0, 0), (0, 1), (0, 4)])
    miner = Scores([[1.0, 5.0, 4.0, 3.0, 2.0]] * 2)
    assert places(data, miner, np.array([0, 0, 0]), np.array([4, 0, 1])).tolist() == [4, 5, 1]
    tied = Scores([[2.0, 2.0, 2.0, 2.0, 2.0]] * 2)
    assert places(data, tied, np.array([0, 0]), np.array([4, 0])).tolist() == [1, 1]


def test_empty_documents_take_up_no_place():
    data = collection([(0, 0)], [(0, 0), (0, 4)], texts=["one", "two", "three", None, "five"])
    miner = Scores([[1.0, 0.0, 4.0, 9.0, 2.0]] * 2)
    assert places(data, miner, np.array([0]), np.array([4])).tolist() == [2]


def test_by_hand():
    data = collection([(0, 0), (1, 2)], [(0, 0), (0, 4), (1, 2), (1, 3), (1, 4)])
    miner = Scores([[5.0, 4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0, 0.0]])
    found = pool_bias(data, miner)
    assert found["labelled"]["cells"] == 2 and found["unlabelled"]["cells"] == 3
    assert found["labelled"]["within"]["1"] == 0.5 and found["unlabelled"]["within"]["3"] == pytest.approx(1 / 3)
    # query 0: 1 before 5; query 1: 2 behind 1 and before 5
    assert found["above"]["share"] == pytest.approx((1 + 0.5) / 2) and found["above"]["queries"] == 2
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(("labelled", "share"), [(0, 1.0), (1, 0.0)])
def test_of_two_that_stand_next_to_each_other_the_higher_is_above(labelled, share):
    data = collection([(0, labelled)], [(0, 0), (0, 1)])
    assert pool_bias(data, Scores([[5.0, 4.0, 3.0, 2.0, 1.0]] * 2))["above"]["share"] == share


@pytest.mark.parametrize("how_many_labelled", [1, 4, 7])
def test_a_fair_draw_of_the_relevant_gives_a_half(how_many_labelled):
    generator = np.random.default_rng(how_many_labelled)
    n_rows, n_cols, relevant = 400, 40, 8
    drawn = [(row, col) for row in range(n_rows) for col in generator.choice(n_cols, relevant, replace=False)]
    labelled = [cell for place, cell in enumerate(drawn) if place % relevant < how_many_labelled]
    scores = generator.normal(size=(n_rows, n_cols))
    scores[tuple(np.array(drawn).T)] += 2  # a good retriever: the relevant stand next to each other
    above = pool_bias(collection(labelled, drawn, n_rows, n_cols), Scores(scores))["above"]
    assert above["low"] <= 0.5 <= above["high"] and above["high"] - above["low"] < 0.1


def test_without_a_truth_there_is_nothing_to_compare():
    data = collection([(0, 0)], [(0, 0)])
    assert pool_bias(Collection(data.labels, data.rows.table, data.cols.table)) is None
    found = pool_bias(data, Scores([[1.0] * 5] * 2))
    assert found["above"] == {"share": None, "low": None, "high": None, "queries": 0}
    assert "nothing can be compared" in found["says"] and found["unlabelled"]["quartiles"] is None


def test_bm25_is_the_weak_retriever_unless_another_is_given():
    data = collection([(0, 0)], [(0, 0), (0, 1)], texts=["q0 q0", "else", "q0", "x", "y"])
    assert pool_bias(data)["labelled"]["quartiles"] == [1, 1, 1]


def test_ties_count_half_and_infinite_ranks_are_last():
    rows = np.zeros(2, dtype=int)
    found = compare_ranks((rows, np.array([1.0, INF])), (rows, np.array([1.0, INF])))
    assert found["above"]["share"] == pytest.approx((0.5 + 1 + 0 + 0.5) / 4)
    assert found["labelled"]["quartiles"] == [1.0, 1.0, None]


@pytest.mark.parametrize(
    ("labelled", "unlabelled", "said"),
    [
        (1, 50, "100% of pairs (100% to 100%, 30 queries): the labels lean to what this retriever ranks high"),
        (50, 1, "0% of pairs (0% to 0%, 30 queries): the labels were found some other way"),
        (5, 5, "50% of pairs (50% to 50%, 30 queries): by this retriever the two cannot be told apart"),
    ],
)
def test_what_it_says(labelled, unlabelled, said):
    rows = np.arange(30)
    found = compare_ranks((rows, np.full(30, labelled)), (rows, np.full(30, unlabelled)))
    assert said in found["says"]
    assert "ranks above an unlabelled relevant document of its query" in found["says"]
    called = compare_ranks((rows, np.ones(30)), (rows, np.ones(30)), called="a suspect")
    assert "ranks above a suspect of its query" in called["says"]


def test_the_order_of_cells_changes_nothing_and_the_seed_decides_the_interval():
    generator = np.random.default_rng(0)
    rows, ranks = generator.integers(0, 40, size=300), generator.integers(1, 100, size=300)
    order = generator.permutation(150)
    groups = (rows[:150], ranks[:150]), (rows[150:], ranks[150:])
    moved = (groups[0][0][order], groups[0][1][order]), groups[1]
    assert compare_ranks(*groups) == compare_ranks(*moved) != compare_ranks(*groups, seed=1)


@pytest.mark.parametrize("ranks", [[0.0], [np.nan], [1.0, 2.0]])
def test_ranks_that_are_none(ranks):
    with pytest.raises(LitotesError, match="a rank from 1 on for each labelled cell"):
        compare_ranks((np.zeros(1, dtype=int), np.array(ranks)), (np.zeros(1, dtype=int), np.ones(1)))
