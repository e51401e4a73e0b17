"""The report on a run: one HTML page that opens without network, and the same numbers as JSON beside it.

What it answers: how many candidates are suspected to be answers that nobody labelled, where in the rankings they stand,
whether the judges agree, which cells to look at first, and what was left out before any judge looked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litotes.auditing.chart_page import charts_of
from litotes.auditing.examples import describe
from litotes.auditing.line_chart import DASHES, write_percent
from litotes.auditing.quality import Truth
from litotes.auditing.run_blocks import run_blocks
from litotes.auditing.survey import Survey
from litotes.auditing.template_page import page_of
from litotes.auditing.verdicts import verdicts_of
from litotes.core import Collection, LabelMatrix, RunFolder
from litotes.core.errors import LitotesError, require
from litotes.core.files import write_atomically, write_json
from litotes.core.progress import track

__all__ = ["write_report"]

EXAMPLES = 50
_REASONS = {
    "excluded_positive": "the known positives of each query",
    "excluded_twin": "documents with the very text of a positive",
    "excluded_no_text": "documents without text (once for each query)",
    "rows_no_text": "queries without text",
    "below_min_score": "scored below the lowest score asked for",
    "above_max_score": "scored above the highest score asked for",
    "unknown_columns": "documents of the run file that this data does not have",
    "unknown_rows": "queries of the run file that this data does not have",
    "rows_not_in_run": "queries that the run file does not have",
}
_SUSPECTS_WHEN = {
    "trust": "it is more likely an answer than not (trust below 0.5)",
    "rule": "its score comes too near the positive's (a margin rule)",
    "raw": "never: it gives values without a threshold",
}


def write_report(run: RunFolder | str | Path, data: Collection, truth: LabelMatrix | None = None) -> Path:
    """Write ``report.html`` and ``report.json`` into a run folder; returns the page's path.

    Args:
        run: a run that holds candidates; without judgements the page says what to type.
        data: the collection that the run was made from.
        truth: known labels over any ids; ``data.truth`` by default. With them the page shows precision and recall.

    Raises:
        LitotesError: no candidates, an unfinished stage, or an audit's folder, which has a page of its own.
        StaleError: the run was made from other data.
    """
    require("jinja2", extra="retrieval")
    run = run if isinstance(run, RunFolder) else RunFolder.open(run, create=False)
    _refuse_audit(run)
    labels = data.truth if truth is None else truth
    known = None if labels is None else Truth.of(data, labels)
    verdicts = verdicts_of(run, data)
    survey = Survey(
        verdicts,
        margin=next((verdict for verdict in verdicts if verdict.is_margin), None),
        truth=known,
        deepest=_deepest(run),
        examples=EXAMPLES,
    )
    shards = next((stage["shards"] for stage in run.stages.values()), None)
    for block in track(run_blocks(run), "Reading candidates and judgements", total=shards, unit="shards"):
        block.check_data(data)
        survey.add(block)
    facts = {"run": str(run.path), "data": _data_facts(data), **survey.facts()}
    shown = [describe(suspect, data, verdicts, known) for suspect in survey.most.found()]
    facts["suspects"] = [cell.facts for cell in shown]
    facts["stages"] = _stage_facts(run)
    facts["versions"] = next(iter(run.stages.values()))["versions"]
    page = _page(facts, [cell.html for cell in shown], survey)
    write_atomically(run.path / "report.html", page)
    write_json(run.path / "report.json", facts)
    return run.path / "report.html"


def _refuse_audit(run: RunFolder) -> None:
    """An audit's report.html and report.json are what its lists and ``litotes audit apply`` stand on."""
    verbs = [stage["verb"] for stage in run.stages.values()]
    verbs += [command["verb"] for command in run.record.get("commands", ())]
    if any(verb.split()[0] == "audit" for verb in verbs):
        raise LitotesError(
            f"{run.path} is an audit, and its page is {run.path / 'report.html'}, which litotes audit retrieval writes."
        )


def _page(facts: dict[str, Any], suspects: list[dict[str, Any]], survey: Survey) -> str:
    miners = facts["miners"]
    judges = [
        {"flagged": None, "share": None, **judge, "suspects_when": _SUSPECTS_WHEN[judge["reading"]]}
        for judge in facts["judges"]
    ]
    return page_of(
        "report.html.jinja",
        run=facts["run"],
        data={**facts["data"], "notes": _notes(facts["data"]["notes"])},
        lead=_lead(facts),
        warnings=_warnings(facts),
        tiles=_tiles(facts),
        miners=miners,
        judges=judges,
        charts=charts_of(survey),
        dashes=DASHES,
        has_margin=survey.margin is not None,
        agreement=facts["agreement"],
        quality=facts["quality"],
        suspects=suspects,
        suspects_note=_suspects_note(survey),
        reasons=[
            (reason, words) for reason, words in _REASONS.items() if any(m["left_out"].get(reason) for m in miners)
        ],
        stages=[{**stage, "settings": _settings(stage["config"])} for stage in facts["stages"]],
        versions=facts["versions"],
    )


