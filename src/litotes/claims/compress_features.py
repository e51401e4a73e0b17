"""What compressed features promise (Chen et al. 2022), asked of labels that were made wrong.

- ``digits``: scikit-learn's, an MLP of two layers of 512 without a bias in its head; symmetric noise 40 %, drawn from
  the *other* classes. Every arm has the same network, weight decay, batches and number of epochs of the first stage.
- ``clinc150``: vectors of all-MiniLM-L6-v2 and an MLP with one hidden layer, 30 % of every intent named as the next.

Accuracy is that of the last epoch, and the best epoch stands beside it. The paper compares a pair after co-teaching
with one network before it; a pair that is trained as long and forgets nothing tells what the second network and the
longer training do by themselves. Options are chosen by the accuracy on a *noisy* tenth of the training rows, which the
number of channels is chosen by as well; as many trials for every arm, with a seed that is not reported.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from litotes.claims.compressed_study import METRICS, OF_DRAWS, run_compressed
from litotes.evaluation.claim import Arm, Claim, Holds

__all__ = ["CLAIMS", "run"]

run = run_compressed

_READING: dict[str, dict[str, Any]] = {
    "digits": {
        "hidden": (512, 512), "standardize": False, "learning_rate": 0.05, "num_train_epochs": 60,
        "noise": "symmetric", "rate": 0.4,
    },
    "clinc150": {
        "hidden": (512,), "learning_rate": 0.05, "num_train_epochs": 30, "batch_size": 128, "noise": "pairs",
        "rate": 0.3,
    },
}  # fmt: skip
_DECAY = {"weight_decay": 5e-4}
_SECONDS = {"digits": 7.0, "clinc150": 30.0}
_SEEDS = {"digits": range(10, 18), "clinc150": range(10, 15)}
_FINE_TUNING = {"digits": {"co_teaching_epochs": 30}, "clinc150": {"co_teaching_epochs": 15}}
_OF_LABELS, _OF_CONTROLS, _OF_PARTS = 0.10, 0.02, 0.01
"""Effects in accuracy: the page's bar against cross entropy; against stronger controls; of parts and variants."""

_FORGET = [{"forget_rate": rate} for rate in (0.2, 0.3, 0.4)]
_WIDTHS = {
    "digits": [{"nested_std": std} for std in (10.0, 20.0, 40.0)],
    "clinc150": [{"nested_std": std} for std in (50.0, 100.0, 200.0)],
}
_CHOSEN_WIDTH = {"digits": {"nested_std": 20.0}, "clinc150": {"nested_std": 100.0}}


def _arm(
    data: str, options: Mapping[str, Any], trials: Any, command: str = "nested-co-teaching", times: float = 1
) -> Arm:
    return Arm(command, {**_READING[data], **_DECAY, **options}, trials=trials, seconds=times * _SECONDS[data])


def _arms(data: str) -> dict[str, Arm]:
    rates = [{"learning_rate": _READING[data]["learning_rate"] * factor} for factor in (0.4, 1.0, 2.0)]
    plain = {"compression": "plain", "stages": "first"}
    nested = {"compression": "nested", **_CHOSEN_WIDTH[data]}
    tuning = _FINE_TUNING[data]
    dropout = [{"feature_dropout": share} for share in (0.3, 0.5, 0.7)]
    smoothed = [{"label_smoothing": share} for share in (0.1, 0.3, 0.6)]
    slow = [{"co_teaching_learning_rate": rate} for rate in (0.0025, 0.005, 0.01)]
    return {
        "cross entropy": _arm(data, plain, rates),
        "dropout": _arm(data, {**plain, "compression": "dropout"}, dropout),
        "nested": _arm(data, {"compression": "nested", "stages": "first"}, _WIDTHS[data]),
        "nested, co-teaching": _arm(data, {**nested, **tuning}, _FORGET, times=3),
        "nested, nothing forgotten": _arm(data, {**nested, **tuning, "forget_rate": 0.0}, slow, times=3),
        "dropout, co-teaching": _arm(
            data, {"compression": "dropout", "feature_dropout": 0.5, **tuning}, _FORGET, times=3
        ),
        "co-teaching from scratch": _arm(
            data, {"compression": "plain", "stages": "co-teaching"}, _FORGET, times=2
        ),
        "early-stopped": _arm(data, {**plain, "select": "best"}, rates),
        "label smoothing": _arm(data, {"regularization": 0.0}, smoothed, "elr"),
        "random deletion": _arm(data, plain, rates, "random-deletion"),
        "cleanlab, retrained": _arm(data, plain, rates, "cleanlab", 5),
        "clean rows only": _arm(data, plain, rates, "clean-only", 0.6),
    }  # fmt: skip


