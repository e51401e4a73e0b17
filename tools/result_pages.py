"""Writes the recorded results into the systems' pages: ``python -m tools.result_pages``.

``docs/recipes/<slug>.md`` (or the guide page of that name) gets, between its two marks, what
``docs/results/<slug>.json`` says; a page's numbers come from nowhere else.
"""

from pathlib import Path

from litotes.core.files import read_json
from litotes.evaluation.result_page import result_section, with_section

DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    """Bring every page up to date."""
    for page, text in pages(DOCS).items():
        page.write_text(text, encoding="utf-8")
        print(page)


def pages(docs: Path) -> dict[Path, str]:
    """Each page that has results, as it must read."""
    found = {}
    for file in sorted((docs / "results").glob("*.json")):
        homes = [docs / place / f"{file.stem}.md" for place in ("recipes", "guide")]
        page = next(filter(Path.is_file, homes), None)
        if page is not None and "claims" in (result := read_json(file)):
            found[page] = with_section(page.read_text(encoding="utf-8"), result_section(result))
    return found


if __name__ == "__main__":
    main()
