"""How a judge's values are read: as trust, by a rule of its own, or raw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from litotes.core import Candidates, Collection, RunFolder
from litotes.core.candidate_run import CANDIDATES, JUDGEMENTS

__all__ = ["Verdict", "verdicts_of"]


@dataclass(frozen=True)
class Verdict:
    """One judge, as a report reads it.

    Attributes:
        reading: ``"trust"``: a cell is suspected when its trust is below 0.5; ``"rule"``: a margin judge, whose value
            is how far the candidate lies below the highest score above suspicion, so that it is suspected below 0;
            ``"raw"``: values without a threshold, nothing is suspected by them.
        is_margin: whether its value is such a margin, however it is read.
        calibration: in words, what its probabilities were fitted on.
        not_seen: miners whose candidates it has not looked at, because they came later.
        explain: says of a cell (row, col) why it got its value.
    """

    name: str
    reading: Literal["trust", "rule", "raw"]
    is_margin: bool = False
    calibration: str | None = None
    not_seen: tuple[str, ...] = ()
    explain: Callable[[int, int], str] | None = None

    @property
    def gives_trust(self) -> bool:
        """Whether the judge gives a probability."""
        return self.reading == "trust"

    @property
    def flags_cells(self) -> bool:
        """Whether the judge says of a cell that it is suspect or not."""
        return self.reading != "raw"

    def values(self, cells: Candidates) -> np.ndarray:
        """The raw values, NaN where the judge did not say; float64 ``[cells]``."""
        return cells.column(f"judge.{self.name}")

    def flags(self, cells: Candidates) -> np.ndarray:
        """1 suspect, 0 not, NaN not said; float64 ``[cells]``."""
        if self.reading == "raw":
            return np.full(len(cells), np.nan)
        said, threshold = (cells.column(f"trust.{self.name}"), 0.5) if self.gives_trust else (self.values(cells), 0.0)
        return np.where(np.isnan(said), np.nan, said < threshold)


def verdicts_of(run: RunFolder, data: Collection) -> list[Verdict]:
    """How each judge of a run is read, by its stage in ``run.json``; judges with trust first, margins last."""
    found = [
        _verdict(key.split("/", 1)[1], stage, run, data)
        for key, stage in run.stages.items()
        if key.startswith(f"{JUDGEMENTS}/") and stage["done"]
    ]
    return sorted(found, key=lambda verdict: ("trust", "raw", "rule").index(verdict.reading))


def _verdict(name: str, stage: dict[str, Any], run: RunFolder, data: Collection) -> Verdict:
    summary, kind = stage["summary"], stage["fingerprints"].get("judge")
    is_margin = kind == "margin"
    reading: Literal["trust", "rule", "raw"] = "trust" if summary.get("trusted") else "rule" if is_margin else "raw"
    miners = {key: part["digests"] for key, part in run.stages.items() if key.startswith(f"{CANDIDATES}/")}
    return Verdict(
        name,
        reading,
        is_margin=is_margin,
        calibration=summary.get("calibration"),
        not_seen=tuple(key.split("/", 1)[1] for key in miners if key not in stage["fingerprints"]),
        explain=_explainer(kind, stage["config"], data),
    )


def _explainer(kind: str | None, config: dict[str, Any], data: Collection) -> Callable[[int, int], str] | None:
    """The words of the document judge, from its words and names alone: no encoder is loaded for a report."""
    if kind != "document":
        return None
    from litotes.judging import DocumentJudge

    judge = DocumentJudge(ngram=config.get("ngram", 3), calibration=None)
    return lambda row, col: judge.explain(data, row, col)
