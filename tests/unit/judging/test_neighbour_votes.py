"""The two strategies equal their definition, written as loops, and keep the promises of the page."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.core.errors import ArrayError, LitotesError
from litotes.judging.neighbour_votes import extrinsic_flags, false_negatives, intrinsic_flags


def loop_nearest(x, candidates, points, k, max_distance):
    """(distance, index) of the k nearest candidates, by definition."""
    found = sorted((float(np.sqrt(((x - points[j]) ** 2).sum())), int(j)) for j in candidates)[:k]
    return [(d, j) for d, j in found if max_distance is None or d <= max_distance]


def loop_intrinsic(x, y, p, k, negative=0, vote="majority", max_distance=None):
    """Flagged rows with the new label of each; None where the rule gives none."""
    voters = {}
    for i in range(len(y)):
        if y[i] != negative and p[i] == negative:
            for distance, j in loop_nearest(x[i], np.flatnonzero(y == negative), x, k, max_distance):
                voters.setdefault(j, []).append((distance, i, int(y[i])))
    found = {}
    for j, mine in voters.items():
        labels = [label for *_, label in mine]
        if vote == "nearest":
            found[j] = min(mine)[2]
        elif vote == "unanimous":
            found[j] = labels[0] if len(set(labels)) == 1 else None
        else:
            counts = Counter(labels)
            found[j] = min(counts, key=lambda c: (-counts[c], min(d for d, _, label in mine if label == c), c))
    return found


def loop_extrinsic(x, y, cx, cy, k, negative=0, with_positives=False, vote="majority", max_distance=None):
    found = {}
    for i in range(len(y)):
        if negative is not None and not with_positives and y[i] != negative:
            continue
        near = [int(cy[j]) for _, j in loop_nearest(x[i], range(len(cx)), cx, k, max_distance)]
        if 2 * sum(label != y[i] for label in near) > len(near):
            if vote == "nearest":
                new = near[0]
            else:
                label, count = Counter(near).most_common(1)[0]
                new = label if (count == len(near) if vote == "unanimous" else 2 * count > len(near)) else y[i]
            found[i] = None if new == y[i] else int(new)
    return found


def as_found(flags):
    return {int(row): None if flags.new_label[row] < 0 else int(flags.new_label[row]) for row in flags.rows}


@st.composite
def settings_of_a_case(draw):
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n, m, classes = draw(st.integers(0, 40)), draw(st.integers(0, 20)), draw(st.integers(1, 4))
    grid = draw(st.booleans())
    x, cx = (rng.integers(-2, 3, (s, 2)).astype(float) if grid else rng.standard_normal((s, 3)) for s in (n, m))
    y, p, cy = rng.integers(0, classes, n), rng.integers(0, classes, n), rng.integers(0, classes, m)
    options = {
        "k": draw(st.sampled_from([1, 2, 3, 5])),
        "negative": draw(st.integers(0, classes - 1)),
        "vote": draw(st.sampled_from(["majority", "unanimous", "nearest"])),
        "max_distance": draw(st.sampled_from([None, 1.5])),
    }
    return x, y, p, cx, cy, options


@given(settings_of_a_case())
@settings(max_examples=70, deadline=None)
def test_intrinsic_equals_its_definition(case):
    x, y, p, _, _, options = case
    flags = intrinsic_flags(x, y, p, **options)
    assert as_found(flags) == loop_intrinsic(x, y, p, **options)
    assert (flags.new_label[~flags.flagged] == -1).all()


@given(settings_of_a_case(), st.booleans(), st.booleans())
@settings(max_examples=70, deadline=None)
def test_extrinsic_equals_its_definition(case, with_positives, without_a_negative):
    x, y, _, cx, cy, options = case
    options |= {"with_positives": with_positives}
    options |= {"negative": None} if without_a_negative else {}
    flags = extrinsic_flags(x, y, cx, cy, **options)
    assert as_found(flags) == loop_extrinsic(x, y, cx, cy, **options)
    assert (flags.new_label[~flags.flagged] == -1).all()


@given(settings_of_a_case())
@settings(max_examples=30, deadline=None)
def test_intrinsic_flags_only_negatives_and_at_most_k_a_false_negative(case):
    x, y, p, _, _, options = case
    flags = intrinsic_flags(x, y, p, **options)
    assert (y[flags.rows] == options["negative"]).all()
    assert len(flags.rows) <= options["k"] * len(flags.false_negatives)
    assert flags.false_negatives.tolist() == false_negatives(y, p, negative=options["negative"]).tolist()


def clusters(seed=0, n=120, noise=0.2):
    """Four far clusters, class 0 the largest; the labels, wrong for a share of them, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, n, p=[0.7, 0.1, 0.1, 0.1])
    x = 20.0 * np.eye(4)[truth] + rng.standard_normal((n, 4))
    labels = np.where((truth > 0) & (rng.random(n) < noise), 0, truth)
    return x, labels, truth


