"""A small cross-encoder trained on the judgements that are visible, to rank suspects with.

It starts from all-MiniLM-L6-v2 (which was never trained on pairs read together) with a new head, and learns for 120
steps to tell visible positives from unjudged documents; its lower half stays as it was, and it reads 64 tokens of a
pair.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.core.seeds import rng, seed_everything

if TYPE_CHECKING:
    from litotes.claims.hidden_judgements import Hidden

__all__ = ["SAYS", "cross_encoder_scores"]

STEPS, BATCH, LENGTH, RATE = 120, 16, 64, 1e-4
FROZEN = ("embeddings.", "layer.0.", "layer.1.", "layer.2.")  # the lower half is not trained: it takes long
HARD = 0.5  # share of the negatives that are candidates; the others are any documents
SAYS = f"a small cross-encoder ({STEPS} steps, lower half frozen, {LENGTH} tokens)"


def cross_encoder_scores(hidden: Hidden, seed: int) -> np.ndarray:
    """The model's logit for each suspect, float64 ``[cells]``."""
    from litotes.judging.cross_encoder import CrossEncoderScorer
    from litotes.models.precision import autocast, best_dtype

    cells = hidden.evidence
    texts = hidden.data.row_texts, hidden.data.col_texts
    pairs = [(texts[0][row] or "", texts[1][col] or "") for row, col in zip(cells.row, cells.col, strict=True)]
    model = _trained(hidden, seed)
    with autocast("cpu", best_dtype("cpu")):
        return CrossEncoderScorer(model, max_length=LENGTH).score(pairs)


def _trained(hidden: Hidden, seed: int) -> Any:
    """The model after its steps on equally many positives and negatives."""
    from datasets import Dataset
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
    from transformers import PrinterCallback

    from litotes.models.builtin import builtin_folder
    from litotes.models.loading import no_loading_bars
    from litotes.models.precision import best_dtype

    seed_everything(seed)
    with no_loading_bars():
        model = CrossEncoder(str(builtin_folder("minilm")), num_labels=1, max_length=LENGTH, device="cpu").float()
    for name, parameter in model.named_parameters():
        parameter.requires_grad = not any(part in name for part in FROZEN)
    rows = _training_rows(hidden, seed)
    with tempfile.TemporaryDirectory(prefix="litotes-claims-") as folder:
        arguments = CrossEncoderTrainingArguments(
            folder,
            max_steps=STEPS,
            per_device_train_batch_size=BATCH,
            learning_rate=RATE,
            warmup_steps=STEPS // 10,
            bf16=best_dtype("cpu") == "bfloat16",
            use_cpu=True,
            seed=seed,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            logging_steps=STEPS + 1,
        )
        trainer = CrossEncoderTrainer(model, arguments, Dataset.from_list(rows), loss=BinaryCrossEntropyLoss(model))
        trainer.remove_callback(PrinterCallback)  # it prints to stdout, which belongs to results
        trainer.train()
    return model.eval()


def _training_rows(hidden: Hidden, seed: int) -> list[dict[str, Any]]:
    """Pairs enough for all steps: visible positives, drawn again where they are few, each beside an unjudged candidate
    of its query or any document.
    """
    data, cells, generator = hidden.data, hidden.evidence, rng(seed, "cross-encoder")
    rows, cols = data.labels.positive_cells()
    with_text = data.rows_with_content[rows] & data.cols_with_content[cols]
    rows, cols = rows[with_text], cols[with_text]
    first, last = np.searchsorted(cells.row, rows), np.searchsorted(cells.row, rows, side="right")
    usable = np.flatnonzero(last > first)
    half = STEPS * BATCH // 2
    drawn = np.concatenate([generator.permutation(usable) for _ in range(-(-half // len(usable)))])[:half]
    beside = cells.col[generator.integers(first[drawn], last[drawn])]
    anywhere = generator.choice(np.flatnonzero(data.cols_with_content), size=half)
    beside = np.where(generator.random(half) < HARD, beside, anywhere)
    chosen = [(rows[drawn], cols[drawn], 1.0), (rows[drawn], beside, 0.0)]
    return [
        {"query": data.row_texts[row], "document": data.col_texts[col], "label": label}
        for row_part, col_part, label in chosen
        for row, col in zip(row_part.tolist(), col_part.tolist(), strict=True)
    ]
