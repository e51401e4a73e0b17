"""A small ranker that reads query and document together, term by term, without any pretrained model.

For a query term t and a document whose distinct terms are j = 1..L, with e the learned vectors of words and tf_t how
often t stands in the document:

    f_t = [max_j cos(e_t, e_j), mean_j cos(e_t, e_j), tf_t > 0, saturated tf_t]         (as BM25 saturates it)
    r(q, d) = sum_t idf_t (w . f_t + MLP(f_t))

It starts as BM25: w picks the saturated count and the last layer of the MLP is zero. The product of two vectors, one
for each text, could not see which term of the query is missing; that would be a second dual encoder.
"""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from litotes.core.checks import check_int
from litotes.core.errors import LitotesError
from litotes.core.files import make_folder, read_json, write_json
from litotes.core.fingerprint import digest
from litotes.core.text import words
from litotes.models.precision import resolve_device
from litotes.models.word_bag import word_idf

if TYPE_CHECKING:
    from litotes.core import Collection

__all__ = ["InteractionRanker", "is_interaction_ranker"]

_SETTINGS, _WEIGHTS = "interaction.json", "interaction.safetensors"
_K1, _B = 1.2, 0.75
_REMEMBERED = 200_000  # texts whose terms are kept; read anew beyond
_AT_ONCE = 512  # pairs scored at once outside training


