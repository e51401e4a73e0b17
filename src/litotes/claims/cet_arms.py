"""The arms of CET's claims, by study: ways to choose negatives, with and without weights, and controls."""

from typing import Any

from litotes.evaluation.claim import Arm

__all__ = ["FEATURES", "ORDERS", "SEEDS", "SHOWN", "SIMULATED", "TEXTS"]

_SECONDS = {"simulated": 2.0, "features": 5.0, "texts": 115.0}
SEEDS = {"simulated": range(30, 38), "features": range(30, 38), "texts": range(30, 35)}  # nobody has looked at these


def _arm(command: str, **config: Any) -> Arm:
    return Arm(command, config, seconds=1.0 if "order" in config else _SECONDS[command])


SIMULATED = {
    "unweighted": _arm("simulated"),
    **{f"CET T={T:g}": _arm("simulated", debias_ratio=T) for T in (10.0, 2.0, 1.0, 0.5)},
    "CET T=1, same inputs": _arm("simulated", debias_ratio=1.0, selection_inputs="same"),
    "oracle": _arm("simulated", oracle=True),
    "weak order": _arm("simulated", order="weak"),
    "strong order": _arm("simulated", order="strong"),
    "weak, unweighted": _arm("simulated", negatives="weak"),
    "strong, unweighted": _arm("simulated", negatives="strong"),
    "strong, CET T=2": _arm("simulated", negatives="strong", debias_ratio=2.0),
    "strong, oracle": _arm("simulated", negatives="strong", oracle=True),
}
ORDERS = ("BM25 order", "hybrid order", "dense order")
FEATURES = {
    **{name: _arm("features", order=name.split()[0].lower()) for name in ORDERS},
    "BM25, unweighted": _arm("features", negatives="bm25"),
    "hybrid, unweighted": _arm("features", negatives="hybrid"),
    "dense, unweighted": _arm("features", negatives="dense"),
    **{f"hybrid, CET T={T:g}": _arm("features", negatives="hybrid", debias_ratio=T) for T in (10.0, 2.0, 1.0, 0.5)},
    **{
        f"hybrid, CET T={T:g}, same inputs": _arm(
            "features", negatives="hybrid", debias_ratio=T, selection_inputs="same"
        )
        for T in (2.0, 1.0)
    },
    "hybrid, oracle": _arm("features", negatives="hybrid", oracle=True),
}
TEXTS = {
    "hybrid order": _arm("texts", order="hybrid"),
    "BM25, unweighted": _arm("texts", negatives="bm25"),
    "hybrid, unweighted": _arm("texts", negatives="hybrid"),
    "hybrid, CET T=2": _arm("texts", negatives="hybrid", debias_ratio=2.0),
    "hybrid, oracle": _arm("texts", negatives="hybrid", oracle=True),
}
SHOWN = {
    "simulated": ("AUC", "nDCG@10", "weight ratio", "false negatives"),
    "features": ("nDCG@10", "nDCG@10, all queries", "weight ratio", "false negatives"),
    "texts": ("nDCG@10", "nDCG@10, all queries", "weight ratio", "false negatives"),
}
