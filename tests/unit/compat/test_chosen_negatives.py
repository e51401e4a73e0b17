"""Pool, rules, window and draw on small arrays, beside a slow and obvious choice."""

import numpy as np
import pytest

from litotes.compat.chosen_negatives import Cells, Rules, Window, pool
from litotes.core.errors import LitotesError


def cells(*triples):
    """Cells from (row, col, score)."""
    row, col, score = zip(*triples, strict=True) if triples else ((), (), ())
    return Cells(np.array(row, dtype=np.int64), np.array(col, dtype=np.int64), np.array(score, dtype=np.float32))


def triples(found):
    return list(zip(found.row.tolist(), found.col.tolist(), found.score.tolist(), strict=True))


def random_cells(seed, n_rows=5, n_cols=40, count=120):
    rng = np.random.default_rng(seed)
    keys = rng.choice(n_rows * n_cols, size=count, replace=False)
    return Cells(keys // n_cols, keys % n_cols, rng.integers(-8, 9, size=count).astype(np.float32) / 8)


# --- pool ------------------------------------------------------------------------------------------------------------


def test_positives_take_places_in_the_pool_and_leave_it():
    found = cells((0, 1, 0.9), (0, 2, 0.5), (0, 3, 0.25), (1, 4, 0.5))
    positives = cells((0, 7, 0.75), (1, 8, -1.0))
    assert triples(pool(found, positives, 3, with_positives=False)) == [
        (0, 1, np.float32(0.9)),
        (0, 2, 0.5),
        (1, 4, 0.5),
    ]
    assert [col for _, col, _ in triples(pool(found, positives, 3, with_positives=True))] == [1, 7, 2, 4, 8]


def test_a_positive_below_the_depth_takes_no_place():
    found, positives = cells((0, 1, 0.9), (0, 2, 0.5)), cells((0, 7, 0.25))
    assert [col for _, col, _ in triples(pool(found, positives, 2, with_positives=False))] == [1, 2]
    assert [col for _, col, _ in triples(pool(found, positives, 2, with_positives=True))] == [1, 2]


def test_equal_scores_stand_by_column():
    found, positives = cells((0, 9, 0.5), (0, 2, 0.5)), cells((0, 4, 0.5))
    assert [col for _, col, _ in triples(pool(found, positives, 3, with_positives=True))] == [2, 4, 9]


@pytest.mark.parametrize("seed", range(4))
def test_cells_in_order_are_sorted_unless_they_are(seed):
    found = random_cells(seed)
    ordered = found.in_order()
    assert triples(ordered) == sorted(triples(found), key=lambda cell: (cell[0], -cell[2], cell[1])) != triples(found)
    assert ordered.in_order() is ordered
    for first, second in (((0, 1, 0.5), (0, 0, 0.5)), ((0, 0, 0.25), (0, 1, 0.5)), ((1, 0, 0.5), (0, 1, 0.25))):
        assert triples(cells(first, second).in_order()) == [second, first]


# --- rules -----------------------------------------------------------------------------------------------------------


def test_the_bounds_themselves_pass():
    found = cells((0, 0, 0.75), (0, 1, 0.5), (0, 2, 0.25), (0, 3, 0.0))
    passed, dropped = Rules.checked(max_score=0.5, min_score=0.25).passed_by(found, cells((0, 9, 1.0)), 1)
    assert [col for _, col, _ in triples(passed)] == [1, 2]
    assert dropped == {"max_score": 1, "min_score": 1}


def test_a_bound_is_compared_in_the_precision_of_the_scores():
    found = cells((0, 0, 0.8))  # .8 in float32 lies above .8 in float64
    passed, _ = Rules.checked(max_score=0.8, min_score=0.8).passed_by(found, cells((0, 9, 1.0)), 1)
    assert len(passed) == 1


def test_margins_are_taken_from_the_lowest_positive_of_the_row():
    found = cells((0, 0, 0.75), (0, 1, 0.5), (1, 0, 0.75), (1, 1, 0.5))
    positives = cells((0, 8, 1.0), (0, 9, 0.75), (1, 8, 1.0))
    passed, dropped = Rules.checked(absolute_margin=0.25).passed_by(found, positives, 2)
    assert [(row, col) for row, col, _ in triples(passed)] == [(0, 1), (1, 0), (1, 1)] and dropped == {
        "absolute_margin": 1
    }
    passed, dropped = Rules.checked(relative_margin=0.5).passed_by(found, positives, 2)
    assert [(row, col) for row, col, _ in triples(passed)] == [(1, 1)] and dropped == {"relative_margin": 3}


def test_a_relative_margin_lies_below_a_negative_positive():
    found = cells((0, 0, -0.49), (0, 1, -0.51), (0, 2, -0.53))
    passed, _ = Rules.checked(relative_margin=0.05).passed_by(found, cells((0, 9, -0.5)), 1)
    assert [col for _, col, _ in triples(passed)] == [2]


def test_each_rule_counts_what_the_ones_before_had_left():
    found = cells(*((0, col, col / 8) for col in range(9)))
    rules = Rules.checked(min_score=0.25, max_score=0.5, absolute_margin=0.25, relative_margin=0.5)
    passed, dropped = rules.passed_by(found, cells((0, 20, 1.0)), 1)
    assert [col for _, col, _ in triples(passed)] == [2, 3, 4]
    assert list(dropped.items()) == [("absolute_margin", 2), ("relative_margin", 2), ("max_score", 0), ("min_score", 2)]


def test_no_rule_passes_everything():
    found = random_cells(0)
    passed, dropped = Rules.checked(max_score=None).passed_by(found, cells((0, 50, 1.0)), 5)
    assert triples(passed) == triples(found) and dropped == {}


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (
            {"relative_margin": float("inf")},
            "The 'relative_margin' parameter of mine_hard_negatives must be a float in the range (-inf, inf). "
            "Got inf instead.",
        ),
        ({"min_score": 0.5, "max_score": 0.25}, "min_score=0.5 is above max_score=0.25, so nothing can pass."),
    ],
)
def test_bounds_that_cannot_be_are_refused(bounds, message):
    with pytest.raises(LitotesError) as caught:
        Rules.checked(**bounds)
    assert str(caught.value) == message


