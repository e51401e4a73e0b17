"""Marked texts: what is shared is marked, everything is escaped, nothing is lost."""

import html
import re

import hypothesis.strategies as st
import pytest
from hypothesis import given

from litotes.auditing.shared_words import content_words, marked


def test_function_words_and_single_letters_are_no_content():
    assert content_words("The inverse of a matrix A, by x") == {"inverse", "matrix"}


def test_shared_words_are_marked_whatever_their_case():
    assert marked("Norm of the norm", {"norm"}, 100) == "<mark>Norm</mark> of the <mark>norm</mark>"


def test_neighbours_are_one_mark():
    assert (
        marked("masked_array along axis", {"masked", "array", "axis"}, 99)
        == "<mark>masked_array</mark> along <mark>axis</mark>"
    )


@given(st.text(max_size=80), st.sets(st.text(max_size=8), max_size=5))
def test_without_its_marks_the_page_shows_the_very_text(text, shared):
    shown = marked(text, shared | content_words(text), 1000)
    assert html.unescape(re.sub(r"</?mark>", "", shown)) == text


@pytest.mark.parametrize("attack", ["<script>alert(1)</script>", "a & b < c", '" onload="x', "<mark>", "</style>"])
def test_texts_cannot_write_the_page(attack):
    shown = marked(attack, content_words(attack), 1000)
    assert re.sub(r"</?mark>", "", shown) == html.escape(attack)


def test_a_long_text_is_cut_between_words_and_says_so():
    assert marked("alpha beta gamma", set(), 12) == "alpha beta …"


def test_a_long_word_is_cut_too():
    assert len(marked("x" * 5000, set(), 100)) <= 102
