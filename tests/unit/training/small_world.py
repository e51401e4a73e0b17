"""A small collection of twelve queries and forty documents, and candidates to draw from."""

import numpy as np
import pyarrow as pa

from litotes.core import Candidates, Collection, LabelMatrix

N_ROWS, N_COLS = 12, 40
WORDS = "red blue fast slow cat dog tree stone river cloud bread iron".split()


def small_data() -> Collection:
    """Query i asks for document i; queries 0..2 also have document i + 12. Document 30 is a text twin of document 0."""
    rows = [f"q{i}" for i in range(N_ROWS)]
    cols = [f"d{j}" for j in range(N_COLS)]
    cells = [(i, i) for i in range(N_ROWS)] + [(i, i + 12) for i in range(3)]
    texts = [f"{WORDS[j % 12]} and {WORDS[(j * 5 + 1) % 12]} number {j}" for j in range(N_COLS)]
    texts[30] = texts[0].upper()
    labels = LabelMatrix(rows, cols, *np.array(cells).T)
    queries = [f"what is {WORDS[i]}" for i in range(N_ROWS)]
    return Collection(
        labels, pa.table({"id": rows, "text": queries}), pa.table({"id": cols, "text": texts}), name="small"
    )


def candidates_of(data: Collection, per_row: int = 8, seed: int = 0, **columns) -> Candidates:
    """Random cells that are neither positives nor their twins, ``per_row`` a row."""
    rng = np.random.default_rng(seed)
    rows, cols = [], []
    for row in range(data.n_rows):
        free = np.flatnonzero(~data.is_positive(np.full(data.n_cols, row), np.arange(data.n_cols)))
        cols.append(rng.permutation(free)[:per_row])
        rows.append(np.full(len(cols[-1]), row))
    row, col = np.concatenate(rows), np.concatenate(cols)
    rank = np.concatenate([np.arange(len(c)) + 1 for c in cols])
    made = Candidates.build(row, col, miner="some", score=-rank.astype(float), rank=rank, data=data)
    return made.with_columns({name: values(made) for name, values in columns.items()})
