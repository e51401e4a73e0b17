"""The recorded results: those that the wheel carries, or those of the repository that the package is run from.

``litotes recipes`` reads them, so this module loads only the standard library.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from litotes.evaluation.provenance import checkout

__all__ = ["recorded", "recorded_verdicts", "results_folder"]


def results_folder() -> Path:
    """Where recorded results lie."""
    root = checkout()
    return Path(__file__).parent / "results" if root is None else root / "docs" / "results"


def recorded(slug: str) -> dict[str, Any] | None:
    """The recorded result of a system; None where there is none."""
    path = results_folder() / f"{slug}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def recorded_verdicts(slug: str) -> str:
    """The verdicts in a few words, such as ``3 claims hold, 1 too small to tell``; empty where nothing is recorded."""
    result = recorded(slug)
    if result is None or not result["claims"]:
        return ""
    counts = Counter(record["verdict"] for record in result["claims"])
    words = {"holds": ("claim holds", "claims hold"), "does not hold": ("does not hold", "do not hold")}
    return ", ".join(
        f"{counts[verdict]} {words.get(verdict, (verdict, verdict))[counts[verdict] > 1]}"
        for verdict in ("holds", "does not hold", "not separable here", "too small to tell")
        if counts[verdict]
    )
