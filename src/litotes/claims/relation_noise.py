"""A huge negative class with false negatives of known truth: flipped positives, parts, and a model to look through.

- ``semeval2010-task8``, ``negatives="rest"``: the three most frequent directed relations are positive (26 %), every
  other relation and Other the negative class. ``negatives="other"``: Other alone is negative (18 %), 18 relations are
  positive.
- ``digits`` of scikit-learn: 3 and 8 are the positives (20 %), the other digits negative. Installs with pip.

30 % of the positives become negative in the rows to train on and in dev; in the test rows too, as they come when
nobody has verified them. The clean set holds rows of the training part with their true labels, of the same
distribution; it shares no row with anything else.

A *space* is how a row looks to a classifier: ``sentence`` (all-MiniLM-L6-v2 of the sentence with its two entities
marked, and of the stretch between them, side by side), ``words`` (words before, between and after the entities, weighed
and projected on 200 dimensions), ``pixels``. Sentences in which other pairs are meant differ by their marks.

The model that is looked through is one hidden layer of 100 units after four passes over the noisy rows: it still makes
mistakes where labels are wrong. Its hidden layer is the embedding, its predictions say which positives look negative.
"""

from __future__ import annotations

import gzip
import json
import re
import warnings
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from litotes.core.seeds import rng

__all__ = ["NEGATIVE", "RATE", "SPACES", "Part", "World", "hidden_model", "sentences_of", "world"]

NEGATIVE = 0
RATE = 0.3
SPACES = {"semeval2010-task8": ("sentence", "words"), "digits": ("pixels",)}
"""The ways to see a data set: the two models of the page, where there are two."""

_SIZES = {"semeval2010-task8": {"clean": 1000, "dev": 1000}, "digits": {"clean": 200, "dev": 200, "test": 600}}
_POSITIVE_RELATIONS, _POSITIVE_DIGITS = 3, (3, 8)
_EPOCHS, _UNITS, _AROUND, _DIMENSIONS = 4, 100, 3, 200
_PAIR = re.compile(r"(.*?)<e([12])>(.*?)</e\2>(.*?)<e([12])>(.*?)</e\5>(.*)", re.DOTALL)


class Part(NamedTuple):
    """Some rows: what they look like in each space, their labels as given and in truth."""

    inputs: dict[str, np.ndarray]
    given: np.ndarray
    truth: np.ndarray


class World(NamedTuple):
    """The parts of one draw; ``rows`` are the positions of ``fit`` in the data's own order of training rows."""

    fit: Part
    clean: Part
    dev: Part
    test: Part
    rows: np.ndarray


@lru_cache(maxsize=4)
def world(data: str, seed: int, negatives: str = "rest") -> World:
    """The parts that a seed draws."""
    from litotes.data.label_noise import background_noise

    inputs, labels, test = _whole(data, negatives)
    order = rng(seed, "relation noise", data).permutation(np.flatnonzero(~test)) if test.any() else None
    if order is None:
        order = rng(seed, "relation noise", data).permutation(len(labels))
        test = np.zeros(len(labels), dtype=bool)
        test[order[: _SIZES[data]["test"]]] = True
        order = order[_SIZES[data]["test"] :]
    n_clean, n_dev = _SIZES[data]["clean"], _SIZES[data]["dev"]
    clean, dev, fit = np.split(order, [n_clean, n_clean + n_dev])

    def part(rows: np.ndarray, rate: float, name: str) -> Part:
        noise_seed = int(rng(seed, "flips", name).integers(2**31))
        noisy = background_noise(labels[rows], rate, background=NEGATIVE, seed=noise_seed).labels
        return Part({space: matrix[rows] for space, matrix in inputs.items()}, noisy, labels[rows])

    return World(
        part(fit, RATE, "fit"),
        part(clean, 0.0, "clean"),
        part(dev, RATE, "dev"),
        part(np.flatnonzero(test), RATE, "test"),
        fit,
    )


