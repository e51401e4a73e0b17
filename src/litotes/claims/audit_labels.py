"""What the audit of class labels promises, where the truth is known: wrong labels stand first in its list.

The audit's own order is one fixed combination (:mod:`litotes.auditing.label_ranking`). Its detectors, their options and
the formula were chosen on a few draws of noise in TREC-6 and digits, so that claims on those two speak of data that was
looked at. On all other data nothing was looked at.

It meets cleanlab as a user would run it and better: of five label quality scores (self-confidence, normalised margin,
weighted entropy, and the first two adjusted by class), on cross-validated logistic regressions of two strengths, the
one with the highest average precision *by the truth* stands as ``cleanlab``; nobody could choose so well. cleanlab's
own default, self-confidence, is the same as our detector ``pred-probs``, which stands beside it.

``AP`` is the average precision of the whole order, ``P@N`` the precision of its first N rows, N being the number of
wrong labels. ``flagged``, ``flag precision`` and ``flag recall`` are of what is called an issue: by the rule of the
audit for every detector, by its own filter for cleanlab. ``wrong`` is the effective rate of noise, which is what AP and
P@N are for an order at random.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from litotes.claims.planted_noise import STRENGTHS, planted, probabilities, scores_of
from litotes.core.fingerprint import digest
from litotes.core.seeds import rng
from litotes.evaluation.claim import Arm, Claim
from litotes.evaluation.experiment import Cell, Outcome

__all__ = ["CLAIMS", "METRICS", "run"]

METRICS = ("AP", "P@N", "flagged", "flag precision", "flag recall", "wrong")

_CLEANLAB = (
    ("self_confidence", False), ("normalized_margin", False), ("confidence_weighted_entropy", False),
    ("self_confidence", True), ("normalized_margin", True),
)  # fmt: skip
_ALONE = ("elr", "small-loss", "neighbours", "pred-probs")
_SEEDS = range(50, 58)
_EFFECT = 0.02
_SECONDS = {"digits": 4.0, "trec6": 6.0, "banking77": 10.0, "clinc150": 14.0, "fashion-mnist-15k": 20.0}
_LOOKED_AT = "The audit's order was fixed on draws of this data, with other seeds."


def run(cell: Cell) -> Outcome:
    """Order the labels as the arm says, and hold the order against what is wrong."""
    draw = (cell.data, cell.arm.config["noise"], cell.arm.config["rate"], cell.seed)
    drawn = planted(*draw)
    facts: dict[str, object] = {}
    score: np.ndarray
    issue: np.ndarray
    if cell.arm.command == "random":
        score, issue = rng(cell.seed, "random order").random(len(drawn.labels)), np.zeros(len(drawn.labels), dtype=bool)
    elif cell.arm.command == "cleanlab":
        score, issue, facts = _cleanlab(draw)
    else:
        from litotes.auditing.label_ranking import DEFAULT, ranked

        names = DEFAULT if cell.arm.command == "audit" else (cell.arm.command,)
        found = ranked([scores_of(*draw, name) for name in names], drawn.labels)
        score, issue = found.score, found.issue
    facts |= {"data": {"name": cell.data, "fingerprint": _fingerprint(draw)}, "rows": len(drawn.labels)}
    return Outcome(dict(zip(METRICS, _measured(score, issue, drawn.wrong), strict=True)), {}, facts)


def _measured(score: np.ndarray, issue: np.ndarray, wrong: np.ndarray) -> tuple[float, ...]:
    from sklearn.metrics import average_precision_score

    first = np.argsort(score, kind="stable")[: int(wrong.sum())]
    hits = int((issue & wrong).sum())
    return (
        float(average_precision_score(wrong, -score)),
        float(wrong[first].mean()),
        float(issue.mean()),
        hits / max(int(issue.sum()), 1),
        hits / int(wrong.sum()),
        float(wrong.mean()),
    )


def _cleanlab(draw: tuple[str, str, float, int]) -> tuple[np.ndarray, np.ndarray, dict[str, object]]:
    """The best of cleanlab's orders by the truth, what its filter flags on the same probabilities, and all their AP."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores
    from sklearn.metrics import average_precision_score

    drawn = planted(*draw)
    orders = {}
    for strength in STRENGTHS if drawn.pred_probs is None else STRENGTHS[:1]:
        shares = probabilities(*draw, strength)
        for method, adjust in _CLEANLAB:
            score = get_label_quality_scores(drawn.labels, shares, method=method, adjust_pred_probs=adjust)
            name = f"{method}{', adjusted' if adjust else ''}, C={strength:g}"
            orders[name] = (float(average_precision_score(drawn.wrong, -score)), score, shares)
    best = max(orders, key=lambda name: orders[name][0])
    issue = find_label_issues(drawn.labels, orders[best][2], n_jobs=1)
    return orders[best][1], issue, {"best": best, "AP of each": {name: order[0] for name, order in orders.items()}}


def _fingerprint(draw: tuple[str, str, float, int]) -> str:
    drawn = planted(*draw)
    return digest(drawn.features, drawn.pred_probs, drawn.labels, drawn.wrong)


def _claim(
    data: str,
    noise: str,
    rate: float,
    says: str,
    first: str = "audit",
    others: Sequence[str] = ("cleanlab",),
    shown: Sequence[str] = _ALONE,
    note: str = "",
) -> Claim:
    config = {"noise": noise, "rate": rate}
    seconds: Mapping[str, float] = {first: _SECONDS.get(data, 12.0), "cleanlab": _SECONDS.get(data, 12.0) / 2}
    share = f"-{round(100 * rate)}" if rate else ""
    return Claim(
        name=f"{data}-{noise}{share}",
        says=says,
        source="Litotes, audit",
        data=data,
        metric="AP",
        arms={name: Arm(name, config, seconds=seconds.get(name, 2.0)) for name in (first, *others, *shown)},
        holds=[(first, ">", other) for other in others],
        effect=_EFFECT,
        seeds=_SEEDS,
        shown=METRICS[1:],
        note=note,
    )


_WORDS = {
    "symmetric": "{} % of the labels are any other class",
    "pairs": "{} % of every class are labelled as the next",
    "matrix": "{} % of every class are labelled as one of the three most similar",
}

CLAIMS = (
    *(
        _claim(
            data, noise, rate,
            f"Where {words.format(round(100 * rate))}, the audit finds them sooner than cleanlab's best order",
            note=_LOOKED_AT if data in ("digits", "trec6") else "",
        )
        for data in ("digits", "trec6", "banking77", "clinc150")
        for noise, words in _WORDS.items()
        for rate in (0.1, 0.2, 0.4)
    ),
    _claim(
        "fashion-mnist-15k", "human", 0.0,
        "Where pictures are mistaken as people mistake them, the audit finds them sooner than cleanlab's best order",
        note="The matrix is measured on other pictures, and mistakes are drawn by class.",
    ),
    *(
        _claim(
            "semeval2010-task8", design, 0.0,
            "Where 30 % of the positives are labelled as the negative class, the audit finds them sooner than "
            "cleanlab's best order",
        )
        for design in ("rest", "other")
    ),
    *(
        _claim(
            "test-set-errors", name, 0.0,
            "Among items that cleanlab picked and a crowd voted on, the probability of the given label finds wrong "
            "labels sooner than chance",
            "pred-probs", ("random",), ("cleanlab",),
            note="Outside of the count: the items are those that cleanlab suspects, so that no order of theirs says "
            "what is found in all of the data. Seeds draw four of five items.",
        )
        for name in ("20news", "mnist")
    ),
)  # fmt: skip
