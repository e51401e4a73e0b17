"""The results of a system as a section of its page, written from the JSON and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from litotes.core.errors import LitotesError

__all__ = ["END", "START", "result_section", "with_section"]

START, END = "<!-- results -->", "<!-- /results -->"


def result_section(result: Mapping[str, Any], plots: str = "../results") -> str:
    """Markdown: a table of verdicts, then each claim with its arms, comparisons and plot.

    Args:
        result: the JSON of a system, ``{"slug": ..., "claims": [...]}``.
        plots: where the plots lie, seen from the page.
    """
    claims = result["claims"]
    verdicts = [[f"[{_plain(c['says'])}](#{_anchor(c['name'])})", c["data"], f"**{c['verdict']}**"] for c in claims]
    parts = [_table(["claim", "data", "verdict"], verdicts)]
    for record in claims:
        parts += _claim(record, f"{plots}/{result['slug']}-{record['name']}.svg")
    parts += [f"Versions: {line}." for line in dict.fromkeys(_versions(record) for record in claims)]
    return "\n\n".join(parts) + "\n"


def with_section(page: str, section: str) -> str:
    """The page with the section between its two marks; they are added under a heading where there are none.

    An empty section leaves nothing between them.

    Raises:
        LitotesError: one mark without the other, or one of them twice.
    """
    if START not in page and END not in page:
        page = f"{page.rstrip()}\n\n## Results\n\n{START}\n{END}\n".lstrip()
    if page.count(START) != 1 or page.count(END) != 1 or page.index(START) > page.index(END):
        raise LitotesError(
            f"The page must hold {START} once and {END} once after it, or neither. "
            f"It holds {page.count(START)} and {page.count(END)}. Mend the marks by hand."
        )
    head, rest = page.split(START)
    middle = f"\n{section.strip()}\n\n" if section.strip() else ""
    return f"{head}{START}\n{middle}{END}{rest.split(END)[1]}"


def _claim(record: Mapping[str, Any], plot: str) -> list[str]:
    about = f"{record['says']} ({record['source']}). Data: `{record['data']}`; metric: {record['metric']}."
    registered = "" if record["as_registered"] else " Run with other seeds than registered."
    parts = [f"### {record['name']}", about, f"Verdict: **{record['verdict']}**.{registered}"]
    if record["note"]:
        parts.append(record["note"])
    parts.append(_arms(record))
    parts.append(
        _table(
            ["comparison", "difference", "level", "t interval", "with queries", "p", "verdict"],
            [_comparison(comparison) for comparison in record["comparisons"]],
        )
    )
    parts.append("\n".join(f"- {_pair(c)}: {c['sentence']}" for c in record["comparisons"]))
    parts.append(f"![{_plain(record['says'])}]({plot})")
    parts.append(f"Digest `{record['digest']}`, {_commit(record)}, {_minutes(record['seconds'])} of runs.")
    return parts


def _commit(record: Mapping[str, Any]) -> str:
    if not record["commit"]:
        return "no commit"
    return f"commit `{record['commit'][:12]}`{'' if record['clean'] else ' with changes that no commit has'}"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _versions(record: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in record["versions"].items())


def _arms(record: Mapping[str, Any]) -> str:
    """A line an arm; further metrics as means."""
    arms: Mapping[str, Mapping[str, Any]] = record["arms"]
    others = list(dict.fromkeys(metric for arm in arms.values() for metric in arm["shown"]))
    rows = [
        [
            name,
            _number(arm["mean"]),
            _number(arm["sd"]),
            f"{_number(arm['low'])} to {_number(arm['high'])}",
            str(len(arm["values"])),
            _options(arm),
            *(_number(arm["shown"][metric]) if metric in arm["shown"] else "-" for metric in others),
        ]
        for name, arm in arms.items()
    ]
    return _table(["arm", record["metric"], "sd", "95 % interval", "seeds", "chosen on dev", *others], rows)


def _options(arm: Mapping[str, Any]) -> str:
    """The options of the trial that won, and how many there were."""
    if not arm["tried"]:
        return "-"
    names = dict.fromkeys(name for trial in arm["tried"] for name in trial["options"])
    chosen = {name: arm["config"][name] for name in names if name in arm["config"]}
    words = ", ".join(
        f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}" for key, value in chosen.items()
    )
    return f"{words} (of {len(arm['tried'])})"


def _comparison(c: Mapping[str, Any]) -> list[str]:
    none = "none: seeds ask other queries" if c.get("queries_differ") else "-"
    queries = none if c["bootstrap_interval"] is None else _interval(c["bootstrap_interval"])
    return [
        _pair(c),
        f"{c['difference']:+.4g}",
        f"{100 * c['level']:.3g} %",
        _interval(c["t_interval"]),
        queries,
        "-" if c["t_interval"][0] == c["t_interval"][1] else f"{c['p_value']:.2g}",  # no spread, no test
        c["verdict"],
    ]


def _pair(c: Mapping[str, Any]) -> str:
    return f"{c['a']} {c['operator']} {c['b']}"


def _interval(ends: Sequence[float]) -> str:
    return f"{ends[0]:+.4g} to {ends[1]:+.4g}"


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"


def _plain(text: str) -> str:
    """Without what ends the text of a link."""
    return text.replace("[", "(").replace("]", ")")


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
