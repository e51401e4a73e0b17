"""Two processes that share their documents take the step of one with all queries."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, distributed, nn

from litotes.core.errors import LitotesError
from litotes.losses import ProgressiveInfoNCELoss
from litotes.losses.across_processes import gathered, n_processes, rank
from tests.unit.losses.stand_ins import small_data, vectors
from tests.unit.two_processes import in_two_processes

LABELS = torch.tensor([[0, 0, 5], [1, 2, 1], [2, 5, 4], [0, 5, -1]])  # two have a positive that nobody observed
CASES: list[dict[str, Any]] = [
    {},
    {"mini_batch_size": 1, "beta": 2.0, "which": "hard_negatives", "weight_norm": None},
    {"level": "query", "beta": 1.5},
    {"level": "query", "beta": -1.5, "weight_norm": None, "which": "hard_negatives"},
    {"symmetric": True, "which": "in_batch_negatives", "beta": 1.0},
    {"margin": 0.1, "beta": 1.0},
    {"ratio": 0.8, "mini_batch_size": 1, "which": "hard_negatives", "beta": 2.0},
    {"similarity": "dot", "margin": 0.2, "symmetric": True},
    {"similarity": "dot", "level": "query", "beta": 0.5, "temperature": 2.0},
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
    assert (rank(), n_processes()) == (number, 2)
    assert gathered(torch.tensor([number])).tolist() == [0, 1]
    mine_alone_is_refused(number)
    a_half_precision_gradient_is_summed_in_float32()
    for i, case in enumerate(CASES):
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # torch's own differentiable gather is deprecated
            value, gradient = step(case, slice(2 * number, 2 * number + 2), gather=True)
        for x in (value, gradient):  # what DistributedDataParallel does
            distributed.all_reduce(x)
        np.savez(f"{folder}/{i}-{number}.npz", value=(value / 2).numpy(), gradient=(gradient / 2).numpy())
    distributed.destroy_process_group()


def mine_alone_is_refused(number: int) -> None:
    """Batches of unequal size, in every process and before anything is sent."""
    message = r"tensors of shapes \(1, 3\), \(2, 3\), and only equal .* dataloader_drop_last=True"
    with pytest.raises(LitotesError, match=message):
        gathered(torch.zeros(1 + number, 3))
    with pytest.raises(LitotesError, match=r"tensors of shapes \(\d, 4\), \(\d, 4\), and only equal"):
        step({}, slice(0, 3) if number else slice(3, 4), gather=True)


def a_half_precision_gradient_is_summed_in_float32() -> None:
    x = torch.zeros(2, 3, dtype=torch.bfloat16).requires_grad_()
    summed, all_reduce = [], distributed.all_reduce
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distributed, "all_reduce", lambda x: summed.append(x.dtype) or all_reduce(x))
        gathered(x).sum().backward()
    assert summed == [torch.float32] and x.grad.dtype == torch.bfloat16 and (x.grad == 2).all()


@pytest.mark.skipif(not distributed.is_available(), reason="this torch is built without torch.distributed")
def test_two_processes_take_the_step_of_one(tmp_path: Path):
    in_two_processes(work, str(tmp_path))
    values = []
    for i, case in enumerate(CASES):
        value, gradient = step(case, slice(None), gather=False)
        values.append(value.item())
        for number in range(2):
            with np.load(tmp_path / f"{i}-{number}.npz", allow_pickle=False) as found:
                np.testing.assert_allclose(found["value"], value.numpy(), rtol=1e-12, err_msg=str(case))
                np.testing.assert_allclose(
                    found["gradient"], gradient.numpy(), rtol=1e-10, atol=1e-14, err_msg=str(case)
                )
    assert len(set(values)) == len(CASES), "an option that changes nothing here is not tested"


def test_alone_nothing_is_gathered():
    x = vectors(2, 3).requires_grad_()
    assert gathered(x) is x and rank() == 0
    value, gradient = step({}, slice(None), gather=True)
    expected, wanted = step({}, slice(None), gather=False)
    assert value == expected and torch.equal(gradient, wanted)


def test_the_number_of_processes_is_known_before_they_meet(monkeypatch: pytest.MonkeyPatch):
    for said, expected in (("4", 4), ("1", 1), ("", 1)):
        monkeypatch.setenv("WORLD_SIZE", said)
        assert n_processes() == expected
    monkeypatch.delenv("WORLD_SIZE")
    assert n_processes() == 1
