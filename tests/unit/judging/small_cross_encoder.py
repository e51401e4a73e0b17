"""A cross-encoder with random weights, built from a config: nothing is downloaded, nothing is learned."""

from pathlib import Path

from litotes.models.tiny import tiny_tokenizer


def save_small_cross_encoder(folder: Path, seed: int = 0, outputs: int = 1) -> str:
    """Write a two-layer BERT with a classification head to ``folder``; its weights are large, so its logits differ."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    tokenizer = tiny_tokenizer(64)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        num_labels=outputs,
        initializer_range=0.4,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertForSequenceClassification(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)
