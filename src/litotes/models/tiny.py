"""Small models with random weights, built from a config: for tests of what goes around a model, never for results."""

from __future__ import annotations

import string
import tempfile
from typing import TYPE_CHECKING

from litotes.core.checks import check_choice, check_int
from litotes.core.errors import require
from litotes.models.loading import no_loading_bars

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer
    from transformers import BertConfig, PreTrainedTokenizerBase

__all__ = ["tiny_bert", "tiny_cross_encoder", "tiny_model", "tiny_tokenizer"]

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def tiny_model(architecture: str, seed: int = 0) -> SentenceTransformer:
    """The model ``tiny:ARCHITECTURE``."""
    check_choice("tiny:", "architecture", architecture, ("bert",))
    return tiny_bert(seed)


def tiny_bert(seed: int = 0, *, width: int = 32, layers: int = 2, max_length: int = 64) -> SentenceTransformer:
    """A BERT with mean pooling, ``width`` wide, on the CPU; the same seed gives the same weights.

    Its words are letters, so equal spelling makes near vectors even before any training. The state of torch's generator
    is left as it was.
    """
    require("sentence_transformers", extra="retrieval")
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertModel

    check_int("tiny_bert", "width", width, at_least=2)
    tokenizer = tiny_tokenizer(max_length)
    config = _bert_config(len(tokenizer), width, layers, max_length)
    with no_loading_bars(), torch.random.fork_rng(devices=[]), tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return SentenceTransformer(modules=[Transformer(folder), Pooling(width, "mean")], device="cpu")


def tiny_cross_encoder(
    architecture: str = "bert", seed: int = 0, *, width: int = 32, layers: int = 2, max_length: int = 64
) -> CrossEncoder:
    """A BERT that reads pairs and gives one logit, on the CPU; otherwise as :func:`tiny_bert`."""
    require("sentence_transformers", extra="retrieval")
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import BertForSequenceClassification

    check_choice("tiny:", "architecture", architecture, ("bert",))
    tokenizer = tiny_tokenizer(max_length)
    config = _bert_config(len(tokenizer), width, layers, max_length)
    config.num_labels = 1
    with no_loading_bars(), torch.random.fork_rng(devices=[]), tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(seed)
        BertForSequenceClassification(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return CrossEncoder(folder, device="cpu")


def _bert_config(words: int, width: int, layers: int, max_length: int) -> BertConfig:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=words,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * width,
        max_position_embeddings=max_length,
    )


def tiny_tokenizer(max_length: int = 64) -> PreTrainedTokenizerBase:
    """WordPiece whose pieces are the printable ASCII characters, lower case; anything else is ``[UNK]``."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import BertTokenizerFast

    plain = [c for c in string.printable if not c.isspace() and not c.isupper()]
    pieces = [*_SPECIAL, *plain, *(f"##{c}" for c in plain)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    return BertTokenizerFast(tokenizer_object=tokenizer, model_max_length=max_length)
