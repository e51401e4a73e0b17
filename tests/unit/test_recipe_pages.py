"""The check of recipe pages finds what a page says and a run does not bear out."""

import pytest

from tests.recipe_pages import PAGES, ROOT, complaints, rows_of

PAGE = """# A system

| line of the page | shown by | state |
|---|---|---|
| it adds | `tests/a.py::test_adds`, `tests/a.py::TestMore` | shown |
| it needs a card | `tests/a.py::test_card` | not runnable here |
| a claim | the experiments | not yet run |

| part | where |
|---|---|
| no checklist | `tests/a.py::test_elsewhere` |
"""
GOOD = {
    "tests/a.py::test_adds[1]": "passed",
    "tests/a.py::TestMore::test_x": "passed",
    "tests/a.py::test_card": "skipped",
}


@pytest.fixture
def rows(tmp_path):
    (tmp_path / "a.md").write_text(PAGE)
    return rows_of(tmp_path / "a.md")


def test_rows_are_read(rows):
    assert [(row.claim, len(row.tests), row.state) for row in rows] == [
        ("it adds", 2, "shown"),
        ("it needs a card", 1, "not runnable here"),
        ("a claim", 0, "not yet run"),
    ]
    assert complaints(rows, GOOD) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tests/a.py::test_adds[1]": "failed"}, "is said to be shown, but tests/a.py::test_adds failed"),
        ({"tests/a.py::test_adds[1]": "skipped"}, "is said to be shown, but tests/a.py::test_adds skipped"),
        ({"tests/a.py::test_card": "passed"}, "not runnable here, but tests/a.py::test_card passed"),
    ],
)
def test_what_does_not_hold_is_found(rows, change, message):
    (found,) = complaints(rows, GOOD | change)
    assert message in found


def test_a_test_that_did_not_run_or_is_not_named_is_found(rows):
    assert "which did not run" in complaints(rows, {})[0]
    unnamed = [row for row in rows if not row.tests]
    assert complaints([type(unnamed[0])("a.md", "x", (), "shown")], {})[0].endswith("names no test")


def test_the_pages_that_there_are_have_rows_and_name_files_that_exist():
    for page in PAGES.glob("*.md"):
        rows = rows_of(page)
        assert len(rows) > 3, page
        assert all((ROOT / test.split("::")[0]).exists() for row in rows for test in row.tests)
