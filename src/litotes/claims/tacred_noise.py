"""What *Noise in TACRED* promises (Parekh et al. 2023), where the truth is known: positives called negative on purpose.

TACRED is licensed, so its F1 and id lists cannot be had here. The data, the noise and the two models are those of
:mod:`litotes.claims.relation_noise`. Every arm makes a training set and trains the same classifier on it, a logistic
regression on standardised columns; its strength is chosen on noisy dev rows, as many trials for every arm, with a seed
that is not reported. ``F1`` leaves the negative class out, is measured on verified test rows, and is the mean over the
spaces of the data (two models, as in the paper); ``F1 as given`` is on test rows as noisy as the training set.

Controls. Dropping negatives raises recall by itself: each dropping arm meets the same number dropped at random.
Extrinsic arms know a clean set: they meet that set alone, and with it added to the noisy rows; arms named ``+ clean``
train on it too. cleanlab needs no clean set and is what a user would otherwise choose: its issues among the negatives,
dropped or relabelled by its own guess.
"""

import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from litotes.claims.relation_noise import NEGATIVE, SPACES, Part, World, hidden_model, sentences_of, world
from litotes.core.fingerprint import digest
from litotes.core.seeds import rng
from litotes.evaluation.claim import Arm, Claim, Holds
from litotes.evaluation.experiment import Cell, Outcome

__all__ = ["CLAIMS", "DETECTION", "IN_NEGATIVES", "run"]

DETECTION = ("flagged", "flag precision", "flag recall", "base rate", "lift", "relabel accuracy")
"""Of what a strategy flags, held against what was flipped; the base rate is the share of wrong labels it examines."""

IN_NEGATIVES = "errors with the negative class"
"""Share of the errors of the model that is looked through, on its own training rows."""

_SCORES = ("F1 as given", "precision", "recall")
_STRENGTHS = tuple({"strength": strength} for strength in (0.001, 0.01, 0.1))
_SEEDS = range(20, 28)  # nobody has looked at these
_EFFECT = 0.02  # half of the gain of about 4 points that the abstract speaks of
_SECONDS = {("semeval2010-task8", "rest"): 7.0, ("semeval2010-task8", "other"): 15.0, ("digits", "rest"): 2.0}
_AGREEING = 3  # runs of other weights whose flags are compared


class _Training(NamedTuple):
    """A training set in one space, what was flagged in it, and what labels the strategy would have written."""

    inputs: np.ndarray
    labels: np.ndarray
    flagged: np.ndarray | None = None
    examined: np.ndarray | None = None
    relabel: Mapping[int, int] | None = None


def run(cell: Cell) -> Outcome:
    """Make the arm's training set in each space, train on it, and measure."""
    config = dict(cell.arm.config)
    negatives, strength = config.pop("negatives"), config.pop("strength", 0.01)
    drawn = world(cell.data, cell.seed, negatives)
    asked = drawn.dev if cell.split == "dev" else drawn.test
    by_space, spaces = [], {}
    for space in SPACES[cell.data]:
        training = _training(cell, drawn, space, negatives, strength, **config)
        model = _regression(strength).fit(training.inputs, training.labels)
        found = _scores(asked, model.predict(asked.inputs[space]), cell.split)
        found |= _detection(drawn.fit, training)
        found |= _agreement(cell, space, negatives, config)
        details = _details(cell, drawn, space, negatives, strength, config, model)
        if "errors of the model" in details:
            found[IN_NEGATIVES] = details["errors of the model"]["counts"]["share_with_negative"]
        by_space.append(found)
        spaces[space] = {**found, **details}
    facts = {"data": {"name": cell.data, "fingerprint": _fingerprint(cell.data)}, "spaces": spaces}
    return Outcome({name: float(np.mean([found[name] for found in by_space])) for name in by_space[0]}, facts=facts)


def _training(
    cell: Cell,
    drawn: World,
    space: str,
    negatives: str,
    strength: float,
    *,
    method: str,
    with_clean: bool = False,
    **options: Any,
) -> _Training:
    fit, clean = drawn.fit, drawn.clean
    inputs, given = fit.inputs[space], fit.given
    if method == "clean":
        return _Training(inputs, fit.truth)
    if method == "noisy":
        made = _Training(inputs, given)
    elif method == "clean set":
        return _Training(clean.inputs[space], clean.truth)
    elif method == "random":
        like = _flags(cell, space, negatives, **options)
        dropped = _random_negatives(given, int(like[0].sum()), cell.seed)
        made = _Training(inputs[~dropped], given[~dropped], dropped, given == NEGATIVE)
    else:
        action = options.pop("action")
        flagged, examined, relabel = (
            _cleanlab(cell, space, negatives, strength, **options)
            if method == "cleanlab"
            else _flags(cell, space, negatives, strategy=method, **options)
        )
        labels = given.copy()
        labels[list(relabel)] = list(relabel.values())
        keep = ~flagged if action == "drop" else np.ones(len(given), dtype=bool)
        made = _Training(inputs[keep], (given if action == "drop" else labels)[keep], flagged, examined, relabel)
    if not with_clean:
        return made
    more = np.concatenate([made.inputs, clean.inputs[space]]), np.concatenate([made.labels, clean.truth])
    return made._replace(inputs=more[0], labels=more[1])


