"""Documents that hold the answer to a query count as positives, whether or not anybody labelled them.

The rule of open-domain question answering (Karpukhin et al. 2020, section 4): a text holds an answer where the answer's
words stand in it, one after the other, in any case and punctuation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.errors import DataError
from litotes.core.fingerprint import digest
from litotes.core.text import words
from litotes.mining.named import Miner

__all__ = ["AnswerFilter", "answers_of", "holds_answer"]

Answers = Mapping[str, Sequence[str]]


class AnswerFilter:
    """What ``miner`` proposes, without the documents that hold an answer of their query.

    Args:
        miner: proposes; its ``encoder`` is this miner's, so a refresh knows the model in training.
        answers: by row id; rows that are not there keep all their candidates.
    """

    def __init__(self, miner: Miner, answers: Answers) -> None:
        self.miner, self.answers = miner, answers
        self.name = miner.name
        self.kind: str = getattr(miner, "kind", miner.name)
        self.encoder: Any = getattr(miner, "encoder", None)

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """The miner's cells of ``rows`` whose column holds no answer of the row."""
        found = self.miner.mine(data, rows)
        return found.filter(~holds_answer(data, found.row, found.col, self.answers))

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """The miner's parts, and the answers."""
        return {**self.miner.fingerprint(data), "answers": digest({k: list(v) for k, v in self.answers.items()})}


def holds_answer(data: Collection, rows: np.ndarray, cols: np.ndarray, answers: Answers) -> np.ndarray:
    """Which cells' columns hold an answer of their row; bool ``[cells]``."""
    sought = {row: [f" {' '.join(words(text))} " for text in answers.get(data.row_ids[row], ())] for row in set(rows)}
    read: dict[int, str] = {}
    held = np.zeros(len(rows), dtype=bool)
    for cell, (row, col) in enumerate(zip(rows.tolist(), cols.tolist(), strict=True)):
        if sought[row]:
            if col not in read:
                read[col] = f" {' '.join(words(data.col_texts[col] or ''))} "
            held[cell] = any(answer in read[col] for answer in sought[row] if answer.strip())
    return held


def answers_of(data: Collection, path: str | Path | None = None) -> dict[str, list[str]]:
    """Answers by row id, from a JSONL file (``_id`` or ``id``, ``answers``), or from a column ``answers`` of the rows.

    Raises:
        DataError: a line of the file has no id or no list of texts, or none of its ids is a row of the data.
    """
    if path is None:
        table = data.rows.table
        if table is None or "answers" not in table.column_names:
            return {}
        lines = zip(table["id"].to_pylist(), table["answers"].to_pylist(), strict=True)
        return {row: _texts(answers) or [] for row, answers in lines if answers}
    from litotes.data.lines import parse_object, parsed_lines

    found: dict[str, list[str]] = {}
    for number, line in parsed_lines(Path(path), parse_object, Counter()):
        row, answers = line.get("_id", line.get("id")), _texts(line.get("answers"))
        if not isinstance(row, str) or answers is None:
            raise DataError(
                f"{path}:{number}: expected an '_id' and a list of texts under 'answers'. Got {sorted(line)}."
            )
        found[row] = answers
    if found and not any(row in data.row_ids for row in found):
        raise DataError(
            f"{path}: none of its {len(found)} ids is a query of the data; it begins with {next(iter(found))!r}, "
            f"the data with {data.row_ids[0]!r}."
        )
    return found


def _texts(value: Any) -> list[str] | None:
    """A text or a list of texts as a list."""
    if isinstance(value, str):
        return [value]
    return list(value) if isinstance(value, list) and all(isinstance(text, str) for text in value) else None
