"""A model whose features are its embeddings, and a collection of three queries, for tests of loss modules."""

import pyarrow as pa
import torch
from torch import Tensor, nn

from litotes.core import Collection, LabelMatrix


class PassThrough(nn.Module):
    """Stands in for a SentenceTransformer: returns the vectors it is given."""

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return features


def features(*columns: Tensor) -> list[dict[str, Tensor]]:
    """The columns anchor, positive, negative_1 ... as a sentence-transformers loss gets them."""
    return [{"sentence_embedding": column} for column in columns]


def small_data() -> Collection:
    """Positives: row 0 has columns 0 and 1, row 1 has 2, row 2 has 3; column 4 says the same as column 2."""
    texts = ["alpha", "beta", "gamma", "delta", "Gamma ", "epsilon"]
    labels = LabelMatrix([f"q{i}" for i in range(3)], [f"d{i}" for i in range(6)], [0, 0, 1, 2], [0, 1, 2, 3])
    rows = pa.table({"id": [f"q{i}" for i in range(3)], "text": ["one", "two", "three"]})
    cols = pa.table({"id": [f"d{i}" for i in range(6)], "text": texts})
    return Collection(labels, rows, cols)


def vectors(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
