"""Pages from templates: escaped, styled, and nothing left out in silence."""

import pytest

from litotes.auditing import template_page
from litotes.auditing.template_page import page_of


@pytest.fixture
def template(tmp_path, monkeypatch):
    (tmp_path / "small.jinja").write_text("<style>{{ css|safe }}</style>\n<p>{{ text }}</p>")
    (tmp_path / "report.css").write_text("p > b {}")
    monkeypatch.setattr(template_page.resources, "files", lambda room: tmp_path)
    return "small.jinja"


def test_texts_are_escaped_and_the_style_sheet_is_in_it(template):
    assert page_of(template, text="a < b") == "<style>p > b {}</style>\n<p>a &lt; b</p>"


def test_a_name_that_is_not_given_is_an_error(template):
    with pytest.raises(Exception, match="'text' is undefined"):
        page_of(template)
