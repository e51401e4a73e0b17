"""Metrics: trec_eval's values through ir-measures, one rule for ties, and which queries count."""

import math

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from litotes.core.errors import DataError, LitotesError
from litotes.evaluation import measure_run, measure_scores
from litotes.evaluation.metrics import check_metrics, deepest_cutoff

RUNS = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3"]),
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1),
    min_size=1,
)
GRADES = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3"]), st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3)), min_size=1
)


@pytest.mark.parametrize("names", [["nDCG@3", "P@2", "R@5"], ["P@2", "AP"]])
@given(run=RUNS, grades=GRADES)
def test_values_are_trec_evals_also_with_ties(run, grades, names):
    theirs = {"nDCG@3": "ndcg_cut_3", "P@2": "P_2", "R@5": "recall_5", "AP": "map"}
    metrics = {name: theirs[name] for name in names}
    measured = measure_run(run, grades, metrics)
    theirs = pytrec_eval.RelevanceEvaluator(grades, set(metrics.values())).evaluate(run)
    for metric, name in metrics.items():
        relevant = {query for query, found in grades.items() if any(found.values())}
        assert measured.per_query[metric].keys() == relevant
        for query in relevant:
            expected = theirs[query][name] if query in run else 0.0
            assert measured.per_query[metric][query] == pytest.approx(expected, abs=1e-9)


@given(RUNS, GRADES)
def test_reciprocal_rank_with_a_cutoff_breaks_ties_as_the_other_measures_do(run, grades):
    values = measure_run(run, grades, ["RR@2"]).per_query["RR@2"]
    for query, value in values.items():
        order = sorted(sorted(run.get(query, {}), reverse=True), key=lambda d: -run[query][d])
        ranks = [rank for rank, document in enumerate(order[:2], start=1) if grades[query].get(document, 0) > 0]
        assert value == (1 / ranks[0] if ranks else 0.0)


def test_a_tie_goes_to_the_later_id():
    run, grades = {"q": {"a": 1.0, "b": 1.0}}, {"q": {"a": 1}}
    assert measure_run(run, grades, ["RR@10", "RR", "P@1"]).means == {"RR@10": 0.5, "RR": 0.5, "P@1": 0.0}


def test_trap_scores_that_differ_only_beyond_float32_are_ties():
    run = {"q": {"a": 1.0 + 1e-9, "b": 1.0}}
    assert measure_run(run, {"q": {"a": 1}}, ["RR@10"]).means["RR@10"] == 0.5
    run["q"]["a"] = 1.0 + 1e-6
    assert measure_run(run, {"q": {"a": 1}}, ["RR@10"]).means["RR@10"] == 1.0


