"""The guide's tables of verdicts and detectors are those of the code."""

import re
from pathlib import Path

from litotes.auditing.label_detectors import DETECTORS
from litotes.auditing.label_lists import CONFLICTS, ISSUES

PAGE = (Path(__file__).parents[3] / "docs" / "guide" / "labels.md").read_text(encoding="utf-8")


def test_every_list_stands_there_with_its_verdicts():
    rows = re.findall(r"^\| `([a-z-]+)` \| (`.*?) \| (.*?) \|$", PAGE, flags=re.MULTILINE)
    assert [name for name, _, _ in rows] == [ISSUES.name, CONFLICTS.name]
    for each, (_, verdicts, effects) in zip((ISSUES, CONFLICTS), rows, strict=True):
        assert re.findall(r"`([a-z ]+)`", verdicts) == list(each.verdicts)
        assert len(effects.split("; ")) == len(each.verdicts)


def test_every_detector_stands_there():
    rows = re.findall(r"^\| `([a-z-]+)` \| [^`|]", PAGE, flags=re.MULTILINE)
    assert set(rows) - {"--by"} == set(DETECTORS)
