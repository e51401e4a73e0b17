"""Small collections for the miners' tests, and the slow, obvious miner (:func:`double_loop`) that each must equal."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from litotes.core import Collection, LabelMatrix
from litotes.testing.double_loop import double_loop as double_loop

LETTERS = list("abcdefghij")


def make_collection(
    row_texts: Sequence[str | None] | None,
    col_texts: Sequence[str | None] | None,
    positives: Sequence[tuple[int, int]] = (),
    negatives: Sequence[tuple[int, int]] = (),
    shape: tuple[int, int] = (0, 0),
) -> Collection:
    """Rows ``q0, q1 ...`` and columns ``d0, d1 ...``; an id whose text is None has no line in its table."""
    n_rows = len(row_texts) if row_texts is not None else shape[0]
    n_cols = len(col_texts) if col_texts is not None else shape[1]
    cells = np.array([*positives, *negatives], dtype=np.int64).reshape(-1, 2)
    grades = np.array([1.0] * len(positives) + [0.0] * len(negatives))
    row_ids, col_ids = [f"q{i}" for i in range(n_rows)], [f"d{i}" for i in range(n_cols)]
    labels = LabelMatrix(row_ids, col_ids, cells[:, 0], cells[:, 1], grades)
    return Collection(labels, _table(row_ids, row_texts), _table(col_ids, col_texts))


def random_collection(seed: int, n_rows: int = 50, n_cols: int = 50, n_positives: int = 60) -> Collection:
    """Random words; some columns repeat another's text with other blanks and capitals, some have no text."""
    rng = np.random.default_rng(seed)
    row_texts = [" ".join(rng.choice(LETTERS, size=rng.integers(1, 5))) for _ in range(n_rows)]
    col_texts: list[str | None] = [" ".join(rng.choice(LETTERS, size=rng.integers(1, 8))) for _ in range(n_cols)]
    for col in range(n_cols // 5):
        col_texts[-1 - col] = f"  {col_texts[col]} ".upper()
    for col in range(0, n_cols, 9):
        col_texts[col] = None
    cells = {(int(r), int(c)) for r, c in rng.integers(0, [n_rows, n_cols], size=(n_positives, 2))}
    judged_zero = {(int(r), int(c)) for r, c in rng.integers(0, [n_rows, n_cols], size=(n_positives, 2))} - cells
    return make_collection(row_texts, col_texts, sorted(cells), sorted(judged_zero))


def cells_of(candidates, name: str) -> list[tuple[int, int, float, int]]:
    """What a miner found in the form of :func:`double_loop`."""
    scores, ranks = candidates.column(f"score.{name}"), candidates.column(f"rank.{name}")
    return list(
        zip(candidates.row.tolist(), candidates.col.tolist(), scores.tolist(), ranks.astype(int).tolist(), strict=True)
    )


def _table(ids: list[str], texts: Sequence[str | None] | None) -> pa.Table | None:
    if texts is None:
        return None
    lines = [(key, text) for key, text in zip(ids, texts, strict=True) if text is not None]
    return pa.table({"id": [key for key, _ in lines], "text": pa.array([text for _, text in lines], pa.string())})
