"""Models that the tests of this room share; a test that changes one takes its own copy."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from litotes.models.tiny import tiny_bert
from litotes.models.vector_store import VectorStore


@pytest.fixture(scope="session")
def shared_tiny():
    return tiny_bert(seed=0)


@pytest.fixture
def tiny(shared_tiny):
    return copy.deepcopy(shared_tiny)


@pytest.fixture
def store(tmp_path: Path) -> VectorStore:
    return VectorStore(tmp_path / "vectors")


class Counting:
    """A function that embeds by letters, and remembers what it was asked."""

    def __init__(self, width: int = 26) -> None:
        self.width = width
        self.batches: list[list[str]] = []

    def __call__(self, texts: list[str]) -> list[list[float]]:
        self.batches.append(list(texts))
        alphabet = "abcdefghijklmnopqrstuvwxyz"[: self.width]
        return [[1.0 + text.lower().count(letter) for letter in alphabet] for text in texts]

    @property
    def texts(self) -> list[str]:
        return [text for batch in self.batches for text in batch]


@pytest.fixture
def counting() -> Callable[..., Counting]:
    return Counting
