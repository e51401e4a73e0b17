"""Rows as tensors, batches in turns, and the rows that are held out."""

import numpy as np
import pytest
import scipy.sparse
import torch

from litotes.training.array_rows import ArrayRows, TurnBatches, stratified_tenth

DENSE = np.random.default_rng(0).normal(size=(2500, 3)) * (np.random.default_rng(1).random((2500, 3)) < 0.5)


@pytest.mark.parametrize("make", [lambda x: x, scipy.sparse.csr_matrix, scipy.sparse.csc_array])
def test_batches_and_blocks_are_the_rows_in_float32(make):
    rows = ArrayRows(make(DENSE), "cpu")
    assert len(rows) == 2500 and rows.shape == (3,)
    taken = rows.take(np.array([5, 2, 5]))
    assert taken.dtype == torch.float32
    np.testing.assert_array_equal(taken.numpy(), DENSE[[5, 2, 5]].astype(np.float32))
    blocks = list(rows.blocks())
    assert len(blocks) > 1
    np.testing.assert_array_equal(torch.cat(blocks).numpy(), DENSE.astype(np.float32))


def test_read_only_rows_are_copied_and_stay_as_they_are():
    frozen = DENSE.astype(np.float32)
    frozen.flags.writeable = False
    rows = ArrayRows(frozen, "cpu")
    rows.take(slice(0, 5)).zero_()
    np.testing.assert_array_equal(frozen, DENSE.astype(np.float32))


def test_images_keep_their_shape():
    assert ArrayRows(np.zeros((4, 1, 2, 3)), "cpu").shape == (1, 2, 3)


def test_each_name_passes_over_all_rows_in_an_order_of_its_own():
    batches = TurnBatches(np.arange(10, 33), 5, ("first", "second"), seed=3)
    given = list(batches)
    assert len(batches) == len(given) == 10 and batches.steps_of_pass == 5
    assert [name for name, _ in given] == ["first"] * 5 + ["second"] * 5
    orders = [np.concatenate([rows for name, rows in given if name == one]) for one in ("first", "second")]
    for order in orders:
        assert sorted(order.tolist()) == list(range(10, 33))
    assert not np.array_equal(*orders)


def test_the_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        batches = TurnBatches(np.arange(50), 8, seed=seed)
        batches.set_epoch(epoch)
        return np.concatenate([rows for _, rows in batches]).tolist()

    assert order(1, 2) == order(1, 2)
    assert order(1, 2) != order(1, 3) and order(1, 2) != order(2, 2)


def test_no_batch_is_left_with_a_single_row():
    sizes = [len(rows) for _, rows in TurnBatches(np.arange(65), 64)]
    assert sorted(sizes) == [32, 33]
    assert max(len(rows) for _, rows in TurnBatches(np.arange(1000), 64)) <= 64


def test_a_tenth_in_proportion_to_the_classes():
    labels = np.repeat([0, 1, 2], [500, 300, 200])
    held = stratified_tenth(labels, 0.1, seed=0)
    assert np.bincount(labels[held]).tolist() == [50, 30, 20]
    assert np.array_equal(held, np.unique(held))
    assert not np.array_equal(held, stratified_tenth(labels, 0.1, seed=1))
    assert np.array_equal(held, stratified_tenth(labels, 0.1, seed=0))


def test_the_rows_held_out_of_a_class_are_spread_over_it():
    labels = np.tile([1, 0], 500)
    held = stratified_tenth(labels, 0.2, seed=0)
    assert 300 < held.mean() < 700, "the first or last rows of each class were taken"


def test_rare_classes_keep_a_row_to_learn_from():
    labels = np.concatenate([np.zeros(40, dtype=np.int64), np.arange(1, 21)])  # twenty classes of one row
    held = stratified_tenth(labels, 0.1, seed=0)
    assert set(labels[held]) == {0} and len(held) == 4
    everything = stratified_tenth(np.zeros(4, dtype=np.int64), 0.99, seed=0)
    assert len(everything) == 3


@pytest.mark.parametrize(("rows", "fraction"), [(9, 0.1), (100, 0.0)])
def test_nothing_is_held_out_of_less_than_a_row(rows, fraction):
    assert len(stratified_tenth(np.arange(rows) % 2, fraction, seed=0)) == 0
