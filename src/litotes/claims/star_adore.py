"""What the STAR and ADORE paper promises (Zhan et al., SIGIR 2021), asked of two data sets.

Protocol of the specification: a warm-up with in-batch negatives, then from that checkpoint one more stage of each arm
with as many steps, and on top of it a second stage. The in-batch arm with equal steps is the control for everything.

- ``pydocs``: all-MiniLM-L6-v2, its last two layers trained, 50 steps a stage. Test is measured by the complete truth.
- ``nfcorpus``: a bag of words with two linear heads, trained from nothing: 1,000 steps of warm-up, 500 a stage.

Errors of a query are summed over its positives, of which nfcorpus has dozens: there a cut at 10 would be reached by
nearly every query, so the errors at the top are cut at 200, the depth of the lists. The sizes of effect for errors are
about a tenth, and on nfcorpus a hundredth, of what the warm-up leaves on dev.

Learning rates are chosen on dev, as many for every arm, with a seed that is not reported.
"""

from collections.abc import Sequence
from typing import Any

from litotes.claims.retrieval_study import ERRORS, METRICS, OVERLAP, run_recipe
from litotes.evaluation.claim import Arm, Claim, Holds

__all__ = ["CLAIMS", "run"]

run = run_recipe

_READING = {
    "pydocs": {
        "encoder": "builtin:minilm",
        "trained_layers": 2,
        "query_length": 32,
        "corpus_length": 64,
        "dtype": "bfloat16",
        "max_steps": 50,
        "save_steps": 1000,
    },
    "nfcorpus": {"encoder": "word-bag", "scale": 1.0, "max_steps": 500, "save_steps": 2000},
}
_RATES = {
    "pydocs": {"star": (5e-5, 1e-4, 2e-4, 5e-4), "adore": (5e-5, 1e-4, 2e-4, 5e-4)},
    "nfcorpus": {"star": (2e-4, 5e-4, 1e-3, 2e-3), "adore": (1e-4, 2e-4, 5e-4, 1e-3)},
}
_WARM_UP = {
    "pydocs": {"learning_rate": 5e-5},
    "nfcorpus": {"learning_rate": 2e-3, "max_steps": 1000},
}
_SECONDS = {"pydocs": 28.0, "nfcorpus": 22.0}
_EFFECT = 0.01  # of nDCG@10: half of the smallest step between arms in the paper
_ERRORS = {"pydocs": 1.0, "nfcorpus": 250.0}
_TOP_ERRORS = {"pydocs": ("errors@10", 0.2), "nfcorpus": ("errors@200", 1.0)}
_SEEDS = {"pydocs": range(5), "nfcorpus": range(8)}

IN_BATCH = {"num_negatives": 0}
STATIC = {"random_weight": 0.0}
RANDOM = {"random_weight": 0.0, "miner": "random"}


def _arms(data: str) -> dict[str, Arm]:
    """Every arm on one data set, by name."""
    reading, rates, seconds = _READING[data], _RATES[data], _SECONDS[data]

    def star(options: dict[str, Any], start: Arm) -> Arm:
        trials = [{"learning_rate": rate} for rate in rates["star"]]
        return Arm("star", {**reading, **options}, start, trials, seconds)

    def adore(start: Arm) -> Arm:
        trials = [{"learning_rate": rate} for rate in rates["adore"]]
        return Arm("adore", {**reading, "top": 200, "metric_cut": 200}, start, trials, seconds)

    warm_up = Arm("star", {**reading, **IN_BATCH, **_WARM_UP[data]}, seconds=seconds)
    first = {
        "in-batch": star(IN_BATCH, warm_up),
        "random": star(RANDOM, warm_up),
        "static": star(STATIC, warm_up),
        "STAR": star({}, warm_up),
        "ADORE": adore(warm_up),
    }
    return {
        **first,
        "in-batch, in-batch": star(IN_BATCH, first["in-batch"]),
        "STAR, STAR": star({}, first["STAR"]),
        "in-batch, ADORE": adore(first["in-batch"]),
        "STAR, ADORE": adore(first["STAR"]),
    }


def _claims(data: str) -> list[Claim]:
    arms, seeds = _arms(data), _SEEDS[data]

    def claim(
        name: str, says: str, source: str, holds: Sequence[Holds], metric: str = "nDCG@10", effect: float = _EFFECT
    ) -> Claim:
        named = {arm: arms[arm] for comparison in holds for arm in comparison if arm in arms}
        shown = [other for other in (*METRICS, *ERRORS, OVERLAP) if other != metric]
        return Claim(
            name=f"{data}-{name}",
            says=says,
            source=source,
            data=data,
            metric=metric,
            arms=named,
            holds=holds,
            seeds=seeds,
            choose_by="nDCG@10",
            shown=shown,
            effect=effect,
        )

    return [
        claim(
            "star",
            "STAR improves over in-batch negatives alone and over static hard negatives alone",
            "section 4; checklist line 3",
            [("STAR", ">", "in-batch"), ("STAR", ">", "static")],
        ),
        claim(
            "static-is-risky",
            "Static hard negatives alone are worse than with random negatives added, and than in-batch ones",
            "section 3.3; checklist line 2",
            [("static", "<", "STAR"), ("static", "<", "in-batch")],
        ),
        claim(
            "adore",
            "ADORE improves over its starting point trained in-batch for as many more steps",
            "abstract; checklist lines 4 and 5",
            [("ADORE", ">", "in-batch")],
        ),
        claim(
            "combination",
            "STAR then ADORE is best: better than STAR twice, than ADORE on in-batch, than in-batch throughout",
            "abstract; checklist line 5",
            [
                ("STAR, ADORE", ">", "STAR, STAR"),
                ("STAR, ADORE", ">", "in-batch, ADORE"),
                ("STAR, ADORE", ">", "in-batch, in-batch"),
            ],
        ),
        claim(
            "total-error",
            "Random negatives minimise the total number of pairwise errors: fewer than static hard negatives leave",
            "section 3.2; checklist line 1",
            [("random", "<", "static")],
            metric="errors",
            effect=_ERRORS[data],
        ),
        claim(
            "top-error",
            "Hard negatives minimise the errors at the top: fewer, once cut, than random negatives leave",
            "section 3.3; checklist line 1",
            [("ADORE", "<", "random"), ("STAR", "<", "random")],
            metric=_TOP_ERRORS[data][0],
            effect=_TOP_ERRORS[data][1],
        ),
        claim(
            "stale",
            "A static list goes stale: training on it alone moves its documents out of the top more than in-batch does",
            "section 3.3",
            [("static", "<", "in-batch")],
            metric=OVERLAP,
            effect=0.05,
        ),
    ]


CLAIMS = (*_claims("pydocs"), *_claims("nfcorpus"))
