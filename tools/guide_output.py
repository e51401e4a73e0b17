"""Runs the commands of a guide page and writes what they print below each.

``python tools/guide_output.py PAGE FOLDER``. The commands are the lines starting with ``$ `` in the page's ``console``
blocks; they run in their order in FOLDER. What stood below them is replaced, so that the page never shows an
output that no program gave.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

BLOCK = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", flags=re.DOTALL | re.MULTILINE)


def main(page: Path, folder: Path) -> None:
    """Bring the page up to date; a command that fails ends the work with its message and leaves the page alone."""
    folder.mkdir(parents=True, exist_ok=True)
    text = with_output(page.read_text(encoding="utf-8"), lambda command: _run(command, folder))
    page.write_text(text, encoding="utf-8")


def with_output(text: str, run: Callable[[str], str]) -> str:
    """``text`` with the output of ``run`` below each command of its console blocks."""
    return BLOCK.sub(lambda block: _shown(block.group(), run), text)


def _shown(block: str, run: Callable[[str], str]) -> str:
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    parts = []
    for command in commands:
        output = [line.rstrip() for line in run(command.removeprefix("$ ")).splitlines()]
        parts.append("\n".join([command, *output]).rstrip() + "\n")
    return "\n".join(parts) if any(part.count("\n") > 1 for part in parts) else "".join(parts)


def _run(command: str, folder: Path) -> str:
    print(f"$ {command}", file=sys.stderr)
    done = subprocess.run(command, shell=True, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command}: exit code {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
