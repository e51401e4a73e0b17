"""Resemblance to positives, against the slow loop that it must equal."""

import numpy as np
import pytest

from litotes.auditing import resemblance as module
from litotes.auditing.resemblance import Resemblance, crowding

N, ROWS = 40, 6


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    made = rng.normal(size=(N, 8)).astype(np.float32)
    made[5] = 0
    norms = np.linalg.norm(made, axis=1, keepdims=True)
    return np.ascontiguousarray(np.divide(made, norms, out=made, where=norms > 0))


@pytest.fixture
def usable():
    there = np.ones(N, dtype=bool)
    there[5] = False
    return there


POSITIVES = [[1, 2, 3, 4, 7], [8], [], [9, 10], [11, 1], [12]]
INDPTR = np.cumsum([0, *map(len, POSITIVES)])


def slow_crowding(vectors, usable):
    found = np.zeros(len(vectors))
    for i in np.flatnonzero(usable):
        others = [float(vectors[i] @ vectors[j]) for j in np.flatnonzero(usable) if j != i]
        found[i] = np.mean(sorted(others)[-10:])
    return found


def slow(vectors, crowd, row, col):
    others = [p for p in POSITIVES[row] if p != col]
    if not others:
        return np.nan, -1, np.nan
    cosines = [float(vectors[col] @ vectors[p]) for p in others]
    local = sorted(2 * c - crowd[col] - crowd[p] for c, p in zip(cosines, others, strict=True))
    return np.mean(local[-3:]), others[int(np.argmax(cosines))], max(cosines)


def test_crowding_is_the_mean_cosine_to_the_ten_nearest_others(vectors, usable, monkeypatch):
    expected = slow_crowding(vectors, usable)
    assert crowding(vectors, usable, np.arange(N)) == pytest.approx(expected, abs=1e-6)
    monkeypatch.setattr(module, "_BLOCK_DOCUMENTS", 7)
    assert crowding(vectors, usable, np.arange(N)) == pytest.approx(expected, abs=1e-6)


def test_crowding_of_a_few_documents_takes_those_there_are():
    two = np.eye(2, dtype=np.float32)
    assert crowding(two, np.ones(2, dtype=bool), np.arange(2)).tolist() == [0.0, 0.0]


def test_cells_equal_the_slow_loop_in_blocks_of_any_size(vectors, usable, monkeypatch):
    crowd = slow_crowding(vectors, usable)
    parts = Resemblance(vectors, usable, INDPTR, np.concatenate([np.array(p, dtype=np.int64) for p in POSITIVES]))
    rows, cols = (part.ravel() for part in np.mgrid[:ROWS, :N])
    expected = [slow(vectors, crowd, r, c) for r, c in zip(rows, cols, strict=True)]
    whole = parts.of(rows, cols)
    assert whole["resemblance"] == pytest.approx([e[0] for e in expected], abs=1e-5, nan_ok=True)
    assert whole["cosine"] == pytest.approx([e[2] for e in expected], abs=1e-5, nan_ok=True)
    assert whole["nearest"].tolist() == [e[1] for e in expected]
    monkeypatch.setattr(module, "_BLOCK_PAIRS", 11)
    again = parts.of(rows, cols)
    assert all(np.array_equal(again[name], whole[name], equal_nan=True) for name in whole)


def test_no_cells_give_nothing(vectors, usable):
    parts = Resemblance(vectors, usable, INDPTR, np.arange(INDPTR[-1]))
    assert [len(v) for v in parts.of(np.zeros(0, np.int64), np.zeros(0, np.int64)).values()] == [0, 0, 0]


def test_only_documents_that_are_compared_are_measured_and_each_once(vectors, usable, monkeypatch):
    asked = []

    def counted(vectors, usable, cols):
        asked.append(cols.tolist())
        return crowding(vectors, usable, cols)

    monkeypatch.setattr(module, "crowding", counted)
    parts = Resemblance(vectors, usable, INDPTR, np.concatenate([np.array(p, dtype=np.int64) for p in POSITIVES]))
    parts.of(np.array([1, 2, 3]), np.array([20, 21, 9]))  # row 2 has nothing to compare with
    assert asked == [[8, 9, 10, 20]]
    parts.of(np.array([1, 3]), np.array([20, 22]))
    assert asked[1:] == [[22]]


def test_crowding_of_some_is_that_of_all(vectors, usable):
    some = np.array([30, 5, 2])
    assert np.array_equal(crowding(vectors, usable, some), crowding(vectors, usable, np.arange(N))[some])