def _drawn(data: str) -> dict[str, Arm]:
    """The same over draws of the noise; nothing is tried, so that no draw has other options."""
    nested = {"compression": "nested", **_CHOSEN_WIDTH[data]}
    options: dict[str, tuple[dict[str, Any], float]] = {
        "cross entropy": ({"compression": "plain", "stages": "first"}, 3),
        "cross entropy, early": ({"compression": "plain", "stages": "first", "num_train_epochs": 5}, 0.5),
        "dropout": ({"compression": "dropout", "feature_dropout": 0.5, "stages": "first"}, 3),
        "nested": ({**nested, "stages": "first"}, 3),
        "nested, co-teaching": ({**nested, **_FINE_TUNING[data], "forget_rate": 0.4}, 9),
        "nested, nothing forgotten": ({**nested, **_FINE_TUNING[data], "forget_rate": 0.0}, 9),
    }
    return {name: _arm(data, config, (), "draws", times) for name, (config, times) in options.items()}


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
    known = (*METRICS, *OF_DRAWS) if any(arm.command == "draws" for arm in named.values()) else METRICS
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
        shown=[other for other in known if other != metric],
        note=note,
    )


def _of_digits() -> list[Claim]:
    arms, drawn = _arms("digits"), _drawn("digits")
    best, forgotten = "nested, co-teaching", "nested, nothing forgotten"
    controls = ("early-stopped", "label smoothing", "random deletion", "cleanlab, retrained")
    return [
        _claim(
            "digits", "over-fitting", "Cross entropy ends with more than half of the wrong labels memorised",
            "abstract; checklist line 1", arms, [("cross entropy", ">", 0.5)], _OF_LABELS, "memorised",
        ),
        _claim(
            "digits", "dropout", "Dropout before the head ends above cross entropy",
            "abstract; checklist line 2", arms, [("dropout", ">", "cross entropy")], _OF_CONTROLS,
        ),
        _claim(
            "digits", "nested", "Nested Dropout ends far above cross entropy, and above Dropout",
            "abstract; tables", arms, [("nested", ">", "cross entropy"), ("nested", ">", "dropout")], _OF_LABELS,
        ),
        _claim(
            "digits", "memorised", "Nested Dropout memorises fewer of the wrong labels than Dropout and cross entropy",
            "abstract", arms, [("nested", "<", "dropout"), ("nested", "<", "cross entropy")], _OF_LABELS, "memorised",
        ),
        _claim(
            "digits", "channels", "An eighth of the 512 channels is enough with Nested Dropout",
            "checklist line 3", arms, [("nested", "<", 64.0)], 16.0, "channels",
        ),
        _claim(
            "digits", "co-teaching", "Co-teaching brings Nested Dropout further",
            "abstract; checklist line 4", arms, [(best, ">", "nested")], _OF_PARTS,
            note="Two networks that were trained longer meet one; the next claim takes that away.",
        ),
        _claim(
            "digits", "forgetting", "What co-teaching forgets helps, not the second network or more training",
            "control of Litotes", arms, [(best, ">", forgotten)], _OF_PARTS,
        ),
        _claim(
            "digits", "combination", "Compression and co-teaching together are better than co-teaching from scratch, "
            "and Nested Dropout is the better start than Dropout",
            "abstract; tables", arms, [(best, ">", "co-teaching from scratch"), (best, ">", "dropout, co-teaching")],
            _OF_PARTS,
        ),
        *(
            _claim(
                "digits", control.replace(", ", "-").replace(" ", "-"), f"Nested co-teaching is better than {control}",
                "control of Litotes", arms, [(best, ">", control)], _OF_CONTROLS,
                note="Its head has a bias." if control == "label smoothing" else "",
            )
            for control in controls
        ),
        _claim(
            "digits", "clean-rows-only", "Knowing the wrong rows and leaving them out is better still",
            "control of Litotes", arms, [("clean rows only", ">", best)], _OF_PARTS,
        ),
        _claim(
            "digits", "variance-grows", "The variance of cross entropy grows in training",
            "section on bias and variance; checklist line 5", drawn,
            [("cross entropy", ">", "cross entropy, early")], 0.2, "variance",
        ),
        _claim(
            "digits", "variance", "Compression lowers the variance",
            "section on bias and variance; checklist line 5", drawn,
            [("dropout", "<", "cross entropy"), ("nested", "<", "cross entropy")], 0.2, "variance",
        ),
        _claim(
            "digits", "bias", "What co-teaching forgets lowers the bias towards the clean labels",
            "section on bias and variance; checklist line 5", drawn, [(best, "<", forgotten)], 0.05, "bias",
        ),
        _claim(
            "digits", "information", "The channels that Nested Dropout keeps tell less about the input than all those "
            "of cross entropy",
            "section on the information bottleneck; checklist line 6", drawn, [("nested", "<", "cross entropy")], 10.0,
            "information", note="An upper bound with Gaussian noise of unit variance on features of unequal scale.",
        ),
    ]  # fmt: skip


def _of_clinc150() -> list[Claim]:
    arms = _arms("clinc150")
    return [
        _claim(
            "clinc150", "nested", "On texts, with 30 % of every intent named as the next, Nested Dropout ends above "
            "cross entropy",
            "tables; checklist line 7", arms, [("nested", ">", "cross entropy")], _OF_CONTROLS,
            note="With many classes the paper itself saw Nested Dropout alone below cross entropy.",
        ),
        _claim(
            "clinc150", "co-teaching", "and with co-teaching above cross entropy, stopped early or not, and above "
            "itself without",
            "tables; checklist line 7", arms,
            [("nested, co-teaching", ">", other) for other in ("cross entropy", "early-stopped", "nested")],
            _OF_CONTROLS,
        ),
    ]  # fmt: skip


CLAIMS = (*_of_digits(), *_of_clinc150())
