"""CET in the trainers of others: a loss that holds both models, and a ``compute_loss`` that returns their sum."""

import copy

import datasets
import pytest
import torch
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
from torch import nn
from transformers import Trainer, TrainingArguments

from litotes.losses import CoupledLoss, cet, coupled_losses
from litotes.models.cross_encoder import PairModel
from litotes.models.tiny import tiny_cross_encoder

LINES = [
    {"query": "red fox", "positive": "a red fox", "negative_1": "a blue whale", "negative_2": "red stone"},
    {"query": "blue whale", "positive": "whale in the sea", "negative_1": "a red fox", "negative_2": "blue paint"},
    {"query": "stone wall", "positive": "wall of stone", "negative_1": "wall paper", "negative_2": "a fox"},
]
COLUMNS = [[line[name] for line in LINES] for name in LINES[0]]


class WordCounts(nn.Module):
    """A selection model of one's own: a line over how many words the two texts share."""

    def __init__(self):
        super().__init__()
        self.line = nn.Linear(1, 1)

    def forward(self, pairs):
        shared = [len(set(query.split()) & set(document.split())) for query, document in pairs]
        return self.line(torch.tensor(shared, dtype=torch.float32)[:, None]).squeeze(1)


def plain(seed, dropout=0.0):
    model = tiny_cross_encoder(seed=seed)
    PairModel(model, dropout=dropout)
    return model


def parameters(module):
    return torch.cat([p.detach().reshape(-1) for p in module.parameters()])


def logits(model):
    pairs = [(line["query"], line[name]) for line in LINES for name in ("positive", "negative_1", "negative_2")]
    return model(pairs).reshape(3, 3)


def test_it_is_the_coupled_losses_of_the_columns():
    R, S = plain(0), PairModel(plain(1))
    found = CoupledLoss(R, S, temperature=2.0, max_grad_norm=None)(COLUMNS)
    expected = coupled_losses(logits(PairModel(R)), logits(S), temperature=2.0)
    torch.testing.assert_close(found["relevance"], expected.relevance)
    torch.testing.assert_close(found["selection"], expected.selection)


def test_the_gradient_of_the_selection_model_is_clipped_here_and_that_of_the_other_is_not():
    R, S = plain(0), WordCounts()
    free, clipped = (CoupledLoss(R, S, max_grad_norm=norm) for norm in (None, 0.01))
    norms = []
    for loss in (free, clipped):
        loss.zero_grad()
        sum(loss(COLUMNS).values()).backward()
        norms.append([torch.cat([p.grad.reshape(-1) for p in m.parameters()]).norm().item() for m in (R, S)])
    assert norms[0][1] > 0.01 and norms[1][1] == pytest.approx(0.01, rel=1e-3)
    assert norms[0][0] == pytest.approx(norms[1][0])


def test_clipping_leaves_the_value_that_is_logged():
    R, S = plain(0), WordCounts()
    free, clipped = (CoupledLoss(R, S, max_grad_norm=norm)(COLUMNS)["selection"] for norm in (None, 0.01))
    assert free.item() == clipped.item() and clipped.requires_grad


def test_weights_keep_their_precision_where_scores_have_less():
    """Scores of half precision must not round the weights of float32."""

    class Half(WordCounts):
        def forward(self, pairs):
            return super().forward(pairs).bfloat16()

    R, S = plain(0), Half()
    with torch.no_grad():
        S.line.weight.fill_(3.0)
    seen, weigh = [], cet.weighted_pair_loss
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cet, "weighted_pair_loss", lambda a, b, w, **k: seen.append(w) or weigh(a, b, w, **k))
        CoupledLoss(R, S)(COLUMNS)
    assert [w.dtype for w in seen] == [torch.float32] * 2


def test_weights_are_taken_without_dropout():
    R, S = plain(0, dropout=0.5), WordCounts()
    modes = []
    next(m for m in R.modules() if isinstance(m, nn.Dropout)).register_forward_hook(
        lambda m, *_: modes.append(m.training)
    )
    CoupledLoss(R.train(), S)(COLUMNS)
    assert modes[0] is False and modes[-1] is True and R.training


def test_both_models_train_in_the_trainer_of_cross_encoders(tmp_path):
    R, S = plain(0), WordCounts()
    before = parameters(R), parameters(S)
    args = CrossEncoderTrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=3, per_device_train_batch_size=3, report_to="none", use_cpu=True,
        learning_rate=1e-3, learning_rate_mapping={"selection_model": 1e-2}, logging_strategy="no", save_strategy="no",
        disable_tqdm=True,
    )  # fmt: skip
    loss = CoupledLoss(R, S, temperature=2.0)
    CrossEncoderTrainer(model=R, args=args, train_dataset=datasets.Dataset.from_list(LINES), loss=loss).train()
    moved = [(parameters(model) - start).abs().max().item() for model, start in zip((R, S), before, strict=True)]
    assert moved[0] > 1e-4 and moved[1] > 1e-3
    R.save_pretrained(str(tmp_path / "saved"))
    assert torch.equal(parameters(CrossEncoder(str(tmp_path / "saved"), device="cpu")), parameters(R))


class Both(nn.Module):
    """Two small networks on given features, as one model of a ``transformers.Trainer``."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        # without a last bias: its gradient is 0, and Adam would make steps of the rounding error
        sizes = nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1, bias=False)
        self.relevance, self.selection = nn.Sequential(*sizes), copy.deepcopy(nn.Sequential(*sizes))
        nn.init.normal_(self.selection[0].weight)

    def forward(self, x):
        return self.relevance(x).squeeze(-1), self.selection(x).squeeze(-1)


class CoupledTrainer(Trainer):
    """What a user writes."""

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        losses = coupled_losses(*model(inputs["x"]), temperature=2.0)
        return losses.relevance + losses.selection


def test_a_compute_loss_that_returns_the_sum_moves_both_as_two_steps_would(tmp_path):
    features = torch.randn(8, 3, 4, generator=torch.Generator().manual_seed(1))
    both = Both()
    apart = copy.deepcopy(both)
    args = TrainingArguments(
        output_dir=str(tmp_path), max_steps=4, per_device_train_batch_size=8, report_to="none", use_cpu=True,
        learning_rate=1e-2, lr_scheduler_type="constant", max_grad_norm=0.0, logging_strategy="no", save_strategy="no",
        disable_tqdm=True, remove_unused_columns=False,
    )  # fmt: skip
    lines = [{"x": x} for x in features]
    CoupledTrainer(model=both, args=args, train_dataset=lines).train()
    models = apart.relevance, apart.selection
    optimizers = [torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0) for model in models]
    for _ in range(4):
        losses = coupled_losses(*apart(features), temperature=2.0)
        for optimizer, loss in zip(optimizers, losses[:2], strict=True):
            optimizer.zero_grad()
            loss.backward()
        for optimizer in optimizers:
            optimizer.step()
    torch.testing.assert_close(parameters(both), parameters(apart), atol=1e-6, rtol=1e-5)
    assert not torch.equal(parameters(both), parameters(Both()))