@lru_cache(maxsize=8)
def hidden_model(data: str, seed: int, negatives: str, space: str, weights_seed: int) -> dict[str, np.ndarray]:
    """What the model of a space sees: ``fit`` and ``clean`` are embeddings, ``predictions`` labels of the fit rows."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    drawn = world(data, seed, negatives)
    scale = StandardScaler().fit(drawn.fit.inputs[space])
    model = MLPClassifier((_UNITS,), max_iter=_EPOCHS, random_state=weights_seed)
    seen = scale.transform(drawn.fit.inputs[space])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(seen, drawn.fit.given)

    def embed(rows: np.ndarray) -> np.ndarray:
        return np.maximum(rows @ model.coefs_[0] + model.intercepts_[0], 0.0)

    clean = scale.transform(drawn.clean.inputs[space])
    return {"fit": embed(seen), "clean": embed(clean), "predictions": model.predict(seen)}


@lru_cache(maxsize=1)
def sentences_of(data: str) -> tuple[list[str], list[str], int]:
    """All sentences, their relations, and how many of them are for training (those come first)."""
    from litotes.data.public import public_folder

    rows: list[dict[str, Any]] = []
    counts = []
    for split in ("train", "test"):
        with gzip.open(public_folder(data) / f"{split}.jsonl.gz", "rt", encoding="utf-8") as file:
            rows += [json.loads(line) for line in file]
        counts.append(len(rows))
    return [row["sentence"] for row in rows], [row["relation"] for row in rows], counts[0]


@lru_cache(maxsize=3)
def _whole(data: str, negatives: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Inputs by space, true labels (0 is negative), and which rows are the test set (none: it is drawn)."""
    if data == "digits":
        from sklearn.datasets import load_digits

        pixels, digits = load_digits(return_X_y=True)
        labels = sum((place * (digits == digit) for place, digit in enumerate(_POSITIVE_DIGITS, 1)), start=0 * digits)
        return {"pixels": pixels.astype(np.float32)}, labels.astype(np.int64), np.zeros(len(labels), dtype=bool)
    _, relations, n_train = sentences_of(data)
    frequent = sorted(set(relations[:n_train]) - {"Other"}, key=lambda one: (-relations[:n_train].count(one), one))
    positives = frequent if negatives == "other" else frequent[:_POSITIVE_RELATIONS]
    codes = {relation: place for place, relation in enumerate(positives, 1)}
    labels = np.array([codes.get(relation, NEGATIVE) for relation in relations], dtype=np.int64)
    return _spaces(data), labels, np.arange(len(labels)) >= n_train


@lru_cache(maxsize=1)
def _spaces(data: str) -> dict[str, np.ndarray]:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    from litotes.models.encoder import resolve_encoder

    sentences, _, n_train = sentences_of(data)
    pairs = [_pair(sentence) for sentence in sentences]
    encoder = resolve_encoder("builtin:minilm")
    stretches = [f"{first} {between} {second}" for _, first, between, second, _ in pairs]
    vectors = [encoder.encode(texts, "document") for texts in (sentences, stretches)]
    told = TfidfVectorizer(analyzer=_told_words, sublinear_tf=True, min_df=2)
    weighed = told.fit(pairs[:n_train]).transform(pairs)
    words = TruncatedSVD(_DIMENSIONS, random_state=0).fit(weighed[:n_train]).transform(weighed)
    return {"sentence": np.concatenate(vectors, axis=1), "words": words.astype(np.float32)}


def _pair(sentence: str) -> tuple[str, str, str, str, str]:
    """What stands before, in, between and after the two marked entities; their marks say which is which."""
    found = _PAIR.match(sentence)
    assert found is not None, sentence
    before, a, first, between, b, second, after = found.groups()
    return before, f"<e{a}>{first}</e{a}>", between, f"<e{b}>{second}</e{b}>", after


def _told_words(pair: tuple[str, str, str, str, str]) -> list[str]:
    """Words with where they stand; single ones and, between the entities, pairs of them."""
    before, first, between, second, after = (re.findall(r"[a-z0-9']+", part.lower()) for part in pair)
    told = [f"before {word}" for word in before[-_AROUND:]] + [f"after {word}" for word in after[:_AROUND]]
    told += [f"first {word}" for word in first] + [f"second {word}" for word in second]
    told += [f"between {word}" for word in between]
    return told + [f"between {a} {b}" for a, b in pairwise(between)]
