"""What all benchmarks share: contestants in turns, quantiles, peak memory, versions, and the form of a result.

A benchmark is a module with ``measure(options) -> dict`` made by ``result(...)``, and a ``main()`` that is ``run(...)``
here: ``python -m benchmarks.mining --out FILE`` writes JSON, ``--quick`` does a small part of the work to see that it
runs. ``make bench`` runs them all and makes ``docs/benchmarks.md`` from what they wrote.

Results are asserted to be equal before anything is timed; who is first changes from round to round.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

LOAD = round(os.getloadavg()[0], 2)  # before the work


def run(
    doc: str,
    measure: Callable[[argparse.Namespace], dict[str, Any]],
    add_options: Callable[[argparse.ArgumentParser], None] | None = None,
) -> dict[str, Any]:
    """The command line of a benchmark: measure, print what the page will say, write JSON."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--out", type=Path, help="file for the result, as JSON")
    parser.add_argument("--quick", action="store_true", help="a small part of the work, to see that it runs")
    parser.add_argument("--rounds", type=int, default=0, help="of each contestant; by default the benchmark's own")
    if add_options:
        add_options(parser)
    options = parser.parse_args()
    found = {"quick": options.quick, **measure(options)}
    for line in lines(found):
        print(line)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return found


def result(
    *,
    name: str,
    says: str,
    equal: str,
    setting: Mapping[str, object],
    libraries: tuple[str, ...],
    seconds: list[dict[str, Any]] | None = None,
    memory: list[dict[str, Any]] | None = None,
    facts: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """A result in the form that the page reads.

    Args:
        name: of the benchmark.
        says: what is measured, a sentence.
        equal: what was asserted to be equal beforehand, a sentence.
        setting: sizes and the like.
        libraries: whose versions are noted.
        seconds: parts made by ``part``.
        memory: parts made by ``memory_part``.
        facts: other numbers, by what they are.
    """
    versions = {"python": platform.python_version(), **{library: version(library) for library in libraries}}
    return {
        "name": name,
        "says": says,
        "equal": equal,
        "setting": dict(setting),
        "machine": {"processor": processor(), "cpus": os.cpu_count(), "load": LOAD},
        "versions": versions,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": seconds or [],
        "memory": memory or [],
        "facts": dict(facts or {}),
    }


def part(
    title: str, contestants: dict[str, dict[str, float]], *, ours: str | None = "litotes", goal: dict | None = None
) -> dict[str, Any]:
    """One table of seconds; ratios are taken to ``ours``.

    ``goal=dict(peer="faiss", at_most=1.25)`` asks for ours / peer of medians.
    """
    return {"title": title, "ours": ours, "goal": goal, "contestants": contestants}


def memory_part(
    title: str, contestants: dict[str, dict[str, float]], *, ours: str | None = "litotes", goal: dict | None = None
) -> dict[str, Any]:
    """One table of GiB: contestant -> size -> peak; ``goal=dict(at_most=0.4)`` asks it of ours at every size."""
    return {"title": title, "ours": ours, "goal": goal, "contestants": contestants}


def in_turns(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of each contestant; the order turns round with every round, and a first round is not counted."""
    clock: dict[str, list[float]] = {name: [] for name in contestants}
    cpu: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name in list(contestants) if turn % 2 else list(contestants)[::-1]:
            start, start_cpu = time.perf_counter(), _cpu_seconds()
            contestants[name]()
            if turn:
                clock[name].append(time.perf_counter() - start)
                cpu[name].append(_cpu_seconds() - start_cpu)
    return {name: summary(clock[name], cpu[name]) for name in contestants}


def summary(clock: list[float], cpu: list[float]) -> dict[str, float]:
    """Median and quantiles by the clock, the least, and the median of CPU seconds (of children too)."""
    low, middle, high = np.quantile(clock, [0.2, 0.5, 0.8]).tolist()
    least, of_cpu = min(clock), float(np.median(cpu))
    return {"median": middle, "q20": low, "q80": high, "least": least, "cpu": of_cpu, "rounds": len(clock)}


def peak_over_inputs(work: Callable[[], object]) -> float:
    """GiB of resident memory that ``work`` takes at its peak over what is held when it starts; Linux only.

    Call it in a fresh process that holds the inputs, after a small run has loaded the libraries.
    """
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts from here
    before = _resident("VmRSS")
    done = work()
    assert done is not None
    return (_resident("VmHWM") - before) / 2**20


def version(library: str) -> str:
    """Of an installed package."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "not installed as a package"


def processor() -> str:
    """The processor's name as the system tells it."""
    info = Path("/proc/cpuinfo")
    for line in info.read_text(encoding="utf-8").splitlines() if info.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def lines(found: dict[str, Any]) -> list[str]:
    """The numbers for people, in a terminal."""
    shown = []
    for table in found["seconds"]:
        ours = table["contestants"].get(table["ours"])
        for name, numbers in table["contestants"].items():
            spread = f"{numbers['q20']:.3f} to {numbers['q80']:.3f}"
            ratio = f"   {numbers['median'] / ours['median']:.2f} times {table['ours']}" if ours else ""
            shown.append(f"{table['title'][:30]:30s} {name:28s} {numbers['median']:9.3f} s ({spread}){ratio}")
    for table in found["memory"]:
        for name, sizes in table["contestants"].items():
            peaks = ", ".join(f"{peak:.2f} at {size}" for size, peak in sizes.items())
            shown.append(f"{table['title'][:30]:30s} {name:28s} GiB: {peaks}")
    return [*shown, *(f"{name}: {value}" for name, value in found["facts"].items())]


def _cpu_seconds() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def _resident(field: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in status if line.startswith(field)).split()[1])  # KiB
