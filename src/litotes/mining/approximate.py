"""Dense mining for corpora that exact search is too slow for: HNSW (Malkov and Yashunin 2018) or IVF, by faiss.

What the index finds is scored by the same product as in exact search. How much it misses is measured: the share of the
exact answer that it finds on a sample of rows (recall) is said, and kept in the counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.checks import check_choice, check_int
from litotes.core.errors import LitotesError, require
from litotes.core.fingerprint import digest
from litotes.core.progress import say
from litotes.core.seeds import rng
from litotes.mining.ann_index import AnnIndex, AnnSettings
from litotes.mining.dense import encoder_parts, vectors_of
from litotes.mining.exact_search import search
from litotes.mining.exclusion import Allowed, Chosen, Window, propose, row_positions
from litotes.mining.named import check_name
from litotes.models.collection_vectors import CollectionVectors

__all__ = ["ApproximateMiner"]


@dataclass(frozen=True)
class ApproximateMiner:
    """Columns whose vectors are near to the row's, observed positives and their text twins left out.

    The options that :class:`litotes.mining.dense.DenseMiner` has too mean the same. The index is built once, on one
    thread for ``hnsw``, so that the same seed gives the same index. ``counts["recall_of"]`` is how many cells the exact
    answer has on those of ``recall_rows`` sampled rows that were mined, ``counts["recall_found"]`` how many were found.

    Args:
        index: ``hnsw`` (a graph; slow to build, fast to ask) or ``ivf`` (lists around centroids; quick to build).
        links, ef_construction, ef_search: of ``hnsw``: edges a vector, and how widely it looks around.
        n_lists, n_probe: of ``ivf``: how many lists, and how many are read; None chooses by the size of the corpus.
        recall_rows: how many rows are also searched exactly.
        name: what the candidates' columns and the run's folder are called; empty, it is ``index``.
    """

    encoder: Any = "builtin:minilm"
    index: Literal["hnsw", "ivf"] = "hnsw"
    top: int = 50
    skip: int = 0
    min_score: float | None = None
    max_score: float | None = None
    links: int = 32
    ef_construction: int = 80
    ef_search: int = 128
    n_lists: int | None = None
    n_probe: int | None = None
    recall_rows: int = 200
    seed: int = 0
    query_prompt: str | None = None
    corpus_prompt: str | None = None
    query_length: int | None = None
    corpus_length: int | None = None
    similarity: Literal["cosine", "dot"] | None = None
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int = 32
    store: bool | None = None
    encoder_fingerprint: str | None = None
    name: str = ""
    kind: ClassVar[str] = "approximate"
    _vectors: CollectionVectors = field(init=False, repr=False, compare=False)
    _built: dict[str | None, tuple[AnnIndex, np.ndarray]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        require("faiss", extra="retrieval")
        check_choice("ApproximateMiner", "index", self.index, ("hnsw", "ivf"))
        object.__setattr__(self, "name", check_name("ApproximateMiner", self.name or self.index))
        self._window()
        for option in ("links", "ef_construction", "ef_search", "n_lists", "n_probe"):
            if getattr(self, option) is not None:
                check_int("ApproximateMiner", option, getattr(self, option), at_least=2 if option == "links" else 1)
        check_int("ApproximateMiner", "recall_rows", self.recall_rows, at_least=1)
        check_int("ApproximateMiner", "seed", self.seed, at_least=0)
        object.__setattr__(self, "_vectors", vectors_of(self))

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """What decides the vectors, the index and the choice, by part."""
        settings = {name: str(value) for name, value in vars(self._settings()).items()}
        return {
            "miner": self.kind,
            **self._window().parts(),
            **settings,
            "recall_rows": str(self.recall_rows),
            **encoder_parts(self._vectors, data),
        }

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """Near columns of ``rows`` (positions; None for all)."""
        if not data.cols_with_content.any():
            raise LitotesError("Dense mining needs columns with content, and no column of this data has any.")
        wanted = row_positions(data, rows)
        asked = wanted[data.rows_with_content[wanted]]
        allowed = Allowed.of(data, asked)
        queries = self._vectors.rows(data)
        index, recall = self._index(data, queries)
        chosen = index.best(queries[asked], allowed, self._window())
        silent = len(wanted) - len(asked)
        sampled = recall[np.isin(recall[:, 0], asked)]
        counts = {"recall_found": int(sampled[:, 1].sum()), "recall_of": int(sampled[:, 2].sum())}
        return propose(
            chosen.with_silent_rows(silent),
            asked,
            self.name,
            data,
            {**allowed.counts, "rows_no_text": silent, **counts},
        )

    def _index(self, data: Collection, queries: np.ndarray) -> tuple[AnnIndex, np.ndarray]:
        """The index, and its recall: int64 ``[sampled rows, 3]``, the row, its cells found, its cells to find."""
        keys = [self._vectors.key(data, role) for role in ("query", "document")]
        key = None if None in keys else digest(keys, data.fingerprint)
        if key is None or key not in self._built:
            self._built.clear()
            index = AnnIndex.build(self._vectors.cols(data), data.cols_with_content, self._settings())
            made = index, self._recall(data, index, queries)
            if key is None:
                return made
            self._built[key] = made
        return self._built[key]

    def _recall(self, data: Collection, index: AnnIndex, queries: np.ndarray) -> np.ndarray:
        with_content = np.flatnonzero(data.rows_with_content)
        size = min(self.recall_rows, len(with_content))
        rows = np.sort(rng(self.seed, "recall").choice(with_content, size, replace=False))
        allowed, window = Allowed.of(data, rows), self._window()
        near = index.best(queries[rows], allowed, window)
        found = search(
            queries[rows],
            index.vectors,
            self.top,
            exclude=(allowed.indptr, allowed.cols),
            usable=allowed.usable,
            skip=self.skip,
            max_score=self.max_score,
        )
        exact = Chosen.from_padded(*found, window)
        hit = np.isin(near.row * data.n_cols + near.col, exact.row * data.n_cols + exact.col)
        recall = np.stack([rows, np.bincount(near.row[hit], minlength=size), np.bincount(exact.row, minlength=size)], 1)
        share = recall[:, 1].sum() / max(recall[:, 2].sum(), 1)
        hint = f"; a higher {'ef_search' if self.index == 'hnsw' else 'n_probe'} finds more" if share < 0.95 else ""
        say(f"{self.name}: finds {share:.1%} of the exact top {self.top} on {size} rows (recall){hint}.")
        return recall

    def _settings(self) -> AnnSettings:
        return AnnSettings(
            self.index, self.links, self.ef_construction, self.ef_search, self.n_lists, self.n_probe, self.seed
        )

    def _window(self) -> Window:
        return Window.checked("ApproximateMiner", self.top, self.skip, self.min_score, self.max_score)
