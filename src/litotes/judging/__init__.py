"""Which cells to trust: one judge a file. A judge adds columns to candidates and drops none."""

from litotes.core.lazy import lazy_names

__all__ = [
    "CalibratedJudge",
    "Calibration",
    "CrossEncoderJudge",
    "DocumentJudge",
    "Judge",
    "MarginJudge",
    "NeighbourFlags",
    "PairScorer",
    "RankJudge",
    "SelectionJudge",
    "calibrate",
    "extrinsic_flags",
    "false_negatives",
    "filter_pairs",
    "forget_schedule",
    "intrinsic_flags",
    "judge_from_spec",
    "judge_into",
    "observed_pairs",
    "small_loss",
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
        "NeighbourFlags": "litotes.judging.neighbour_votes",
        "PairScorer": "litotes.judging.pair_scorer",
        "RankJudge": "litotes.judging.rank",
        "SelectionJudge": "litotes.judging.selection",
        "calibrate": "litotes.judging.calibrate",
        "extrinsic_flags": "litotes.judging.neighbour_votes",
        "false_negatives": "litotes.judging.neighbour_votes",
        "filter_pairs": "litotes.judging.pair_filter",
        "forget_schedule": "litotes.judging.small_loss",
        "intrinsic_flags": "litotes.judging.neighbour_votes",
        "judge_from_spec": "litotes.judging.named",
        "judge_into": "litotes.judging.run",
        "observed_pairs": "litotes.judging.pair_filter",
        "small_loss": "litotes.judging.small_loss",
    },
)
