"""Judges that break one promise each, beside those that keep them all."""

import numpy as np
import pyarrow as pa

from litotes.core import Candidates, Collection
from tests.unit.testing.wrong_miners import common_words


class Plain:
    """How many words the candidate shares with the row, and as a trust what falls with it."""

    name = "plain"

    def judge(self, candidates: Candidates, data: Collection) -> Candidates:
        candidates.check_data(data)
        return candidates.with_columns({f"judge.{self.name}": self.values(candidates, data)})

    def values(self, candidates: Candidates, data: Collection) -> np.ndarray:
        cells = zip(candidates.row.tolist(), candidates.col.tolist(), strict=True)
        values = np.array([common_words(data, row, col) for row, col in cells], dtype=np.float64)
        values[~(data.rows_with_content[candidates.row] & data.cols_with_content[candidates.col])] = np.nan
        return values


class Trusting(Plain):
    def judge(self, candidates, data):
        found = super().judge(candidates, data)
        return found.with_columns({f"trust.{self.name}": self.trust(found)})

    def trust(self, found: Candidates) -> np.ndarray:
        chance = 1 / (1 + np.exp(2 - found.column(f"judge.{self.name}")))
        return np.where(found.assumed < 0, 1 - chance, chance)


class UnderAnotherName(Plain):
    def judge(self, candidates, data):
        self.name = "other"
        found = super().judge(candidates, data)
        self.name = "plain"
        return found


class AlsoSpeaksForOthers(Plain):
    def judge(self, candidates, data):
        found = super().judge(candidates, data)
        return found.with_columns({"judge.someone": np.zeros(len(found))})


class Weighing(Plain):
    weight = 0.5

    def judge(self, candidates, data):
        found = super().judge(candidates, data)
        return found.with_columns({"weight": np.full(len(found), self.weight)})


class WeighsBelowNothing(Weighing):
    weight = -5.0


class WeighsWithoutANumber(Weighing):
    weight = np.nan


class Drops(Plain):
    def judge(self, candidates, data):
        found = super().judge(candidates, data)
        return found.filter(~(found.column("judge.plain") > 2))


class SortsByItsValue(Plain):
    def judge(self, candidates, data):
        found = super().judge(candidates, data)
        order = np.argsort(np.lexsort((found.column("judge.plain"), found.row))).astype(np.int32) + 1
        table = found.table.drop([name for name in found.table.column_names if name.startswith("rank.")])
        for name in found.miners:
            table = table.append_column(f"rank.{name}", pa.array(order))
        return Candidates(table, counts=found.counts, made_from=found.made_from)


class OverwritesOthers(Plain):
    def judge(self, candidates, data):
        found = super().judge(candidates, data)
        return found.with_columns({"trust.earlier": np.full(len(found), 0.5)})


class ForgetsTheCounts(Plain):
    def judge(self, candidates, data):
        found = super().judge(candidates, data)
        return Candidates(found.table, made_from=found.made_from)


class SaysInfinity(Plain):
    def values(self, candidates, data):
        with np.errstate(divide="ignore"):
            return np.log(super().values(candidates, data))


class SaysNothing(Plain):
    def values(self, candidates, data):
        return np.full(len(candidates), np.nan)


class TrustsTooMuch(Trusting):
    def trust(self, found):
        return found.column("judge.plain")


class TrustsNothing(Trusting):
    def trust(self, found):
        return np.full(len(found), np.nan)


class ForgetsWhatIsAssumed(Trusting):
    def trust(self, found):
        return 1 / (1 + np.exp(2 - found.column("judge.plain")))


class ChangesWithEachCall(Plain):
    calls = 0

    def values(self, candidates, data):
        ChangesWithEachCall.calls += 1
        return super().values(candidates, data) + ChangesWithEachCall.calls


class ComparesWithTheOthers(Plain):
    def values(self, candidates, data):
        values = super().values(candidates, data)
        return values - (np.nanmean(values) if np.isfinite(values).any() else 0.0)


class NeedsACandidate(Plain):
    def values(self, candidates, data):
        super().values(candidates, data).max()
        return super().values(candidates, data)


class SkipsWithoutCandidates(Plain):
    def judge(self, candidates, data):
        return super().judge(candidates, data) if len(candidates) else candidates


class TakesAnyData(Plain):
    def judge(self, candidates, data):
        return candidates.with_columns({"judge.plain": self.values(candidates, data)})


class WritesIntoTheTexts(Plain):
    def values(self, candidates, data):
        data.col_texts[0] = (data.col_texts[0] or "").upper()
        return super().values(candidates, data)


class WritesIntoTheCounts(Plain):
    def values(self, candidates, data):
        candidates.counts["plain"] = {"judged": len(candidates)}
        return super().values(candidates, data)


class ReadsTheTruth(Plain):
    def values(self, candidates, data):
        known = data.labels if data.truth is None else data.truth
        return known.is_positive(candidates.row, candidates.col).astype(np.float64)


RIGHT_PARTS = {"plain": {"make": Plain}, "trusting": {"make": lambda data: Trusting(), "gives_trust": True}}
RIGHT_PARTS["weighing"] = {"make": Weighing, "gives": ["weight"]}

WRONG: dict[str, list[dict]] = {
    "adds_its_column": [
        {"make": UnderAnotherName},
        {"make": AlsoSpeaksForOthers},
        {"make": Weighing},
        {"make": Plain, "gives": ["target"]},
        {"make": WeighsBelowNothing, "gives": ["weight"]},
        {"make": WeighsWithoutANumber, "gives": ["weight"]},
    ],
    "drops_nothing": [{"make": Drops}],
    "keeps_order": [{"make": SortsByItsValue}],
    "keeps_columns": [{"make": OverwritesOthers}, {"make": ForgetsTheCounts}],
    "values_are_numbers": [{"make": SaysInfinity}, {"make": SaysNothing}],
    "trust_withheld": [{"make": Trusting}],
    "trust_in_range": [
        {"make": TrustsTooMuch, "gives_trust": True},
        {"make": TrustsNothing, "gives_trust": True},
        {"make": Plain, "gives_trust": True},
    ],
    "trust_of_assumed_label": [{"make": ForgetsWhatIsAssumed, "gives_trust": True}],
    "same_result_twice": [{"make": ChangesWithEachCall}],
    "cells_alone": [{"make": ComparesWithTheOthers}],
    "no_candidates": [{"make": NeedsACandidate}, {"make": SkipsWithoutCandidates}],
    "other_data_refused": [{"make": TakesAnyData}],
    "inputs_unchanged": [{"make": WritesIntoTheTexts}, {"make": WritesIntoTheCounts}],
    "truth_unread": [{"make": ReadsTheTruth}],
}