def test_relabelled_is_a_subset_of_eliminated():
    rng = np.random.default_rng(0)
    x, y, cx, cy = (
        rng.standard_normal((200, 3)),
        rng.integers(0, 5, 200),
        rng.standard_normal((80, 3)),
        rng.integers(0, 5, 80),
    )
    for vote in ("majority", "unanimous", "nearest"):
        flags = extrinsic_flags(x, y, cx, cy, with_positives=True, vote=vote)
        relabelled = flags.new_label >= 0
        assert relabelled.any() and (flags.flagged & ~relabelled).any(), "this test would be vacuous"
        assert not (relabelled & ~flags.flagged).any()


def test_noise_free_separable_clusters_have_nothing_to_flag():
    x, _, truth = clusters()
    cx, _, clean = clusters(seed=1)
    assert not extrinsic_flags(x, truth, cx, clean, with_positives=True).flagged.any()


def test_wrong_labels_in_clusters_are_found_and_mended():
    x, labels, truth = clusters()
    cx, _, clean = clusters(seed=1)
    flags = extrinsic_flags(x, labels, cx, clean)
    assert (labels != truth).sum() > 3, "this test would be vacuous"
    np.testing.assert_array_equal(flags.flagged, labels != truth)
    np.testing.assert_array_equal(np.where(flags.new_label < 0, labels, flags.new_label), truth)


def test_a_copy_as_the_clean_set_flags_nothing_at_k_1():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((50, 3)), rng.integers(0, 3, 50)
    assert not extrinsic_flags(x, y, x.copy(), y, k=1, with_positives=True).flagged.any()


def test_permuting_rows_permutes_ids_only():
    rng = np.random.default_rng(3)
    x, y, p = rng.standard_normal((80, 3)), rng.integers(0, 3, 80), rng.integers(0, 3, 80)
    cx, cy = rng.standard_normal((30, 3)), rng.integers(0, 3, 30)
    order, clean_order = rng.permutation(80), rng.permutation(30)
    inner = intrinsic_flags(x, y, p)
    moved = intrinsic_flags(x[order], y[order], p[order])
    np.testing.assert_array_equal(moved.new_label, inner.new_label[order])
    outer = extrinsic_flags(x, y, cx, cy, with_positives=True)
    moved = extrinsic_flags(x[order], y[order], cx[clean_order], cy[clean_order], with_positives=True)
    np.testing.assert_array_equal(moved.flagged, outer.flagged[order])
    np.testing.assert_array_equal(moved.new_label, outer.new_label[order])


@pytest.mark.parametrize("chunk", [1, 3, 50])
def test_chunks_change_nothing(chunk):
    rng = np.random.default_rng(4)
    x, y, p = rng.integers(0, 3, (60, 2)), rng.integers(0, 3, 60), rng.integers(0, 2, 60)
    whole, cut = intrinsic_flags(x, y, p), intrinsic_flags(x, y, p, chunk=chunk)
    np.testing.assert_array_equal(whole.new_label, cut.new_label)
    whole, cut = (extrinsic_flags(x, y, x[::2] + 1, y[::2], chunk=c) for c in (None, chunk))
    np.testing.assert_array_equal(whole.new_label, cut.new_label)


def test_isometries_do_not_change_the_answer():
    rng = np.random.default_rng(5)
    x, y, p = rng.standard_normal((60, 5)), rng.integers(0, 3, 60), rng.integers(0, 2, 60)
    turn, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    np.testing.assert_array_equal(intrinsic_flags(x @ turn - 3, y, p).new_label, intrinsic_flags(x, y, p).new_label)


