"""Writes ``docs/benchmarks.md`` from the results in ``docs/results/benchmarks/``: ``python -m tools.benchmarks_page``.

``python -m tools.benchmarks_page FOLDER PAGE`` reads and writes elsewhere. Ratios are of medians, in both directions.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDER, PAGE = ROOT / "docs" / "results" / "benchmarks", ROOT / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

What `make bench` wrote on the machine named in each section. Everything runs in one process in turns, and who is first
changes from round to round; memory is measured in a process of its own. Before anything is timed, the results are
asserted to be equal. Seconds are the median over the rounds with the 20 % and the 80 % quantile, CPU the median of all
threads' seconds. A ratio above 1 in *this / litotes* says that litotes is quicker, or takes less.
"""


def main(folder: Path = FOLDER, page: Path = PAGE) -> None:
    """Bring the page up to date."""
    page.write_text(page_of(read(folder)), encoding="utf-8")


def read(folder: Path) -> list[dict[str, Any]]:
    """The results in a folder, by name."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]


def page_of(results: list[dict[str, Any]]) -> str:
    """The whole page."""
    if not results:
        return HEAD + "\nNo result is recorded yet.\n"
    return "\n".join([HEAD, *("\n".join(_section(found)) for found in results)])


def _section(found: dict[str, Any]) -> list[str]:
    machine = found["machine"]
    lines = [f"## {found['name'].capitalize()}", "", found["says"], ""]
    if found["quick"]:
        lines += ["**A quick look, not a measurement.**", ""]
    lines += [f"Asserted first: {found['equal']}.", ""]
    for table in found["seconds"]:
        lines += [*_seconds(table), ""]
    for table in found["memory"]:
        lines += [*_memory(table), ""]
    if found["facts"]:
        lines += [
            "| | |",
            "|---|---:|",
            *(f"| {name} | {_number(value)} |" for name, value in found["facts"].items()),
            "",
        ]
    setting = ", ".join(f"{name} {_number(value)}" for name, value in found["setting"].items())
    versions = ", ".join(f"{name} {value}" for name, value in found["versions"].items())
    where = f"{machine['processor']}, {machine['cpus']} CPUs, load {machine['load']} when it began, {found['date']}"
    return [*lines, f"Setting: {setting}.  ", f"Machine: {where}.  ", f"Versions: {versions}.", ""]


def _seconds(table: dict[str, Any]) -> list[str]:
    contestants, ours = table["contestants"], table["ours"]
    head = [f"seconds: {table['title']}", "median", "20 % to 80 %", "CPU", "rounds"]
    lines = []
    for name, numbers in contestants.items():
        spread = f"{_seconds_text(numbers['q20'])} to {_seconds_text(numbers['q80'])}"
        cells = [name, _seconds_text(numbers["median"]), spread, _seconds_text(numbers["cpu"]), str(numbers["rounds"])]
        if ours:
            cells += _both_ways(contestants[ours]["median"], numbers["median"], name == ours)
        lines.append(cells)
    said = []
    if goal := table["goal"]:
        ratio = contestants[ours]["median"] / contestants[goal["peer"]]["median"]
        said = [
            "",
            f"Goal: at most {goal['at_most']} times {goal['peer']}; {_met(ratio <= goal['at_most'])} ({ratio:.2f}).",
        ]
    return [*_table([*head, *([f"{ours} / this", f"this / {ours}"] if ours else [])], lines), *said]


def _memory(table: dict[str, Any]) -> list[str]:
    contestants, ours = table["contestants"], table["ours"]
    sizes = list(contestants[ours]) if ours else list(next(iter(contestants.values())))
    lines = []
    for name, peaks in contestants.items():
        cells = [name, *(f"{peaks[size]:.2f}" if size in peaks else "" for size in sizes)]
        if ours:
            common = [size for size in sizes if size in peaks][-1]
            cells += _both_ways(contestants[ours][common], peaks[common], name == ours)
        lines.append(cells)
    said = []
    if goal := table["goal"]:
        most = max(contestants[ours].values())
        said = ["", f"Goal: {ours} at most {goal['at_most']} GiB; {_met(most <= goal['at_most'])} ({most:.2f})."]
    head = [f"GiB over the inputs: {table['title']}", *sizes]
    return [*_table([*head, *([f"{ours} / this", f"this / {ours}"] if ours else [])], lines), *said]


def _both_ways(ours: float, this: float, is_ours: bool) -> list[str]:
    return ["", ""] if is_ours or not ours or not this else [f"{ours / this:.2f}", f"{this / ours:.2f}"]


def _table(head: list[str], lines: list[list[str]]) -> list[str]:
    return [_row(head), _row(["---", *["---:"] * (len(head) - 1)]), *map(_row, lines)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _met(is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def _seconds_text(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds >= 1 else f"{seconds:.4f}"


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
