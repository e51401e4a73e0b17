"""Which cells to trust: one judge a file. A judge adds columns to candidates and drops none."""

from litotes.core.lazy import lazy_names

__all__ = [
    "CalibratedJudge",
    "Calibration",
    "CrossEncoderJudge",
    "DocumentJudge",
    "Judge",
    "MarginJudge",
    "PairScorer",
    "RankJudge",
    "SelectionJudge",
    "calibrate",
    "filter_pairs",
    "judge_from_spec",
    "judge_into",
    "observed_pairs",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CalibratedJudge": "litotes.judging.calibrate",
        "Calibration": "litotes.judging.calibration",
        "CrossEncoderJudge": "litotes.judging.cross_encoder",
        "DocumentJudge": "litotes.judging.document",
        "Judge": "litotes.judging.named",
        "MarginJudge": "litotes.judging.margin",
        "PairScorer": "litotes.judging.pair_scorer",
        "RankJudge": "litotes.judging.rank",
        "SelectionJudge": "litotes.judging.selection",
        "calibrate": "litotes.judging.calibrate",
        "filter_pairs": "litotes.judging.pair_filter",
        "judge_from_spec": "litotes.judging.named",
        "judge_into": "litotes.judging.run",
        "observed_pairs": "litotes.judging.pair_filter",
    },
)
