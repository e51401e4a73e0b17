"""What is known of each cell that an audit looks at: candidates, judged cells, and unjudged twins of positives.

For every shard of rows one table, in the run's stage ``evidence/cells``, so that a killed audit goes on where it was:

- ``row``, ``col``, ``grade`` (null: nobody judged it), ``twin`` (it has the very text of a labelled positive);
- ``dense`` (cosine to the query), ``bm25``, ``bm25_share`` (of the highest BM25 score of its query);
- ``dense_rank``, ``bm25_rank``: as miners count, so that the query's positives and their text twins take up no rank:
  1 + how many others score higher; null where BM25 finds no word in common;
- ``dense_place``, ``bm25_place``: the same among all documents;
- ``resemblance``, ``nearest``, ``cosine``: to the *other* positives of the query, see :mod:`.resemblance`;
- of candidates what miners and judges said: ``rank.<miner>``, ``judge.<judge>``, ``trust.<judge>``.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa

from litotes.auditing.evidence_table import EvidenceTable
from litotes.auditing.neighbours import positives_with_content, unit_documents
from litotes.auditing.resemblance import Resemblance
from litotes.auditing.run_blocks import run_blocks
from litotes.core import Candidates, Collection, RunFolder
from litotes.core.candidate_run import CANDIDATES, JUDGEMENTS
from litotes.core.candidates import data_parts
from litotes.core.errors import StaleError
from litotes.core.fingerprint import difference, digest
from litotes.core.progress import Progress
from litotes.core.run_folder import Stage
from litotes.mining.bm25 import BM25Miner
from litotes.mining.dense import encoder_parts
from litotes.mining.row_products import row_products
from litotes.models.collection_vectors import CollectionVectors
from litotes.models.encoder import Encoder
from litotes.models.encoding import unit_rows

__all__ = ["EVIDENCE", "Evidence", "evidence_into", "read_evidence"]

EVIDENCE = "evidence/cells"
_BLOCK_SCORES = 1 << 22  # scores of whole rows held at once
_TIE = 1e-6  # two products of the same vectors may differ by so much


def evidence_into(run: RunFolder, data: Collection, encoder: Encoder, *, force: bool = False) -> Stage:
    """Write the evidence on all cells of an audit, or go on where a killed run stopped; returns the finished stage.

    Raises:
        StaleError: the evidence there was made from other things.
    """
    evidence = Evidence(data, encoder)
    others = {key: stage for key, stage in run.stages.items() if key.split("/")[0] in (CANDIDATES, JUDGEMENTS)}
    mined = next(stage for key, stage in others.items() if key.startswith(CANDIDATES))
    shard_rows = mined["config"]["shard_rows"]
    made_from = {
        **data_parts(data),
        **encoder_parts(evidence.vectors, data),
        **BM25Miner().parameters(),
        **{key: digest(stage["digests"]) for key, stage in others.items()},
    }
    differs = difference(made_from, run.stages[EVIDENCE]["fingerprints"]) if EVIDENCE in run.stages else []
    if differs and not force:
        raise StaleError(
            f"{run.path / EVIDENCE} was gathered from other things: {', '.join(differs)} "
            f"differ{'s' * (len(differs) == 1)}. Use another --out, or gather again with --force."
        )
    stage = run.stage(
        EVIDENCE,
        verb="audit",
        config={"shard_rows": shard_rows},
        fingerprints=made_from,
        shards=mined["shards"],
        force=bool(differs),
    )
    if stage.done:
        return stage
    pending = set(stage.pending)
    with Progress("Gathering evidence", total=data.n_rows) as bar:
        for shard, cells in enumerate(run_blocks(run)):
            rows = np.arange(shard * shard_rows, min((shard + 1) * shard_rows, data.n_rows))
            if shard in pending:
                stage.write(shard, evidence.table(rows, cells))
            bar.advance(len(rows))
    stage.finish({"cells": sum(table.num_rows for table in stage.tables())})
    return stage


def read_evidence(run: RunFolder, data: Collection) -> EvidenceTable:
    """The evidence on all cells, by row and column."""
    table = pa.concat_tables(list(Stage(run, EVIDENCE).tables()), promote_options="default")
    return EvidenceTable(table, data.labels.min_grade)


class Evidence:
    """Computes what is known of cells of a collection, by vectors and by words.

    Args:
        data: the collection; its columns have texts.
        encoder: what embeds both sides. Evidence is in cosines, whatever the encoder itself compares by.
    """

    def __init__(self, data: Collection, encoder: Encoder) -> None:
        self.data, self.vectors, self.bm25 = data, CollectionVectors(encoder), BM25Miner()

    def table(self, rows: np.ndarray, candidates: Candidates) -> pa.Table:
        """The evidence on the candidates, judged cells and unjudged twins of ``rows`` (positions, ascending)."""
        judged_row, judged_col, grade = self._judged(rows)
        twin_row, twin_col = self._unjudged_twins(rows)
        kept = candidates.filter(~self.data.labels.is_observed(candidates.row, candidates.col))
        row = np.concatenate([kept.row, judged_row, twin_row])
        col = np.concatenate([kept.col, judged_col, twin_col])
        order = np.lexsort((col, row))
        scores = self.scores(row[order], col[order])
        n_rest, unknown = len(row) - len(kept), [np.full(len(part), np.nan) for part in (kept.row, twin_row)]
        columns: dict[str, pa.Array] = {
            "row": pa.array(row[order]),
            "col": pa.array(col[order]),
            "grade": _nullable(np.concatenate([unknown[0], grade, unknown[1]])[order]),
            "twin": pa.array((np.arange(len(row)) >= len(kept) + len(grade))[order]),
            **{name: _nullable(values) for name, values in scores.items() if name != "nearest"},
            "nearest": pa.array(scores["nearest"], mask=scores["nearest"] < 0),
        }
        for name in kept.table.column_names:
            if name.startswith(("rank.", "judge.", "trust.")):
                values = np.concatenate([kept.column(name), np.full(n_rest, np.nan)])
                columns[name] = _nullable(values[order])
        return pa.table(columns)

    def scores(self, row: np.ndarray, col: np.ndarray) -> dict[str, np.ndarray]:
        """Scores and ranks of cells (positions, sorted by row); see the module."""
        there = self.data.rows_with_content[row] & self.data.cols_with_content[col]
        dense = np.full(len(row), np.nan)
        dense[there] = row_products(self._queries, self._documents, row[there], col[there])
        names = ("bm25", "bm25_share", "dense_rank", "dense_place", "bm25_rank", "bm25_place")
        found = {name: np.full(len(row), np.nan) for name in names}
        labelled_from, labelled = self.data.never_negative()
        asked, starts = np.unique(row, return_index=True)
        ends = np.append(starts[1:], len(row))
        step = max(1, _BLOCK_SCORES // max(self.data.n_cols, 1))
        for first in range(0, len(asked), step):
            block = slice(first, first + step)
            by_words = self.bm25.scores(self.data, asked[block])
            by_vector = self._queries[asked[block]] @ self._documents.T
            by_vector[:, ~self.data.cols_with_content] = -np.inf
            for place, (start, end) in enumerate(zip(starts[block], ends[block], strict=True)):
                cells = np.arange(start, end)[there[start:end]]
                own = by_words[place, col[cells]]
                found["bm25"][cells] = own
                found["bm25_share"][cells] = own / max(by_words[place].max(initial=0), 1e-9)
                at = asked[first + place]
                kin = labelled[labelled_from[at] : labelled_from[at + 1]]
                for name, scores, of in (("dense", by_vector, dense[cells]), ("bm25", by_words, own)):
                    rank = 1.0 + _above(np.delete(scores[place], kin), of + _TIE)
                    known = (name == "dense") | (of > 0)
                    found[f"{name}_rank"][cells] = np.where(known, rank, np.nan)
                    found[f"{name}_place"][cells] = np.where(
                        known, rank + _above(scores[place, kin], of + _TIE), np.nan
                    )
        return {"dense": dense, **found, **self._resemblance.of(row, col)}

    @cached_property
    def _documents(self) -> np.ndarray:
        return np.ascontiguousarray(unit_documents(self.vectors, self.data))

    @cached_property
    def _queries(self) -> np.ndarray:
        made = self.vectors.rows(self.data)
        return np.ascontiguousarray(made if self.vectors.encoder.similarity == "cosine" else unit_rows(made.copy()))

    @cached_property
    def _resemblance(self) -> Resemblance:
        positives = positives_with_content(self.data, np.arange(self.data.n_rows))
        return Resemblance(self._documents, self.data.cols_with_content, *positives)

    def _judged(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        row, col, grade = self.data.labels.cells()
        inside = np.isin(row, rows)
        return row[inside], col[inside], grade[inside].astype(np.float64)

    def _unjudged_twins(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cells of documents that have the text of a positive and that nobody judged."""
        starts, every = self.data.never_negative()
        sizes = starts[rows + 1] - starts[rows]
        inside = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        row, col = np.repeat(rows, sizes), every[np.repeat(starts[rows], sizes) + inside]
        unjudged = ~self.data.labels.is_observed(row, col)
        return row[unjudged], col[unjudged]


def _above(scores: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """How many scores lie above each limit."""
    return len(scores) - np.searchsorted(np.sort(scores), limits, side="right")


def _nullable(values: np.ndarray) -> pa.Array:
    return pa.array(values, from_pandas=True)
