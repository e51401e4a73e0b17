"""A tiny BERT that classifies, and token ids whose label shows in the first token, for tests of ELR in trainers."""

import datasets
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, TrainerCallback, TrainingArguments

N_EXAMPLES, N_CLASSES, LENGTH, WORDS = 24, 3, 5, 20


def classifier(seed: int = 0) -> BertForSequenceClassification:
    """No dropout: batches of other sizes would draw other masks."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=WORDS, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=8, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, num_labels=N_CLASSES,
    )  # fmt: skip
    return BertForSequenceClassification(config)


def examples(n: int = N_EXAMPLES, seed: int = 0) -> datasets.Dataset:
    """Columns input_ids, attention_mask and label; a third of the labels is wrong."""
    g = torch.Generator().manual_seed(seed)
    words = torch.randint(N_CLASSES, WORDS, (n, LENGTH), generator=g)
    true = torch.arange(n) % N_CLASSES
    words[:, 0] = true
    labels = torch.where(torch.rand(n, generator=g) < 1 / 3, (true + 1) % N_CLASSES, true)
    lines = {"input_ids": words.tolist(), "attention_mask": [[1] * LENGTH] * n, "label": labels.tolist()}
    return datasets.Dataset.from_dict(lines)


def arguments(folder, **options) -> TrainingArguments:
    """Plain gradient descent: Adam would make steps of rounding errors. Two epochs of three steps."""
    fixed = {
        "per_device_train_batch_size": 8, "num_train_epochs": 2, "learning_rate": 0.5, "optim": "sgd",
        "lr_scheduler_type": "constant", "save_strategy": "no", "logging_steps": 1, "report_to": [], "use_cpu": True,
        "disable_tqdm": True, "seed": 3,
    }  # fmt: skip
    return TrainingArguments(str(folder), **fixed | options)


def weights(model: nn.Module) -> torch.Tensor:
    """All parameters as one vector."""
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


class StopAfter(TrainerCallback):
    """Ends a training as a kill would, as far as what lies on the disk is concerned."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop = state.global_step >= self.step
