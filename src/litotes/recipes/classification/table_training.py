"""A table of examples in, a classifier in a run folder out: what the training commands for classes share.

The folder holds the classifier, ``encoder.json`` where it was trained on texts, and ``labels.csv`` where the method has
an opinion on every given label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.core import RunFolder
from litotes.core.errors import DataError
from litotes.core.files import read_json, write_json
from litotes.recipes.classification.text_options import TextOptions

if TYPE_CHECKING:
    from litotes.data.labelled_table import LabelledTable
    from litotes.training.array_classifier import ArrayClassifier

__all__ = ["load_table_classifier", "train_on_table"]

_ENCODER = "encoder.json"


def train_on_table(
    kind: type[ArrayClassifier],
    command: str,
    data: LabelledTable,
    config: Any,
    run: RunFolder | str | Path,
    *,
    dev: LabelledTable | None = None,
    module: Any = None,
    finish: Callable[[Any, LabelledTable, Path], None] | None = None,
) -> Any:
    """Fit ``kind`` with ``config`` on a table; a killed call, made again, goes on.

    Args:
        kind: the estimator.
        command: what ``litotes train`` calls it.
        data: texts or numbers, and a label for every row.
        config: an ``ArrayOptions`` that is a :class:`TextOptions` too.
        run: the folder.
        dev: rows to watch; None holds out a share of the training rows.
        module: as the estimator takes it. A model with one is loaded with ``kind.load(folder, module=...)``.
        finish: called with the estimator, the data and the folder before the run is closed.

    Returns:
        The estimator; for texts a ``Pipeline`` of encoder and estimator.
    """
    from litotes.core.fingerprint import digest
    from litotes.data import check_classes
    from litotes.training import TrainingRun

    run = run if isinstance(run, RunFolder) else RunFolder.open(run)
    check_classes(data, dev)
    _check_same_inputs(data, dev)
    encoder = None if data.texts is None else config.text_encoder(config.device)
    parts = {
        "data": data.fingerprint,
        "dev data": "held out" if dev is None else dev.fingerprint,
        "encoder": "none" if encoder is None else digest(encoder.fingerprint()),
        "module": "none" if module is None else "given",
    }
    job = TrainingRun(run, command, config.model_dump(), parts)
    if job.done:
        return load_table_classifier([kind], job.folder, module=module)
    inputs = [
        table and (table.features if encoder is None else encoder.transform(table.texts)) for table in (data, dev)
    ]
    model = kind.from_config(config, module=module)
    valid = None if dev is None else (inputs[1], np.array(dev.labels))
    model.fit_into(job, inputs[0], np.array(data.labels), valid=valid)
    model.save(job.folder)
    if encoder is not None:
        write_json(job.folder / _ENCODER, {name: getattr(config, name) for name in TextOptions.model_fields})
    if finish is not None:
        finish(model, data, job.folder)
    job.finish(_summary(model, data))
    return _with(encoder, model)


def load_table_classifier(
    kinds: Sequence[type[ArrayClassifier]], folder: str | Path, *, module: Any = None, device: str = "auto"
) -> Any:
    """What :func:`train_on_table` left in a folder, whichever of ``kinds`` it is, with the encoder of its texts."""
    from litotes.training.saved_classifier import kind_of

    model = kind_of(kinds, folder).load(folder, module=module, device=device)
    place = Path(folder) / _ENCODER
    encoder = TextOptions(**read_json(place)).text_encoder(device) if place.exists() else None
    return _with(encoder, model)


def _with(encoder: Any, model: Any) -> Any:
    from sklearn.pipeline import make_pipeline

    return model if encoder is None else make_pipeline(encoder, model)


def _check_same_inputs(data: LabelledTable, dev: LabelledTable | None) -> None:
    if data.texts is None and data.features is None:
        raise DataError(
            f"{data.origin}: neither texts nor numbers to learn from. Name the columns with text= or features=."
        )
    if dev is None:
        return
    what = "texts" if data.texts is not None else "numbers"
    if (dev.texts is None) != (data.texts is None) or (data.texts is None and dev.features is None):
        raise DataError(f"{dev.origin}: has no {what} as {data.origin} has. Read both with the same columns.")
    if data.texts is None and dev.features.shape[1:] != data.features.shape[1:]:  # type: ignore[union-attr]
        widths = dev.features.shape[1], data.features.shape[1]  # type: ignore[union-attr]
        raise DataError(f"{dev.origin}: {widths[0]} numbers a row, and {data.origin} has {widths[1]}. Give the same.")


def _summary(model: Any, data: LabelledTable) -> dict[str, Any]:
    """What ``run.json`` and the person at the terminal are told; accuracies are by the labels of the watched rows."""
    last = model.history_[-1]
    found = {
        "rows": len(data),
        "classes": len(model.classes_),
        "epochs": len(model.history_),
        "train_loss": {name: value for name, value in last.items() if name.startswith("train_loss")},
        "held_out": [data.ids[row] for row in model.held_out_.tolist()],
    }
    if model.best_epoch_ is not None:
        found["watched_accuracy"] = {
            "first_epoch": model.history_[0]["valid_accuracy"],
            "final": model.final_valid_accuracy_,
            "best": model.best_valid_accuracy_,
            "best_epoch": model.best_epoch_,
        }
    if hasattr(model, "label_issues_"):
        found["label_issues"] = int(model.label_issues_.sum())
    return found
