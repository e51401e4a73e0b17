"""Fit the calibrations that the document judge ships, and show how they do on the demo's queries, which they never saw.

    python tools/fit_document_calibration.py            # writes src/litotes/judging/calibrations/*.json
    python tools/fit_document_calibration.py --check    # writes nothing, prints only

Cells: the queries of the pydocs groups that the demo does not sample, each with the ten documents that MiniLM and the
ten that BM25 rank highest. Ten, because that is where training takes its negatives from. The features were chosen by
the log loss on held-out rows of these same cells.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.candidates import data_parts
from litotes.data.builtin import load_builtin
from litotes.data.pydocs import pydocs_truth
from litotes.judging.calibration import Calibration
from litotes.judging.document import DocumentJudge
from litotes.judging.document_pairs import DocumentPairs
from litotes.mining.bm25 import BM25Miner
from litotes.mining.dense import DenseMiner

TOP = 10
#: What each shipped file reads: for two documents with names, and for others.
FEATURES = {"names": ("shared", "same_name", "same_name*shared", "identical"), "no-names": ("shared", "identical")}


def main() -> None:
    """Fit, write, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args().check:
        fit_and_save(Path(__file__).parents[1] / "src" / "litotes" / "judging" / "calibrations")
    show(load_builtin("pydocs", "all", "demo"))


def fit_and_save(folder: Path) -> None:
    """Both calibrations from the groups that the demo does not hold; without names, the titles are not looked at."""
    data = load_builtin("pydocs", "all", "rest")
    found = dense_miner(TOP).mine(data).merge(BM25Miner(top=TOP).mine(data))
    truth = data.truth.is_positive(found.row, found.col)
    judge = DocumentJudge(calibration=None)
    for name, features in FEATURES.items():
        seen = data if name == "names" else without_titles(data)
        cells, best = DocumentPairs(seen, judge.ngram, encoder=None).best(found.row, found.col)
        fitted = Calibration.fit(
            np.stack([best[feature] for feature in features], axis=1),
            truth[cells],
            features=features,
            rows=found.row[cells],
            data=data,
            judge=judge.fingerprint(),
            note=f"pydocs, {data.n_rows} queries outside the demo's sample; MiniLM and BM25, top {TOP} of each",
        )
        fitted.save(folder / f"{name}.json")
        print(f"{name}: {fitted.n_cells} cells, {fitted.n_positives} positives; {fitted.measured}: log loss", end=" ")
        print(f"{fitted.log_loss:.4f}, Brier {fitted.brier:.4f}; monotone: {fitted.is_monotone}")


def dense_miner(top: int) -> DenseMiner:
    """MiniLM with the lengths of the demo."""
    return DenseMiner(encoder="builtin:minilm", top=top, query_length=32, corpus_length=64)


def without_titles(data: Collection) -> Collection:
    """The same documents as texts only."""
    cols = data.cols.table.drop_columns("title")
    return Collection(data.labels, data.rows.table, cols, name=data.name, notes=data.notes)


def show(data: Collection) -> None:
    """How trust < 0.5 does on the demo's queries, with full truth and with that of rules (a) to (c)."""
    print(f"{'judge':<10}{'miner':<7}{'top':>3}{'cells':>8}{'false neg.':>11}{'flagged':>8}", end="")
    print("   all rules: P, R   (a)-(c): P, R, P with (d) counted wrong   mean P(positive), share of positives")
    for label, judged_data in (("names", data), ("no names", without_titles(data))):
        for miner in (dense_miner(50), BM25Miner(top=50)):
            found = miner.mine(data).table
            found = DocumentJudge().judge(Candidates(found, counts={}, made_from=data_parts(judged_data)), judged_data)
            for top in (10, 50):
                print(f"{label:<10}{miner.name:<7}{top:>3}{figures(found.top(top), data)}")


def figures(found: Candidates, data: Collection) -> str:
    """One line of the table; without (d), the cells that only (d) joins are left out, or counted as wrong."""
    flagged = found.trust < 0.5
    truth = data.truth.is_positive(found.row, found.col)
    strict = pydocs_truth(data, "abc").is_positive(found.row, found.col)
    hits, strict_hits = (flagged & truth).sum(), (flagged & strict).sum()
    precision, recall = hits / flagged.sum(), hits / truth.sum()
    strict_precision, strict_recall = strict_hits / (flagged & ~(truth & ~strict)).sum(), strict_hits / strict.sum()
    return (
        f"{len(found):>8}{truth.sum():>11}{flagged.sum():>8}   {precision:.3f} {recall:.3f}"
        f"   {strict_precision:.3f} {strict_recall:.3f} {strict_hits / flagged.sum():.3f}"
        f"   {1 - found.trust.mean():.4f} {truth.mean():.4f}"
    )


if __name__ == "__main__":
    main()
