"""The library author's page: its Python runs and prints what it shows, its tests pass, its tables are the code's."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from litotes.testing.listing import SUITES, table_of_checks

PAGE = (Path(__file__).parents[3] / "docs" / "guide" / "own-parts.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def names() -> dict[str, object]:
    """What the page's Python defines, after all of it has run and printed what is shown."""
    defined: dict[str, object] = {}
    for block, shown in BLOCKS:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, "own-parts.md", "exec"), defined)
        assert rounded(printed.getvalue()) == rounded(shown)
    return defined


def rounded(text: str) -> str:
    """Numbers to four digits: the last ones are the machine's."""
    return re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.4g}", text)


def test_the_page_tests_a_part_of_every_kind_in_three_lines(names: dict[str, object]):
    tests = {name: test for name, test in names.items() if name.startswith("test_")}
    assert len(tests) == len(SUITES) == 5
    for test in tests.values():
        [mark] = test.pytestmark  # type: ignore[attr-defined]
        assert mark.args[0] == "check" and len(mark.args[1]) > 8 and mark.kwargs == {"ids": str}
        for check in mark.args[1]:
            test(check)  # type: ignore[operator]


@pytest.mark.parametrize("kind", SUITES)
def test_the_tables_are_those_of_the_code(kind: str):
    [table] = re.findall(rf"<!-- checks: {kind} -->\n\n(.*?)\n<!-- /checks -->", PAGE, flags=re.DOTALL)
    assert table == table_of_checks(kind), "python -m litotes.testing.listing prints the tables"
