"""Seconds from pressing enter to an answer: ``import litotes``, its names and the light verbs, each in a fresh process.

The interpreter's own start is measured beside and not subtracted.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks import measuring

LITOTES = str(Path(sys.executable).with_name("litotes"))
CASES = {
    "python": [sys.executable, "-c", "pass"],
    "import litotes": [sys.executable, "-c", "import litotes"],
    "litotes.LabelMatrix": [sys.executable, "-c", "import litotes; print(litotes.LabelMatrix)"],
    "litotes.InfoNCELoss": [sys.executable, "-c", "import litotes; print(litotes.InfoNCELoss)"],
    "import torch": [sys.executable, "-c", "import torch"],
    "import sentence_transformers": [sys.executable, "-c", "import sentence_transformers"],
    "litotes --help": [LITOTES, "--help"],
    "litotes recipes": [LITOTES, "recipes"],
    "litotes train adore --help": [LITOTES, "train", "adore", "--help"],
}
#: What must be on stdout, so that nothing is quick because it did nothing.
PRINTS = {"litotes.LabelMatrix": "LabelMatrix", "litotes.InfoNCELoss": "InfoNCELoss", "litotes --help": "mine"}
PRINTS |= {"litotes recipes": "star-adore", "litotes train adore --help": "--encoder"}


def measure(options: argparse.Namespace) -> dict:
    """Every case in turns, so that a busy moment does not fall on one of them alone."""
    for name, command in CASES.items():  # also brings files into the page cache, bytecode onto the disk
        assert PRINTS.get(name, "") in _run(command), f"{name} does not print {PRINTS[name]!r}"
    rounds = options.rounds or (1 if options.quick else 7)
    seconds = measuring.in_turns(
        {name: lambda command=command: _run(command) for name, command in CASES.items()}, rounds
    )
    return measuring.result(
        name="imports",
        says="Seconds from pressing enter to an answer, each in a fresh process.",
        equal="each command ends without error and prints what it is asked for",
        setting={"rounds": rounds},
        libraries=("litotes", "torch", "sentence-transformers", "typer", "rich"),
        seconds=[measuring.part("starting", seconds, ours=None)],
    )


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    measuring.run(__doc__, measure)
