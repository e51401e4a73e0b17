"""The detectors of an audit of class labels, and their scores: one stage of the run folder each, made once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from litotes.auditing.label_detectors import Detector, LabelScores, detector_from_spec
from litotes.auditing.label_inputs import LabelInputs
from litotes.core import RunFolder
from litotes.core.errors import LitotesError
from litotes.core.fingerprint import digest

__all__ = ["detectors_of", "scored"]


def detectors_of(names: Sequence[Any], data: LabelInputs) -> list[Detector]:
    """The detectors, with what they need."""
    given: dict[str, Any] = {"pred_probs": data.pred_probs, "reference": data.reference_vectors}
    made = [detector_from_spec(each, **given) if isinstance(each, str) else each for each in names]
    if not made:
        raise LitotesError("The 'by' parameter of audit_labels must name one detector at least. Got none.")
    for place, one in enumerate(made):
        if one.name in [other.name for other in made[:place]]:
            raise LitotesError(f"Two detectors are called {one.name!r}. Add name=ANOTHER to one of them.")
        if one.needs_features and not data.has_features:
            raise LitotesError(
                f"The detector {one.name!r} needs texts or numbers. Name their columns with text= or features=, or ask "
                "by='pred-probs' alone."
            )
    if data.reference is not None and not any(hasattr(one, "reference") for one in made):
        raise LitotesError("A reference is given and no detector asks it. Add by='neighbours', or leave it out.")
    return made


def scored(
    run: RunFolder,
    detector: Detector,
    data: LabelInputs,
    n_classes: int,
    seed: int,
    force: bool,
    say: Callable[[str], None],
) -> LabelScores:
    """The scores of one detector, from the run folder or made now."""
    known = _fingerprint(detector)
    stage = run.stage(
        f"scores/{detector.name}",
        verb="audit labels",
        config={"detector": detector.name, "n_classes": n_classes},
        fingerprints={
            **data.parts(detector.needs_features),
            f"detector {detector.name}": known or "not known",
            "seed": str(seed),
        },
        shards=1,
        seed=seed,
        force=force,
    )
    if stage.pending or known is None:
        say(f"{detector.name}: scoring {len(data.codes):,} labels of {n_classes:,} classes.")
        vectors = data.vectors if detector.needs_features else None
        found = _checked(detector, detector.scores(vectors, data.codes, n_classes=n_classes, seed=seed), n_classes)
        shares = pa.FixedSizeListArray.from_arrays(pa.array(found.shares.ravel(), pa.float32()), n_classes)
        stage.write(0, pa.table({"score": found.score, "predicted": found.predicted, "shares": shares}))
        stage.finish({"rows": len(data.codes)})
    (table,) = stage.tables()
    shares = table["shares"].combine_chunks().flatten().to_numpy().reshape(-1, n_classes)
    return LabelScores(table["score"].to_numpy(), table["predicted"].to_numpy(), shares)


def _checked(detector: Detector, found: LabelScores, n_classes: int) -> LabelScores:
    """What a detector of somebody else's gave, if it is scores."""
    rows = len(found.score)
    fits = found.predicted.shape == (rows,) and found.shares.shape == (rows, n_classes)
    if not fits or not np.isfinite(found.shares).all() or not ((found.score >= 0) & (found.score <= 1)).all():
        raise LitotesError(
            f"The detector {detector.name!r} must give a score in [0, 1], a class and finite shares "
            f"[rows, {n_classes}]."
        )
    return LabelScores(
        found.score.astype(np.float64), found.predicted.astype(np.int64), found.shares.astype(np.float32)
    )


def _fingerprint(detector: Detector) -> str | None:
    """A digest of what decides its numbers; None where nobody knows, so that nothing of it is kept."""
    if not dataclasses.is_dataclass(detector):
        return None
    return digest(type(detector).__name__, {f.name: getattr(detector, f.name) for f in dataclasses.fields(detector)})
