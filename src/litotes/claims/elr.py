"""What ELR and ELR+ promise (Liu et al. 2020), asked of labels that were made wrong, with the page's confounds removed.

- ``digits``: scikit-learn's, an MLP of two layers of 512; symmetric noise 40 %, drawn from the *other* classes, and
  pair noise 40 %. Every arm has the same network, weight decay, batches and number of epochs.
- ``clinc150``: vectors of all-MiniLM-L6-v2 and an MLP with one hidden layer, 40 % of every intent named as the next.
- ``fashion-mnist-15k``: pixels, labels mistaken as people mistake those of CIFAR-10, by the matrix of CIFAR-10N.

Accuracy is that of the last epoch, and the best epoch stands beside it: to report the best alone would hide the effect.
Options are chosen by the accuracy on a *noisy* tenth of the training rows, as many trials for every arm, with a seed
that is not reported. Arms of ELR try strengths and momenta, those of cross entropy learning rates, smoothing its share.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from litotes.claims.noisy_classes import METRICS, run_classifier
from litotes.evaluation.claim import Arm, Claim, Holds

__all__ = ["CLAIMS", "run"]

run = run_classifier

_READING: dict[str, dict[str, Any]] = {
    "digits": {"hidden": (512, 512), "standardize": False, "learning_rate": 0.05, "num_train_epochs": 80},
    "clinc150": {"hidden": (512,), "learning_rate": 0.05, "num_train_epochs": 40, "batch_size": 128},
    "fashion-mnist-15k": {"hidden": (256, 256), "learning_rate": 0.02, "num_train_epochs": 40, "batch_size": 128},
}
_SHARED = {"weight_decay": 1e-3}
_SECONDS = {"digits": 8.0, "clinc150": 30.0, "fashion-mnist-15k": 30.0}
_SEEDS = {"digits": range(10, 18), "clinc150": range(10, 15), "fashion-mnist-15k": range(10, 15)}
_SYMMETRIC = {"noise": "symmetric", "rate": 0.4}
_PAIRS = {"noise": "pairs", "rate": 0.4}
_HUMAN = {"noise": "human"}

_STRENGTHS = [
    {"regularization": 3.0, "target_momentum": 0.7},
    {"regularization": 1.0, "target_momentum": 0.9},
    {"regularization": 7.0, "target_momentum": 0.9},
]
_OF_LABELS, _OF_CONTROLS, _OF_PARTS = 0.15, 0.02, 0.01
"""Effects in accuracy: the page's bar against cross entropy; against stronger controls; of parts and variants."""


def _rates(data: str) -> list[dict[str, Any]]:
    return [{"learning_rate": _READING[data]["learning_rate"] * factor} for factor in (0.4, 1.0, 2.0)]


def _arm(
    data: str,
    noise: Mapping[str, Any],
    options: Mapping[str, Any],
    trials: Sequence[Mapping[str, Any]],
    command: str = "elr",
    times: float = 1.0,
) -> Arm:
    config = {**_READING[data], **_SHARED, **noise, **options}
    return Arm(command, config, trials=trials, seconds=times * _SECONDS[data])


def _arms(data: str, noise: Mapping[str, Any]) -> dict[str, Arm]:
    """ELR, and everything that it is compared with."""
    plain, rates = {"regularization": 0.0}, _rates(data)
    smoothed = [{"label_smoothing": share} for share in (0.1, 0.3, 0.6)]
    return {
        "elr": _arm(data, noise, {}, _STRENGTHS),
        "cross entropy": _arm(data, noise, plain, rates),
        "early-stopped": _arm(data, noise, {**plain, "select": "best"}, rates),
        "label smoothing": _arm(data, noise, plain, smoothed),
        "random deletion": _arm(data, noise, plain, rates, "random-deletion"),
        "cleanlab, retrained": _arm(data, noise, plain, rates, "cleanlab", 6.0),
        "clean rows only": _arm(data, noise, plain, rates, "clean-only"),
    }


def _variants(data: str, noise: Mapping[str, Any]) -> dict[str, Arm]:
    """Other targets, forms and schedules of ELR, and ELR+ with and without its parts."""
    momentum = [{"regularization": strength} for strength in (1.0, 3.0, 7.0)]
    averaged = {"targets": "weight-average"}
    plus: dict[str, dict[str, Any]] = {
        "elr-plus": {},
        "without mixup": {"mixup_alpha": 0.0},
        "one network": {"n_networks": 1},
    }
    return {
        "last outputs": _arm(data, noise, {"target_momentum": 0.0}, momentum),
        "ensembled outputs": _arm(data, noise, {"target_momentum": 0.7}, momentum),
        "averaged weights": _arm(data, noise, {**averaged, "target_momentum": 0.0}, momentum),
        "both": _arm(data, noise, {**averaged, "target_momentum": 0.7}, momentum),
        "kl": _arm(data, noise, {"form": "kl"}, _STRENGTHS),
        "dot": _arm(data, noise, {"form": "dot"}, _STRENGTHS),
        "cosine restarts": _arm(data, noise, {"schedule": "cosine-restarts"}, _STRENGTHS),
        **{name: _arm(data, noise, options, _STRENGTHS, "elr-plus", 4.0) for name, options in plus.items()},
        "mixup alone": _arm(
            data, noise, {"regularization": 0.0, "n_networks": 1}, [{"mixup_alpha": a} for a in (0.5, 1.0, 1.5)],
            "elr-plus", 2.0,
        ),
    }  # fmt: skip