def test_trap_an_even_k_needs_more_than_half():
    clean = np.array([[0.0], [0.1]])
    flags = extrinsic_flags(np.array([[0.05]]), [0], clean, [0, 1], k=2)
    assert not flags.flagged.any()
    assert extrinsic_flags(np.array([[0.05]]), [0], clean, [1, 2], k=2).flagged.all()


def test_trap_three_different_labels_are_eliminated_and_not_reannotated():
    flags = extrinsic_flags(np.array([[0.0]]), [0], np.array([[1.0], [2.0], [3.0]]), [1, 2, 3], k=3)
    assert flags.flagged.all() and flags.new_label.tolist() == [-1]
    nearest = extrinsic_flags(np.array([[0.0]]), [0], np.array([[1.0], [2.0], [3.0]]), [1, 2, 3], k=3, vote="nearest")
    assert nearest.new_label.tolist() == [1]


def test_fewer_than_k_vote_by_the_majority_of_those_at_hand():
    flags = extrinsic_flags(np.array([[0.0]]), [0], np.array([[1.0], [2.0]]), [1, 1], k=5)
    assert flags.new_label.tolist() == [1]
    assert not extrinsic_flags(np.zeros((1, 1)), [0], np.zeros((0, 1)), np.zeros(0, dtype=int)).flagged.any()


def test_trap_a_memorised_set_has_no_false_negatives_and_nothing_is_flagged():
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((40, 2)), rng.integers(0, 3, 40)
    flags = intrinsic_flags(x, y, y)
    assert not flags.flagged.any() and not len(flags.false_negatives) and (flags.new_label == -1).all()


def test_trap_an_outlier_selects_nothing_within_a_maximum_distance():
    x = np.array([[0.0], [0.5], [100.0], [0.2]])
    y, p = [0, 0, 1, 1], [0, 0, 0, 0]
    assert intrinsic_flags(x, y, p, k=1).rows.tolist() == [0, 1]
    assert intrinsic_flags(x, y, p, k=1, max_distance=1.0).rows.tolist() == [0]


def test_votes_say_who_spoke_about_whom():
    x = np.array([[0.0], [1.0], [0.2], [0.9]])
    flags = intrinsic_flags(x, [0, 0, 2, 1], [0, 0, 0, 0], k=2)
    assert flags.votes.row.tolist() == [0, 0, 1, 1] and flags.votes.by.tolist() == [2, 3, 3, 2]
    assert flags.votes.label.tolist() == [2, 1, 1, 2]
    np.testing.assert_allclose(flags.votes.distance, [0.2, 0.9, 0.1, 0.8])


def test_tensors_and_lists_are_taken():
    import torch

    x, y = torch.tensor([[0.0], [1.0], [0.2]]), torch.tensor([0, 0, 1])
    assert intrinsic_flags(x, y, torch.tensor([0, 0, 0]), k=1).rows.tolist() == [0]
    assert intrinsic_flags(x.tolist(), y.tolist(), [0, 0, 0], k=1).rows.tolist() == [0]


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([0, 1], [0], "There are 1 predictions for 2 labels."),
        ([0, -1], [0, 0], "The labels must be class codes from 0 on. Row 1 (from 0) holds -1."),
        ([0, 1], [0.0, 1.0], "The predictions must be class codes of shape [n]. Got float64 of shape (2,)."),
        ([0], [0], "There are 2 vectors and 1 labels."),
    ],
)
def test_what_does_not_fit_is_refused(labels, predictions, message):
    with pytest.raises(ArrayError) as error:
        intrinsic_flags(np.zeros((2, 1)), labels, predictions)
    assert str(error.value) == message


def test_wrong_options_are_refused():
    with pytest.raises(LitotesError, match="The 'vote' parameter of extrinsic_flags must be one of 'majority'"):
        extrinsic_flags(np.zeros((1, 1)), [0], np.zeros((1, 1)), [0], vote="most")
    with pytest.raises(LitotesError, match="The 'k' parameter of intrinsic_flags must be an int"):
        intrinsic_flags(np.zeros((1, 1)), [0], [0], 0)
    with pytest.raises(LitotesError, match="The 'max_distance' parameter"):
        intrinsic_flags(np.zeros((1, 1)), [0], [0], max_distance=-1.0)
