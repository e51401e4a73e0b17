"""What was mined, in words and numbers, for the person at the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from litotes.compat.chosen_negatives import Cells, Rules, Window
from litotes.compat.dataset_formats import Lines
from litotes.compat.training_pairs import TrainingPairs

__all__ = ["summary"]

_ROWS: dict[str, Callable[[np.ndarray], float]] = {
    "mean": np.mean,
    "std": np.std,
    "least": np.min,
    "25 %": lambda scores: np.quantile(scores, 0.25),
    "median": np.median,
    "75 %": lambda scores: np.quantile(scores, 0.75),
    "most": np.max,
}


def summary(
    data: TrainingPairs,
    pairs: Cells,
    negatives: Cells,
    lines: Lines,
    window: Window,
    rules: Rules,
    dropped: Mapping[str, int],
    n_ranked: int,
    n_twins: int,
) -> str:
    """Several lines: sizes, a table of scores, what was left out and why, how many pairs are short of negatives.

    Args:
        lines: which pair and negative stand side by side, the whole format's.
        dropped: cells that each rule dropped, of ``n_ranked``.
        n_twins: cells left out because the text is a positive's with other blanks or capitals.
    """
    said = [
        f"{data.n_rows:,} anchors with {len(pairs):,} positives ({data.n_lines:,} lines), {len(data.documents):,} "
        f"documents; ranks {window.range_min} to {window.range_max} give up to {window.num_negatives} negatives each.",
        *_table(
            pairs.score, negatives.score[lines.negative], pairs.score[lines.pair] - negatives.score[lines.negative]
        ),
    ]
    for rule, bound in rules.given.items():
        if dropped[rule]:
            said.append(f"{rule}={bound:g} dropped {dropped[rule]:,} candidates ({dropped[rule] / n_ranked:.1%}).")
    if n_twins:
        said.append(
            f"{n_twins:,} cells were left out: the document is a positive of the anchor with other blanks or capitals."
        )
    short = int((lines.counts < window.num_negatives).sum())
    if short:
        ways = [
            *(["raise range_max"] if window.range_max < len(data.documents) else []),
            *(["lower range_min"] if window.range_min else []),
            *([f"loosen {' or '.join(rules.given)}"] if rules.given else []),
        ]
        advice = f"To find more: {', '.join(ways)}." if ways else "There are no more documents."
        said.append(
            f"{short:,} of {len(pairs):,} pairs ({short / len(pairs):.1%}) have fewer than {window.num_negatives} "
            f"negatives. {advice}"
        )
    return "\n".join(said)


def _table(positives: np.ndarray, negatives: np.ndarray, differences: np.ndarray) -> list[str]:
    columns = {"positives": positives, "negatives": negatives, "difference": differences}
    lines = ["score   " + "".join(f"{name:>12}" for name in columns)]
    lines.append("count   " + "".join(f"{len(scores):>12,}" for scores in columns.values()))
    for name, number in _ROWS.items():
        cells = (
            f"{number(scores.astype(np.float64)):>12.4f}" if len(scores) else f"{'-':>12}"
            for scores in columns.values()
        )
        lines.append(f"{name:<8}" + "".join(cells))
    return lines
