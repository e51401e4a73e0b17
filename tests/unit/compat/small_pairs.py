"""A small training set and a deterministic word-vector model that both functions can be given."""

import numpy as np
from datasets import Dataset

WORDS = [f"w{number}" for number in range(60)]


def word_model(seed: int = 0, **options):
    """The mean of one fixed vector a word, case folded: cosines from -1 to 1, and the same on every machine."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    vocabulary = {word: number for number, word in enumerate(["[UNK]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    vectors = np.random.default_rng(seed).standard_normal((len(vocabulary), 16)).astype(np.float32)
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=vectors)], device="cpu", **options)


def random_texts(rng: np.random.Generator, count: int) -> list[str]:
    """Different texts of three to six words."""
    texts: dict[str, None] = {}
    while len(texts) < count:
        texts[" ".join(rng.choice(WORDS, size=rng.integers(3, 7)))] = None
    return list(texts)


def small_pairs(seed: int = 39) -> tuple[Dataset, list[str]]:
    """Lines of 30 anchors, half of them with two or three positives, one pair on two lines; and 60 documents.

    A positive shares words with its anchor as often as not, so that some score above and some below the negatives.
    """
    rng = np.random.default_rng(seed)
    anchors, documents = random_texts(rng, 30), random_texts(rng, 60)
    positives = random_texts(rng, 45)
    for place in range(0, 45, 2):
        positives[place] = f"{anchors[place % 30]} {positives[place]}"
    lines = [(anchors[place % 30], positive) for place, positive in enumerate(positives)]
    lines = [lines[place] for place in rng.permutation(len(lines))]
    lines.append(lines[3])
    anchor_column, positive_column = zip(*lines, strict=True)
    return (
        Dataset.from_dict({"question": anchor_column, "answer": positive_column, "source": ["test"] * len(lines)}),
        documents,
    )
