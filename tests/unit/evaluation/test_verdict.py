"""Verdicts by hand, and on simulated experiments whose truth is known: how often wrong, how often right."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from litotes.core.errors import LitotesError
from litotes.evaluation.verdict import VERDICTS, Decision, decide, verdict_of

ROUNDS = 2_000


def above(share: float, rounds: int) -> float:
    """The largest share that chance explains: three standard errors above ``share``."""
    return share + 3 * np.sqrt(share * (1 - share) / rounds)


def below(share: float, rounds: int) -> float:
    return share - 3 * np.sqrt(share * (1 - share) / rounds)


def shares(decisions: list[Decision]) -> dict[str, float]:
    return {verdict: float(np.mean([d.verdict == verdict for d in decisions])) for verdict in VERDICTS}


def crossed(rng: np.random.Generator, seeds: int, queries: int, of_seeds: float, of_queries: float) -> np.ndarray:
    """Differences without effect: what a seed does, what a query does, and the rest."""
    a, b, e = rng.normal(size=(seeds, 1)), rng.normal(size=(1, queries)), rng.normal(size=(seeds, queries))
    return of_seeds * a + of_queries * b + e


class TestByHand:
    def test_the_t_interval(self):
        """.01 to .05: mean .03, s = .0158114, t(4, .975) = 2.776445, so .03 +- .0196324."""
        decision = decide(">", [0.01, 0.02, 0.03, 0.04, 0.05], effect=0.02)
        assert decision.verdict == "holds"
        assert decision.difference == pytest.approx(0.03)
        assert (decision.low, decision.high) == pytest.approx((0.0103676, 0.0496324), abs=1e-7)
        assert decision.t_interval == (decision.low, decision.high)
        assert decision.bootstrap_interval is None
        assert decision.level == 0.95
        assert decision.p_value == pytest.approx(stats.t.sf(0.03 / (0.0158114 / np.sqrt(5)), 4), rel=1e-4)
        assert (decision.seeds, decision.seeds_needed, decision.queries_needed) == (5, None, None)

    def test_several_comparisons_share_the_five_percent(self):
        """t(4, 1 - .05/6) = 3.960786: .03 +- .0280070; five comparisons (4.604095, .0325558) include 0."""
        values = [0.01, 0.02, 0.03, 0.04, 0.05]
        three, five = (decide(">", values, effect=0.02, comparisons=m) for m in (3, 5))
        assert three.level == pytest.approx(1 - 0.05 / 3)
        assert (three.low, three.high) == pytest.approx((0.0019930, 0.0580070), abs=1e-7)
        assert (five.low, five.high) == pytest.approx((-0.0025558, 0.0625558), abs=1e-6)
        assert (three.verdict, five.verdict) == ("holds", "too small to tell")
        assert three.p_value == five.p_value  # not corrected

    @pytest.mark.parametrize("operator", ["greater", "less"])
    def test_it_is_the_t_test_of_scipy(self, operator: str):
        values = np.random.default_rng(5).normal(0.3, 1, 7)
        decision = decide(">" if operator == "greater" else "<", values, effect=1, comparisons=2)
        test = stats.ttest_1samp(values, 0.0, alternative=operator)
        assert decision.p_value == pytest.approx(test.pvalue, rel=1e-9)
        expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.975)
        assert decision.t_interval == pytest.approx((expected.low, expected.high), rel=1e-9)

    def test_less_is_more_turned_round(self):
        decision = decide("<", [-0.01, -0.02, -0.03, -0.04, -0.05], effect=0.02)
        assert decision.verdict == "holds"
        assert decision.difference == pytest.approx(-0.03)
        assert decide(">", [-0.01, -0.02, -0.03, -0.04, -0.05], effect=0.02).verdict == "does not hold"
        assert decide("<", [0.01, 0.02, 0.03, 0.04, 0.05], effect=0.02).verdict == "does not hold"

    def test_narrower_than_the_effect_or_not(self):
        """-2 to 2: mean 0, s = 1.581139, 0 +- 1.963243: 3.926486 wide."""
        values = [-2.0, -1.0, 0.0, 1.0, 2.0]
        assert decide(">", values, effect=3.93).verdict == "not separable here"
        wide = decide(">", values, effect=3.92)
        assert wide.verdict == "too small to tell"
        assert wide.seeds_needed == 6

    def test_equal_within_the_margin(self):
        """t(4, .95) = 2.131847: .0 +- 1.507443; and t(4, .975) for the interval that must lie outside."""
        values = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
        equal = decide("=", values, effect=1.0, margin=1.508)
        assert equal.verdict == "holds"
        assert equal.level == pytest.approx(0.90)
        assert equal.high == pytest.approx(1.507443, abs=1e-6)
        assert equal.p_value == pytest.approx(stats.t.sf(1.508 / (1.581139 / np.sqrt(5)), 4), rel=1e-5)
        assert decide("=", values, effect=1.0, margin=1.507).verdict == "too small to tell"
        assert decide("=", values + 4, effect=1.0, margin=2.03).verdict == "does not hold"  # 4 - 1.963 = 2.037
        assert decide("=", values - 4, effect=1.0, margin=2.03).verdict == "does not hold"
        outside = decide("=", values + 4, effect=1.0, margin=2.03)
        assert (outside.level, outside.low) == pytest.approx((0.95, 2.036757), abs=1e-6)
        assert decide("=", values + 4, effect=1.0, margin=2.04).verdict == "too small to tell"

    def test_an_equality_needs_the_seeds_that_bring_it_to_one_side(self):
        """Margin 1.2, s = 1.581139: t(6, .95) = 1.943180 and t(7, .95) = 1.894579: 1.161 with 7 seeds, 1.28 with 6."""
        values = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
        assert decide("=", values, effect=1.0, margin=1.2).seeds_needed == 7
        assert decide("=", values + 0.6, effect=1.0, margin=1.2).seeds_needed > 15  # .6 from the margin
        assert decide("=", values + 1.2, effect=1.0, margin=1.2).seeds_needed is None  # on it
        beyond = decide("=", values + 1.5, effect=1.0, margin=1.2)  # .3 outside, at t(n - 1, .975)
        assert (beyond.verdict, beyond.seeds_needed) == ("too small to tell", 110)

    def test_the_wider_of_both_intervals_decides(self):
        rng = np.random.default_rng(0)
        of_seeds, of_queries = crossed(rng, 5, 400, 1.0, 0.01), crossed(rng, 5, 400, 0.01, 3.0)
        for table, wider in ((of_seeds, "t_interval"), (of_queries, "bootstrap_interval")):
            decision = decide(">", table.mean(axis=1), per_query=table, effect=0.1, resamples=500)
            widths = {n: np.ptp(getattr(decision, n)) for n in ("t_interval", "bootstrap_interval")}
            assert max(widths, key=lambda n: widths[n]) == wider
            ends = [*decision.t_interval, *decision.bootstrap_interval]
            assert (decision.low, decision.high) == (min(ends), max(ends))

    def test_the_bootstrap_has_the_level_of_the_t_interval(self):
        table = crossed(np.random.default_rng(1), 6, 50, 0.1, 1.0)
        widths = [
            np.ptp(decide(">", table.mean(axis=1), per_query=table, effect=9, comparisons=m).bootstrap_interval)
            for m in (1, 5)
        ]
        assert widths[1] / widths[0] == pytest.approx(stats.norm.ppf(1 - 0.05 / 10) / stats.norm.ppf(0.975), rel=0.05)

    def test_queries_are_asked_for_where_seeds_cannot_help(self):
        table = crossed(np.random.default_rng(2), 5, 50, 0.0, 3.0) - 1e-3
        table -= table.mean()
        decision = decide(">", table.mean(axis=1), per_query=table, effect=0.5)
        assert decision.verdict == "too small to tell"
        assert decision.queries_needed > 300
        assert "queries would tell, and more seeds alone would not." in decision.sentence


class TestPoints:
    """All seeds say the same: the interval is a point, and nothing is divided by 0."""

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize(
        ("operator", "value", "verdict", "p"),
        [
            (">", 0.1, "holds", 0.0),
            (">", -0.1, "does not hold", 1.0),
            (">", 0.0, "does not hold", 1.0),
            ("<", -0.1, "holds", 0.0),
            ("<", 0.0, "does not hold", 1.0),
            ("=", 0.0, "holds", 0.0),
            ("=", 0.05, "holds", 0.0),
            ("=", 0.2, "does not hold", 1.0),
            ("=", -0.2, "does not hold", 1.0),
        ],
    )
    def test_equal_differences(self, operator: str, value: float, verdict: str, p: float):
        decision = decide(operator, [value] * 5, effect=0.02, margin=0.1)
        assert (decision.verdict, decision.p_value) == (verdict, p)
        assert decision.low == decision.high == decision.difference == pytest.approx(value)

    @pytest.mark.filterwarnings("error")
    def test_rounding_is_no_difference(self):
        noise = np.array([1.1e-16, 2.2e-16, 1.1e-16, 1.1e-16, 2.2e-16])
        assert decide(">", noise, effect=0.01).verdict == "does not hold"
        assert decide(">", noise, effect=0.01).difference == 0
        assert decide(">", 0.3 + noise, effect=0.01).verdict == "holds"


@given(
    values=st.lists(st.floats(-1, 1), min_size=2, max_size=9),
    operator=st.sampled_from("><="),
    effect=st.floats(0.01, 2),
    margin=st.floats(0.01, 2),
    comparisons=st.integers(1, 4),
)
def test_the_verdict_is_what_its_interval_says(values, operator, effect, margin, comparisons):
    decision = decide(operator, values, effect=effect, margin=margin, comparisons=comparisons)
    low, high = decision.low, decision.high
    assert low <= decision.difference + 1e-12 and decision.difference <= high + 1e-12
    if operator == "=":
        expected = "too small to tell"
        if low > margin or high < -margin:
            expected = "does not hold"
        elif -margin <= low and high <= margin:
            expected = "holds"
    elif low > 0 or high < 0:
        expected = "holds" if (low > 0) == (operator == ">") else "does not hold"
    elif low == high == 0:
        expected = "does not hold"
    else:
        expected = "not separable here" if high - low < effect else "too small to tell"
    assert decision.verdict == expected
    needs = decision.seeds_needed is not None
    assert not needs or (decision.verdict == "too small to tell" and decision.seeds_needed > decision.seeds)
    assert decision == decide(operator, values, effect=effect, margin=margin, comparisons=comparisons)


@given(values=st.lists(st.floats(-1, 1), min_size=2, max_size=9), effect=st.floats(0.01, 2))
def test_the_two_directions_mirror_each_other(values: list[float], effect: float):
    more, less = decide(">", values, effect=effect), decide("<", [-value for value in values], effect=effect)
    assert more.verdict == less.verdict
    assert (more.low, more.high) == pytest.approx((-less.high, -less.low))
    assert (more.p_value, more.seeds_needed) == pytest.approx((less.p_value, less.seeds_needed))


class TestWithoutEffect:
    """Five seeds, no difference. An effect of 10 spoken of: whatever is not wrong is then *not separable here*."""

    def test_a_side_is_claimed_in_five_percent(self):
        drawn = np.random.default_rng(10).normal(size=(ROUNDS, 5))
        found = shares([decide(">", values, effect=10) for values in drawn])
        assert below(0.025, ROUNDS) < found["holds"] < above(0.025, ROUNDS)
        assert below(0.025, ROUNDS) < found["does not hold"] < above(0.025, ROUNDS)
        assert found["holds"] + found["does not hold"] + found["not separable here"] == pytest.approx(1)

    def test_of_three_comparisons_any_is_claimed_in_five_percent(self):
        rounds = ROUNDS // 2
        drawn = np.random.default_rng(11).normal(size=(rounds, 3, 5))
        any_side, uncorrected = 0, 0
        for three in drawn:
            any_side += any(
                decide(">", values, effect=10, comparisons=3).verdict in ("holds", "does not hold") for values in three
            )
            uncorrected += any(abs(stats_of(values)) > stats.t.ppf(0.975, 4) for values in three)
        assert below(0.045, rounds) < any_side / rounds < above(0.05, rounds)
        assert uncorrected / rounds > above(0.05, rounds)  # which the correction is for

    @pytest.mark.parametrize("comparisons", [1, 3])
    def test_with_values_by_query(self, comparisons: int):
        """Queries differ, seeds hardly do: the t interval alone, blind to queries, errs in most of the cases."""
        rng, rounds = np.random.default_rng(12), 500 // comparisons
        wrong = blind = 0
        for _ in range(rounds):
            tables = [crossed(rng, 5, 40, 0.1, 1.0) for _ in range(comparisons)]
            both = [decide_table(table, comparisons) for table in tables]
            wrong += any(decision.verdict in ("holds", "does not hold") for decision in both)
            blind += any(decision.t_interval[0] > 0 or decision.t_interval[1] < 0 for decision in both)
        assert wrong / rounds < above(0.05, rounds)
        assert blind / rounds > 0.2

    def test_with_values_by_query_where_seeds_differ(self):
        """The bootstrap alone, which takes five seeds for all there are, errs too often; the hull does not."""
        rng, rounds = np.random.default_rng(13), 500
        both = [decide_table(crossed(rng, 5, 40, 1.0, 0.1), 1) for _ in range(rounds)]
        wrong = np.mean([decision.verdict in ("holds", "does not hold") for decision in both])
        alone = np.mean([d.bootstrap_interval[0] > 0 or d.bootstrap_interval[1] < 0 for d in both])
        assert wrong < above(0.05, rounds)
        assert alone > above(0.05, rounds)

    @pytest.mark.parametrize(("seeds", "spread"), [(5, 0.4), (8, 0.5)])
    def test_with_values_by_query_where_both_differ_alike(self, seeds: int, spread: float):
        """In the middle neither part is far too wide: the hull is a test of 5 to 8 %, and said to be no more."""
        rng, rounds = np.random.default_rng(14), 1000
        both = [decide_table(crossed(rng, seeds, 40, spread, 0.8), 1) for _ in range(rounds)]
        width = 2 * stats.t.ppf(0.975, seeds - 1)
        ratio = np.mean([(np.ptp(d.t_interval) / width) ** 2 for d in both]) / (0.8**2 / 40)
        assert 1 < ratio < 4  # variance of the mean by seeds over that by queries
        wrong = np.mean([decision.verdict in ("holds", "does not hold") for decision in both])
        assert below(0.045, rounds) < wrong < above(0.08, rounds)


class TestWithEffect:
    @pytest.mark.parametrize(("seeds", "comparisons", "delta"), [(5, 1, 2.0), (8, 1, 1.0), (8, 3, 1.5)])
    def test_the_power_is_that_of_the_noncentral_t(self, seeds: int, comparisons: int, delta: float):
        """P(low > 0) = P(T' > t), T' with n - 1 degrees of freedom and noncentrality delta sqrt(n) / sigma."""
        rounds = ROUNDS // 2
        drawn = delta + np.random.default_rng(20).normal(size=(rounds, seeds))
        found = shares([decide(">", values, effect=100, comparisons=comparisons) for values in drawn])["holds"]
        critical = stats.t.ppf(1 - 0.05 / comparisons / 2, seeds - 1)
        power = stats.nct.sf(critical, seeds - 1, delta * np.sqrt(seeds))
        assert 0.5 < power < 0.95
        assert below(power, rounds) < found < above(power, rounds)

    def test_an_effect_of_the_size_spoken_of_is_hardly_ever_called_not_separable(self):
        """That would take an interval that misses it. Four sizes of spread, of which two could hide it."""
        for spread in (0.1, 0.3, 0.5, 1.0):
            drawn = 1.0 + spread * np.random.default_rng(21).normal(size=(ROUNDS // 4, 5))
            found = shares([decide(">", values, effect=1.0) for values in drawn])
            assert found["not separable here"] < above(0.025, ROUNDS // 4)
            assert found["does not hold"] < above(0.025, ROUNDS // 4)

    def test_precise_and_without_effect_is_not_separable(self):
        drawn = 0.1 * np.random.default_rng(22).normal(size=(ROUNDS // 4, 5))
        found = shares([decide(">", values, effect=1.0) for values in drawn])
        assert found["not separable here"] > below(0.95, ROUNDS // 4)
        assert found["too small to tell"] == 0

    @pytest.mark.parametrize("delta", [0.0, 0.5])
    def test_a_wide_interval_is_too_small_to_tell(self, delta: float):
        """Spread 2, effect .5: with five seeds the interval is about 5 wide."""
        drawn = delta + 2.0 * np.random.default_rng(23).normal(size=(ROUNDS // 8, 5))
        decisions = [decide(">", values, effect=0.5) for values in drawn]
        found = shares(decisions)
        assert found["too small to tell"] > 0.88
        assert found["not separable here"] < above(0.002, ROUNDS // 8)
        needed = [d.seeds_needed for d in decisions if d.verdict == "too small to tell"]
        assert all(number > 5 for number in needed)
        assert np.median(needed) == pytest.approx((2 * 1.96 * 2.0 / 0.5) ** 2, rel=0.3)

    def test_with_the_seeds_asked_for_it_is_told(self):
        """Without effect, s = 1 exactly: with the seeds that five seeds ask for, half the cases are told or more."""
        rng = np.random.default_rng(24)
        first = rng.normal(size=5)
        first = (first - first.mean()) / first.std(ddof=1)
        needed = decide(">", first, effect=0.8).seeds_needed
        rounds = ROUNDS // 4
        found = shares([decide(">", rng.normal(size=needed), effect=0.8) for _ in range(rounds)])
        assert found["too small to tell"] < above(0.5, rounds)


class TestEquality:
    @pytest.mark.parametrize(("side", "comparisons"), [(1, 1), (-1, 1), (1, 3)])
    def test_at_the_margin_it_is_called_equal_in_five_percent(self, side: int, comparisons: int):
        rounds = ROUNDS // 2
        drawn = side + 0.3 * np.random.default_rng(30).normal(size=(rounds, 8))
        found = shares([decide("=", values, effect=1, margin=1.0, comparisons=comparisons) for values in drawn])
        assert below(0.05 / comparisons, rounds) < found["holds"] < above(0.05 / comparisons, rounds)
        assert found["does not hold"] < above(0.025 / comparisons, rounds)
        assert found["not separable here"] == 0

    @pytest.mark.parametrize(("seeds", "spread"), [(5, 0.8), (8, 1.0)])
    def test_its_power_at_no_difference(self, seeds: int, spread: float):
        """P(|mean| < margin - t s / sqrt(n)), the normal share of it averaged over the distribution of s."""
        rounds = ROUNDS // 2
        drawn = spread * np.random.default_rng(31).normal(size=(rounds, seeds))
        found = shares([decide("=", values, effect=1, margin=1.0) for values in drawn])["holds"]
        variances = spread**2 * stats.chi2.ppf((np.arange(20_000) + 0.5) / 20_000, seeds - 1) / (seeds - 1)
        room = 1.0 - stats.t.ppf(0.95, seeds - 1) * np.sqrt(variances / seeds)
        inside = 2 * stats.norm.cdf(np.maximum(room, 0) * np.sqrt(seeds) / spread) - 1
        power = inside.mean()
        assert 0.3 < power < 0.95
        assert below(power, rounds) < found < above(power, rounds)

    def test_far_outside_it_does_not_hold(self):
        drawn = 3.0 + 0.5 * np.random.default_rng(32).normal(size=(200, 5))
        assert shares([decide("=", values, effect=1, margin=1.0) for values in drawn])["does not hold"] > 0.95

    def test_queries_widen_it_too(self):
        """Equal on these queries by the t interval; the queries themselves are too few to say so."""
        table = crossed(np.random.default_rng(33), 5, 30, 0.0, 2.0)
        table -= table.mean()
        decision = decide("=", table.mean(axis=1), effect=0.5, margin=0.5, per_query=table)
        assert decide("=", table.mean(axis=1), effect=0.5, margin=0.5).verdict == "holds"
        assert decision.verdict == "too small to tell"
        assert decision.queries_needed > 30


def stats_of(values: np.ndarray) -> float:
    """The t statistic."""
    return float(values.mean() / (values.std(ddof=1) / np.sqrt(len(values))))


def decide_table(table: np.ndarray, comparisons: int) -> Decision:
    return decide(">", table.mean(axis=1), per_query=table, effect=10, comparisons=comparisons, resamples=400)


class TestWords:
    def test_each_verdict_in_a_sentence(self):
        values = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
        said = "over 5 seeds (95 % interval"
        assert decide(">", values + 3, effect=1).sentence == (
            f"The difference is +3 {said} +1.04 to +4.96), all of it above 0."
        )
        assert decide("<", values + 3, effect=1).sentence == (
            f"The difference is +3 {said} +1.04 to +4.96), no part of it below 0."
        )
        assert decide(">", values, effect=4).sentence == (
            f"The difference is 0 {said} -1.96 to +1.96), which includes 0 and is narrower than the effect of 4 that "
            "the claim speaks of."
        )
        assert decide(">", values, effect=1).sentence == (
            f"The difference is 0 {said} -1.96 to +1.96), which includes 0 and is wider than the effect of 1 that the "
            "claim speaks of; about 41 seeds would tell."
        )

    def test_equality_in_a_sentence(self):
        values = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
        said = "The difference is 0 over 5 seeds (90 % interval -1.51 to +1.51)"
        assert decide("=", values, effect=1, margin=2).sentence == f"{said}, within the margin of 2."
        assert decide("=", values, effect=1, margin=1.2).sentence == (
            f"{said}, not on one side of the margin of 1.2; about 7 seeds, if the difference stays as it is, "
            "would tell."
        )
        assert decide("=", values + 1.2, effect=1, margin=1.2).sentence.endswith(
            "; no number of seeds within reach, if the difference stays as it is, would tell."
        )
        assert decide("=", values + 9, effect=1, margin=2).sentence == (
            "The difference is +9 over 5 seeds (95 % interval +7.04 to +11), outside the margin of 2."
        )

    def test_queries_are_counted_in_it(self):
        table = np.tile([0.0, 1.0, 2.0], (5, 400))
        decision = decide(">", table.mean(axis=1), per_query=table, effect=1, comparisons=3)
        assert "over 5 seeds and 1,200 queries (98.3 % interval" in decision.sentence

    def test_it_is_ready_for_json(self):
        row = decide(">", [0.1, 0.2], effect=1).to_dict()
        assert row["verdict"] == "too small to tell"
        assert row["t_interval"] == (row["low"], row["high"])


class TestOfAClaim:
    def decision(self, verdict: str) -> Decision:
        return replace(decide(">", [0.1, 0.2], effect=1), verdict=verdict)

    @pytest.mark.parametrize(
        ("verdicts", "together"),
        [
            (["holds", "holds"], "holds"),
            (["holds", "not separable here"], "not separable here"),
            (["not separable here", "too small to tell", "holds"], "too small to tell"),
            (["too small to tell", "does not hold", "not separable here", "holds"], "does not hold"),
        ],
    )
    def test_the_weightiest_word_decides(self, verdicts: list[str], together: str):
        assert verdict_of([self.decision(verdict) for verdict in verdicts]) == together
        assert verdict_of([self.decision(verdict) for verdict in reversed(verdicts)]) == together


class TestRefusals:
    @pytest.mark.parametrize("bad", [[0.1], [], [0.1, np.nan], [0.1, np.inf], [[0.1, 0.2]]])
    def test_what_is_no_list_of_differences(self, bad):
        with pytest.raises(LitotesError, match="decide takes one finite difference a seed, of at least two seeds. Got"):
            decide(">", bad, effect=1)

    @pytest.mark.parametrize("bad", [[[0.1]], [0.1, 0.2], [[], []], [[0.1, np.nan], [0.2, 0.2]]])
    def test_what_is_no_table_of_seeds_and_queries(self, bad):
        with pytest.raises(LitotesError, match=r"must be finite, \[seeds, queries\] for 2 seeds. Got shape"):
            decide(">", [0.1, 0.2], effect=1, per_query=np.array(bad))

    def test_values_by_query_of_another_metric(self):
        with pytest.raises(
            LitotesError, match="are not the differences that decide was given: they are off by up to 0.1"
        ):
            decide(">", [0.1, 0.2], effect=1, per_query=np.array([[0.1, 0.1], [0.1, 0.5]]))

    def test_parameters(self):
        with pytest.raises(LitotesError, match="'operator' parameter of decide must be one of '>', '<', '='. Got '>='"):
            decide(">=", [0.1, 0.2], effect=1)
        with pytest.raises(LitotesError, match="'effect' parameter of decide"):
            decide(">", [0.1, 0.2], effect=0)
        with pytest.raises(LitotesError, match="'comparisons' parameter of decide"):
            decide(">", [0.1, 0.2], effect=1, comparisons=0)
        with pytest.raises(LitotesError, match="'margin' parameter of decide must be a float in the range .0, inf."):
            decide("=", [0.1, 0.2], effect=1)
