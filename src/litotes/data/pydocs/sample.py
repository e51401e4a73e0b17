"""Samples of pydocs as collections: a part of the groups, split by group, one document of each labelled.

The sizes are nested parts of one random order of the groups, so that ``demo`` and ``rest`` share none: what is fitted
on ``rest`` has never seen a group of ``demo``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from litotes.core.checks import check_choice
from litotes.core.collection import Collection
from litotes.core.errors import LitotesError
from litotes.core.ids import Ids
from litotes.core.label_matrix import LabelMatrix
from litotes.data.pydocs.build import pydocs_about, pydocs_table

__all__ = ["SIZES", "SPLITS", "Size", "Split", "load_pydocs", "pydocs_truth"]

Size = Literal["tiny", "demo", "rest", "full"]
Split = Literal["train", "fit", "dev", "test", "all"]
SIZES = ("tiny", "demo", "rest", "full")
SPLITS = ("train", "fit", "dev", "test", "all")

TINY_GROUPS, DEMO_GROUPS = 300, 2400
TEST_SHARE, DEV_SHARE = 3, 8  # a third of the groups are test, an eighth of the training groups can be dev


def load_pydocs(split: Split = "all", size: Size = "demo") -> Collection:
    """The queries of one split over *all* documents of the sample.

    Args:
        split: ``"train"`` and ``"test"`` divide the groups 2 : 1; ``"dev"`` is an eighth of the training queries and
            ``"fit"`` the training queries without these; ``"all"`` is everything.
        size: ``"demo"`` is 2,400 groups (train 1,600, of which dev 200; test 800), ``"tiny"`` 300 of them, ``"rest"``
            the groups that the demo does not hold, ``"full"`` every group.

    Returns:
        A collection in which each query has one labelled document, and whose ``truth`` has all that answer it.
        Documents have the qualified name as ``id`` and ``title``; a query's id is ``"q:"`` and its document's id.
        ``notes`` hold the counts, the libraries' versions and a digest of the whole set.
    """
    check_choice("load_pydocs", "split", split, SPLITS)
    check_choice("load_pydocs", "size", size, SIZES)
    table = pydocs_table()
    about = pydocs_about(table)
    first, last = _places(size, about["counts"]["groups"])
    table = table.filter(pc.and_(pc.greater_equal(table["place"], first), pc.less(table["place"], last)))
    cols = table.select(["id", "text"]).append_column("title", table["id"]).replace_schema_metadata(None)
    inside = table["place"].to_numpy() - first
    positions = np.flatnonzero(table["labelled"].to_numpy(zero_copy_only=False))
    positions = positions[_in_split(inside[positions], last - first, split)]
    positions = positions[np.argsort(inside[positions])]
    labelled = table.take(pa.array(positions))
    row_ids = [f"q:{name}" for name in labelled["id"].to_pylist()]
    col_ids = Ids(table["id"].to_pylist())
    labels = LabelMatrix(row_ids, col_ids, np.arange(len(row_ids)), positions)
    groups = len(np.unique(inside))
    return Collection(
        labels,
        pa.table({"id": row_ids, "text": labelled["query"]}),
        cols,
        name="pydocs",
        origin=f"builtin:pydocs, size {size}",
        split=split,
        notes={"built_in": "pydocs", "size": size, "groups": groups, "documents": len(table), "whole_set": about},
        truth=_truth(labels, table, "group"),
    )


def pydocs_truth(data: Collection, rules: Literal["abcd", "abc"] = "abcd") -> LabelMatrix:
    """The complete truth of a pydocs collection by all rules, or by (a) to (c) alone.

    Rule (d) joins near-duplicates of one name, by what the ``document`` judge looks at too; truth without it shows how
    much of that judge's success is circular.
    """
    check_choice("pydocs_truth", "rules", rules, ("abcd", "abc"))
    if data.notes.get("built_in") != "pydocs":
        raise LitotesError(f"pydocs_truth knows the truth of the built-in set pydocs only. Got {data!r}.")
    table = pydocs_table()
    places = Ids(table["id"].to_pylist()).positions(data.col_ids.values, missing="error")
    return _truth(data.labels, table.take(pa.array(places)), "group" if rules == "abcd" else "strict_group")


def _truth(labels: LabelMatrix, documents: pa.Table, column: str) -> LabelMatrix:
    """All documents in the group of each row's labelled one; ``documents`` stand in the order of the columns."""
    groups = documents[column].to_numpy()
    by_group = np.argsort(groups, kind="stable")
    ordered = groups[by_group]
    wanted = groups[labels.positive_cells()[1]]  # one labelled document a row, rows ascending
    start, stop = np.searchsorted(ordered, wanted, "left"), np.searchsorted(ordered, wanted, "right")
    rows = np.repeat(labels.positive_cells()[0], stop - start)
    cols = np.concatenate([by_group[a:b] for a, b in zip(start, stop, strict=True)]) if len(wanted) else rows
    return LabelMatrix(labels.row_ids, labels.col_ids, rows, cols)


def _places(size: Size, groups: int) -> tuple[int, int]:
    """First and last (excluded) place of a size; libraries too old or too few to give it are an error."""
    if groups <= DEMO_GROUPS:
        raise LitotesError(
            f"The installed libraries give {groups} groups for pydocs; more than {DEMO_GROUPS} are needed. "
            "Update numpy, scipy, scikit-learn, pandas and torch."
        )
    first = DEMO_GROUPS if size == "rest" else 0
    return first, {"tiny": TINY_GROUPS, "demo": DEMO_GROUPS, "rest": groups, "full": groups}[size]


def _in_split(places: np.ndarray, groups: int, split: Split) -> np.ndarray:
    """Which places (from 0) belong to a split: the last third is test, the last eighth of the others dev."""
    train = groups - groups // TEST_SHARE
    fit = train - train // DEV_SHARE
    first = {"dev": fit, "test": train}.get(split, 0)
    last = {"train": train, "fit": fit, "dev": train}.get(split, groups)
    return (places >= first) & (places < last)