def _lead(facts: dict[str, Any]) -> str:
    cells = facts["cells"]
    if cells["suspected"] is None:
        found = f"{cells['candidates']:,} candidates for {cells['rows_with_candidates']:,} queries"
        return f"{found}. Nothing is suspected yet."
    share = cells["suspected"] / max(cells["candidates"], 1)
    rows = cells["rows_with_suspects"] / max(cells["rows_with_candidates"], 1)
    return (
        f"Of {cells['candidates']:,} candidates that would be taken for negatives, {cells['suspected']:,} "
        f"({write_percent(share)}) are suspected to be answers that nobody labelled. They touch "
        f"{cells['rows_with_suspects']:,} queries ({write_percent(rows)})."
    )


def _warnings(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """What a reader must know before the numbers: a sentence, and the command that mends it."""
    judge_again = f"litotes judge {facts['run']} --by"
    late = [
        (
            f"{judge['judge']} has not seen the candidates of {', '.join(judge['not_seen'])}, which came later. "
            "Judge again:",
            f"{judge_again} {judge['judge']} --force",
        )
        for judge in facts["judges"]
        if judge["not_seen"]
    ]
    foreign = [
        (
            f"The probabilities of {judge['judge']} are {judge['calibration']}. Take them as a guess and look at the "
            "cells below. With judgements of your own:",
            f"{judge_again} {judge['judge']} --calibrate QRELS --force",
        )
        for judge in facts["judges"]
        if "not on your data" in (judge["calibration"] or "")
    ]
    return late + foreign


def _tiles(facts: dict[str, Any]) -> list[tuple[str, str, bool]]:
    data, cells = facts["data"], facts["cells"]
    tiles = [
        ("queries", f"{data['rows']:,}", False),
        ("documents", f"{data['cols']:,}", False),
        ("labelled positives", f"{data['positives']:,}", False),
        ("candidates", f"{cells['candidates']:,}", False),
    ]
    if cells["suspected"] is not None:
        tiles.append(("suspected false negatives", f"{cells['suspected']:,}", True))
        tiles.append(("queries touched", f"{cells['rows_with_suspects']:,}", True))
    return tiles


def _suspects_note(survey: Survey) -> str:
    if any(verdict.gives_trust for verdict in survey.verdicts):
        return "Ordered by trust, the probability that the candidate really is a negative; lowest first."
    if any(verdict.flags_cells for verdict in survey.verdicts):
        return "Ordered by how many judges would drop the candidate."
    return (
        f"Ordered by the raw value of {survey.verdicts[0].name}, highest first; no judge here has a threshold."
        if survey.verdicts
        else ""
    )


def _data_facts(data: Collection) -> dict[str, Any]:
    return {
        "name": data.name,
        "origin": data.origin,
        "split": data.split,
        "rows": data.n_rows,
        "cols": data.n_cols,
        "judgements": len(data.labels),
        "positives": int(data.labels.positive_counts().sum()),
        "rows_without_content": int((~data.rows_with_content).sum()),
        "cols_without_content": int((~data.cols_with_content).sum()),
        "twins_of_positives": int(data.twin_counts().sum()),
        "fingerprint": data.fingerprint,
        "notes": {key: value for key, value in data.notes.items() if isinstance(value, int | float | str)},
    }


def _stage_facts(run: RunFolder) -> list[dict[str, Any]]:
    return [
        {"key": key, "verb": stage["verb"], "config": stage["config"], "fingerprints": stage["fingerprints"]}
        for key, stage in run.stages.items()
        if key.startswith(("candidates/", "judgements/"))
    ]


def _deepest(run: RunFolder) -> int:
    """The deepest rank that any miner of the run was asked for."""
    configs = [stage["config"] for key, stage in run.stages.items() if key.startswith("candidates/")]
    return max((int(config.get("top", 50)) + int(config.get("skip", 0)) for config in configs), default=50)


def _settings(config: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in config.items() if value not in (None, "", {}))


def _notes(notes: dict[str, Any]) -> str:
    counted = [f"{value:,} {key.replace('_', ' ')}" for key, value in notes.items() if isinstance(value, int) and value]
    return ", ".join(counted)