def _flags(
    cell: Cell,
    space: str,
    negatives: str,
    *,
    strategy: str,
    k: int = 3,
    with_positives: bool = False,
    weights_seed: int | None = None,
) -> tuple[np.ndarray, np.ndarray, dict[int, int]]:
    """What a strategy flags, what it examined, and the labels it would write."""
    return _known_flags(
        cell.data,
        cell.seed,
        negatives,
        space,
        strategy,
        k,
        with_positives,
        cell.seed if weights_seed is None else weights_seed,
    )


@lru_cache(maxsize=32)
def _known_flags(
    data: str, seed: int, negatives: str, space: str, strategy: Any, k: int, with_positives: bool, weights_seed: int
) -> tuple[np.ndarray, np.ndarray, dict[int, int]]:
    from litotes.recipes.classification.tacred_noise import NeighbourCleaner

    drawn, seen = world(data, seed, negatives), hidden_model(data, seed, negatives, space, weights_seed)
    options: dict[str, Any] = {"predictions": seen["predictions"]}
    if strategy == "extrinsic":
        options = {"reference": (seen["clean"], drawn.clean.truth), "with_positives": with_positives, "overlap": "drop"}
    cleaner = NeighbourCleaner(strategy=strategy, n_neighbors=k, negative_label=NEGATIVE, **options)
    cleaner.fit_resample(seen["fit"], drawn.fit.given)
    return cleaner.flagged_, cleaner.examined_, cleaner.relabel_


def _cleanlab(
    cell: Cell, space: str, negatives: str, strength: float, *, filter_by: str
) -> tuple[np.ndarray, np.ndarray, dict[int, int]]:
    """cleanlab's issues among the negatives, and the class that it guesses for each."""
    from cleanlab.filter import find_label_issues

    given = world(cell.data, cell.seed, negatives).fit.given
    shares = _cross_shares(cell.data, cell.seed, negatives, space, strength)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        issues = find_label_issues(given, shares, filter_by=filter_by, n_jobs=1)
    flagged = issues & (given == NEGATIVE)
    return flagged, given == NEGATIVE, {int(row): int(shares[row].argmax()) for row in np.flatnonzero(flagged)}


