"""Texts under ids: each id for one text only, in the order in which they came."""

from collections import Counter
from pathlib import Path

import pytest

from litotes.core.errors import DataError
from litotes.data import text_table
from litotes.data.text_table import TextTable, text_id


@pytest.mark.parametrize("block", [1, 10, 1 << 22])
def test_blocks_make_no_difference(monkeypatch, block):
    monkeypatch.setattr(text_table, "_BLOCK_CHARACTERS", block)
    table = TextTable("document", Counter(), titles=True)
    for i in range(5):
        table.add(f"d{i}", f"text {i}", Path("x"), i, title="T" * i)
    assert table.table().to_pylist() == [{"id": f"d{i}", "title": "T" * i, "text": f"text {i}"} for i in range(5)]
    assert table.ids == [f"d{i}" for i in range(5)] and len(table) == 5 and "d3" in table and "d5" not in table


def test_one_id_one_text_over_files():
    notes = Counter()
    table = TextTable("document", notes, titles=True)
    table.add("a", "one", Path("x.jsonl"), 3)
    table.add("b", "one", Path("y.jsonl"), 1)
    table.add("a", "one", Path("y.jsonl"), 2)
    assert notes == {"repeated_document_ids": 1} and len(table) == 2
    with pytest.raises(
        DataError, match=r"y\.jsonl:9: the document id 'a' stands here with another text than at x\.jsonl:3"
    ):
        table.add("a", "two", Path("y.jsonl"), 9)
    with pytest.raises(DataError, match=r"than at y\.jsonl:1"):
        table.add("b", "one", Path("z.jsonl"), 4, title="another title is another text")


def test_without_titles():
    table = TextTable("query", Counter())
    assert table.table().column_names == ["id", "text"] and table.table().num_rows == 0


def test_ids_are_made_of_the_exact_text():
    table = TextTable("query", Counter())
    first, again, other = (table.add_text(text, Path("x"), 1) for text in ("owl", "owl", "owl "))
    assert first == again == text_id("owl") != other
    assert len(table) == 2
    assert text_id("owl") == "32cd5488e46ed637"  # pinned: files and runs made earlier hold such ids
