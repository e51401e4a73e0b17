"""Every judge of ours runs the contract suite that others run on theirs."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from litotes.judging import (
    CalibratedJudge,
    Calibration,
    CrossEncoderJudge,
    DocumentJudge,
    MarginJudge,
    RankJudge,
    SelectionJudge,
)
from litotes.testing import Check, check_judge
from tests.unit.judging.small_cross_encoder import save_small_cross_encoder

FOLDER = TemporaryDirectory(prefix="litotes-cross-encoder-")


def count_letters(texts):
    return np.array([[text.lower().count(letter) for letter in "abcdeost"] for text in texts], dtype=np.float64) + 1.0


@cache
def cross_encoder() -> Any:
    from sentence_transformers import CrossEncoder

    return CrossEncoder(save_small_cross_encoder(Path(FOLDER.name)), device="cpu")


def calibrated() -> CalibratedJudge:
    return CalibratedJudge(MarginJudge(scorer="bm25"), Calibration(("value",), (-0.7,), 0.2))


def selection() -> SelectionJudge:
    from litotes.models.feature_ranker import FeatureRanker
    from litotes.models.selection_model import SelectionModel

    path = Path(FOLDER.name) / "cet"
    FeatureRanker(("bm25", "tfidf", "length")).save(path)
    SelectionModel(FeatureRanker(("bm25", "overlap"), seed=1)).save(path / "selection")
    return SelectionJudge(str(path))


JUDGES: dict[str, dict[str, Any]] = {
    "document": {"make": DocumentJudge, "gives_trust": True},
    "document-raw": {"make": lambda: DocumentJudge(encoder=count_letters, ngram=2, calibration=None)},
    "margin": {"make": lambda: MarginJudge(absolute_margin=0.1, percentile=90, encoder=count_letters)},
    "margin-bm25": {"make": lambda: MarginJudge(scorer="bm25", positive="max")},
    "margin-calibrated": {"make": calibrated, "gives_trust": True},
    "cross-encoder": {"make": lambda: CrossEncoderJudge(cross_encoder()), "tolerance": 1e-4},
    "selection": {"make": selection},
    "rank": {"make": lambda: RankJudge(count_letters, top=5)},
}

CHECKS = [pytest.param(check, id=f"{name}-{check}") for name, judge in JUDGES.items() for check in check_judge(**judge)]


@pytest.mark.parametrize("check", CHECKS)
def test_judges(check: Check):
    check()
