"""The memory of targets: what moves it, what does not, and what is refused."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, distributed

from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.losses import TargetMemory
from tests.unit.losses.stand_ins import vectors


def shares(*shape: int, seed: int = 0) -> Tensor:
    return vectors(*shape, seed=seed).softmax(dim=1)


def memory(n: int = 6, classes: int = 3, **options) -> TargetMemory:
    return TargetMemory(n, classes, **{"dtype": torch.float64, **options})


class TestMoves:
    def test_a_first_visit_leaves_one_minus_beta_of_the_probabilities(self):
        T, q = memory(target_momentum=0.7), shares(2, 3)
        T.update(torch.tensor([4, 1]), q)
        torch.testing.assert_close(T.read(torch.tensor([4, 1])), 0.3 * q, rtol=1e-15, atol=0)

    @settings(deadline=None, max_examples=25)
    @given(beta=st.floats(0.0, 0.99), visits=st.integers(1, 30), seed=st.integers(0, 99))
    def test_after_v_visits_of_one_output_a_row_is_one_minus_beta_to_the_v_of_it(self, beta, visits, seed):
        T, q, ids = memory(target_momentum=beta), shares(2, 3, seed=seed), torch.tensor([0, 5])
        for _ in range(visits):
            T.update(ids, q)
        torch.testing.assert_close(T.targets[ids], (1 - beta**visits) * q, rtol=1e-12, atol=1e-14)
        assert T.targets.sum(dim=1)[ids].tolist() == pytest.approx([1 - beta**visits] * 2, abs=1e-14)

    def test_without_momentum_it_holds_the_last_visit(self):
        T = memory(target_momentum=0.0)
        T.update(torch.tensor([2]), shares(1, 3))
        T.update(torch.tensor([2]), shares(1, 3, seed=1))
        torch.testing.assert_close(T.targets[2:3], shares(1, 3, seed=1))

    def test_rows_are_scaled_to_sum_one(self):
        T = memory(target_momentum=0.5)
        T.update(torch.tensor([0]), torch.tensor([[0.2, 0.1, 0.1]], dtype=torch.float64))
        assert T.targets[0].tolist() == pytest.approx([0.25, 0.125, 0.125])

    def test_an_example_that_is_not_in_the_batch_keeps_its_row_bit_for_bit(self):
        T = memory()
        T.update(torch.arange(6), shares(6, 3))
        before = T.targets.clone()
        T.update(torch.tensor([3, 0]), shares(2, 3, seed=1))
        assert torch.equal(T.targets[[1, 2, 4, 5]], before[[1, 2, 4, 5]])
        assert not (T.targets[[0, 3]] == before[[0, 3]]).all(dim=1).any()

    def test_no_gradient_reaches_it(self):
        T, logits = memory(), vectors(2, 3).requires_grad_()
        T.update(torch.tensor([0, 1]), logits.softmax(dim=1))
        assert not T.targets.requires_grad and not T.read(torch.tensor([0])).requires_grad

    def test_probabilities_that_are_no_numbers_are_not_written(self):
        T, q = memory(), shares(2, 3)
        T.update(torch.tensor([0, 1]), torch.stack([torch.full_like(q[0], torch.nan), q[1]]))
        assert not T.targets[0].any() and T.targets[1].any()
        assert T.seen.tolist() == [False, True, False, False, False, False]

    def test_a_batch_of_nothing_moves_nothing(self):
        T = memory()
        T.update(torch.empty(0, dtype=torch.int64), torch.empty(0, 3))
        assert not T.targets.any()


class TestVisits:
    """One update a visit: a second forward pass over a batch is none."""

    def test_in_one_visit_a_row_moves_once(self):
        T, ids = memory(target_momentum=0.5), torch.tensor([0, 1])
        T.visit = 3
        T.update(ids, shares(2, 3))
        once = T.targets.clone()
        T.update(ids, shares(2, 3, seed=1))
        assert torch.equal(T.targets, once)
        T.visit = 4
        T.update(ids, shares(2, 3, seed=1))
        assert not torch.equal(T.targets, once)

    def test_other_rows_of_the_visit_still_move(self):
        T = memory()
        T.visit = 0
        T.update(torch.tensor([0]), shares(1, 3))
        T.update(torch.tensor([0, 1]), shares(2, 3, seed=1))
        torch.testing.assert_close(T.targets[:2], 0.3 * torch.cat([shares(1, 3), shares(2, 3, seed=1)[1:]]))

    def test_without_a_visit_every_update_counts(self):
        T = memory(target_momentum=0.5)
        for _ in range(2):
            T.update(torch.tensor([0]), shares(1, 3))
        assert T.targets[0].sum().item() == pytest.approx(0.75) and T.last_visit[0] == -1

    def test_a_new_run_forgets_the_visits_of_the_old(self):
        T = memory(target_momentum=0.5)
        T.visit = 0
        T.update(torch.tensor([0]), shares(1, 3))
        T.forget_visits()
        T.update(torch.tensor([0]), shares(1, 3))
        assert T.targets[0].sum().item() == pytest.approx(0.75)


class TestHalfPrecision:
    def test_storage_is_half_and_what_is_read_is_not(self):
        T = TargetMemory(2, 4, dtype=torch.float16)
        T.update(torch.tensor([1]), shares(1, 4))
        assert T.targets.dtype == torch.float16 and T.read(torch.tensor([1])).dtype == torch.float32
        torch.testing.assert_close(T.read(torch.tensor([1])), 0.3 * shares(1, 4).float(), rtol=1e-3, atol=1e-4)

    def test_a_row_that_rounding_made_larger_than_one_is_read_as_one(self):
        T = TargetMemory.from_targets(torch.full((1, 3), 0.3335, dtype=torch.float16))
        assert T.targets.float().sum() > 1
        assert T.read(torch.tensor([0])).sum().item() <= 1 + 1e-6


class TestLabels:
    def test_quality_is_the_target_of_the_label_and_an_issue_another_class(self):
        T = TargetMemory.from_targets(torch.tensor([[0.6, 0.3], [0.2, 0.7], [0.0, 0.0]], dtype=torch.float64))
        labels = torch.tensor([0, 0, 1])
        assert T.label_quality(labels).tolist()[:2] == [0.6, 0.2]
        assert T.label_quality(labels)[2].isnan()  # never visited: nothing is known
        assert T.label_issues(labels).tolist() == [False, True, False]

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            (torch.tensor([0]), r"labels of all its 6 examples.*Got torch.int64 of shape \(1,\)\.$"),
            (torch.tensor([0, 1, 2, 0, 1, 3]), "ints from 0 to 2. Got torch.int64 of shape .*, from 0 to 3."),
            (torch.zeros(6), "Got torch.float32"),
        ],
    )
    def test_other_labels_are_refused(self, labels, message, unchecked_shapes):
        for ask in (memory().label_quality, memory().label_issues):
            with pytest.raises(LitotesError, match=message):
                ask(labels)


class TestOnDisk:
    def test_saved_and_loaded_it_is_the_same(self, tmp_path):
        T, other = memory(), memory()
        T.visit = 7
        T.update(torch.tensor([0, 3]), shares(2, 3))
        T.save(tmp_path / "memory.safetensors")
        other.load(tmp_path / "memory.safetensors")
        assert torch.equal(other.targets, T.targets) and torch.equal(other.last_visit, T.last_visit)

    @pytest.mark.parametrize(
        ("other", "message"),
        [
            ({"n": 7}, r"targets of shape \(6, 3\), and this memory has \(7, 3\)"),
            ({"classes": 4}, "targets of shape"),
            ({"target_momentum": 0.9}, "targets of target_momentum 0.7, and this memory has 0.9"),
            ({"dtype": torch.float32}, "targets of dtype torch.float64, and this memory has torch.float32"),
        ],
    )
    def test_the_file_of_another_memory_is_refused(self, other, message, tmp_path):
        memory().save(tmp_path / "memory.safetensors")
        with pytest.raises(StaleError, match=message):
            memory(**other).load(tmp_path / "memory.safetensors")

    def test_an_absent_file_is_not_an_empty_memory(self, tmp_path):
        with pytest.raises(DataError, match="no such file, so the targets would begin again from nothing"):
            memory().load(tmp_path / "none.safetensors")


class TestRefused:
    @pytest.mark.parametrize("ids", [[0, 6], [-1, 2]])
    def test_ids_out_of_range(self, ids):
        message = f"holds targets of 6 examples, ids 0 to 5. Got the id {ids[0] if ids[0] < 0 else ids[1]}. Ids are pos"
        with pytest.raises(LitotesError, match=message):
            memory().update(torch.tensor(ids), shares(2, 3))
        with pytest.raises(LitotesError, match=message):
            memory().read(torch.tensor(ids))

    def test_an_id_twice_in_a_batch(self):
        T = memory()
        with pytest.raises(LitotesError, match="got the id 4 more than once in one batch.*sampler without replacement"):
            T.update(torch.tensor([4, 1, 4]), shares(3, 3))
        assert not T.targets.any()

    def test_ids_that_are_no_ints_and_probabilities_of_another_shape(self, unchecked_shapes):
        with pytest.raises(LitotesError, match="takes ids as a tensor of ints.*Got torch.float32"):
            memory().read(torch.tensor([1.0]))
        with pytest.raises(LitotesError, match=r"of 3 classes got 2 ids and probabilities of shape \(2, 4\)"):
            memory().update(torch.tensor([0, 1]), shares(2, 4))

    def test_parameters(self):
        with pytest.raises(LitotesError, match=r"'target_momentum' parameter of TargetMemory must be .* \[0.0, 1.0\)"):
            memory(target_momentum=1.0)
        with pytest.raises(LitotesError, match="'n_examples' parameter of TargetMemory must be an int"):
            memory(0)
        with pytest.raises(LitotesError, match="'dtype' parameter of TargetMemory must be one of"):
            memory(dtype=torch.int64)


PARTS = ([0, 3, 5], [4])  # of unequal length


def work(number: int, folder: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=number, world_size=2)
    T, q = memory(), shares(6, 3)
    T.update(torch.tensor(PARTS[number]), q[PARTS[number]])
    T.update(torch.tensor([1, 2]), q[[1, 2]])  # both have these, as samplers do that fill up the last batch
    np.save(f"{folder}/{number}.npy", T.targets.numpy())
    distributed.destroy_process_group()


@pytest.mark.skipif(not distributed.is_available(), reason="this torch is built without torch.distributed")
def test_every_process_holds_what_all_have_visited(tmp_path: Path):
    context = torch.multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=(number, str(tmp_path))) for number in range(2)]
    for process in processes:
        process.start()
    end = time.monotonic() + 300
    for process in processes:
        process.join(max(0.0, end - time.monotonic()))
        if process.is_alive():
            process.terminate()
    assert [process.exitcode for process in processes] == [0, 0]
    T = memory()
    T.update(torch.arange(6), shares(6, 3))
    for number in range(2):
        np.testing.assert_array_equal(np.load(tmp_path / f"{number}.npy", allow_pickle=False), T.targets.numpy())
