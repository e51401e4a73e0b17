"""How many documents an encoder puts above a cell: the rank of a positive among what nobody labelled.

The raw value serves both kinds of cells. A judged positive that an encoder ranks behind hundreds of unlabelled
documents is a noisy pair, or a hard one; a candidate assumed negative has the rank at which it would be found. Like a
margin it is no probability, so it fills ``judge.rank`` alone; :mod:`litotes.judging.pair_filter` cuts on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.checks import check_int
from litotes.mining.exact_search import search
from litotes.mining.exclusion import Allowed
from litotes.mining.named import check_name
from litotes.mining.row_products import row_products
from litotes.models.collection_vectors import CollectionVectors
from litotes.models.encoder import resolve_encoder

__all__ = ["RankJudge"]


class RankJudge:
    """``judge.<name>`` is the rank of the cell's document for its query, 1 being the best; up to ``top`` it is exact.

    Ranks count the documents that are neither positives of the query nor text twins of one: of two positives none
    pushes the other down, however many a query has. Equal scores count in the cell's favour. ``top + 1`` says "behind
    the first ``top``". Null where the query or the document has no content. No ``trust`` is given.

    Args:
        encoder: what scores cells, by the product of two vectors; default ``builtin:minilm``.
        top: how deep to look.
        query_prompt, corpus_prompt, device, dtype, batch_size: of the encoder, see
            :func:`litotes.models.encoder.resolve_encoder`.
        name: what the column is called.
    """

    kind = "rank"

    def __init__(
        self,
        encoder: Any = None,
        top: int = 100,
        query_prompt: str | None = None,
        corpus_prompt: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 32,
        name: str = "rank",
    ) -> None:
        self.name = check_name("RankJudge", name)
        self.top = check_int("RankJudge", "top", top, at_least=1)
        self.encoder, self.query_prompt, self.corpus_prompt = encoder, query_prompt, corpus_prompt
        self._vectors = CollectionVectors(
            resolve_encoder(
                "builtin:minilm" if encoder is None else encoder,
                query_prompt=query_prompt,
                corpus_prompt=corpus_prompt,
                device=device,
                dtype=dtype,
                batch_size=batch_size,
            )
        )

    def judge(self, candidates: Candidates, data: Collection) -> Candidates:
        """The candidates with the column ``judge.<name>``; none is dropped.

        Raises:
            StaleError: the candidates were made from other data.
        """
        candidates.check_data(data)
        there = data.rows_with_content[candidates.row] & data.cols_with_content[candidates.col]
        ranks = np.full(len(candidates), np.nan)
        asked = np.unique(candidates.row[there])
        if len(asked):
            queries, documents = self._vectors.rows(data), self._vectors.cols(data)
            rows, cols = candidates.row[there], candidates.col[there]
            own = row_products(queries, documents, rows, cols)
            allowed = Allowed.of(data, asked)
            exclude = (allowed.indptr, allowed.cols)
            scores, _, keep = search(queries[asked], documents, self.top, exclude=exclude, usable=allowed.usable)
            place = np.searchsorted(asked, rows)
            ranks[there] = 1 + np.array(
                [np.count_nonzero(keep[at] & (scores[at] > score)) for at, score in zip(place, own, strict=True)]
            )
        return candidates.with_columns({f"judge.{self.name}": ranks})

    def scores(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """The encoder's scores of cells, float64 ``[cells]``; NaN where a side has no content."""
        scores = row_products(self._vectors.rows(data), self._vectors.cols(data), rows, cols).astype(np.float64)
        scores[~(data.rows_with_content[rows] & data.cols_with_content[cols])] = np.nan
        return scores

    def fingerprint(self) -> dict[str, str]:
        """What decides the column, by part."""
        sides = {side: self._vectors.encoder.fingerprint(side) for side in ("query", "document")}
        parts = {f"{side} {part}": of for side, found in sides.items() for part, of in found.items()}
        return {"judge": self.kind, "top": str(self.top), **parts}