@lru_cache(maxsize=8)
def _cross_shares(data: str, seed: int, negatives: str, space: str, strength: float) -> np.ndarray:
    """Probabilities by models of the other four folds, such as are trained afterwards."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    fit = world(data, seed, negatives).fit
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        return cross_val_predict(_regression(strength), fit.inputs[space], fit.given, cv=folds, method="predict_proba")


def _random_negatives(given: np.ndarray, count: int, seed: int) -> np.ndarray:
    """So many negatives at random, bool."""
    negatives = np.flatnonzero(given == NEGATIVE)
    dropped = np.zeros(len(given), dtype=bool)
    dropped[rng(seed, "random negatives").permutation(negatives)[:count]] = True
    return dropped


def _regression(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))


def _scores(asked: Part, predictions: np.ndarray, split: str) -> dict[str, float]:
    """On dev all by the noisy labels, which is what a user has; on test by the truth, and by the labels as given."""
    from litotes.evaluation.relation_f1 import relation_f1

    by = relation_f1(asked.given if split == "dev" else asked.truth, predictions, NEGATIVE)
    given = relation_f1(asked.given, predictions, NEGATIVE)
    return {"F1": by.f1, "F1 as given": given.f1, "precision": by.precision, "recall": by.recall}


def _detection(fit: Part, training: _Training) -> dict[str, float]:
    if training.flagged is None or training.examined is None:
        return {}
    wrong = fit.given != fit.truth
    base = float(wrong[training.examined].mean())
    precision = float(wrong[training.flagged].mean()) if training.flagged.any() else 0.0
    relabel = training.relabel or {}
    right = np.mean([fit.truth[row] == label for row, label in relabel.items()]) if relabel else 0.0
    recall = float(wrong[training.flagged].sum() / wrong.sum())
    values = (float(training.flagged.sum()), precision, recall, base, precision / base, float(right))
    return dict(zip(DETECTION, values, strict=True))


def _agreement(cell: Cell, space: str, negatives: str, config: Mapping[str, Any]) -> dict[str, float]:
    """How far models of other initial weights, and the other space, flag the same, where the arm asks for it."""
    if config["method"] != "intrinsic" or config.get("action") != "drop" or config.get("k", 3) != 3:
        return {}
    from litotes.auditing.flag_agreement import flag_agreement

    seeds = [cell.seed, *(1000 * n + cell.seed for n in range(1, _AGREEING))]
    runs = {
        f"weights {seed}": _flags(cell, space, negatives, strategy="intrinsic", weights_seed=seed)[0] for seed in seeds
    }
    over_seeds = flag_agreement(runs).pairs
    spaces = {name: _flags(cell, name, negatives, strategy="intrinsic")[0] for name in SPACES[cell.data]}
    over_models = flag_agreement(spaces).pairs
    found = {
        "overlap of seeds": float(np.mean([pair.jaccard or 0.0 for pair in over_seeds])),
        "lift of seeds": float(np.mean([pair.lift or 0.0 for pair in over_seeds])),
    }
    if over_models:
        found["overlap of models"] = float(np.mean([pair.jaccard or 0.0 for pair in over_models]))
        found["lift of models"] = float(np.mean([pair.lift or 0.0 for pair in over_models]))
    return found


def _details(
    cell: Cell, drawn: World, space: str, negatives: str, strength: float, config: Mapping[str, Any], model: Any
) -> dict[str, Any]:
    """Errors by kind and attribute for the arm on noisy rows; for the others what became of each relation beside it."""
    from litotes.evaluation.relation_f1 import relation_changes

    if config["method"] == "noisy":
        return {"errors of the model": _errors(cell, drawn, space, negatives)}
    base = _noisy_model(cell.data, cell.seed, negatives, space, strength)
    asked = drawn.test
    before, after = (one.predict(asked.inputs[space]) for one in (base, model))
    changes = [one.change for one in relation_changes(asked.truth, before, after, NEGATIVE, within=0.005)]
    return {"relations": {change: changes.count(change) for change in ("improved", "declined", "same")}}


@lru_cache(maxsize=8)
def _noisy_model(data: str, seed: int, negatives: str, space: str, strength: float) -> Any:
    fit = world(data, seed, negatives).fit
    return _regression(strength).fit(fit.inputs[space], fit.given)


def _errors(cell: Cell, drawn: World, space: str, negatives: str) -> dict[str, Any]:
    """The characterisation of the model that is looked through, on its own training rows, and of the flipped labels."""
    from litotes.auditing.error_report import error_report
    from litotes.auditing.sentence_attributes import sentence_attributes

    attributes = None
    if cell.data != "digits":
        sentences = sentences_of(cell.data)[0]
        attributes = sentence_attributes([sentences[row] for row in drawn.rows.tolist()])
    seen = hidden_model(cell.data, cell.seed, negatives, space, cell.seed)
    report = error_report(
        drawn.fit.given.tolist(),
        seen["predictions"].tolist(),
        NEGATIVE,
        attributes=attributes,
        reference=drawn.fit.truth.tolist(),
    )
    return report.to_dict()


@lru_cache(maxsize=2)
def _fingerprint(data: str) -> str:
    """Of the rows and their true labels; the same for every arm and seed."""
    if data == "digits":
        from sklearn.datasets import load_digits

        return digest(*load_digits(return_X_y=True))
    return digest(*sentences_of(data)[:2])


def _arms(data: str, negatives: str) -> dict[str, Arm]:
    def arm(method: str, **options: Any) -> Arm:
        config = {"negatives": negatives, "method": method, **options}
        return Arm("clean", config, trials=_STRENGTHS, seconds=_SECONDS[data, negatives])

    found = {
        "noisy": arm("noisy"),
        "clean labels": arm("clean"),
        "clean set": arm("clean set"),
        "noisy + clean": arm("noisy", with_clean=True),
        "IS-E": arm("intrinsic", action="drop"),
        "IS-E, k = 1": arm("intrinsic", action="drop", k=1),
        "IS-E, k = 5": arm("intrinsic", action="drop", k=5),
        "IS-R": arm("intrinsic", action="relabel"),
        "as IS-E, at random": arm("random", strategy="intrinsic"),
        "as EN, at random": arm("random", strategy="extrinsic"),
    }
    for name, action in (("E", "drop"), ("R", "relabel")):
        for suffix, with_positives in (("N", False), ("NP", True)):
            options = {"action": action, "with_positives": with_positives}
            found[f"{name}{suffix}"] = arm("extrinsic", **options)
            found[f"{name}{suffix} + clean"] = arm("extrinsic", **options, with_clean=True)
    for words, filter_by in (("cleanlab", "prune_by_noise_rate"), ("confident learning", "confident_learning")):
        for done, action in (("dropped", "drop"), ("relabelled", "relabel")):
            found[f"{words}, {done}"] = arm("cleanlab", action=action, filter_by=filter_by)
    return found


def _claim(
    name: str,
    says: str,
    source: str,
    data: str,
    arms: Mapping[str, Arm],
    holds: Sequence[Holds],
    *,
    metric: str = "F1",
    effect: float = _EFFECT,
    margin: float | None = None,
    beside: Sequence[str] = (),
    shown: Sequence[str] = _SCORES,
    note: str = "",
) -> Claim:
    named = {side for a, _, b in holds for side in (a, b) if isinstance(side, str)} | set(beside)
    return Claim(
        name=name,
        says=says,
        source=source,
        data=data,
        metric=metric,
        arms={arm: arms[arm] for arm in arms if arm in named},
        holds=holds,
        effect=effect,
        seeds=_SEEDS,
        margin=margin,
        choose_by="F1",
        shown=[one for one in ("F1", *shown) if one != metric],
        note=note,
    )


def _claims(prefix: str, data: str, negatives: str) -> list[Claim]:
    arms = _arms(data, negatives)
    bounds = ("noisy", "clean labels")
    claims = [
        _claim(
            f"{prefix}-noise-in-negatives",
            "Most errors of a model involve the negative class, which is where the wrong labels are",
            "abstract; checklist line 1",
            data,
            {"noisy": arms["noisy"]},
            [("noisy", ">", 0.5)],
            metric=IN_NEGATIVES,
            effect=0.1,
            shown=("F1",),
            note="The wrong labels were put there; the claim is that a model's errors show it.",
        ),
        _claim(
            f"{prefix}-detection",
            "What the strategies flag is wrong more often than what they examine",
            "characterisation; control of Litotes",
            data,
            arms,
            [("IS-E", ">", 1.0), ("EN", ">", 1.0), ("ENP", ">", 1.0)],
            metric="lift",
            effect=0.5,
            beside=("IS-E, k = 1", "IS-E, k = 5", "cleanlab, dropped", "confident learning, dropped"),
            shown=("F1", *DETECTION),
        ),
        _claim(
            f"{prefix}-is-eliminate",
            "Dropping what the intrinsic strategy flags helps: more than nothing, and than dropping as many at random",
            "abstract; checklist line 2",
            data,
            arms,
            [("IS-E", ">", "noisy"), ("IS-E", ">", "as IS-E, at random")],
            beside=(*bounds, "IS-E, k = 1", "IS-E, k = 5"),
            shown=_SCORES,
        ),
        _claim(
            f"{prefix}-is-relabel",
            "Relabelling what the intrinsic strategy flags does not help",
            "abstract; checklist line 2",
            data,
            arms,
            [("IS-R", "=", "noisy")],
            margin=0.01,
            beside=bounds,
        ),
        _claim(
            f"{prefix}-es-negatives",
            "Dropping and relabelling negatives by a clean set help: more than nothing, than as many at random, "
            "and than the clean set itself, alone or added",
            "abstract; checklist line 3; controls of the page",
            data,
            arms,
            [
                ("EN", ">", "noisy"),
                ("RN", ">", "noisy"),
                ("EN", ">", "as EN, at random"),
                ("EN + clean", ">", "noisy + clean"),
                ("RN + clean", ">", "noisy + clean"),
                ("RN + clean", ">", "clean set"),
            ],
            beside=bounds,
        ),
        _claim(
            f"{prefix}-es-positives",
            "Letting the clean set speak about the positives too helps more",
            "abstract; checklist line 4",
            data,
            arms,
            [("ENP", ">", "EN"), ("RNP", ">", "RN")],
            effect=0.01,
            beside=("noisy", "ENP + clean", "RNP + clean"),
        ),
        _claim(
            f"{prefix}-cleanlab",
            "The intrinsic strategy is better than dropping what cleanlab finds, which needs no clean set either",
            "peer of the page",
            data,
            arms,
            [("IS-E", ">", "cleanlab, dropped"), ("IS-E", ">", "confident learning, dropped")],
            beside=("noisy", "cleanlab, relabelled", "confident learning, relabelled"),
        ),
    ]
    if len(SPACES[data]) > 1:
        claims.append(
            _claim(
                f"{prefix}-agreement",
                "Two models flag the same more often than chance, and so do runs of one model",
                "checklist; analysis notebooks of the authors",
                data,
                {"IS-E": arms["IS-E"]},
                [("IS-E", ">", 1.0)],
                metric="lift of models",
                effect=0.5,
                shown=("overlap of models", "overlap of seeds", "lift of seeds"),
            )
        )
    return claims


CLAIMS = (
    *_claims("semeval2010-task8", "semeval2010-task8", "rest"),
    *[
        claim
        for claim in _claims("semeval2010-task8-other", "semeval2010-task8", "other")
        if claim.name.removeprefix("semeval2010-task8-other-") in ("detection", "is-eliminate", "es-negatives")
    ],
    *_claims("digits", "digits", "rest"),
)
