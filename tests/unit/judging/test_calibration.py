"""Calibration: probabilities that are right on data of known chance, honest figures, and refusals."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core import Collection, LabelMatrix
from litotes.core.errors import DataError, LitotesError
from litotes.judging.calibration import Calibration


def drawn(n: int = 20_000, weights: tuple[float, ...] = (2.0, -1.0), intercept: float = -1.5, seed: int = 0) -> tuple:
    """Values and labels whose chances are known."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, len(weights)))
    chance = 1 / (1 + np.exp(-(values @ np.array(weights) + intercept)))
    return values, random.random(n) < chance, chance


def collection(name: str = "mine", text: str = "a", notes: dict | None = None) -> Collection:
    labels = LabelMatrix(["q"], ["d"], [0], [0])
    return Collection(
        labels, pa.table({"id": ["q"], "text": ["q"]}), pa.table({"id": ["d"], "text": [text]}), name=name, notes=notes
    )


class TestFitting:
    def test_finds_the_chances_that_made_the_labels(self) -> None:
        values, labels, chance = drawn()
        found = Calibration.fit(values, labels, features=("a", "b"))
        assert np.allclose(found.coefficients, (2.0, -1.0), atol=0.1)
        assert found.intercept == pytest.approx(-1.5, abs=0.1)
        assert np.abs(found.apply(values) - chance).max() < 0.02
        assert (found.n_cells, found.n_positives) == (len(labels), labels.sum())

    def test_scale_and_shift_of_a_value_change_nothing(self) -> None:
        values, labels, _ = drawn(2000)
        plain = Calibration.fit(values, labels, features=("a", "b"))
        moved = Calibration.fit(values * [1e6, 1e-6] + [5.0, -3.0], labels, features=("a", "b"))
        assert np.allclose(plain.apply(values), moved.apply(values * [1e6, 1e-6] + [5.0, -3.0]), atol=1e-6)

    def test_a_value_that_separates_perfectly_stays_finite(self) -> None:
        found = Calibration.fit(np.arange(40.0), np.arange(40) >= 20)
        assert np.isfinite([*found.coefficients, found.intercept]).all()
        assert found.apply(np.array([0.0, 39.0])).round(2).tolist() == [0.0, 1.0]
        assert found.is_monotone

    def test_a_value_that_never_changes_says_nothing(self) -> None:
        labels = np.array([True] * 3 + [False] * 7)
        found = Calibration.fit(np.ones(10), labels)
        assert found.apply(np.ones(1))[0] == pytest.approx(0.3, abs=0.01)

    def test_cells_without_a_value_are_left_out(self) -> None:
        values, labels, _ = drawn(500)
        values[::3, 0] = np.nan
        known = ~np.isnan(values[:, 0])
        found = Calibration.fit(values, labels, features=("a", "b"))
        assert found.n_cells == known.sum()
        assert found.coefficients == Calibration.fit(values[known], labels[known], features=("a", "b")).coefficients

    def test_figures_by_hand(self) -> None:
        values, labels, _ = drawn(400)
        found = Calibration.fit(values, labels, features=("a", "b"))
        chance = found.apply(values)
        assert found.brier == pytest.approx(np.mean((chance - labels) ** 2))
        assert found.log_loss == pytest.approx(-np.mean(np.log(np.where(labels, chance, 1 - chance))))
        assert sum(cells for _, cells, _, _ in found.bins) == 400
        low, cells, mean, share = found.bins[0]
        inside = chance < 0.1
        assert (low, cells) == (0.0, inside.sum())
        assert (mean, share) == pytest.approx((chance[inside].mean(), labels[inside].mean()))

    def test_figures_of_held_out_rows_are_worse_than_of_the_fitted_cells(self) -> None:
        values, labels, _ = drawn(200, weights=(1.0,) + (0.0,) * 19)
        names = [f"f{i}" for i in range(20)]
        fitted = Calibration.fit(values, labels, features=names)
        held_out = Calibration.fit(values, labels, features=names, rows=np.arange(200) // 2)
        assert held_out.coefficients == fitted.coefficients
        assert held_out.log_loss > fitted.log_loss
        assert (fitted.measured, held_out.measured) == ("on the fitted cells", "on held-out rows, 5 folds")

    def test_a_share_that_falls_is_reported(self) -> None:
        values = np.repeat([0.0, 1.0, 2.0, 3.0], 100)
        chance = np.repeat([0.1, 0.9, 0.1, 0.9], 100)
        labels = np.tile(np.arange(100) / 100, 4) < chance
        assert not Calibration.fit(values, labels).is_monotone

    @pytest.mark.parametrize("labels", [np.zeros(5, bool), np.ones(5, bool)])
    def test_one_kind_of_cell_is_refused(self, labels: np.ndarray) -> None:
        with pytest.raises(
            LitotesError, match=f"both kinds. Got {labels.sum()} positives and {(~labels).sum()} others"
        ):
            Calibration.fit(np.arange(5.0), labels)

    def test_nothing_is_refused(self) -> None:
        with pytest.raises(LitotesError, match="Got 0 positives and 0 others"):
            Calibration.fit(np.full(2, np.nan), np.array([True, False]))

    @pytest.mark.parametrize(
        ("values", "labels", "message"),
        [
            (np.array([1.0, np.inf]), np.array([True, False]), "infinite"),
            (np.ones((2, 2)), np.array([True, False]), r"shape \[cells, 1\]. Got \(2, 2\)"),
            (np.ones(2), np.array([1, 0]), "2 booleans. Got int64"),
            (np.ones(2), np.array([True]), "2 booleans"),
        ],
    )
    def test_wrong_input(self, values: np.ndarray, labels: np.ndarray, message: str) -> None:
        with pytest.raises(LitotesError, match=message):
            Calibration.fit(values, labels)


class TestApplying:
    LINE = Calibration(("value",), (2.0,), -1.0)

    @given(st.lists(st.floats(-1e300, 1e300), min_size=1))
    def test_always_a_probability_and_rising(self, values: list[float]) -> None:
        found = self.LINE.apply(np.sort(values))
        assert ((found >= 0) & (found <= 1)).all() and (np.diff(found) >= 0).all()

    def test_by_hand(self) -> None:
        assert self.LINE.apply(np.array([0.5, 1.0])) == pytest.approx([0.5, 1 / (1 + np.exp(-1.0))])

    def test_no_value_no_probability(self) -> None:
        assert np.isnan(self.LINE.apply(np.array([np.nan])))[0]

    def test_trust_is_that_the_assumed_label_is_right(self) -> None:
        values = np.array([3.0, 3.0, np.nan])
        chance = self.LINE.apply(values)[0]
        trust = self.LINE.trust(values, np.array([-1, 1, -1]))
        assert trust[:2] == pytest.approx([1 - chance, chance]) and np.isnan(trust[2])

    @pytest.mark.parametrize("bad", [((), ()), (("a",), (1.0, 2.0)), (("a",), (float("nan"),))])
    def test_a_calibration_of_nothing_is_refused(self, bad: tuple) -> None:
        with pytest.raises(DataError, match="one finite coefficient a feature"):
            Calibration(*bad, 0.0)


class TestWhatItSays:
    def test_on_which_data(self) -> None:
        mine, other = collection(), collection(text="b")
        found = Calibration.fit(np.arange(4.0), np.arange(4) > 1, data=mine)
        assert found.says(mine) == "calibrated on these data" and not found.is_foreign(mine)
        assert found.says(other) == "calibrated on mine, not on your data" and found.is_foreign(other)

    def test_another_part_of_a_built_in_set_is_not_foreign(self) -> None:
        part, other = (collection("pydocs", text, {"built_in": "pydocs"}) for text in "ab")
        found = Calibration.fit(np.arange(4.0), np.arange(4) > 1, data=part)
        assert found.says(other) == "calibrated on another part of pydocs" and not found.is_foreign(other)
        namesake = collection("pydocs", "c")
        assert found.says(namesake) == "calibrated on pydocs, not on your data"


class TestKeeping:
    def test_saved_and_loaded(self, tmp_path: Path) -> None:
        values, labels, _ = drawn(300)
        found = Calibration.fit(
            values,
            labels,
            features=("a", "b"),
            rows=np.arange(300),
            data=collection(),
            judge={"judge": "margin"},
            note="n",
        )
        found.save(tmp_path / "c.json")
        loaded = Calibration.load(tmp_path / "c.json")
        assert loaded == found and loaded.fingerprint == found.fingerprint
        assert np.array_equal(loaded.apply(values), found.apply(values))

    def test_the_fingerprint_follows_what_decides(self) -> None:
        prints = {
            Calibration(("value",), (w,), b, data_fingerprint=d).fingerprint
            for w, b, d in [(1.0, 0.0, ""), (2.0, 0.0, ""), (1.0, 1.0, ""), (1.0, 0.0, "x")]
        }
        assert len(prints) == 4

    @pytest.mark.parametrize("change", [{"format": 99}, {"extra": 1}, {"bins": None}])
    def test_another_file_is_refused(self, tmp_path: Path, change: dict) -> None:
        path = tmp_path / "c.json"
        Calibration(("value",), (1.0,), 0.0).save(path)
        content = json.loads(path.read_text()) | change
        path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
        with pytest.raises(DataError, match="c.json: not a calibration of format 1"):
            Calibration.load(path)

    def test_the_same_cells_give_the_same_bytes(self, tmp_path: Path) -> None:
        values, labels, _ = drawn(300)
        for name in "ab":
            Calibration.fit(values, labels, features=("a", "b"), rows=np.arange(300)).save(tmp_path / name)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
