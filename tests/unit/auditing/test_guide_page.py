"""The guide's table of verdicts is that of the code."""

import re
from pathlib import Path

from litotes.auditing import false_negatives, false_positives, hard_queries, repeated_texts

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "audit-retrieval.md"
LISTS = (
    false_negatives.EMPTY,
    false_positives.EMPTY,
    repeated_texts.NEAR,
    repeated_texts.TWINS,
    hard_queries.UNANSWERABLE,
    hard_queries.INDISTINCT,
)


def test_every_list_stands_in_both_tables_with_its_verdicts():
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*?) \| (.*?) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [name for name, _, _ in rows] == [each.name for each in LISTS] * 2
    for each, (_, verdicts, effects) in zip(LISTS, rows[len(LISTS) :], strict=True):
        assert re.findall(r"`([a-z ]+)`", verdicts) == list(each.verdicts)
        assert len(effects.split("; ")) == len(each.verdicts)
