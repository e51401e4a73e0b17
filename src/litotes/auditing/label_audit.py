"""``audit_labels``: which class labels of a table look wrong, in an order that a person can work through.

Each detector's scores are a stage of the run folder, so that an audit that was stopped goes on with the next detector;
the order, the lists and the report are made of them in one go at the end. Nothing in the data is changed.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.auditing.findings import Findings
from litotes.auditing.label_detectors import LabelScores
from litotes.auditing.label_inputs import LabelInputs, class_order, read_inputs
from litotes.auditing.label_lists import (
    against_words,
    conflicting_duplicates,
    noise_pairs,
    reasons,
    suspected_labels,
)
from litotes.auditing.label_neighbours import neighbours_of, speaking_against
from litotes.auditing.label_ranking import DEFAULT, Ranking, ranked
from litotes.auditing.label_scoring import detectors_of, scored
from litotes.core import RunFolder
from litotes.core import progress as core_progress
from litotes.core.checks import check_float, check_int
from litotes.core.errors import LitotesError, require
from litotes.core.files import write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from litotes.data.labelled_table import LabelledTable

__all__ = ["LabelAudit", "audit_labels", "label_audit"]

_NEIGHBOURS = 20  # among which those that speak against a label are looked for


@dataclasses.dataclass(frozen=True)
class LabelAudit:
    """What an audit of class labels found.

    Attributes:
        ranking: score, predicted class and whether it is an issue, by row of the table.
        classes: the labels in the order of the codes.
        lists: suspected labels, and near-duplicates with different labels.
        detectors: what each detector thinks, by name.
        facts: everything that ``report.json`` holds.
        folder: the run folder; None where the audit was kept in memory only.
    """

    ranking: Ranking
    classes: list[str]
    lists: tuple[Findings, Findings]
    detectors: Mapping[str, LabelScores]
    facts: Mapping[str, Any]
    folder: Path | None = None


def audit_labels(
    source: Any,
    *,
    label: str,
    text: str | None = None,
    features: Sequence[str] | None = None,
    id_column: str | None = None,
    encoder: Any = "builtin:minilm",
    pred_probs: Any = None,
    reference: Any = None,
    by: Any = None,
    out: str | os.PathLike[str] | None = None,
    top: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score the labels of a table or frame; ``frame.join(audit_labels(frame, ...))`` shows them beside the data.

    Args:
        source: a pandas ``DataFrame``, a ``datasets.Dataset``, or a file: JSONL, CSV, TSV, Parquet.
        label: the column of classes.
        text: the column of texts, which ``encoder`` embeds.
        features: columns of numbers, or of lists of numbers. Without these and ``text``: every column of numbers.
        id_column: names the rows in the files that are written; by default their positions.
        encoder: see :func:`litotes.models.encoder.resolve_encoder`.
        pred_probs: ``[rows, classes]`` of a model that did not see the row it answers for, classes in their order
            (numbers by value, texts by character), or a frame whose columns are the classes. With it ``text`` and
            ``features`` may be left out.
        reference: rows whose labels are known to be right, with the same columns, none of which is in ``source``.
        by: detectors by name (``elr``, ``small-loss``, ``neighbours``, ``pred-probs``, ``cleanlab``), with options
            after a colon (``neighbours:n_neighbors=10``), or objects; one or several. None: the fixed combination of
            :mod:`.label_ranking`.
        out: a folder for the report and the lists, new or one that an audit of the same data was stopped in.
        top: rows of a list in ``out`` at most.
        seed: of everything random.

    Returns:
        On the index of the frame (of a file: positions, or the ids): ``is_label_issue``, ``label_score``,
        ``given_label``, ``predicted_label``, as cleanlab's Datalab calls them, and ``reason``.

    Raises:
        LitotesError: labels that are missing or of one class, a reference that overlaps the data, probabilities that
            are none; the message names the row.
    """
    require("pandas", "sklearn", extra="labels")
    import pandas as pd

    columns = [features] if isinstance(features, str) else features
    inputs = read_inputs(
        source,
        label=label,
        text=text,
        features=columns,
        id_column=id_column,
        pred_probs=pred_probs,
        reference=reference,
    )
    found = label_audit(inputs, encoder, by=by, out=out, top=top, seed=seed)
    table, ranking = inputs.table, found.ranking
    values = [table.label_values.get(name, name) for name in found.classes]
    why = reasons(found.detectors, ranking, inputs.codes, found.classes, range(len(table)))
    return pd.DataFrame(
        {
            "is_label_issue": ranking.issue,
            "label_score": ranking.score,
            "given_label": [values[code] for code in inputs.codes.tolist()],
            "predicted_label": [values[code] for code in ranking.predicted.tolist()],
            "reason": [why[row] for row in range(len(table))],
        },
        index=_index(source, table),
    )


