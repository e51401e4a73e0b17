"""Running a retrieval recipe as an arm of a claim: train on ``fit``, choose on ``dev``, measure on ``test``.

An arm's command is what ``litotes train`` takes; its configuration is the recipe's, ``encoder`` being a name or
``word-bag`` (:func:`litotes.models.word_bag`, made from the training part). With ``trained_layers`` the layers below
are frozen, and texts pass them once for all arms and seeds. Every arm searches the full corpus. Where the complete
truth of a set is known, test is measured by it, and dev by the labels, which is what a user has.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from litotes.core.fingerprint import digest
from litotes.evaluation.experiment import Cell, Outcome

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from litotes.core import Collection, LabelMatrix
    from litotes.models import Encoder
    from litotes.models.frozen_layers import KeptStates

__all__ = ["ERRORS", "METRICS", "OVERLAP", "Splits", "run_recipe", "splits"]

METRICS = ("nDCG@10", "RR@10", "R@100")
CUTS = (10, 200)  # where the errors of a query are cut: what people look at, and the depth of STAR's lists
ERRORS = ("errors", *(f"errors@{k}" for k in CUTS))
"""Pairwise errors a query (documents ranked wrongly above its positives), whole and cut."""
OVERLAP = "overlap@200"
"""Share of the top 200 non-positives that already stood in the top 200 of the encoder that the arm started from."""

_ASKED = 256  # training queries whose lists are compared
_LISTS = "lists.npy"


class Splits(NamedTuple):
    """The parts of one data set."""

    fit: Collection
    dev: Collection
    test: Collection


@lru_cache(maxsize=4)
def splits(name: str) -> Splits:
    """The parts of a data set by its public name."""
    from litotes.data.builtin import BUILTIN, load_builtin
    from litotes.data.load import load

    if name in BUILTIN:
        return Splits(*(load_builtin(name, split) for split in ("fit", "dev", "test")))
    from litotes.data.public import public_folder

    folder = public_folder(name)
    return Splits(*(load(folder, split=split) for split in ("train", "dev", "test")))


def run_recipe(cell: Cell, fit: Collection | None = None) -> Outcome:
    """Train the arm and measure what it left; ``fit`` is trained on in place of the data's own training part."""
    from litotes.evaluation import evaluate
    from litotes.models import resolve_encoder
    from litotes.recipes.training_command import find_training_command

    data, options = splits(cell.data), dict(cell.arm.config)
    data = data if fit is None else data._replace(fit=fit)
    command, name = find_training_command(cell.arm.command), options.pop("encoder", None)
    config = command.config(**options, seed=cell.seed)
    start = _starting_encoder(cell, name, data.fit, config.trained_layers)
    watched_nowhere = data.dev.select_rows([])
    command.train(data.fit, config, cell.folder / "model", dev=watched_nowhere, encoder=start)
    trained = _loaded(cell.folder / "model", config.trained_layers)
    encoder = _EachTextOnce(resolve_encoder(trained, dtype=config.dtype, batch_size=config.batch_size, store=False))
    asked = data.dev if cell.split == "dev" else data.test
    truth = asked.truth if cell.split == "test" and asked.truth is not None else asked.labels
    found = evaluate(asked, encoder, METRICS, qrels=truth)
    per_query = {**found.per_query, **_errors(asked, encoder, truth)}
    metrics = {metric: float(np.mean(list(values.values()))) for metric, values in per_query.items()}
    lists = _lists(data.fit, encoder)
    np.save(cell.folder / _LISTS, lists, allow_pickle=False)
    if cell.start is not None:
        metrics[OVERLAP] = _overlap(np.load(cell.start / _LISTS, allow_pickle=False), lists)
    facts = {"data": {"name": cell.data, "fingerprint": _fingerprint(cell.data), "queries": found.counts["queries"]}}
    return Outcome(metrics, per_query, facts)


def _fingerprint(name: str) -> str:
    """Of all parts of a data set, and of the truth by which test is measured; the same for every arm and seed."""
    parts = splits(name)
    truth = None if parts.test.truth is None else parts.test.truth.fingerprint
    return digest([part.fingerprint for part in parts], truth)


class _EachTextOnce:
    """An encoder that is asked several times for the same texts, and encodes them once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self.similarity = encoder, encoder.similarity
        self._known: dict[tuple[str, int], np.ndarray] = {}

    def encode(
        self, texts: Sequence[str | None], role: Any, *, ids: Sequence[str] | None = None, progress: bool = True
    ) -> np.ndarray:
        key = (role, hash(tuple(texts)))
        if key not in self._known:
            self._known[key] = self._encoder.encode(texts, role, ids=ids, progress=progress)
        return self._known[key]

    def fingerprint(self, role: Any) -> dict[str, str]:
        return self._encoder.fingerprint(role)


@lru_cache(maxsize=1)
def _kept_states() -> KeptStates:
    """What frozen layers computed, for all cells of this process."""
    from litotes.models.frozen_layers import KeptStates

    return KeptStates(2**30)


def _starting_encoder(
    cell: Cell, name: str | None, data: Collection, trained_layers: int | None
) -> SentenceTransformer:
    """The model of the cell that this one starts from, or the named one."""
    if cell.start is not None:
        return _loaded(cell.start / "model", trained_layers)
    if name == "word-bag":
        from litotes.models.word_bag import word_bag

        return word_bag(data, seed=cell.seed)
    return _loaded(name or "builtin:minilm", trained_layers)


def _loaded(name: str | Path, trained_layers: int | None) -> SentenceTransformer:
    from litotes.models import load_sentence_transformer
    from litotes.models.frozen_layers import freeze_lower_layers

    model = load_sentence_transformer(name, dtype="float32")
    is_one_tower = hasattr(next(model.children()), "model")  # the towers of a Router have each their own layers
    if trained_layers is None or not is_one_tower:
        return model
    return freeze_lower_layers(model, trained_layers, kept=_kept_states())


def _errors(data: Collection, encoder: Encoder, truth: LabelMatrix) -> dict[str, dict[str, float]]:
    """Pairwise errors of each query (documents ranked wrongly above its positives), whole and cut."""
    from litotes.evaluation.diagnostics import pairwise_errors
    from litotes.models import encode_cols, encode_rows

    rows, cols = truth.positive_cells()
    asked = np.unique(rows)
    positives = np.zeros((data.n_rows, data.n_cols), dtype=bool)
    positives[rows, cols] = True
    scores = encode_rows(data, encoder)[asked] @ encode_cols(data, encoder).T
    errors = pairwise_errors(scores, positives[asked])
    ids = [data.row_ids[row] for row in asked]
    cut = {"errors": errors, **{f"errors@{k}": np.minimum(errors, k) for k in CUTS}}
    return {name: dict(zip(ids, values.astype(float).tolist(), strict=True)) for name, values in cut.items()}


def _lists(data: Collection, encoder: Encoder) -> np.ndarray:
    """The top 200 non-positives of some training queries; int64 ``[queries, 200]``, -1 where there are fewer."""
    from litotes.mining import DenseMiner

    found = DenseMiner(encoder=encoder, top=200).mine(data, rows=np.arange(min(_ASKED, data.n_rows)))
    return found.padded(200)[1]


def _overlap(before: np.ndarray, now: np.ndarray) -> float:
    from litotes.evaluation import hard_negative_overlap

    return hard_negative_overlap(before, now)
