"""Is the candidate the positive document over again? Compare the two *documents*, not query and document.

A candidate that carries the positive's name and shares its words is most likely a positive that nobody judged. The
usual margin between query-document scores hardly sees those: what it flags on ``pydocs`` is wrong in nineteen cases of
twenty, because a good hard negative is meant to score high.
"""

from __future__ import annotations

import json
import os
from importlib import resources
from typing import Any, NamedTuple

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.checks import check_int
from litotes.core.errors import LitotesError, StaleError
from litotes.core.fingerprint import difference, digest
from litotes.core.progress import Progress
from litotes.judging.calibration import Calibration
from litotes.judging.document_pairs import FEATURES, DocumentPairs
from litotes.mining.named import check_name
from litotes.models.encoder import Encoder, resolve_encoder

__all__ = ["DocumentJudge"]

_BLOCK = 1 << 15  # cells compared at once
_DECISIVE = ("judge", "ngram", "encoder weights")  # parts of a judge's fingerprint that a calibration holds for
_RUNS = {1: "words", 2: "word pairs", 3: "word triples"}


class DocumentJudge:
    """Compares each candidate document with the positive documents of its row.

    ``judge.<name>`` is the raw value: Jaccard coefficient of the word n-grams of the two texts without their titles,
    plus 0.6 where both have the same name (last dotted part of the title, or a whole title of several words), plus the
    cosine of the two texts if there is an encoder. Of several positives the one with the largest value counts.
    ``trust.<name>`` comes from a calibration: one for two documents with titles, one for others. Where the row has no
    positive with a text, or the candidate has no text, both are null.

    Only observed positives are looked at; a document that is labelled for another query is treated like any other.

    Args:
        encoder: what to embed texts with; None compares words only. On pydocs it adds nothing to the words; it is for
            data whose documents say one thing in different words.
        ngram: words in an n-gram.
        calibration: ``"builtin"`` (fitted on pydocs, for ``ngram=3`` and no encoder), a :class:`Calibration`, the path
            of one, or None (``"none"`` on the command line) for raw values only.
        name: what the columns are called.

    Raises:
        LitotesError: a parameter out of its range.
        StaleError: the calibration was fitted to the values of a judge with another n or another encoder.
    """

    kind = "document"

    def __init__(
        self,
        encoder: Any = None,
        ngram: int = 3,
        calibration: str | os.PathLike[str] | Calibration | None = "builtin",
        name: str = "document",
    ) -> None:
        self.ngram = check_int("DocumentJudge", "ngram", ngram, at_least=1)
        self.encoder: Encoder | None = None if encoder is None else resolve_encoder(encoder)
        self.name = check_name("DocumentJudge", name)
        self._calibrations = _resolved(calibration)
        for each in self.calibrations:
            self._check(each)
        self._prepared: tuple[str, DocumentPairs] | None = None

    def judge(self, candidates: Candidates, data: Collection) -> Candidates:
        """The candidates with the columns ``judge.<name>`` and, if calibrated, ``trust.<name>``; none is dropped.

        Raises:
            StaleError: the candidates were made from other data.
            LitotesError: the data's columns have no texts.
        """
        candidates.check_data(data)
        pairs = self._pairs(data)
        value, trust = np.full(len(candidates), np.nan), np.full(len(candidates), np.nan)
        with Progress("Comparing documents", total=len(candidates), unit="cells") as bar:
            for start in range(0, len(candidates), _BLOCK):
                rows, cols = candidates.row[start : start + _BLOCK], candidates.col[start : start + _BLOCK]
                cells, best = pairs.best(rows, cols)
                value[start + cells] = best["value"]
                trust[start + cells] = self._trust(best, candidates.assumed[start + cells])
                bar.advance(len(rows))
        columns = {f"judge.{self.name}": value}
        if self._calibrations is not None or self.name in candidates.trusted_by:  # no older trust is left standing
            columns[f"trust.{self.name}"] = trust
        return candidates.with_columns(columns)

    def explain(self, data: Collection, row: int, col: int) -> str:
        """Why a cell got its value, in words; positions of its row and column."""
        pairs = self._pairs(data)
        cells, best = pairs.best(np.array([row]), np.array([col]))
        if not len(cells):
            return "no text to compare"
        positive, named = int(best["positive"][0]), bool(best["named"][0])
        said = [f"{best['shared'][0]:.0%} of the {_RUNS.get(self.ngram, f'runs of {self.ngram} words')} shared"]
        if named:
            ours, theirs = repr(pairs.names[col]), repr(pairs.names[positive])
            said.insert(0, f"same name {ours}" if best["same_name"][0] else f"names {ours} and {theirs}")
        if self.encoder is not None:
            said.append(f"cosine {best['cosine'][0]:.2f}")
        return f"{'; '.join(said)} (positive {data.col_ids[positive]})"

    def says(self, data: Collection) -> str:
        """In words, whether the trust that this judge gives holds for ``data``."""
        return "not calibrated" if self._calibrations is None else self._calibrations.named.says(data)

    @property
    def calibrations(self) -> tuple[Calibration, ...]:
        """The calibrations in use: none, or one for two documents with names and one for others."""
        return () if self._calibrations is None else (self._calibrations.named, self._calibrations.unnamed)

    def fingerprint(self) -> dict[str, str]:
        """What decides the columns, by part."""
        calibration = digest([each.fingerprint for each in self.calibrations]) if self.calibrations else "none"
        return {**self._values_fingerprint(), "calibration": calibration}

    def _values_fingerprint(self) -> dict[str, str]:
        encoder = {} if self.encoder is None else self.encoder.fingerprint("document")
        return {"judge": self.kind, "ngram": str(self.ngram), **{f"encoder {part}": of for part, of in encoder.items()}}

    def _check(self, calibration: Calibration) -> None:
        unknown = [name for name in calibration.features if name not in FEATURES]
        if unknown or ("cosine" in calibration.features and self.encoder is None):
            raise LitotesError(
                f"The calibration reads {', '.join(calibration.features)}. DocumentJudge knows {', '.join(FEATURES)}; "
                "cosine needs an encoder."
            )
        ours = {part: value for part, value in self._values_fingerprint().items() if part in _DECISIVE}
        theirs = {part: value for part, value in calibration.judge.items() if part in _DECISIVE}
        differs = difference(ours, theirs) if theirs else []
        if differs:
            raise StaleError(
                f"The calibration was fitted to a judge with another {' and another '.join(differs)}. Fit one to this "
                "judge (litotes judge --calibrate), or pass calibration=None for raw values only."
            )

    def _trust(self, best: dict[str, np.ndarray], assumed: np.ndarray) -> np.ndarray:
        trust = np.full(len(assumed), np.nan)
        if self._calibrations is not None:
            for calibration, inside in zip(self._calibrations, (best["named"], ~best["named"]), strict=True):
                values = np.stack([best[name][inside] for name in calibration.features], axis=1)
                trust[inside] = calibration.trust(values, assumed[inside])
        return trust

    def _pairs(self, data: Collection) -> DocumentPairs:
        """The prepared documents, kept for the next shard of the same data; not with an encoder that may change."""
        if self.encoder is not None and not self.encoder.fingerprint("document"):
            return DocumentPairs(data, self.ngram, self.encoder)
        key = digest(data.labels.fingerprint, data.cols.fingerprint, self._values_fingerprint())
        if self._prepared is None or self._prepared[0] != key:
            self._prepared = key, DocumentPairs(data, self.ngram, self.encoder)
        return self._prepared[1]


class _Calibrations(NamedTuple):
    named: Calibration
    unnamed: Calibration


def _resolved(calibration: str | os.PathLike[str] | Calibration | None) -> _Calibrations | None:
    if calibration is None or calibration == "none":
        return None
    if calibration == "builtin":
        return _Calibrations(_shipped("names.json"), _shipped("no-names.json"))
    if not isinstance(calibration, Calibration):
        calibration = Calibration.load(calibration)
    return _Calibrations(calibration, calibration)


def _shipped(name: str) -> Calibration:
    file = resources.files("litotes.judging") / "calibrations" / name
    return Calibration.from_dict(json.loads(file.read_text(encoding="utf-8")), name)
