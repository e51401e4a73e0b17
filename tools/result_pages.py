"""Writes the recorded results into the systems' pages: ``python -m tools.result_pages``.

``docs/recipes/<slug>.md`` (or the guide page of that name) gets, between its two marks, what
``docs/results/<slug>.json`` says; a page's numbers come from nowhere else. Where nothing is recorded, nothing stands
between the marks.
"""

from pathlib import Path

from litotes.core.files import read_json
from litotes.evaluation.result_page import END, START, result_section, with_section

DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    """Bring every page up to date."""
    for page, text in pages(DOCS).items():
        page.write_text(text, encoding="utf-8")
        print(page)


def pages(docs: Path) -> dict[Path, str]:
    """Each page that has results, or marks for them, as it must read."""
    found, taken = {}, set()
    for page in (page for place in ("recipes", "guide") for page in sorted((docs / place).glob("*.md"))):
        text, file = page.read_text(encoding="utf-8"), docs / "results" / f"{page.stem}.json"
        result = read_json(file) if file.is_file() and page.stem not in taken else {}
        if "claims" in result:
            taken.add(page.stem)
            found[page] = with_section(text, result_section(result))
        elif START in text or END in text:
            found[page] = with_section(text, "")
    return found


if __name__ == "__main__":
    main()
