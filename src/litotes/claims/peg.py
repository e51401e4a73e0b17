"""What PEG promises (Wu et al. 2023), asked of two data sets; the weights' formula is this project's reconstruction.

- ``nfcorpus``: a bag of words with two linear heads, compared by cosine, trained from nothing. The curve of batch sizes
  begins there; everything else begins from a warm-up of 300 steps with in-batch negatives, 128 pairs a batch.
- ``pydocs``: all-MiniLM-L6-v2, its last two layers trained, 40 steps of 16 pairs. Test is measured by the
  complete truth.

All arms of a claim take equally many steps and start from one model. A larger batch reads more pairs in as many steps,
so the largest meets a control that reads the same pairs in as many steps with the negatives of a small batch: gradients
accumulated. Random negatives, as many as hard ones, tell hardness from number. Betas are fixed beforehand: constant 3,
and 0 to 6, whose mean over training is 3; 0 to -6 is the opposite direction. All arms try the same learning rates.

Noise: a share of the training positives is replaced by random documents before anything is trained, by the seed of the
run; dev and test are clean. What the filter drops is measured against what was replaced, and an arm without noise says
what the noise costs, so that a filter that changes nothing is not taken for noise that does no harm. Options are chosen
on dev, as many trials for every arm, with a seed that is not reported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from litotes.claims.retrieval_study import METRICS, run_recipe, splits
from litotes.evaluation.claim import Arm, Claim, Holds
from litotes.evaluation.experiment import Cell, Outcome

if TYPE_CHECKING:
    from litotes.data.noisy_positives import NoisyPositives

__all__ = ["CLAIMS", "NOISE", "run"]

NOISE = ("noise", "wrong pairs kept", "right pairs kept")
"""The effective share of wrong training positives; the shares of them and of the others that are trained on."""

_READING: dict[str, dict[str, Any]] = {
    "nfcorpus": {
        "encoder": "word-bag",
        "similarity": "cosine",
        "temperature": 0.05,
        "mini_batch_size": 0,
        "save_steps": 5000,
    },
    "pydocs": {
        "encoder": "builtin:minilm",
        "trained_layers": 2,
        "query_length": 32,
        "corpus_length": 64,
        "dtype": "bfloat16",
        "temperature": 0.05,
        "mini_batch_size": 0,
        "save_steps": 5000,
    },
}
_IN_BATCH = {"num_negatives": 0, "beta_end": 0.0}
_RATES = {"nfcorpus": (1e-3, 2e-3, 4e-3), "pydocs": (5e-5, 1e-4, 2e-4)}
_RISING, _FALLING = {"beta_end": 6.0}, {"beta_end": -6.0}
_CONSTANT, _ALIKE = {"beta_start": 3.0, "beta_end": 3.0}, {"beta_end": 0.0}
_STEPS = {
    "nfcorpus": {"max_steps": 200, "per_device_train_batch_size": 64},
    "pydocs": {"max_steps": 40, "per_device_train_batch_size": 16},
}
_WARM_UP = {
    "nfcorpus": {"learning_rate": 2e-3, "max_steps": 300, "per_device_train_batch_size": 128},
    "pydocs": {"learning_rate": 5e-5, "max_steps": 40, "per_device_train_batch_size": 32},
}
_SECONDS = {"nfcorpus": 22.0, "pydocs": 50.0}
_SEEDS = range(10, 18)  # nobody has looked at these
_OF_NEGATIVES, _OF_SCHEDULE, _OF_DATA = 0.003, 0.001, 0.01
"""Effects in nDCG@10: what the page saw of hard negatives and of weights, and of schedules; of batches and of noise."""
_RECONSTRUCTED = "The formula of the weights is this project's reconstruction of what the paper describes in words."


def run(cell: Cell) -> Outcome:
    """Train the arm, on noisy positives where it says ``noise``, and measure what it left."""
    config = dict(cell.arm.config)
    noisy = _noisy(cell.data, config.pop("noise", 0.0), cell.seed)
    outcome = run_recipe(replace(cell, arm=replace(cell.arm, config=config)), noisy.data)
    return replace(outcome, metrics={**outcome.metrics, **_kept(cell, noisy)})


@lru_cache(maxsize=2)
def _noisy(data: str, share: float, seed: int) -> "NoisyPositives":
    from litotes.data.noisy_positives import noisy_positives

    return noisy_positives(splits(data).fit, share, seed)


def _kept(cell: Cell, noisy: "NoisyPositives") -> dict[str, float]:
    """What the filter made of the noise; without a filter, or without noise, everything is kept."""
    import numpy as np

    from litotes.core import Candidates

    path = cell.folder / "model" / "pairs.parquet"
    wrong, right = 1.0, 1.0
    if path.is_file():
        pairs, width = Candidates.load(path), noisy.data.n_cols
        kept = pairs.column("weight") > 0
        is_wrong = np.isin(pairs.row * width + pairs.col, noisy.put @ np.array([width, 1]))
        wrong = float(kept[is_wrong].mean()) if is_wrong.any() else 1.0
        right = float(kept[~is_wrong].mean()) if not is_wrong.all() else 1.0
    return dict(zip(NOISE, (noisy.rate, wrong, right), strict=True))


def _warm_up(data: str, **options: Any) -> Arm:
    config = {**_READING[data], **_IN_BATCH, **_WARM_UP[data], "in_batch_epochs": 0, **options}
    return Arm("peg", config, seconds=_SECONDS[data])


def _arm(data: str, options: Mapping[str, Any], trials: Sequence[Mapping[str, Any]], start: Arm | None) -> Arm:
    config = {**_READING[data], **_STEPS[data], "in_batch_epochs": 0, **options}
    return Arm("peg", config, start, trials, _SECONDS[data])


def _by_rate(data: str) -> list[dict[str, Any]]:
    return [{"learning_rate": rate} for rate in _RATES[data]]


def _negatives(data: str) -> dict[str, Arm]:
    """The arms about hard negatives and their weights."""
    warm_up, rates = _warm_up(data), _by_rate(data)
    options: dict[str, dict[str, Any]] = {
        "in-batch": _IN_BATCH,
        "random": {"miner": "random", **_ALIKE},
        "hard": _ALIKE,
        "hard, constant": _CONSTANT,
        "hard, rising": _RISING,
        "hard, falling": _FALLING,
    }
    return {name: _arm(data, changes, rates, warm_up) for name, changes in options.items()}


def _sizes(data: str) -> dict[str, Arm]:
    """The same steps with larger batches; and the largest in parts, which reads as much and compares with less."""
    rates = [{"learning_rate": rate} for rate in (1e-3, 2e-3, 4e-3, 8e-3)]
    sizes = {
        "batch 16": ({"per_device_train_batch_size": 16}, 10.0),
        "batch 128": ({"per_device_train_batch_size": 128}, 18.0),
        "batch 512": ({"per_device_train_batch_size": 512}, 38.0),
        "32 times 16": ({"per_device_train_batch_size": 16, "gradient_accumulation_steps": 32}, 60.0),
    }
    return {
        name: replace(_arm(data, {**_IN_BATCH, "max_steps": 200, **size}, rates, None), seconds=seconds)
        for name, (size, seconds) in sizes.items()
    }


def _filtering(data: str, share: float) -> dict[str, Arm]:
    """With and without the filter from the warm-up on the same noisy pairs, and without noise."""
    config = {**_IN_BATCH, "per_device_train_batch_size": 128}
    rates = _RATES[data][:2]
    filtered = [{"learning_rate": rate, "filter_top": top} for top in (100, 400) for rate in rates]
    unfiltered = [{"learning_rate": rate} for rate in (rates[0] / 2, *_RATES[data])]
    return {
        "filter": _arm(data, {**config, "noise": share}, filtered, _warm_up(data, noise=share)),
        "no filter": _arm(data, {**config, "noise": share}, unfiltered, _warm_up(data, noise=share)),
        "no noise": _arm(data, config, unfiltered, _warm_up(data)),
    }


def _claim(
    data: str,
    name: str,
    says: str,
    source: str,
    arms: Mapping[str, Arm],
    holds: Sequence[Holds],
    effect: float,
    *,
    shown: Sequence[str] = (),
    note: str = "",
) -> Claim:
    named = {arm: arms[arm] for arm in arms if any(arm in comparison for comparison in holds)}
    return Claim(
        name=f"{data}-{name}",
        says=says,
        source=source,
        data=data,
        metric="nDCG@10",
        arms=named,
        holds=holds,
        effect=effect,
        seeds=_SEEDS,
        shown=(*METRICS[1:], *shown),
        note=note,
    )


def _about_negatives(data: str) -> list[Claim]:
    """Random negatives and the claims about weights are for the data where a run takes seconds."""
    arms, is_quick = _negatives(data), data == "nfcorpus"
    than_random: list[Holds] = [("hard", ">", "random")] if is_quick else []
    claims = [
        _claim(
            data,
            "hard-negatives",
            f"Five hard negatives a query help: more than none{', and more than five random ones' if is_quick else ''}",
            "abstract; checklist lines 2 and 5",
            arms,
            [("hard", ">", "in-batch"), *than_random],
            _OF_NEGATIVES,
        ),
        _claim(
            data,
            "weights",
            "Weighing negatives by difficulty, the more so the later, is better than weighing all alike or turning "
            "away from the hard ones",
            "abstract; checklist line 4",
            arms,
            [("hard, rising", ">", "hard"), ("hard, rising", ">", "hard, falling")],
            _OF_NEGATIVES,
            note=_RECONSTRUCTED,
        ),
        _claim(
            data,
            "progressive",
            "Weights that grow in the course of training are better than constant ones",
            "abstract; checklist lines 4 and 5",
            arms,
            [("hard, rising", ">", "hard, constant")],
            _OF_SCHEDULE,
            note=_RECONSTRUCTED,
        ),
    ]
    return claims if is_quick else claims[:1]


def _about_noise(data: str, percent: int) -> list[Claim]:
    arms = _filtering(data, percent / 100)
    return [
        _claim(
            data,
            f"noise-{percent}",
            f"With {percent} % of the training positives random documents, dropping pairs ranked low by the warm model "
            "helps",
            "training procedure, step 1; checklist line 3",
            arms,
            [("filter", ">", "no filter")],
            _OF_DATA,
            shown=NOISE,
        ),
        _claim(
            data,
            f"harm-{percent}",
            f"{percent} % of random documents among the training positives do harm, which a filter could undo",
            "control of Litotes",
            arms,
            [("no noise", ">", "no filter")],
            _OF_DATA,
            shown=NOISE,
        ),
    ]


CLAIMS = (
    _claim(
        "nfcorpus",
        "batch-size",
        "More negatives in the batch are better: at equal steps, and at equal steps on the same number of pairs",
        "abstract; checklist line 5",
        _sizes("nfcorpus"),
        [("batch 128", ">", "batch 16"), ("batch 512", ">", "batch 128"), ("batch 512", ">", "32 times 16")],
        _OF_DATA,
        note="In equally many steps a larger batch reads more pairs; only the last comparison is of negatives alone.",
    ),
    *_about_negatives("nfcorpus"),
    *_about_noise("nfcorpus", 20),
    *_about_noise("nfcorpus", 40),
    *_about_negatives("pydocs"),
)