def label_audit(
    inputs: LabelInputs,
    encoder: Any = "builtin:minilm",
    *,
    by: Any = None,
    out: str | os.PathLike[str] | RunFolder | None = None,
    top: int = 1000,
    near: float = 0.7,
    seed: int = 0,
    force: bool = False,
    say: Callable[[str], None] = core_progress.say,
) -> LabelAudit:
    """As :func:`audit_labels`, of a table that was read.

    Args:
        inputs: from :func:`.label_inputs.read_inputs`.
        encoder: for texts.
        by: as there.
        out: the run folder; None keeps nothing on disk.
        top: rows of a list at most.
        near: share of word triples from which two texts are near-duplicates.
        seed: of everything random.
        force: score again what was scored from other things.
        say: takes one line of text for people.

    Raises:
        LitotesError: a parameter out of its range, two detectors of one name, or ``out`` is the folder of the data.
        StaleError: ``out`` holds an audit of other data or by another encoder.
    """
    require("faiss", "jinja2", "sklearn", extra="labels")
    check_int("audit_labels", "top", top, at_least=1)
    check_float("audit_labels", "near", near, above=0, at_most=1)
    check_int("audit_labels", "seed", seed, at_least=0)
    if out is None:
        with tempfile.TemporaryDirectory(prefix="litotes-audit-") as folder:
            made = label_audit(inputs, encoder, by=by, out=folder, top=top, near=near, seed=seed, say=say)
            return dataclasses.replace(made, folder=None)
    _check_folder(out.path if isinstance(out, RunFolder) else Path(out), inputs.table)
    names = by if by is not None else _default(inputs)
    names = [names] if isinstance(names, str) or hasattr(names, "scores") else list(names)
    detectors_of(names, inputs)  # a wrong name is said before anything is embedded
    data = inputs.with_vectors(encoder)
    detectors = detectors_of(names, data)
    run = out if isinstance(out, RunFolder) else RunFolder.open(out)
    classes, codes, table = class_order(inputs.table), inputs.codes, inputs.table
    found = {one.name: scored(run, one, data, len(classes), seed, force, say) for one in detectors}
    ranking = ranked(list(found.values()), codes)
    rows = ranking.order[:top].tolist()
    issues = suspected_labels(
        table, ranking, reasons(found, ranking, codes, classes, rows), _against(data, ranking, rows), classes, rows
    )
    lists = (issues, conflicting_duplicates(table, near, top))
    facts = {
        "audit": "labels",
        "run": str(run.path),
        "data": _data_facts(table, classes),
        "settings": {"by": [one.name for one in detectors], "top": top, "near": near, "seed": seed},
        "issues": int(ranking.issue.sum()),
        "share": float(ranking.issue.mean()),
        "noise_pairs": noise_pairs(codes, ranking, classes),
        "class_sizes": {name: int(count) for name, count in zip(classes, np.bincount(codes), strict=True)},
        "reference": None if inputs.reference is None else len(inputs.reference),
        "lists": {each.name: each.facts() for each in lists},
        "made_from": {name: value for key in run.stages for name, value in run.stages[key]["fingerprints"].items()},
        "versions": next(iter(run.stages.values()))["versions"],
    }
    _write(run.path, facts, lists)
    return LabelAudit(ranking, classes, lists, found, facts, run.path)


def _default(inputs: LabelInputs) -> list[str]:
    """The fixed combination, as far as the data goes, and one's own probabilities where they are given."""
    with_features = list(DEFAULT) if inputs.has_features else []
    return with_features + (["pred-probs"] if inputs.pred_probs is not None else [])


def _against(data: LabelInputs, ranking: Ranking, rows: Sequence[int]) -> dict[int, str]:
    """Who of the nearest speaks against the label of each row, in words."""
    if data.vectors is None:
        return {}
    at = np.asarray(rows)
    clean = data.reference_vectors
    found = neighbours_of(data.vectors, at, _NEIGHBOURS, None if clean is None else clean[0])
    theirs, speakers = (data.codes, data.table) if clean is None else (clean[1], data.reference)
    assert speakers is not None
    against = speaking_against(found, data.codes[at], theirs, ranking.predicted[at])
    return {row: against_words(data.table, speakers, each) for row, each in zip(rows, against, strict=True)}


def _check_folder(out: Path, table: LabelledTable) -> None:
    """Refuse the folder that the table lies in."""
    origin = Path(table.origin)
    if origin.is_file() and origin.resolve().parent == out.resolve():
        raise LitotesError(f"{out} is the folder of the data, {origin}. Name a folder of its own.")


def _write(folder: Path, facts: dict[str, Any], lists: Sequence[Findings]) -> None:
    from litotes.auditing.label_page import write_label_page
    from litotes.data.table_writing import write_columns

    for found in lists:
        write_atomically(folder / f"{found.name}.csv", found.to_csv())
        write_atomically(folder / f"{found.name}.jsonl", found.to_jsonl())
    names = ("given_label", "predicted_label", "rows", "share")
    write_columns(folder / "noise-matrix.csv", {name: [pair[name] for pair in facts["noise_pairs"]] for name in names})
    write_label_page(folder, facts, lists)


def _data_facts(table: LabelledTable, classes: Sequence[str]) -> dict[str, Any]:
    return {
        "name": table.name,
        "origin": table.origin,
        "rows": len(table),
        "classes": len(classes),
        "label_column": table.label_column,
        "fingerprint": table.fingerprint,
        "parts": table.parts,
    }


def _index(source: Any, table: LabelledTable) -> Any:
    """The index of a frame, for the rows that were read; else ids or positions."""
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        return source.index[[int(place.rsplit(":", 1)[1]) for place in table.places]]
    return pd.Index(table.ids, name=table.id_column) if table.id_column else pd.RangeIndex(len(table))
