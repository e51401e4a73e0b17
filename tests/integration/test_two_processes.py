"""Two processes of one trainer, as torchrun starts them: batches of one source, documents gathered, one model."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from torch import distributed

from litotes.core import Collection
from litotes.models import tiny_bert
from litotes.training import SourceBatches, sources_of_rows
from tests.unit.training.small_world import small_data
from tests.unit.two_processes import in_two_processes

BATCH = 2


def with_tasks() -> Collection:
    data = small_data()
    tasks = ["even" if i % 2 == 0 else "odd" for i in range(data.n_rows)]
    return Collection(data.labels, data.rows.table.append_column("task", pa.array(tasks)), data.cols.table)


def work(number: int, folder: str, port: int) -> None:
    """Two epochs at once, and the same stopped after two steps and resumed: batches of this process, and the model."""
    world = {"RANK": number, "LOCAL_RANK": number, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    models = [tiny_bert() for _ in range(3)]  # made before the processes meet: afterwards only one of them may save
    os.environ.update({name: str(value) for name, value in world.items()})
    whole = train(models[0], f"{folder}/whole")
    first, _ = train(models[1], f"{folder}/stopped", max_steps=2)
    rest, weights = train(models[2], f"{folder}/stopped", resume=True)
    Path(f"{folder}/{number}.json").write_text(json.dumps({"whole": whole, "resumed": [first + rest, weights]}))
    distributed.destroy_process_group()


def train(model: Any, folder: str, *, resume: bool = False, max_steps: int = -1) -> tuple[list[list[int]], float]:
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )

    from litotes.losses import ProgressiveInfoNCELoss
    from litotes.training import source_batch_sampler

    SentenceTransformer._create_model_card = lambda *args, **kwargs: None  # type: ignore[method-assign]
    data, seen = with_tasks(), []
    loss = ProgressiveInfoNCELoss(model, data, mini_batch_size=1, gather_across_devices=True)
    forward = loss.forward
    loss.forward = lambda columns, labels: seen.append(labels[:, 0].tolist()) or forward(columns, labels)
    args = SentenceTransformerTrainingArguments(
        folder, per_device_train_batch_size=BATCH, num_train_epochs=2, max_steps=max_steps, save_steps=2, report_to=[],
        use_cpu=True, ddp_backend="gloo", disable_tqdm=True, learning_rate=1e-2, lr_scheduler_type="constant",
        batch_sampler=source_batch_sampler(sources_of_rows(data, "task")),
    )  # fmt: skip
    trainer = SentenceTransformerTrainer(model, args, train_dataset=data.pairs(), loss=loss)
    trainer.train(resume_from_checkpoint=resume)
    return seen, float(sum(p.detach().double().square().sum() for p in model.parameters()))


@pytest.mark.slow
@pytest.mark.skipif(not distributed.is_available(), reason="this torch is built without torch.distributed")
def test_batches_of_one_source_in_step_and_one_model_also_after_a_resume(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    in_two_processes(work, str(tmp_path), port)
    found = [json.loads((tmp_path / f"{number}.json").read_text()) for number in range(2)]
    (one, weights), (other, same_weights) = (each["whole"] for each in found)
    rows = np.asarray(with_tasks().pairs()["label"])[:, 0]
    expected = SourceBatches(rows % 2, BATCH, seed=42, processes=2)
    assert expected.left_over == 3 and len(one) == len(other) == 2 * 3
    for epoch in range(2):
        expected.set_epoch(epoch)
        steps = zip(one[3 * epoch : 3 * epoch + 3], other[3 * epoch : 3 * epoch + 3], strict=True)
        assert [batch for step in steps for batch in step] == [rows[batch].tolist() for batch in expected]
    assert weights == same_weights, "the processes hold different models"
    assert [each["resumed"] for each in found] == [each["whole"] for each in found]