# --- window ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rules", "range_max"), [(False, 2 + 3 + 4), (True, 2 + 30 + 4)])
def test_the_window_without_range_max(rules, range_max):
    assert Window.checked(2, None, 3, most_positives=4, rules=rules) == Window(2, range_max, 3)


def test_ranks_count_what_is_left_and_the_best_are_taken():
    window, found = Window(1, 4, 2), random_cells(1)
    chosen = triples(window.choose(found, "top", 0))
    expected = []
    for row in range(5):
        ranked = sorted((cell for cell in triples(found) if cell[0] == row), key=lambda cell: (-cell[2], cell[1]))
        expected += ranked[1:4][:2]
    assert chosen == expected


def test_a_window_as_wide_as_wanted_fits_and_a_narrower_one_does_not():
    assert Window.checked(2, 5, 3, 1, False) == Window(2, 5, 3)
    with pytest.raises(LitotesError) as caught:
        Window.checked(3, 5, 3, 1, False)
    assert str(caught.value) == (
        "Ranks 3 to 5 leave 2 candidates a query, and num_negatives=3 are asked for. Raise range_max, or lower "
        "range_min or num_negatives."
    )
    with pytest.raises(LitotesError, match="Ranks 7 to 5 leave 0 candidates a query"):
        Window.checked(7, 5, 3, 1, False)


@pytest.mark.parametrize(
    ("values", "name"), [((-1, 5, 3), "range_min"), ((0, 0, 3), "range_max"), ((0, 5, 0), "num_negatives")]
)
def test_the_windows_parameters_are_checked(values, name):
    with pytest.raises(LitotesError, match=f"The '{name}' parameter of mine_hard_negatives must be an int"):
        Window.checked(*values, 1, False)


def test_a_draw_is_of_the_window_without_repeats_and_best_first():
    window, found = Window(2, 12, 4), random_cells(2)
    whole = {cell[:2] for cell in triples(Window(2, 12, 10).choose(found, "top", 0))}
    drawn = triples(window.choose(found, "random", 7))
    assert {cell[:2] for cell in drawn} < whole and len({cell[:2] for cell in drawn}) == len(drawn) == 5 * 4
    assert drawn == sorted(drawn, key=lambda cell: (cell[0], -cell[2], cell[1]))
    assert drawn == triples(window.choose(found, "random", 7)) != triples(window.choose(found, "random", 8))


def test_a_draw_from_fewer_takes_all():
    found = cells((0, 1, 0.5), (0, 2, 0.25), (3, 1, 0.5))
    assert triples(Window(0, 9, 4).choose(found, "random", 0)) == triples(found)


def test_each_of_the_window_is_drawn_equally_often():
    found = cells(*((row, col, -col / 8) for row in range(4000) for col in range(5)))
    drawn = Window(1, 5, 2).choose(found, "random", 3)
    counts = np.bincount(drawn.col, minlength=5)
    assert counts[0] == 0
    expected = 4000 * 2 / 4
    assert (((counts[1:] - expected) ** 2) / expected).sum() < 16.27  # chi-square, 3 degrees, .001


def test_nothing_gives_nothing():
    assert len(Window(0, 3, 3).choose(cells(), "top", 0)) == len(Window(0, 3, 3).choose(cells(), "random", 0)) == 0
