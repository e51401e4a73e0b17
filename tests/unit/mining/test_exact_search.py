"""Exact search: the double loop, ties by column, cells left out, and blocks that change nothing."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import litotes.mining.exact_search as exact_search
from litotes.core.errors import LitotesError
from litotes.mining.exact_search import search
from litotes.mining.row_products import row_products


def unit(rng, n, width=24):
    vectors = rng.standard_normal((n, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def double_loop(queries, documents, k, exclude=None, usable=None, skip=0, min_score=None, max_score=None):
    """Slow and obvious: per query a list of (score, column), sorted, cut."""
    answers = []
    for i, query in enumerate(queries):
        cells = []
        for j, document in enumerate(documents):
            score = float(np.dot(query.astype(np.float64), document.astype(np.float64)))
            if exclude is not None and j in exclude[1][exclude[0][i] : exclude[0][i + 1]]:
                continue
            if (usable is None or usable[j]) and (max_score is None or score <= max_score):
                cells.append((-score, j))
        window = sorted(cells)[skip : skip + k]
        answers.append([(j, -score) for score, j in window if min_score is None or -score >= min_score])
    return answers


def as_lists(found):
    scores, cols, keep = found
    assert scores.dtype == np.float32 and cols.dtype == np.int64 and keep.dtype == bool
    assert (cols >= 0).all()
    assert np.isneginf(scores[~keep]).all()
    return [
        [(int(c), float(s)) for s, c, k in zip(*row, strict=True) if k] for row in zip(scores, cols, keep, strict=True)
    ]


def csr(lists):
    indptr = np.concatenate([[0], np.cumsum([len(cols) for cols in lists])]).astype(np.int64)
    return indptr, np.array([col for cols in lists for col in sorted(cols)], dtype=np.int64)


def test_equals_the_double_loop():
    rng = np.random.default_rng(0)
    queries, documents = unit(rng, 50), unit(rng, 50)
    exclude = csr([rng.choice(50, rng.integers(0, 45), replace=False) for _ in range(50)])
    usable = rng.random(50) < 0.8
    found = as_lists(
        search(queries, documents, 7, exclude=exclude, usable=usable, skip=2, min_score=0.0, max_score=0.4)
    )
    expected = double_loop(queries, documents, 7, exclude, usable, 2, 0.0, 0.4)
    assert [[col for col, _ in row] for row in found] == [[col for col, _ in row] for row in expected]
    assert np.allclose([s for row in found for _, s in row], [s for row in expected for _, s in row], atol=1e-6)
    assert any(len(row) < 7 for row in expected), "the test would be vacuous"


# Small whole numbers: products are exact, so that ties are exact and many.
whole = st.integers(-2, 2)


@st.composite
def problems(draw):
    n, m, width = draw(st.integers(0, 6)), draw(st.integers(0, 40)), draw(st.integers(1, 3))
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    queries = rng.integers(-2, 3, (n, width)).astype(np.float32)
    documents = rng.integers(-2, 3, (max(m // draw(st.integers(1, 8)), 1), width)).astype(np.float32)
    documents = documents[rng.integers(0, len(documents), m)]  # many equal documents
    options = {
        "k": draw(st.integers(1, 45)),
        "skip": draw(st.integers(0, 5)),
        "min_score": draw(st.none() | st.integers(-3, 3).map(float)),
        "max_score": draw(st.none() | st.integers(-3, 4).map(float)),
        "usable": draw(st.none() | st.just(rng.random(m) < draw(st.sampled_from([0.0, 0.5, 0.9])))),
        "exclude": draw(
            st.none() | st.just(csr([rng.choice(m, rng.integers(0, m + 1), replace=False) for _ in range(n)]))
        ),
    }
    return queries, documents, options


@settings(max_examples=150, deadline=None)
@given(problems(), st.integers(1, 7), st.integers(1, 45))
def test_ties_exclusions_and_bounds_equal_the_double_loop_however_it_is_cut(problem, block_queries, block_documents):
    queries, documents, options = problem
    expected = double_loop(queries, documents, **options)
    for blocks in ({}, {"block_queries": block_queries, "block_documents": block_documents}):
        assert as_lists(search(queries, documents, **options, **blocks)) == expected


@settings(max_examples=50, deadline=None)
@given(problems())
def test_every_query_scanned_gives_the_same(problem):
    queries, documents, options = problem
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact_search, "_DEEPEST", 0)
        counts = {}
        assert as_lists(search(queries, documents, counts=counts, **options)) == double_loop(
            queries, documents, **options
        )
    usable = documents if options["usable"] is None else documents[options["usable"]]
    assert counts["scanned_rows"] == (len(queries) if len(usable) else 0)


@pytest.mark.parametrize("width", [24, 37])  # 37: rows at every alignment
def test_blocks_change_not_one_bit(width):
    rng = np.random.default_rng(1)
    queries, documents = unit(rng, 300, width), unit(rng, 3000, width)
    documents[1000:1400] = documents[7]  # a query near it has more ties than the slack
    queries[3] = documents[7]
    exclude = csr([rng.choice(3000, 1000 if i == 5 else 2, replace=False) for i in range(300)])
    counts = {}
    whole = search(queries, documents, 20, exclude=exclude, counts=counts)
    assert counts["scanned_rows"] > 0, "the test would be vacuous"
    for block_queries, block_documents in ((1, None), (7, 501), (300, 64), (64, 3000)):
        cut = search(
            queries, documents, 20, exclude=exclude, block_queries=block_queries, block_documents=block_documents
        )
        assert all(np.array_equal(one, two) for one, two in zip(whole, cut, strict=True))
    part = search(
        queries[100:200],
        documents,
        20,
        exclude=(exclude[0][100:201] - exclude[0][100], exclude[1][exclude[0][100] : exclude[0][200]]),
    )
    assert all(np.array_equal(one[100:200], two) for one, two in zip(whole, part, strict=True))


def test_equal_documents_stand_in_order_of_their_columns():
    rng = np.random.default_rng(2)
    document = unit(rng, 1, 37)
    documents = np.concatenate([unit(rng, 100, 37) * 0.5, np.repeat(document, 5000, axis=0)])
    scores, cols, keep = search(document, documents, 3000, skip=10)
    assert keep.all()
    assert np.array_equal(cols[0], np.arange(110, 3110))
    assert len(np.unique(scores)) == 1


@pytest.mark.parametrize("deepest", [2048, 0])
def test_nearly_equal_documents_are_ranked_by_the_row_wise_product(monkeypatch, deepest):
    """Differences of one rounding, which a matrix product may turn around."""
    monkeypatch.setattr(exact_search, "_DEEPEST", deepest)
    rng = np.random.default_rng(9)
    queries = unit(rng, 60, 300)
    noise = rng.uniform(-6e-8, 6e-8, (40_000, 300)).astype(np.float32)
    documents = queries[rng.integers(0, 60, 40_000)] * (1 + noise)
    every = row_products(queries, documents, np.repeat(np.arange(60), 40_000), np.tile(np.arange(40_000), 60))
    every = every.reshape(60, 40_000)
    order = np.lexsort((np.broadcast_to(np.arange(40_000), every.shape), -every), axis=1)[:, :25]
    scores, cols, _ = search(queries, documents, 25)
    assert np.array_equal(cols, order)
    assert np.array_equal(scores, np.take_along_axis(every, order, 1))


@pytest.mark.parametrize("usable", [False, True])
def test_memory_does_not_grow_with_the_corpus(usable):
    rng = np.random.default_rng(10)
    peaks = []
    queries = unit(rng, 500)
    for n_documents in (20_000, 200_000):
        documents = np.resize(unit(rng, 20_000), (n_documents, 24))
        options = {"usable": rng.random(n_documents) < 0.9, "block_documents": 4096} if usable else {}
        tracemalloc.start()
        search(queries, documents, 10, **options)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 200_000 * 8 + 500_000, "a number a document, not a vector"


def test_a_row_with_many_exclusions_does_not_make_the_others_fetch_as_deep(monkeypatch):
    rng = np.random.default_rng(3)
    fetched = []
    inner = exact_search._fetch
    monkeypatch.setattr(
        exact_search,
        "_fetch",
        lambda block, corpus, fetch: fetched.append((len(block), fetch)) or inner(block, corpus, fetch),
    )
    exclude = csr([range(1000) if i == 0 else [i] for i in range(100)])
    search(unit(rng, 100), unit(rng, 4000), 10, exclude=exclude)
    assert fetched == [(99, 32), (1, 1024)]


def test_an_excluded_cell_never_comes_back_and_the_corpus_may_be_smaller_than_k():
    rng = np.random.default_rng(4)
    queries, documents = unit(rng, 20), unit(rng, 5)
    exclude = csr([[i % 5] if i else range(5) for i in range(20)])
    scores, cols, keep = search(queries, documents, 50, exclude=exclude)
    assert scores.shape == (20, 50)
    assert keep.sum(axis=1).tolist() == [0] + [4] * 19
    for i in range(20):
        assert i % 5 not in cols[i][keep[i]]


def test_what_was_above_max_score_is_counted_exactly():
    rng = np.random.default_rng(5)
    queries, documents = unit(rng, 30), unit(rng, 500)
    for max_score in (0.3, 0.6, -1.5):
        counts = {}
        search(queries, documents, 10, max_score=max_score, counts=counts)
        every = row_products(queries, documents, np.repeat(np.arange(30), 500), np.tile(np.arange(500), 30))
        assert counts["above_max_score"] == (every > max_score).sum()


def test_long_vectors_have_a_tolerance_of_their_own_length():
    rng = np.random.default_rng(6)
    for scale in (1e-6, 1e4):
        counts = {}
        queries, documents = unit(rng, 40) * np.float32(scale), unit(rng, 2000)
        _, cols, _ = search(queries, documents, 10, counts=counts)
        assert np.array_equal(cols, search(queries / np.float32(scale), documents, 10)[1])
        assert counts["scanned_rows"] == 0


def test_other_layouts_and_formats_are_read():
    rng = np.random.default_rng(7)
    queries, documents = unit(rng, 5), unit(rng, 60)
    expected = search(queries, documents, 4)
    for other in (documents.astype(np.float64), np.asfortranarray(documents), np.repeat(documents, 2, axis=0)[::2]):
        assert all(np.array_equal(one, two) for one, two in zip(search(queries, other, 4), expected, strict=True))
    documents.setflags(write=False)
    search(queries, documents, 4)


REFUSED = {
    "NaN in a query": (lambda q, d: q.__setitem__((2, 1), np.nan), {}, "NaN or infinity in row 2 of the queries"),
    "infinity in a document": (
        lambda q, d: d.__setitem__((9, 0), np.inf),
        {},
        "NaN or infinity in row 9 of the documents",
    ),
    "k": (None, {"k": 0}, r"The 'k' parameter of search must be an int in the range \[1, inf\). Got 0"),
    "usable": (None, {"usable": np.ones(3, dtype=bool)}, "usable must be 20 booleans"),
    "usable as positions": (None, {"usable": np.arange(20)}, "usable must be 20 booleans. Got int64"),
    "exclude of other queries": (
        None,
        {"exclude": (np.zeros(3, np.int64), np.zeros(0, np.int64))},
        "CSR .* of 4 queries over 20",
    ),
    "exclude beyond": (None, {"exclude": (np.array([0, 0, 0, 0, 1]), np.array([20]))}, "CSR .* of 4 queries over 20"),
    "too long": (lambda q, d: (q.__imul__(1e25), d.__imul__(1e25)), {}, "inner products overflow float32"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_at_the_door(name):
    rng = np.random.default_rng(8)
    queries, documents = unit(rng, 4), unit(rng, 20)
    change, options, message = REFUSED[name]
    if change:
        change(queries, documents)
    with pytest.raises(LitotesError, match=message):
        search(queries, documents, **{"k": 3, **options})


def test_two_widths_are_refused():
    with pytest.raises(LitotesError, match="queries have 3, documents 4 numbers"):
        search(np.ones((2, 3), np.float32), np.ones((2, 4), np.float32), 1)
    with pytest.raises(LitotesError, match=r"must be floats of shape \[n, width\]. Got int64 of shape \(2, 3\)"):
        search(np.ones((2, 3), int), np.ones((2, 4), np.float32), 1)