def test_trap_gains_are_linear_not_exponential():
    run, grades = {"q": {"a": 2.0, "b": 1.0}}, {"q": {"a": 1, "b": 3}}
    by_hand = (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    assert measure_run(run, grades, ["nDCG@10"]).means["nDCG@10"] == pytest.approx(by_hand)


def test_a_measure_of_judged_documents_looks_behind_its_cutoff():
    run, grades = {"q": {"x": 3.0, "y": 2.0, "a": 1.0}}, {"q": {"a": 1}}
    assert (
        measure_run(run, grades, ["RR(judged_only=True)", "P(judged_only=True)@1"]).means["P(judged_only=True)@1"]
        == 1.0
    )
    assert measure_run(run, grades, ["P(judged_only=True)@1"]).means["P(judged_only=True)@1"] == 1.0


def test_a_query_without_results_counts_as_nothing_found():
    measured = measure_run({"q1": {"a": 1.0}, "q3": {}}, {"q1": {"a": 1}, "q2": {"a": 1}, "q3": {"a": 1}})
    assert measured.per_query["nDCG@10"] == {"q1": 1.0, "q2": 0.0, "q3": 0.0}
    assert measured.means == {
        "nDCG@10": pytest.approx(1 / 3),
        "RR@10": pytest.approx(1 / 3),
        "R@100": pytest.approx(1 / 3),
    }


def test_values_stand_in_the_order_of_the_judgements():
    grades = {query: {"a": 1} for query in ("q3", "q1", "q2")}
    measured = measure_run({"q2": {"a": 1.0}, "q3": {"a": 1.0}}, grades)
    assert all(list(values) == ["q3", "q1", "q2"] for values in measured.per_query.values())


def test_a_query_without_relevant_documents_is_left_out():
    measured = measure_run({"q1": {"a": 1.0}, "q2": {"a": 1.0}}, {"q1": {"a": 1}, "q2": {"a": 0}, "q4": {}})
    assert list(measured.per_query["RR@10"]) == ["q1"]
    assert measured.means["RR@10"] == 1.0


def test_no_query_at_all_gives_nan_not_an_error():
    assert math.isnan(measure_run({"q": {"a": 1.0}}, {"q": {"a": 0}}).means["RR@10"])


def test_negative_grades_are_not_relevant():
    run = {"q": {"a": 3.0, "b": 2.0}}
    assert measure_run(run, {"q": {"a": -1, "b": 1}}, ["RR@10", "nDCG@10"]).means["RR@10"] == 0.5


def test_min_grade_decides_what_is_relevant():
    run, grades = {"q1": {"a": 2.0, "b": 1.0}, "q2": {"a": 1.0}}, {"q1": {"a": 1, "b": 2}, "q2": {"a": 1}}
    measured = measure_run(run, grades, ["RR@10", "R(rel=1)@10"], min_grade=2)
    assert measured.per_query == {"RR@10": {"q1": 0.5}, "R(rel=1)@10": {"q1": 1.0}}
    with pytest.raises(LitotesError, match="min_grade=0.5"):
        measure_run(run, grades, ["RR@10"], min_grade=0.5)


def test_names_are_kept_as_typed_and_may_mean_the_same():
    measured = measure_run({"q": {"a": 1.0}}, {"q": {"a": 1}}, ["MRR@10", "RR@10", "NDCG@10"])
    assert measured.means == {"MRR@10": 1.0, "RR@10": 1.0, "NDCG@10": 1.0}


@pytest.mark.parametrize("bad", ["recall@10", "nDCG@", "", "__import__('os')", "RBP"])
def test_an_unknown_metric_is_refused(bad: str):
    with pytest.raises(LitotesError, match="is not a metric that can be computed. Write it as ir-measures does"):
        check_metrics([bad])


def test_metrics_are_a_list():
    with pytest.raises(LitotesError, match=r"write \['RR@10'\]"):
        measure_run({}, {}, "RR@10")
    with pytest.raises(LitotesError, match="No metric was asked for"):
        measure_run({}, {}, [])


def test_scores_that_are_not_numbers_are_refused():
    with pytest.raises(DataError, match=r"score of \('q', 'b'\) is NaN"):
        measure_run({"q": {"a": 1.0, "b": math.nan}}, {"q": {"a": 1}})


def test_grades_that_are_not_whole_are_refused():
    with pytest.raises(DataError, match=r"grade of \('q', 'a'\) is 0.5; metrics need whole grades"):
        measure_run({"q": {"a": 1.0}}, {"q": {"a": 0.5}})


def test_deepest_cutoff():
    assert deepest_cutoff(["nDCG@10", "R@100", "AP"]) == 100
    assert deepest_cutoff(["AP"]) == 0


class TestMatrices:
    def test_equals_the_run_of_the_same_numbers(self):
        rng = np.random.default_rng(0)
        scores, relevance = (
            rng.integers(0, 4, (5, 30)).astype(float),
            rng.integers(0, 3, (5, 30)) * (rng.random((5, 30)) < 0.2),
        )
        relevance[2] = 0
        values, means = measure_scores(scores, relevance, ["nDCG@10", "R@20"])
        names = [f"d{i:04d}" for i in range(30)]
        run = {f"q{i}": dict(zip(names, row, strict=True)) for i, row in enumerate(scores.tolist())}
        grades = {f"q{i}": dict(zip(names, row, strict=True)) for i, row in enumerate(relevance.tolist())}
        measured = measure_run(run, grades, ["nDCG@10", "R@20"])
        assert np.isnan(values[2]).all()
        for place, metric in enumerate(["nDCG@10", "R@20"]):
            others = [values[i, place] for i in range(5) if i != 2]
            assert others == [measured.per_query[metric][f"q{i}"] for i in range(5) if i != 2]
            assert means[place] == measured.means[metric]

    def test_equal_scores_rank_the_later_column_first(self):
        relevance = np.zeros((1, 12), dtype=int)
        relevance[0, 2] = 1
        values, _ = measure_scores(np.zeros((1, 12)), relevance, ["RR"])
        assert values[0, 0] == 1 / 10  # columns 11, 10, ..., 2

    def test_without_any_relevant_document_all_is_nan(self):
        values, means = measure_scores(np.zeros((2, 3)), np.zeros((2, 3)), ["RR"])
        assert np.isnan(values).all()
        assert np.isnan(means).all()

    def test_shapes_must_agree(self):
        with pytest.raises(LitotesError, match=r"Got \(1, 2\) and \(2, 1\)"):
            measure_scores(np.zeros((1, 2)), np.zeros((2, 1)))
