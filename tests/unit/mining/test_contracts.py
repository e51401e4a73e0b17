"""Every miner of ours runs the contract suite that others run on theirs; so does every negative sampler."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litotes.core import Collection
from litotes.mining import (
    ApproximateMiner,
    BM25Miner,
    DenseMiner,
    MinedNegativeSampler,
    PopularityMiner,
    PopularityNegativeSampler,
    RandomMiner,
    RunMiner,
    UniformNegativeSampler,
)
from litotes.models.tiny import tiny_bert
from litotes.testing import Check, check_miner, check_negative_sampler

IGNORES_ROWS = {"rows_without_content": "its candidates come from the labels or from chance, not from the row's text"}


def count_words(texts):
    """Small whole numbers: inner products are exact, and many are equal."""
    vocabulary = "river stone cloud bread iron red blue fast slow cat dog tree snow lamp".split()
    return np.array([[text.lower().split().count(word) for word in vocabulary] for text in texts], dtype=np.float64)


def dense(make: Callable[..., Any] = DenseMiner, **options) -> Any:
    return make(count_words, similarity="dot", encoder_fingerprint="words", store=False, **options)


def common_words(data: Collection, row: int, col: int) -> float:
    [query], [document] = count_words([data.row_texts[row] or ""]), count_words([data.col_texts[col] or ""])
    return float(query @ document)


def popularity(data: Collection, row: int, col: int) -> float:
    """Nobody's positive is proposed by nobody: below every bound."""
    return float((data.labels.positive_cells()[1] == col).sum()) or -np.inf


FOLDER = tempfile.TemporaryDirectory(prefix="litotes-runs-")


def of_a_run(data: Collection) -> RunMiner:
    """A run file of every query with a text, with ties, a query and documents that the data does not have."""
    path = Path(FOLDER.name) / f"{data.fingerprint}.trec"
    queries = [row for row in range(data.n_rows) if data.row_texts[row]]
    lines = [
        f"{data.row_ids[row]} Q0 d{col} 0 {common_words(data, row, col) if col < data.n_cols else 9.0} other"
        for row in queries
        for col in range(data.n_cols + 2)
    ]
    path.write_text("\n".join(["nobody Q0 d0 1 1.0 other", *lines]) + "\n", encoding="utf-8")
    return RunMiner(path, top=7)


@cache
def tiny_model() -> Any:
    return tiny_bert()


MINERS: dict[str, dict[str, Any]] = {
    "random": {"make": lambda: RandomMiner(top=6, skip=2, seed=3), "expected_failures": IGNORES_ROWS},
    "popularity": {"make": lambda: PopularityMiner(top=8), "expected_failures": IGNORES_ROWS},
    "popularity-sampled": {
        "make": lambda: PopularityMiner(top=8, draw="sample"),
        "expected_failures": IGNORES_ROWS
        | {
            "ranks_follow_scores": "the score is the popularity, the rank the place in a draw",
            "ties_by_column": "the rank is the place in a draw, also among equally popular columns",
        },
    },
    "bm25": {"make": lambda: BM25Miner(top=10)},
    "dense": {
        "make": lambda: dense(top=10, skip=1),
        "other_blocks": lambda: dense(top=10, skip=1, batch_size=5),
        "score": common_words,
    },
    "dense-deep": {"make": lambda: dense(top=100, min_score=1.0, max_score=4.0), "score": common_words},
    "hnsw": {"make": lambda: dense(ApproximateMiner, index="hnsw", top=10), "score": common_words, "recall": 0.9},
    "dense-model": {
        "make": lambda: DenseMiner(tiny_model(), top=10, store=False),
        "other_blocks": lambda: DenseMiner(tiny_model(), top=10, store=False, batch_size=3),
    },
    "run": {"make": of_a_run, "score": common_words},
    "ivf": {"make": lambda: dense(ApproximateMiner, index="ivf", top=10), "score": common_words, "recall": 0.8},
}

CHECKS = [pytest.param(check, id=f"{name}-{check}") for name, miner in MINERS.items() for check in check_miner(**miner)]


@pytest.mark.parametrize("check", CHECKS)
def test_miners(check: Check):
    check()


def free_columns(data: Collection, row: int) -> np.ndarray:
    """1 for every column that a row may have, cell by cell."""
    positive = [data.is_positive(np.array([row]), np.array([col]))[0] for col in range(data.n_cols)]
    return np.where(positive, 0.0, data.cols_with_content)


def free_popular_columns(data: Collection, row: int) -> np.ndarray:
    counts = [sum(col in data.labels.positives(other) for other in range(data.n_rows)) for col in range(data.n_cols)]
    return free_columns(data, row) * np.array(counts, dtype=np.float64) ** 0.75


def mined_columns(data: Collection, row: int) -> np.ndarray:
    found = RandomMiner(top=9).mine(data)
    return np.bincount(found.col[found.row == row], minlength=data.n_cols)


SAMPLERS: dict[str, dict[str, Any]] = {
    "uniform": {"make": UniformNegativeSampler, "expected": free_columns, "blocks": True},
    "popularity": {"make": PopularityNegativeSampler, "expected": free_popular_columns, "blocks": True},
    "mined": {
        "make": lambda data: MinedNegativeSampler(RandomMiner(top=9).mine(data), data),
        "expected": mined_columns,
        "blocks": True,
    },
}

SAMPLER_CHECKS = [
    pytest.param(check, id=f"{name}-{check}")
    for name, sampler in SAMPLERS.items()
    for check in check_negative_sampler(**sampler)
]


@pytest.mark.parametrize("check", SAMPLER_CHECKS)
def test_negative_samplers(check: Check):
    check()