def _claim(
    data: str,
    name: str,
    says: str,
    source: str,
    arms: Mapping[str, Arm],
    holds: Sequence[Holds],
    effect: float,
    metric: str = "accuracy",
    note: str = "",
) -> Claim:
    named = {arm: arms[arm] for arm in arms if any(arm in comparison for comparison in holds)}
    return Claim(
        name=f"{data}-{name}",
        says=says,
        source=source,
        data=data,
        metric=metric,
        arms=named,
        holds=holds,
        effect=effect,
        seeds=_SEEDS[data],
        choose_by="accuracy",
        shown=[other for other in METRICS if other != metric],
        note=note,
    )


def _of_digits() -> list[Claim]:
    arms = {**_arms("digits", _SYMMETRIC), **_variants("digits", _SYMMETRIC)}
    pairs = _arms("digits", _PAIRS)
    controls = ("early-stopped", "label smoothing", "random deletion", "cleanlab, retrained")
    return [
        _claim(
            "digits", "final", "With 40 % symmetric noise ELR ends far above cross entropy",
            "abstract; section 5; checklist line 6", arms, [("elr", ">", "cross entropy")], _OF_LABELS,
        ),
        _claim(
            "digits", "memorised", "ELR memorises fewer than 35 % of the wrong labels, and fewer than cross entropy",
            "abstract; checklist line 4", arms, [("elr", "<", 0.35), ("elr", "<", "cross entropy")], _OF_LABELS,
            "memorised",
        ),
        _claim(
            "digits", "early-learning",
            "Cross entropy first predicts the true classes of four in five wrongly labelled rows",
            "section 3; checklist line 1", arms, [("cross entropy", ">", 0.8)], _OF_CONTROLS, "peak of recovered",
        ),
        _claim(
            "digits", "memorisation", "and at the end of fewer than half of them",
            "section 3; checklist line 1", arms, [("cross entropy", "<", 0.5)], _OF_CONTROLS, "recovered",
        ),
        *(
            _claim(
                "digits", control.replace(", ", "-").replace(" ", "-"), f"ELR is better than {control}",
                "control of Litotes", arms, [("elr", ">", control)], _OF_CONTROLS,
            )
            for control in controls
        ),
        _claim(
            "digits", "clean-rows-only", "Knowing the wrong rows and leaving them out is better than ELR",
            "control of Litotes", arms, [("clean rows only", ">", "elr")], _OF_PARTS,
        ),
        _claim(
            "digits", "pairs", "With 40 % of every class named as the next ELR ends above cross entropy",
            "section 5; checklist line 6", pairs, [("elr", ">", "cross entropy")], _OF_LABELS,
        ),
        _claim(
            "digits", "targets",
            "Targets ensembled over visits are better than those of the last, also where averaged weights make them",
            "section 4.2; checklist line 3", arms,
            [("ensembled outputs", ">", "last outputs"), ("both", ">", "averaged weights")], _OF_PARTS,
        ),
        _claim(
            "digits", "forms", "log(1 - <t, p>) is better than KL and than the inner product",
            "section 4.1", {**arms, "log": arms["elr"]}, [("log", ">", "kl"), ("log", ">", "dot")], _OF_PARTS,
        ),
        _claim(
            "digits", "cosine", "Restarts of a cosine schedule help ELR", "table of CIFAR-10", arms,
            [("cosine restarts", ">", "elr")], _OF_PARTS,
        ),
        _claim(
            "digits", "plus", "ELR+ is better than ELR, than its own parts, and than mixup alone",
            "section 5; ablation", arms,
            [("elr-plus", ">", other) for other in ("elr", "without mixup", "one network", "mixup alone")], _OF_PARTS,
        ),
    ]  # fmt: skip


CLAIMS = (
    *_of_digits(),
    _claim(
        "clinc150", "pairs",
        "On texts, with 40 % of every intent named as the next, ELR ends above cross entropy, stopped early or not",
        "section 5; checklist line 6", _arms("clinc150", _PAIRS),
        [("elr", ">", "cross entropy"), ("elr", ">", "early-stopped")], _OF_CONTROLS,
    ),
    _claim(
        "fashion-mnist-15k", "human", "With labels mistaken as people mistake them ELR ends above cross entropy",
        "abstract; checklist line 7", _arms("fashion-mnist-15k", _HUMAN), [("elr", ">", "cross entropy")],
        _OF_CONTROLS,
        note="The matrix is measured on other pictures, and mistakes are drawn by class: those of a person depend on "
        "the picture.",
    ),
)  # fmt: skip
