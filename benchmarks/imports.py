"""Seconds from pressing enter to an answer: ``import litotes``, its names and the light verbs, each in a fresh process.

``python benchmarks/imports.py`` prints a table; ``--out FILE`` also writes it as JSON. The interpreter's own start is
measured beside and not subtracted.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

LITOTES = str(Path(sys.executable).with_name("litotes"))
CASES = {
    "python": [sys.executable, "-c", "pass"],
    "import litotes": [sys.executable, "-c", "import litotes"],
    "litotes.LabelMatrix": [sys.executable, "-c", "import litotes; litotes.LabelMatrix"],
    "litotes.InfoNCELoss": [sys.executable, "-c", "import litotes; litotes.InfoNCELoss"],
    "import torch": [sys.executable, "-c", "import torch"],
    "import sentence_transformers": [sys.executable, "-c", "import sentence_transformers"],
    "litotes --help": [LITOTES, "--help"],
    "litotes recipes": [LITOTES, "recipes"],
    "litotes train adore --help": [LITOTES, "train", "adore", "--help"],
}


def main() -> None:
    """Measure every case, in turns so that a busy moment does not fall on one of them alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    for command in CASES.values():
        _run(command)  # files into the page cache, bytecode onto the disk
    for _ in range(options.repeats):
        for name, command in CASES.items():
            seconds[name].append(_run(command))
    result = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "repeats": options.repeats,
        "seconds": {name: {"median": statistics.median(times), "least": min(times)} for name, times in seconds.items()},
    }
    for name, numbers in result["seconds"].items():
        print(f"{name:30s} {numbers['median']:7.3f} s   (least {numbers['least']:.3f})")
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _run(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
