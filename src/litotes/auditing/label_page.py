"""The page of an audit of class labels: the first suspects, who speaks against them, and the noise matrix as heat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from litotes.auditing.findings import Findings
from litotes.auditing.template_page import page_of
from litotes.core.files import write_atomically, write_json

__all__ = ["write_label_page"]

SHOWN = 40  # rows of a list on the page; the files hold the rest
_HEAT = 15  # classes of the matrix on the page, those with the most issues
_PAIRS = 15


def write_label_page(folder: Path, facts: Mapping[str, Any], lists: Sequence[Findings]) -> Path:
    """Write ``report.html`` and ``report.json``; returns the page's path."""
    issues, conflicts = lists
    page = page_of(
        "labels.html.jinja",
        facts=facts,
        lead=_lead(facts, conflicts),
        tiles=_tiles(facts, conflicts),
        heat=_heat(facts),
        pairs=[{**pair, "percent": _percent(pair["share"])} for pair in facts["noise_pairs"][:_PAIRS]],
        n_pairs=len(facts["noise_pairs"]),
        issues=_section(issues),
        conflicts=_section(conflicts),
    )
    write_json(folder / "report.json", facts)
    write_atomically(folder / "report.html", page)
    return folder / "report.html"


def _lead(facts: Mapping[str, Any], conflicts: Findings) -> str:
    rows, issues = facts["data"]["rows"], facts["issues"]
    share = _percent(facts["share"])
    said = f"Of {rows:,} labels {issues:,} ({share}) look wrong." if issues else f"None of {rows:,} labels looks wrong."
    if conflicts.total:
        words = "pair of rows is" if conflicts.total == 1 else "pairs of rows are"
        said += f" {conflicts.total:,} {words} nearly the same and labelled differently."
    return said


def _tiles(facts: Mapping[str, Any], conflicts: Findings) -> list[tuple[str, str, str]]:
    """Label, number and where it leads (empty: nowhere)."""
    data = facts["data"]
    return [
        ("rows", f"{data['rows']:,}", ""),
        ("classes", f"{data['classes']:,}", ""),
        ("suspected labels", f"{facts['issues']:,}", "label-issues"),
        ("conflicting near-duplicates", f"{conflicts.total:,}", "conflicting-duplicates"),
    ]


def _section(found: Findings) -> dict[str, Any]:
    return {
        "name": found.name,
        "title": found.title,
        "says": found.says,
        "rows": len(found),
        "total": found.total,
        "verdicts": list(found.verdicts.items()),
        "cards": [dict(row) for row in found.rows[:SHOWN]],
    }


def _heat(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """The classes with the most issues, and the matrix of given (rows) by predicted (columns) with a shade each."""
    pairs = facts["noise_pairs"]
    if not pairs:
        return None
    weight: dict[str, int] = {}
    for pair in pairs:
        for side in ("given_label", "predicted_label"):
            weight[pair[side]] = weight.get(pair[side], 0) + pair["rows"]
    chosen = set(sorted(weight, key=lambda name: -weight[name])[:_HEAT])
    names = [name for name in facts["class_sizes"] if name in chosen]
    cells = np.zeros((len(names), len(names)), dtype=np.int64)
    for pair in pairs:
        if {pair["given_label"], pair["predicted_label"]} <= chosen:
            cells[names.index(pair["given_label"]), names.index(pair["predicted_label"])] = pair["rows"]
    most = max(int(cells.max()), 1)
    return {
        "names": names,
        "left_out": len(facts["class_sizes"]) - len(names),
        "rows": [
            (
                name,
                f"{facts['class_sizes'][name]:,}",
                [(f"{count:,}" if count else "", round(80 * count / most)) for count in counts],
            )
            for name, counts in zip(names, cells.tolist(), strict=True)
        ],
    }


def _percent(share: float) -> str:
    return f"{share:.1%}"
