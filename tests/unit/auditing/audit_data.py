"""A library of a few dozen texts in which every kind of fault stands once, and an encoder that counts words."""

import zlib

import numpy as np
import pyarrow as pa

from litotes.core import Collection, LabelMatrix
from litotes.models.encoder import Encoder, resolve_encoder

WIDTH = 512
APPLES = "red apple fruit sweet and juicy from the old tree behind the house"

DOCUMENTS: dict[str, str | None] = {
    "apple": APPLES,
    "apple-twin": f"  {APPLES.upper()} ",
    "apple-near": f"{APPLES} today",
    "ocean": "blue ocean wave water salt",
    "zebra": "striped zebra running over dry savanna",
    "blank": None,
    "engine": "loud engine noise at night",
    "tide": "ocean wave tide and moon",
    "surf": "salt water ocean foam",
    "paint": "blue paint on every wall",
    **{f"filler{i}": f"entry {i} about subject{i} in volume{i} of series{i}" for i in range(18)},
}
QUERIES: dict[str, str | None] = {
    "about-apples": "red apple fruit",
    "about-oceans": "blue ocean wave",
    "about-nothing": "green forest path",
    "about-engines": "loud engine noise",
    "oceans-again": "wave blue ocean",
    "silent": None,
}
JUDGEMENTS = [
    ("about-apples", "apple", 1),
    ("about-oceans", "ocean", 2),
    ("about-oceans", "surf", 1),  # ranks low, and is like the other answer
    ("about-oceans", "zebra", 1),  # a false positive: nothing of it is about oceans
    ("about-nothing", "blank", 1),
    ("about-engines", "engine", 0),  # judged, and nothing relevant
    ("oceans-again", "tide", 1),
    ("silent", "apple", 1),
]


def library(split: str | None = "test") -> Collection:
    """The collection."""
    labels = LabelMatrix.from_qrels(JUDGEMENTS, rows=list(QUERIES), cols=list(DOCUMENTS))
    return Collection(labels, _table(QUERIES), _table(DOCUMENTS), name="library", origin="by hand", split=split)


def word_vectors(texts: list[str]) -> np.ndarray:
    """Counts of words, each word in a place of its own (as good as)."""
    made = np.zeros((len(texts), WIDTH), dtype=np.float32)
    for vector, text in zip(made, texts, strict=True):
        for word in text.lower().split():
            vector[zlib.crc32(word.encode()) % WIDTH] += 1
    return made


def word_encoder(similarity: str = "cosine") -> Encoder:
    """The same as an encoder with a name, so that what it makes can be resumed."""
    return resolve_encoder(word_vectors, fingerprint="word counts", similarity=similarity, store=False)


def _table(texts: dict[str, str | None]) -> pa.Table:
    there = {name: text for name, text in texts.items() if text is not None}
    return pa.table({"id": list(there), "text": list(there.values())})
