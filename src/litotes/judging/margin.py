r"""The usual margin: a candidate that scores nearly like the positive is suspect.

With :math:`s` the candidate's score and :math:`s^+` the positive's, a rule sets the highest score above suspicion:

.. math::
    \text{absolute: } s^+ - m \qquad \text{relative: } s^+ - m\,|s^+| \qquad
    \text{percentile: } Q_q(\text{scores of all positives}) \qquad \text{fixed: max\_score}

The relative one is TopK-PercPos of NV-Retriever (Moreira et al. 2024, section 3): for m = 0.05 it keeps what scores at
most 95 % of the positive; written with :math:`|s^+|` it stays right for negative scores.

A margin is the poor baseline: a good hard negative is *meant* to score high, and on ``pydocs`` nineteen of twenty cells
that it flags are good ones. So it gives a raw column and never a trust.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from litotes.core import Candidates, Collection, LitotesError
from litotes.core.checks import check_choice, check_float
from litotes.core.fingerprint import digest
from litotes.judging.pair_scorer import BM25Cells, CellScorer, PairCells, PairScorer, VectorCells
from litotes.mining.named import check_name
from litotes.models.encoder import resolve_encoder

__all__ = ["MarginJudge", "highest_unsuspected"]

_USUAL = 0.05


class MarginJudge:
    """``judge.<name>`` is how far a candidate's score lies below the highest score above suspicion.

    Below 0 the rule would drop the cell, from 0 on it would keep it, exactly as ``mine_hard_negatives`` of
    sentence-transformers does with the same options. Of several rules the strictest counts. Null where the row has no
    positive with content, or the candidate has none. No ``trust`` is ever given; ``--drop-margin`` cuts on this column.

    Args:
        absolute_margin: how far below the positive, in units of score.
        relative_margin: how far below the positive, as a share of the size of its score.
        percentile: 0 to 100; suspect is what scores above this percentile of all observed positives.
        max_score: suspect is what scores above this.
            Without any of the four: ``relative_margin=0.05``.
        encoder: what scores cells, by the product of two vectors; default ``builtin:minilm``.
        scorer: what scores cells instead: ``"bm25"``, or anything with ``score(pairs)`` such as a cross-encoder.
        positive: which of several positives counts: ``"min"``, the one that scores lowest (the safe side, and what
            sentence-transformers takes), or ``"max"``.
        query_prompt, corpus_prompt, device, dtype, batch_size: of the encoder, see
            :func:`litotes.models.encoder.resolve_encoder`.
        name: what the column is called.

    Raises:
        LitotesError: a parameter out of its range, or both an encoder and a scorer.
    """

    kind = "margin"

    def __init__(
        self,
        absolute_margin: float | None = None,
        relative_margin: float | None = None,
        percentile: float | None = None,
        max_score: float | None = None,
        encoder: Any = None,
        scorer: Any = None,
        positive: Literal["min", "max"] = "min",
        query_prompt: str | None = None,
        corpus_prompt: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 32,
        name: str = "margin",
    ) -> None:
        self.name = check_name("MarginJudge", name)
        self.positive = check_choice("MarginJudge", "positive", positive, ("min", "max"))
        self.absolute_margin = _optional("absolute_margin", absolute_margin)
        self.relative_margin = _optional("relative_margin", relative_margin)
        self.percentile = _optional("percentile", percentile, at_least=0, at_most=100)
        self.max_score = _optional("max_score", max_score)
        if all(rule is None for rule in (absolute_margin, relative_margin, percentile, max_score)):
            self.relative_margin = _USUAL
        self.encoder, self.scorer = encoder, scorer
        self.query_prompt, self.corpus_prompt = query_prompt, corpus_prompt
        if encoder is not None and scorer is not None:
            raise LitotesError("MarginJudge takes an encoder or a scorer, not both; a margin is of scores of one kind.")
        self._cells = (
            _other_cells(scorer)
            if scorer is not None
            else VectorCells(
                resolve_encoder(
                    "builtin:minilm" if encoder is None else encoder,
                    query_prompt=query_prompt,
                    corpus_prompt=corpus_prompt,
                    device=device,
                    dtype=dtype,
                    batch_size=batch_size,
                )
            )
        )
        self._quantile_of: tuple[str, float] | None = None

    def judge(self, candidates: Candidates, data: Collection) -> Candidates:
        """The candidates with the column ``judge.<name>``; none is dropped.

        Raises:
            StaleError: the candidates were made from other data.
        """
        candidates.check_data(data)
        positive_rows, positive_cols = _positives_of(candidates.row, data)
        rows = np.concatenate([candidates.row, positive_rows])
        scores = self._cells.score(data, rows, np.concatenate([candidates.col, positive_cols]))
        own, positive = scores[: len(candidates)], np.full(data.n_rows, np.nan)
        (np.fmin if self.positive == "min" else np.fmax).at(positive, positive_rows, scores[len(candidates) :])
        highest = self._highest(positive[candidates.row], data)
        return candidates.with_columns({f"judge.{self.name}": highest - own})

    def fingerprint(self) -> dict[str, str]:
        """What decides the column, by part."""
        rules = ("absolute_margin", "relative_margin", "percentile", "max_score", "positive")
        return {"judge": self.kind, **{rule: str(getattr(self, rule)) for rule in rules}, **self._cells.fingerprint()}

    def _highest(self, positive: np.ndarray, data: Collection) -> np.ndarray:
        """The highest score above suspicion where the positive scores ``positive``; NaN where no positive has one."""
        quantile = None if self.percentile is None else self._quantile(data, self.percentile)
        return highest_unsuspected(positive, self.absolute_margin, self.relative_margin, quantile, self.max_score)

    def _quantile(self, data: Collection, percentile: float) -> float:
        """A percentile of the scores of all observed positives; NaN where none has a score."""
        key = digest(data.fingerprint, self._cells.fingerprint())
        if self._quantile_of is None or self._quantile_of[0] != key:
            scores = self._cells.score(data, *data.labels.positive_cells())
            scores = scores[~np.isnan(scores)]
            self._quantile_of = key, float(np.percentile(scores, percentile)) if len(scores) else np.nan
        return self._quantile_of[1]


def highest_unsuspected(
    positive: np.ndarray,
    absolute_margin: float | None = None,
    relative_margin: float | None = None,
    quantile: float | None = None,
    max_score: float | None = None,
) -> np.ndarray:
    """The highest score that no rule suspects where the positive scores ``positive``; float, of its shape and type.

    ``quantile`` is the score that the percentile stands for. Of several rules the strictest counts; one is needed.
    """
    limits = []
    if absolute_margin is not None:
        limits.append(positive - absolute_margin)
    if relative_margin is not None:
        limits.append(positive - relative_margin * np.abs(positive))
    limits += [np.full_like(positive, limit) for limit in (quantile, max_score) if limit is not None]
    return np.minimum.reduce(limits)


def _positives_of(rows: np.ndarray, data: Collection) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the observed positives of these rows."""
    positive_rows, positive_cols = data.labels.positive_cells()
    asked = np.zeros(data.n_rows, dtype=bool)
    asked[rows] = True
    return positive_rows[asked[positive_rows]], positive_cols[asked[positive_rows]]


def _optional(name: str, value: float | None, **bounds: float) -> float | None:
    return None if value is None else check_float("MarginJudge", name, value, **bounds)


def _other_cells(scorer: Any) -> CellScorer:
    if isinstance(scorer, str):
        check_choice("MarginJudge", "scorer", scorer, ("bm25",))
        return BM25Cells()
    if not isinstance(scorer, PairScorer):
        raise LitotesError(
            f"The 'scorer' parameter of MarginJudge must be 'bm25' or have score(pairs). "
            f"Got {type(scorer).__name__} instead."
        )
    return PairCells(scorer)
