"""The loss modules inside sentence-transformers' own trainer, on pairs with ids from a collection."""

from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments

from litotes.losses import InfoNCELoss, StarLoss
from litotes.models.loading import load_sentence_transformer
from tests.unit.losses.stand_ins import small_data


@pytest.fixture
def model() -> SentenceTransformer:
    torch.manual_seed(0)
    return load_sentence_transformer("tiny:bert")


@pytest.mark.parametrize("make", [InfoNCELoss, StarLoss])
def test_trains_on_pairs_with_ids(model: SentenceTransformer, make, tmp_path: Path):
    data = small_data()
    seen = []

    class Watched(make):
        def forward(self, sentence_features, labels=None):
            seen.append(labels.tolist())
            return super().forward(sentence_features, labels)

    args = SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=2, per_device_train_batch_size=4, report_to="none", use_cpu=True,
        learning_rate=1e-2, logging_strategy="no", save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loss = Watched(model, data)
    SentenceTransformerTrainer(model=model, args=args, train_dataset=data.pairs(), loss=loss).train()
    assert [sorted(batch) for batch in seen] == [[[0, 0], [0, 1], [1, 2], [2, 3]]] * 2
    assert any(not torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert loss.get_config_dict()
