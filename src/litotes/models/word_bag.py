"""A small two-tower encoder without any pretrained model: one table of word vectors, a linear head for each role.

    f(q) = H_q n(sum_{w in q} e_w)      g(d) = H_d n(sum_{w in d} e_w)      n(x) = x / |x|,  s(q, d) = f(q) . g(d)

The row e_w starts in a random direction with a length proportional to IDF(w), so the bag is a random projection of the
tf-idf vector; the row, and with it the word's weight, is learned. Both heads start as ``norm`` times the identity:
before training s is norm^2 times the cosine of the bags, which ranks as shared words do. Two heads of independent
orthogonal matrices would rank by chance. Without n, a sum over a long text and one over a query of three words differ
in length by an order of magnitude, and logistic losses of inner products, which have no temperature, would be flat or
saturated.

Everything is made of modules that sentence-transformers has, so that ``SentenceTransformer(folder)`` loads what
``save_pretrained`` wrote, and every trainer takes it.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from litotes.core import Collection
from litotes.core.checks import check_float, check_int
from litotes.core.errors import DataError, require
from litotes.core.text import words

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

__all__ = ["word_bag", "word_idf"]

_UNKNOWN = "[UNK]"  # row 0, zeros: no part of a text
_FINAL_SIGMA = r"\p{Cased}\p{Case_Ignorable}*\KΣ(?!\p{Case_Ignorable}*\p{Cased})"  # as Python and Unicode say
_SIZE = 0.02  # entries of the table: n takes their size away, but it decides how far a step of Adam turns a row


def word_bag(
    data: Collection, *, width: int = 64, seed: int = 0, min_count: int = 1, norm: float = 3.0
) -> SentenceTransformer:
    """An untrained encoder for the texts of ``data``, on the CPU; the same data and seed give the same weights.

    A model of two routes (``encode_query``, ``encode_document``) compared by inner product; the table of words is one
    module in both, also after saving and loading. A text without a known word has the zero vector.

    Args:
        data: its texts give the words, its documents the IDF. Of other texts, words that are not there are dropped.
        width: of the word vectors and of the encoder's vectors.
        seed: of the words' directions.
        min_count: texts, queries among them, that a word must occur in to be known.
        norm: length of every vector before training; the scores then lie between -norm^2 and norm^2.

    Raises:
        DataError: no word occurs in that many texts.
    """
    require("sentence_transformers", extra="retrieval")
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Router
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    check_int("word_bag", "width", width, at_least=1)
    check_int("word_bag", "min_count", min_count, at_least=1)
    check_float("word_bag", "norm", norm, above=0.0)
    idf = word_idf(data, min_count)
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([0.0, *idf.values()]) * (_SIZE * len(idf) / sum(idf.values()))
    table = torch.randn(len(idf) + 1, width, generator=generator) * lengths[:, None]
    with torch.random.fork_rng(devices=[]):  # the modules draw weights of their own first
        bag = StaticEmbedding(_tokenizer(list(idf)), embedding_weights=table)
        bag.embedding.padding_idx = 0  # unknown words are left out, and their row stays zero
        heads = [
            Dense(width, width, bias=False, activation_function=None, init_weight=norm * torch.eye(width)) for _ in "qd"
        ]
    router = Router.for_query_document([bag, Normalize(), heads[0]], [bag, Normalize(), heads[1]])
    return SentenceTransformer(modules=[router], similarity_fn_name="dot", device="cpu")


def word_idf(data: Collection, min_count: int = 1) -> dict[str, float]:
    """BM25's IDF by word, words in alphabetical order: log(1 + (N - n_w + 1/2) / (n_w + 1/2)), always above 0.

    Raises:
        DataError: no word occurs in ``min_count`` texts.
    """
    documents = [frozenset(words(text)) for text in data.col_texts if text is not None]
    queries = [frozenset(words(text)) for text in data.row_texts if text is not None]
    in_documents = Counter(word for text in documents for word in text)
    anywhere = in_documents + Counter(word for text in queries for word in text)
    known = sorted(word for word, count in anywhere.items() if count >= min_count)
    if not known:
        raise DataError(
            f"There is no word that occurs in {min_count} of the {len(documents) + len(queries)} texts. "
            "Lower min_count, or check the data: litotes inspect DATA"
        )
    n = len(documents)
    return {word: math.log1p((n - in_documents[word] + 0.5) / (in_documents[word] + 0.5)) for word in known}


def _tokenizer(known: list[str]) -> Tokenizer:
    """Splits and lower-cases as :func:`litotes.core.text.words` does: of letters, the capital sigma alone becomes small
    by what stands around it, and ``Lowercase`` looks at one letter at a time.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    vocabulary = {word: number for number, word in enumerate([_UNKNOWN, *known])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=_UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(_FINAL_SIGMA), "ς"), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\p{L}\p{N}]+"), behavior="removed", invert=True)
    return tokenizer
