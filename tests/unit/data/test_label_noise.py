"""Noise on purpose: of the rate that is stated, into the classes that are allowed, the same for one seed."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.core.errors import DataError, LitotesError
from litotes.data.label_noise import (
    background_noise,
    human_noise_matrix,
    matrix_noise,
    pair_noise,
    symmetric_noise,
)
from litotes.data.public import PUBLIC


def labels_of(n=600, classes=6, seed=0):
    return np.random.default_rng(seed).integers(classes, size=n)


KINDS = {
    "symmetric": symmetric_noise,
    "symmetric with the true class": lambda labels, rate, seed=0: symmetric_noise(
        labels, rate, include_true=True, seed=seed
    ),
    "symmetric per class": lambda labels, rate, seed=0: symmetric_noise(labels, rate, per_class=True, seed=seed),
    "pair": pair_noise,
    "matrix": lambda labels, rate, seed=0: matrix_noise(labels, uniform_matrix(6, rate), seed=seed),
    "background": background_noise,
}


def uniform_matrix(classes, rate):
    return np.full((classes, classes), rate / (classes - 1)) + np.eye(classes) * (1 - rate - rate / (classes - 1))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_is_marked_and_counted(kind):
    truth = labels_of()
    made = KINDS[kind](truth, 0.3)
    assert made.labels.dtype == np.int64 and made.labels.shape == truth.shape
    np.testing.assert_array_equal(made.wrong, made.labels != truth)
    assert made.rate == np.mean(made.labels != truth) > 0.1
    assert made.labels.min() >= 0 and made.labels.max() <= 5


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_stays_what_it_was(kind):
    truth = labels_of()
    kept = truth.copy()
    KINDS[kind](truth, 0.3)
    np.testing.assert_array_equal(truth, kept)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_noise_and_another_does_not(kind):
    truth = labels_of()
    first, again, other = (KINDS[kind](truth, 0.3, seed=seed).labels for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "matrix"])
def test_a_larger_rate_keeps_what_a_smaller_one_made(kind):
    truth = labels_of()
    little, much = KINDS[kind](truth, 0.2), KINDS[kind](truth, 0.6)
    np.testing.assert_array_equal(much.labels[little.wrong], little.labels[little.wrong])
    assert much.rate > little.rate


@pytest.mark.parametrize("kind", KINDS)
def test_no_noise_is_the_truth(kind):
    made = KINDS[kind](labels_of(), 0.0)
    np.testing.assert_array_equal(made.labels, labels_of())
    assert made.rate == 0.0 and not made.wrong.any()


class TestSymmetric:
    @settings(max_examples=25)
    @given(rate=st.floats(0, 1), classes=st.integers(2, 8), seed=st.integers(0, 3))
    def test_without_the_true_class_the_effective_rate_is_the_one_asked_for(self, rate, classes, seed):
        made = symmetric_noise(labels_of(200, classes), rate, n_classes=classes, seed=seed)
        assert made.wrong.sum() == round(rate * 200)

    def test_with_the_true_class_fewer_labels_are_wrong_than_were_drawn(self):
        made = symmetric_noise(labels_of(40_000, 5), 0.5, include_true=True)
        assert made.rate == pytest.approx(0.5 * 4 / 5, abs=0.01)

    @pytest.mark.parametrize("include_true", [False, True])
    def test_the_new_classes_are_drawn_alike(self, include_true):
        made = symmetric_noise(np.full(30_000, 2), 1.0, n_classes=5, include_true=include_true)
        counts = np.bincount(made.labels, minlength=5)
        expected = np.full(5, 6000) if include_true else np.array([7500, 7500, 0, 7500, 7500])
        assert np.abs(counts - expected).max() < 350  # above four standard deviations
        assert (counts[expected == 0] == 0).all()

    def test_per_class_every_class_has_its_share(self):
        truth = np.repeat([0, 1, 2], [1000, 100, 10])
        made = symmetric_noise(truth, 0.3, per_class=True)
        assert [made.wrong[truth == label].sum() for label in range(3)] == [300, 30, 3]

    def test_a_class_that_no_row_has_may_be_drawn(self):
        assert 7 in symmetric_noise(labels_of(), 1.0, n_classes=8).labels

    def test_a_single_class_has_no_other(self):
        with pytest.raises(
            LitotesError, match=r"'n_classes' parameter of symmetric_noise must be .* \[2, inf\). Got 1"
        ):
            symmetric_noise([0, 0, 0], 0.5)


class TestPair:
    def test_a_class_becomes_the_next_and_the_last_the_first(self):
        truth = np.repeat([0, 1, 2], [10, 20, 30])
        made = pair_noise(truth, 0.5)
        assert [np.bincount(made.labels[truth == label], minlength=3).tolist() for label in range(3)] == [
            [5, 5, 0],
            [0, 10, 10],
            [15, 0, 15],
        ]
        assert made.rate == 0.5

    def test_a_mapping_leaves_the_classes_that_it_does_not_name(self):
        truth = np.repeat(np.arange(10), 20)
        made = pair_noise(truth, 0.4, to={9: 1, 2: 0, 3: 5, 5: 3, 4: 7})
        wrong = {int(label) for label in truth[made.wrong]}
        assert wrong == {2, 3, 4, 5, 9} and made.rate == pytest.approx(0.2)
        assert set(zip(truth[made.wrong].tolist(), made.labels[made.wrong].tolist(), strict=True)) == {
            *[(9, 1), (2, 0), (3, 5), (5, 3), (4, 7)]
        }

    def test_a_list_names_every_class(self):
        made = pair_noise([0, 1, 2], 1.0, to=[2, 1, 0])
        assert made.labels.tolist() == [2, 1, 0] and made.rate == pytest.approx(2 / 3)
        with pytest.raises(DataError, match="'to' names 2 classes, and there are 3. Give one for each"):
            pair_noise([0, 1, 2], 1.0, to=[1, 0])
        with pytest.raises(LitotesError, match=r"'to' parameter of pair_noise must be an int in the range \[0, 2\]"):
            pair_noise([0, 1, 2], 1.0, to={3: 0})
        with pytest.raises(LitotesError, match="'to' parameter of pair_noise must be an int"):
            pair_noise([0, 1, 2], 1.0, to={0: -1})


class TestMatrix:
    def test_the_shares_are_those_of_the_matrix(self):
        matrix = np.array([[0.7, 0.3, 0.0], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])
        truth = np.repeat(np.arange(3), 20_000)
        made = matrix_noise(truth, matrix)
        found = np.stack([np.bincount(made.labels[truth == label], minlength=3) / 20_000 for label in range(3)])
        assert np.abs(found - matrix).max() < 0.015
        assert (found[matrix == 0] == 0).all() and made.rate == pytest.approx(0.8 / 3, abs=0.01)

    @pytest.mark.parametrize(
        ("matrix", "said"),
        [
            ([[0.5, 0.4], [0, 1]], "row 0 of the matrix sums to 0.9, with 0.4 as its smallest share"),
            ([[1, 0], [1.5, -0.5]], "row 1 of the matrix sums to 1, with -0.5 as its smallest share"),
            ([[1, 0], [np.nan, 1]], "row 1 of the matrix sums to nan"),
            ([[1, 0]], "takes a square matrix, a row for each class. Got the shape (1, 2)"),
        ],
    )
    def test_what_is_no_matrix_of_shares(self, matrix, said):
        with pytest.raises(DataError) as raised:
            matrix_noise([0, 1], matrix)
        assert said in str(raised.value)

    def test_a_label_without_a_row(self):
        with pytest.raises(DataError, match="matrix_noise: the label 2 of row 1 is none of the classes 0 to 1"):
            matrix_noise([0, 2], np.eye(2))


class TestBackground:
    def test_positives_alone_become_the_background(self):
        truth = np.repeat([0, 1, 2], [100, 30, 20])
        made = background_noise(truth, 0.3)
        assert made.wrong.sum() == 15 and (made.labels[made.wrong] == 0).all() and not made.wrong[:100].any()
        assert made.rate == 0.1

    def test_the_background_may_be_any_class(self):
        made = background_noise([0, 1, 2, 2], 1.0, background=2)
        assert made.labels.tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_labels_may_come_in_any_container(kind):
    truth = labels_of(60)
    expected = KINDS[kind](truth, 0.5).labels
    for given_as in (truth.tolist(), truth.astype(np.uint8), torch.as_tensor(truth)):
        np.testing.assert_array_equal(KINDS[kind](given_as, 0.5).labels, expected)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([0.0, float("nan")], "takes whole numbers 0, 1, ... as labels. Got np.float64(nan). Number the classes first"),
        ([0.0, 1.0], "takes whole numbers 0, 1, ... as labels. Got labels of type float64"),
        (["a", "b"], "takes whole numbers 0, 1, ... as labels. Got np.str_('a')"),
        ([0, -1], "the label -1 of row 1 is none of the classes"),
        ([], "takes a list of labels, one a row. Got an array of shape (0,)"),
        ([[0, 1]], "takes a list of labels, one a row. Got an array of shape (1, 2)"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_label(kind, labels, said):
    with pytest.raises(DataError) as raised:
        KINDS[kind](labels, 0.3)
    assert said in str(raised.value)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "matrix"])
def test_a_rate_is_a_share(kind):
    with pytest.raises(LitotesError, match=r"'rate' parameter of \w+ must be a float in the range \[0.0, 1.0\]"):
        KINDS[kind](labels_of(), 1.1)


class TestHumanMatrix:
    @pytest.fixture
    def file(self, tmp_path):
        truth = np.repeat(np.arange(10), 4).astype(np.int8)
        worse = truth.copy()
        worse[0] = 9  # one of the four zeros
        np.savez(tmp_path / "cifar10n_labels.npz", clean_label=truth, worse_label=worse, aggre_label=truth)
        return tmp_path / "cifar10n_labels.npz"

    def test_rows_are_the_true_class(self, file):
        matrix = human_noise_matrix(file)
        assert matrix[0, 0] == 0.75 and matrix[0, 9] == 0.25 and matrix[9, 0] == 0
        np.testing.assert_array_equal(human_noise_matrix(file.parent, "aggregate"), np.eye(10))

    def test_what_is_not_there(self, file, tmp_path):
        with pytest.raises(DataError, match="does not hold the labels of CIFAR-10N .*random_label1"):
            human_noise_matrix(file, "random1")
        with pytest.raises(
            DataError, match="no such file. It is cifar10n_labels.npz of the public set cifar10n-labels"
        ):
            human_noise_matrix(tmp_path / "none.npz")
        with pytest.raises(LitotesError, match="'annotation' parameter of human_noise_matrix .* Did you mean 'worse'"):
            human_noise_matrix(file, "worst")
        (tmp_path / "x.npz").write_text("no archive")
        with pytest.raises(DataError, match="does not hold the labels of CIFAR-10N"):
            human_noise_matrix(tmp_path / "x.npz")

    @pytest.mark.data
    def test_how_people_mistook_cifar_10(self):
        folder = PUBLIC["cifar10n-labels"].found()
        if folder is None:
            pytest.skip("cifar10n-labels is not on this machine: LITOTES_DATA names no folder that holds it")
        wrong = {
            name: 1 - np.trace(human_noise_matrix(folder, name)) / 10 for name in ("worse", "aggregate", "random1")
        }
        assert wrong == pytest.approx({"worse": 0.402, "aggregate": 0.090, "random1": 0.172}, abs=6e-4)
        matrix = human_noise_matrix(folder)
        assert matrix[3].argsort()[-2] == 5  # a cat is taken for a dog
        made = matrix_noise(labels_of(20_000, 10), matrix)
        assert made.rate == pytest.approx(0.402, abs=0.01)