class InteractionRanker(nn.Module):
    """Logits of (query, document) pairs; make one from texts with :meth:`of`, or load one with :meth:`load`.

    Args:
        idf: weight by word; other words are not read.
        mean_length: words of a usual document.
        width: of the words' vectors.
        hidden: units of the MLP.
        max_terms: distinct terms of a document that are read, from its beginning.
        seed: of the weights.
    """

    def __init__(
        self,
        idf: dict[str, float],
        mean_length: float,
        *,
        width: int = 32,
        hidden: int = 16,
        max_terms: int = 128,
        seed: int = 0,
    ) -> None:
        super().__init__()
        for name, value in (("width", width), ("hidden", hidden), ("max_terms", max_terms)):
            check_int("InteractionRanker", name, value, at_least=1)
        self.settings = {"mean_length": mean_length, "width": width, "hidden": hidden, "max_terms": max_terms}
        self.words = {word: place for place, word in enumerate(idf, start=1)}  # 0 is no word
        self.max_terms, self.mean_length = max_terms, mean_length
        self.idf: Tensor
        self.register_buffer("idf", torch.tensor([0.0, *idf.values()]))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            last = nn.Linear(hidden, 1)
            self.vectors = nn.Embedding(len(idf) + 1, width)
            self.mlp = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), last)
            self.linear = nn.Linear(4, 1, bias=False)
        with torch.no_grad():
            self.vectors.weight.mul_(0.02)  # so that a step of Adam turns a vector
            last.weight.zero_(), last.bias.zero_()
            self.linear.weight.copy_(torch.tensor([[0.0, 0.0, 0.0, 1.0]]))
        self._read: dict[str, tuple[list[int], list[int], int]] = {}

    @classmethod
    def of(cls, data: "Collection", *, min_count: int = 1, **options: Any) -> Self:
        """A ranker for the words of ``data``; ``min_count`` texts must hold a word, ``options`` as in the class.

        Raises:
            DataError: no word occurs in that many texts.
        """
        lengths = [len(words(text)) for text in data.col_texts if text is not None]
        return cls(word_idf(data, min_count), float(np.mean(lengths)) if lengths else 1.0, **options)

    def forward(self, pairs: Sequence[tuple[str, str]]) -> Float[Tensor, "pairs"]:
        """Logits, with gradient; 0 where the texts hold no known word."""
        if not pairs:
            return self.idf.new_zeros(0)
        query, _, _ = self._padded([query for query, _ in pairs])
        document, counts, lengths = self._padded([document for _, document in pairs])
        there, in_query = document > 0, query > 0
        e_q, e_d = (F.normalize(self.vectors(ids), dim=-1) for ids in (query, document))
        similar = e_q @ e_d.transpose(1, 2)  # [pairs, query terms, document terms]
        size = there.sum(dim=1, keepdim=True)
        highest = similar.masked_fill(~there[:, None], -1.0).amax(dim=2).where(size > 0, 0.0)
        mean = (similar * there[:, None]).sum(dim=2) / size.clamp(min=1)
        count = ((query[:, :, None] == document[:, None, :]) * counts[:, None]).sum(dim=2) * in_query
        longer = _K1 * (1 - _B + _B * lengths[:, None] / self.mean_length)
        features = torch.stack([highest, mean, (count > 0).float(), count * (_K1 + 1) / (count + longer)], dim=-1)
        of_term = (self.linear(features) + self.mlp(features)).squeeze(-1)
        return (self.idf[query] * of_term * in_query).sum(dim=1)

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """float64 ``[pairs]``: the logits without gradient, in evaluation mode."""
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            with torch.no_grad():
                parts = [self(pairs[start : start + _AT_ONCE]).cpu() for start in range(0, len(pairs), _AT_ONCE)]
        finally:
            for module, mode in modes:
                module.training = mode
        return torch.cat(parts).double().numpy() if parts else np.zeros(0)

    def fingerprint(self) -> dict[str, str]:
        """Weights, words and settings."""
        weights = digest(*(value.detach().cpu().numpy() for value in self.state_dict().values()))
        return {"weights": weights, "words": digest(list(self.words)), "settings": digest(self.settings)}

    def save_pretrained(self, folder: str | Path) -> None:
        """Write ``interaction.safetensors`` and ``interaction.json``."""
        from safetensors.torch import save_file

        folder = make_folder(Path(folder))
        tensors = {name: value.detach().cpu().contiguous() for name, value in self.state_dict().items()}
        save_file(tensors, str(folder / _WEIGHTS))
        write_json(folder / _SETTINGS, {**self.settings, "words": list(self.words)})

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, device: str = "cpu") -> Self:
        """What :meth:`save_pretrained` wrote.

        Raises:
            LitotesError: the folder holds no such ranker.
        """
        from safetensors.torch import load_file

        if not is_interaction_ranker(folder):
            raise LitotesError(f"{folder}: no interaction ranker here (no {_SETTINGS}).")
        settings = read_json(Path(folder) / _SETTINGS)
        tensors = load_file(str(Path(folder) / _WEIGHTS))
        model = cls(dict.fromkeys(settings.pop("words"), 0.0), settings.pop("mean_length"), **settings)
        model.load_state_dict(tensors)
        return model.to(resolve_device(device))

    def _padded(
        self, texts: Sequence[str]
    ) -> tuple[Int[Tensor, "texts terms"], Float[Tensor, "texts terms"], Float[Tensor, "texts"]]:
        """Distinct known terms of each text, how often each stands there, and the texts' lengths in words."""
        read = [self._terms(text) for text in texts]
        widest = max(1, *(len(ids) for ids, _, _ in read))
        ids = torch.zeros(len(texts), widest, dtype=torch.int64)
        counts = torch.zeros(len(texts), widest)
        for place, (terms, often, _) in enumerate(read):
            ids[place, : len(terms)] = torch.tensor(terms, dtype=torch.int64)
            counts[place, : len(terms)] = torch.tensor(often, dtype=torch.float32)
        lengths = torch.tensor([float(length) for _, _, length in read])
        device = self.idf.device
        return ids.to(device), counts.to(device), lengths.to(device)

    def _terms(self, text: str) -> tuple[list[int], list[int], int]:
        if text not in self._read:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            found = words(text)
            counted = Counter(self.words[word] for word in found if word in self.words)
            terms = list(counted)[: self.max_terms]
            self._read[text] = terms, [counted[term] for term in terms], len(found)
        return self._read[text]


def is_interaction_ranker(folder: str | os.PathLike[str]) -> bool:
    """Whether :meth:`InteractionRanker.load` can read the folder."""
    return (Path(folder) / _SETTINGS).is_file()
