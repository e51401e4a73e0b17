"""The result as JSON (``docs/results/mutants.json``) and as the section of ``docs/quality.md`` between two markers.

The score is killed / (tried - equal): a change that cannot be noticed by any test is not held against the tests, but
each such change stands in ``equal.toml`` with the reason, and the page shows it. A trial whose time ran out counts as
killed and is counted apart; a mutant that no test reaches counts as survived.
"""

import importlib.metadata
import json
import platform
import tomllib
from pathlib import Path

from tools.mutants.operators import Mutant

JSON = Path("docs/results/mutants.json")
PAGE = Path("docs/quality.md")
EQUAL = Path(__file__).with_name("equal.toml")
START, END = "<!-- mutants: written by python -m tools.mutants -->", "<!-- end of mutants -->"
_STATES = ("killed", "timeout", "survived", "not reached", "equal")
_KILLED = ("killed", "timeout")


Place = tuple[str, str, str, int]
"""File, text of the line, change, and which of the file's that read the same."""


def equal_ones(file: Path = EQUAL) -> dict[Place, str]:
    """Why a change is equal, by its place."""
    rows = tomllib.loads(file.read_text(encoding="utf-8")).get("equal", [])
    return {(row["file"], row["line"], row["change"], nth): row["why"] for row in rows for nth in row.get("nth", [1])}


def result(results: list[tuple[Mutant, dict]], there: dict[str, int], seed: int, equal: dict[Place, str]) -> dict:
    """All that the page shows."""
    rooms: dict[str, dict] = {}
    survivors = []
    for mutant, line in results:
        counts = rooms.setdefault(
            mutant.room, {"there": there.get(mutant.room), "tried": 0} | dict.fromkeys(_STATES, 0)
        )
        why = equal.get((mutant.file, mutant.text, mutant.change, mutant.nth))
        state = "equal" if why and line["outcome"] not in _KILLED else line["outcome"]
        counts["tried"] += 1
        counts[state] += 1
        if line["outcome"] not in _KILLED:
            survivors.append(
                {"file": mutant.file, "line": mutant.line, "text": mutant.text, "change": mutant.change, "state": state}
                | ({"why": why} if why else {})
            )
    for counts in rooms.values():
        counts["score"] = _score(counts)
    whole = {name: sum(counts[name] for counts in rooms.values()) for name in ("tried", "killed", "timeout", "equal")}
    return {
        "seed": seed,
        "versions": {"python": platform.python_version(), "pytest": importlib.metadata.version("pytest")},
        "score": _score(whole),
        "rooms": rooms,
        "survivors": survivors,
    }


def _score(counts: dict) -> float:
    return round((counts["killed"] + counts["timeout"]) / max(counts["tried"] - counts["equal"], 1), 4)


def section(result: dict) -> str:
    """The section in Markdown."""
    lines = [
        f"Score: **{result['score']:.1%}** of the mutants that can be noticed. Seed of the samples: {result['seed']}.",
        "",
        "| room | in the code | tried | killed | of these by time | survived | not reached | equal | score |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for room, counts in result["rooms"].items():
        there = counts["there"] if counts["there"] is not None else counts["tried"]
        numbers = [there, counts["tried"], counts["killed"] + counts["timeout"], counts["timeout"]]
        numbers += [counts["survived"], counts["not reached"], counts["equal"]]
        lines.append(f"| `{room}` | " + " | ".join(f"{number:,}" for number in numbers) + f" | {counts['score']:.1%} |")
    lines += _table("Equal, and why", "why", [row for row in result["survivors"] if row["state"] == "equal"])
    lines += _table("Survivors", "state", [row for row in result["survivors"] if row["state"] != "equal"])
    return "\n".join(lines)


def _table(title: str, last: str, rows: list[dict]) -> list[str]:
    lines = ["", f"### {title}", "", f"| where | line | change | {last} |", "|---|---|---|---|"] if rows else []
    for row in rows:
        where = f"{row['file'].removeprefix('src/litotes/')}:{row['line']}"
        lines.append(f"| {where} | {_code(row['text'])} | {_code(row['change'])} | {row[last]} |")
    return lines


def _code(text: str) -> str:
    short = text if len(text) <= 100 else f"{text[:97]}..."
    return "`" + short.replace("|", "\\|").replace("`", "'") + "`"


def write(result: dict) -> None:
    """Both files."""
    JSON.parent.mkdir(parents=True, exist_ok=True)
    JSON.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(with_section(PAGE.read_text(encoding="utf-8"), section(result)), encoding="utf-8")


def with_section(text: str, section: str) -> str:
    """A page with the section between its markers."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    if END not in rest:
        raise SystemExit(f"{PAGE} has no lines {START!r} and {END!r}")
    return f"{before}{START}\n\n{section}\n\n{END}{after}"
