"""Two processes that share their documents take the step of one with all queries."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, distributed, nn

from litotes.losses import ProgressiveInfoNCELoss
from litotes.losses.across_processes import gathered, rank
from tests.unit.losses.stand_ins import small_data, vectors

LABELS = torch.tensor([[0, 0, 5], [1, 2, 1], [2, 5, 4], [0, 5, -1]])  # two have a positive that nobody observed
CASES: list[dict[str, Any]] = [
    {},
    {"mini_batch_size": 1, "beta": 2.0, "which": "hard_negatives"},
    {"level": "query", "beta": 1.5},
    {"symmetric": True, "which": "in_batch_negatives", "beta": 1.0},
]


class Tower(nn.Module):
    """A layer on given vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(vectors(5, 4, seed=7))

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": features["x"] @ self.weight}


def step(case: dict[str, Any], mine: slice, gather: bool) -> tuple[Tensor, Tensor]:
    """The loss of some of the rows, and the gradient of the tower."""
    tower = Tower()
    options = {"temperature": 0.3, "mini_batch_size": None, **case}
    loss = ProgressiveInfoNCELoss(tower, small_data(), gather_across_devices=gather, **options)
    columns = [{"x": vectors(4, 5, seed=i)[mine]} for i in range(3)]
    value = loss(columns, LABELS[mine])
    value.backward()
    return value.detach(), tower.weight.grad


def work(number: int, folder: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=number, world_size=2)
    assert rank() == number
    assert gathered(torch.tensor([number])).tolist() == [0, 1]
    for i, case in enumerate(CASES):
        value, gradient = step(case, slice(2 * number, 2 * number + 2), gather=True)
        for x in (value, gradient):  # what DistributedDataParallel does
            distributed.all_reduce(x)
        np.savez(f"{folder}/{i}-{number}.npz", value=(value / 2).numpy(), gradient=(gradient / 2).numpy())
    distributed.destroy_process_group()


@pytest.mark.skipif(not distributed.is_available(), reason="this torch is built without torch.distributed")
def test_two_processes_take_the_step_of_one(tmp_path: Path):
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
    for i, case in enumerate(CASES):
        value, gradient = step(case, slice(None), gather=False)
        for number in range(2):
            with np.load(tmp_path / f"{i}-{number}.npz", allow_pickle=False) as found:
                np.testing.assert_allclose(found["value"], value.numpy(), rtol=1e-12, err_msg=str(case))
                np.testing.assert_allclose(
                    found["gradient"], gradient.numpy(), rtol=1e-10, atol=1e-14, err_msg=str(case)
                )


def test_alone_nothing_is_gathered():
    x = vectors(2, 3).requires_grad_()
    assert gathered(x) is x and rank() == 0
    value, gradient = step({}, slice(None), gather=True)
    expected, wanted = step({}, slice(None), gather=False)
    assert value == expected and torch.equal(gradient, wanted)
