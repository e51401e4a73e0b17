"""The nearest points equal a double loop, however blocks are cut and however the numbers are moved."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.core.errors import ArrayError, LitotesError
from litotes.mining import nearest_scan
from litotes.mining.nearest import nearest


def double_loop(queries, points, k, metric="euclidean", own=None):
    """Columns and distances, one query and one point at a time; -1 and infinity where there are fewer."""
    cols, distances = np.full((len(queries), k), -1), np.full((len(queries), k), np.inf)
    for i, q in enumerate(queries.astype(float)):
        found = []
        for j, p in enumerate(points.astype(float)):
            if own is not None and own[i] == j:
                continue
            if metric == "euclidean":
                found.append((float(np.sqrt(((q - p) ** 2).sum())), j))
            else:
                lengths = np.linalg.norm(q) * np.linalg.norm(p)
                found.append((1 - float(q @ p) / lengths if lengths else 1.0, j))
        for place, (distance, j) in enumerate(sorted(found)[:k]):
            cols[i, place], distances[i, place] = j, distance
    return cols, distances


def assert_equals_loop(queries, points, k, metric="euclidean", own=None, **options):
    found = nearest(queries, points, k, metric=metric, own=own, **options)
    cols, distances = double_loop(queries, points, k, metric, own)
    np.testing.assert_array_equal(np.where(found.keep, found.cols, -1), cols)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-9, atol=1e-12)
    assert (found.cols[~found.keep] == 0).all()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_double_loop(metric, k, dtype):
    rng = np.random.default_rng(k)
    queries, points = (rng.standard_normal((50, 7)).astype(dtype) for _ in range(2))
    assert_equals_loop(queries, points, k, metric)


@given(st.integers(0, 2**32 - 1), st.integers(0, 9), st.integers(0, 40), st.integers(1, 3), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_on_a_grid_ties_go_to_the_lowest_index(seed, n, m, width, k):
    """Small whole numbers: most distances are tied, and every sum is exact."""
    rng = np.random.default_rng(seed)
    queries, points = rng.integers(-1, 2, (n, width)), rng.integers(-1, 2, (m, width))
    own = rng.integers(-1, m, n)
    assert_equals_loop(queries, points, k, own=own, chunk=int(rng.integers(1, 5)))


def test_more_equal_points_than_are_fetched():
    """The first k of a thousand equal points are found although a block fetches a dozen."""
    points = np.zeros((1000, 4))
    points[::7] = 1.0
    found = nearest(np.array([[0.1, 0, 0, 0], [1.0, 1, 1, 1]]), points, 4)
    assert found.cols.tolist() == [[1, 2, 3, 4], [0, 7, 14, 21]]


def test_deeper_than_is_ever_fetched():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((2100, 2))
    found = nearest(points[:2], points, 2090)
    for i in range(2):
        distances = np.sqrt(((points - points[i]) ** 2).sum(axis=1))
        assert found.cols[i].tolist() == np.argsort(distances, kind="stable")[:2090].tolist()


@pytest.mark.parametrize("chunk", [1, 2, 7, 64, 1000])
def test_chunks_change_nothing(chunk):
    rng = np.random.default_rng(1)
    queries, points = rng.standard_normal((120, 16)).astype(np.float32), rng.standard_normal((300, 16))
    points[200:] = points[:100]
    whole, cut = nearest(queries, points, 5), nearest(queries, points, 5, chunk=chunk)
    for a, b in zip(whole, cut, strict=True):
        assert a.tobytes() == b.tobytes()


def test_block_sizes_of_the_scan_change_nothing(monkeypatch):
    rng = np.random.default_rng(2)
    queries, points = rng.standard_normal((30, 5)), np.repeat(rng.standard_normal((20, 5)), 30, axis=0)
    whole = nearest(queries, points, 3)
    monkeypatch.setattr(nearest_scan, "_POINTS", 11)
    monkeypatch.setattr(nearest_scan, "_ROWS", 4)
    for a, b in zip(whole, nearest(queries, points, 3), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("far", [1e3, 1e6, 1e9])
def test_far_from_the_origin_nothing_cancels(far):
    rng = np.random.default_rng(3)
    queries, points = rng.standard_normal((40, 8)), rng.standard_normal((200, 8))
    here = nearest(queries, points, 3)
    there = nearest(queries + far, points + far, 3)
    np.testing.assert_array_equal(here.cols, there.cols)


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e20, 1e60])
def test_scale_changes_no_order(scale):
    rng = np.random.default_rng(4)
    queries, points = rng.standard_normal((40, 8)), rng.standard_normal((200, 8))
    np.testing.assert_array_equal(nearest(queries * scale, points * scale, 3).cols, nearest(queries, points, 3).cols)


def test_one_point_far_away_spoils_nothing():
    """Scaled by it, the others lie together in float32; each query is then settled by the scan."""
    rng = np.random.default_rng(5)
    queries, points = rng.standard_normal((20, 6)), rng.standard_normal((90, 6))
    points[17] = 1e12
    assert_equals_loop(queries, points, 3)


def test_near_ties_below_float32_are_settled():
    """Distances that differ in the ninth digit: float32 cannot order them."""
    rng = np.random.default_rng(6)
    points = np.repeat(rng.standard_normal((1, 12)), 400, axis=0) + 1e-9 * rng.standard_normal((400, 12))
    assert_equals_loop(rng.standard_normal((6, 12)), points, 3)


def test_isometries_do_not_change_euclidean_neighbours():
    rng = np.random.default_rng(7)
    queries, points = rng.standard_normal((30, 6)), rng.standard_normal((80, 6))
    turn, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    shift = rng.standard_normal(6)
    turned = nearest(queries @ turn + shift, points @ turn + shift, 5)
    np.testing.assert_array_equal(turned.cols, nearest(queries, points, 5).cols)


def test_cosine_looks_at_directions_alone():
    rng = np.random.default_rng(8)
    queries, points = rng.standard_normal((30, 6)), rng.standard_normal((80, 6))
    longer = points * rng.uniform(0.1, 9, (80, 1))
    np.testing.assert_array_equal(
        nearest(queries, longer, 5, metric="cosine").cols, nearest(queries, points, 5, metric="cosine").cols
    )


def test_a_vector_of_zeros_has_the_cosine_zero_with_everything():
    found = nearest(np.zeros((1, 2)), np.array([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]), 3, metric="cosine")
    assert found.cols.tolist() == [[0, 1, 2]] and found.distances.tolist() == [[1.0, 1.0, 1.0]]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_sparse_rows_have_the_neighbours_of_dense_ones(metric):
    rng = np.random.default_rng(9)
    queries, points = (sp.random(n, 40, density=0.2, format="csr", rng=rng) for n in (25, 70))
    dense = nearest(queries.toarray(), points.toarray(), 4, metric=metric)
    for left, right in [(queries, points), (queries.tocsc(), points.toarray()), (queries.toarray(), points)]:
        found = nearest(left, right, 4, metric=metric)
        np.testing.assert_array_equal(found.cols, dense.cols)
        np.testing.assert_allclose(found.distances, dense.distances, atol=1e-9)


def test_tensors_of_any_precision_are_taken():
    import torch

    points = torch.arange(12.0).reshape(6, 2)
    for tensor in (points.requires_grad_(), points.detach().to(torch.bfloat16)):
        assert nearest(tensor, tensor, 1).cols.ravel().tolist() == list(range(6))


def test_no_query_is_its_own_neighbour_but_its_twin_is():
    points = np.array([[0.0], [0.0], [5.0]])
    assert nearest(points, points, 1).cols.ravel().tolist() == [0, 0, 2]
    assert nearest(points, points, 1, own=np.arange(3)).cols.ravel().tolist() == [1, 0, 0]


def test_fewer_points_than_k_gives_what_there_is():
    found = nearest(np.zeros((2, 1)), np.array([[3.0], [1.0]]), 3)
    assert found.cols.tolist() == [[1, 0, 0]] * 2 and found.keep.tolist() == [[True, True, False]] * 2
    assert not nearest(np.zeros((2, 1)), np.zeros((0, 1)), 3).keep.any()
    assert nearest(np.zeros((0, 1)), np.zeros((4, 1)), 3).cols.shape == (0, 3)


def test_within_leaves_out_what_is_farther():
    found = nearest(np.zeros((1, 1)), np.array([[1.0], [2.0], [3.0]]), 3).within(2.0)
    assert found.keep.tolist() == [[True, True, False]] and found.distances[0, 2] == np.inf


@pytest.mark.parametrize(
    ("queries", "points", "message"),
    [
        (np.array([[np.nan]]), np.zeros((3, 1)), "NaN or infinity in row 0 of the queries (from 0)."),
        (np.zeros((1, 1)), np.array([[0.0], [np.inf]]), "NaN or infinity in row 1 of the points (from 0)."),
        (np.zeros((1, 1)), np.array([[0.0], [1e200]]), "Numbers too large to be squared in row 1 of the points"),
        (np.zeros((1, 2)), np.zeros((1, 3)), "Vectors of two widths: queries have 2, points 3 numbers."),
        (np.zeros(3), np.zeros((1, 3)), "The queries must be numbers of shape [n, width]. Got float64 of shape (3,)."),
        (np.array([["a"]]), np.zeros((1, 1)), "The queries must be numbers"),
    ],
)
def test_what_is_no_set_of_vectors_is_refused(queries, points, message):
    with pytest.raises(ArrayError) as error:
        nearest(queries, points, 1)
    assert message in str(error.value)


def test_wrong_parameters_are_refused():
    points = np.zeros((2, 1))
    with pytest.raises(LitotesError, match="The 'k' parameter of nearest must be an int in the range"):
        nearest(points, points, 0)
    with pytest.raises(LitotesError, match="Did you mean 'euclidean'?"):
        nearest(points, points, 1, metric="euclid")
    with pytest.raises(ArrayError, match="own must hold for each of 2 queries a point below 2, or -1"):
        nearest(points, points, 1, own=np.array([0, 2]))
