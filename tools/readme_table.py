"""Writes the table of systems into README.md from the catalogue: ``python tools/readme_table.py``."""

from pathlib import Path

from litotes.claims import recorded_verdicts
from litotes.recipes.catalogue import table

README = Path(__file__).parents[1] / "README.md"
START, END = "<!-- systems -->\n", "<!-- /systems -->\n"


def main() -> None:
    """Bring README.md up to date."""
    README.write_text(readme_with_table(README.read_text(encoding="utf-8")), encoding="utf-8")


def readme_with_table(text: str) -> str:
    """``text`` with the catalogue's table between the two marking lines."""
    if START not in text or END not in text:
        raise SystemExit(f"README.md has no lines {START.strip()} and {END.strip()}")
    head, tail = text.split(START)[0], text.split(END)[1]
    return head + START + _markdown([_with_verdicts(row) for row in table()]) + END + tail


def _with_verdicts(row: dict[str, str]) -> dict[str, str]:
    """The row whose state says what became of the system's claims, where that is recorded."""
    verdicts = recorded_verdicts(row["system"])
    return {**row, "state": f"{row['state']}: {verdicts}" if verdicts else row["state"]}


def _markdown(rows: list[dict[str, str]]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    main()
