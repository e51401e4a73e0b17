"""Full-corpus evaluation of encoders and runs."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import Collection, LabelMatrix
from litotes.core.errors import DataError, LitotesError
from litotes.data.trec import read_run, write_run
from litotes.evaluation import compare, evaluate, measure_run

WORDS = ["red", "blue", "fox", "hen", "sky"]


class BagOfWords:
    """An encoder that counts five words."""

    similarity = "dot"

    def encode(self, texts, role, *, ids=None, progress=True) -> np.ndarray:
        counts = [[(text or "").split().count(word) for word in WORDS] for text in texts]
        return np.array(counts, dtype=np.float32)

    def fingerprint(self, role: str) -> dict[str, str]:
        return {}


def collection(
    judged: dict[str, dict[str, int]], queries: dict[str, str | None], corpus: dict[str, str | None], **extra
):
    labels = LabelMatrix.from_qrels(judged, rows=list(queries), cols=list(corpus), **extra)
    tables = [pa.table({"id": list(side), "text": list(side.values())}) for side in (queries, corpus)]
    return Collection(labels, *tables, name="small")


@pytest.fixture
def data() -> Collection:
    return collection(
        {"q1": {"d2": 1}, "q2": {"d3": 1, "d4": 2}, "q3": {"d1": 0}, "q4": {"d1": 1}},
        {"q1": "red fox", "q2": "blue", "q3": "sky", "q4": None},
        {"d1": "red hen", "d2": "red fox fox", "d3": "sky", "d4": "blue blue", "d5": None},
    )


def test_searches_all_documents_and_measures_per_query(data: Collection):
    found = evaluate(data, BagOfWords())
    assert list(found.run["q1"]) == ["d2", "d1", "d3", "d4"]  # d5 has no text; ties by column
    assert found.run["q1"] == {"d2": 3.0, "d1": 1.0, "d3": 0.0, "d4": 0.0}
    assert found.per_query["RR@10"] == {"q1": 1.0, "q2": 1.0, "q4": 0.0}  # q3 has nothing relevant, q4 no text
    assert found.means["RR@10"] == pytest.approx(2 / 3)
    assert found.counts == {
        "queries": 3,
        "queries_without_relevant": 1,
        "queries_without_results": 1,
        "documents": 5,
    }
    assert found.name == "BagOfWords"


def test_equals_ranking_by_the_double_loop():
    rng = np.random.default_rng(0)
    texts = {f"d{i:02d}": " ".join(rng.choice(WORDS, 4)) for i in range(40)}
    queries = {f"q{i:02d}": " ".join(rng.choice(WORDS, 2)) for i in range(12)}
    judged = {
        q: {
            str(d): int(g)
            for d, g in zip(rng.choice(list(texts), 5, replace=False), rng.integers(0, 3, 5), strict=True)
        }
        for q in queries
    }
    found = evaluate(collection(judged, queries, texts), BagOfWords(), ["nDCG@10", "R@20"])
    run = {
        q: {d: float(sum(a == b for a in query.split() for b in text.split())) for d, text in texts.items()}
        for q, query in queries.items()
    }
    expected = measure_run(run, judged, ["nDCG@10", "R@20"])
    assert found.run == run
    assert found.per_query == expected.per_query
    assert found.means == expected.means


def test_a_run_file_and_its_scores_measure_as_the_encoder_that_wrote_it(data: Collection, tmp_path: Path):
    found = evaluate(data, BagOfWords(), name="bag of words")
    found.write_run(tmp_path / "bag.trec")
    assert (tmp_path / "bag.trec").read_text().splitlines()[0] == "q1 Q0 d2 1 3.0 bag-of-words"
    for given in (tmp_path / "bag.trec", str(tmp_path / "bag.trec"), f"run:{tmp_path / 'bag.trec'}", found.run):
        again = evaluate(data, given)
        assert again.per_query == found.per_query
        assert again.counts == found.counts
    assert evaluate(data, tmp_path / "bag.trec").name == str(tmp_path / "bag.trec")
    assert read_run(tmp_path / "bag.trec") == {q: found.run[q] for q in ("q1", "q2", "q3")}


def test_a_run_is_cut_at_top_by_trec_evals_order(data: Collection):
    run = {"q1": {"d1": 1.0, "d2": 1.0, "d3": 5.0}}
    assert evaluate(data, run, ["RR@2"], top=2).run["q1"] == {"d3": 5.0, "d2": 1.0}
    assert evaluate(data, run, ["RR@2"]).per_query["RR@2"] == {"q1": 0.5, "q2": 0.0, "q4": 0.0}


def test_queries_of_the_run_that_the_data_lacks_are_left_out(data: Collection):
    found = evaluate(data, {"q1": {"d2": 1.0}, "q99": {"d1": 1.0}})
    assert list(found.run) == ["q1", "q2", "q3", "q4"]
    with pytest.raises(
        DataError, match="None of the 1 queries of the run is among the 4 of the data.*begins with 'q99'"
    ):
        evaluate(data, {"q99": {"d1": 1.0}})


def test_other_judgements_may_be_measured_against(data: Collection):
    truth = data.labels.with_cells(np.array([2]), np.array([2]), np.array([1.0]))
    assert evaluate(data, BagOfWords(), qrels=truth).per_query["RR@10"]["q3"] == 1.0


def test_min_grade_of_the_labels_decides_what_is_relevant():
    judged = {"q1": {"d1": 1, "d2": 2}}
    data = collection(judged, {"q1": "red"}, {"d1": "red red", "d2": "red"}, min_grade=2)
    assert evaluate(data, BagOfWords(), ["RR@10"]).means["RR@10"] == 0.5


@pytest.mark.parametrize("as_run", [False, True])
def test_documents_with_the_querys_id_are_dropped_only_on_request(as_run: bool):
    data = collection({"1": {"2": 1}}, {"1": "red fox"}, {"1": "red fox", "2": "red"})
    given = {"1": {"1": 2.0, "2": 1.0}} if as_run else BagOfWords()
    assert evaluate(data, given, ["RR@10"]).means["RR@10"] == 0.5
    assert evaluate(data, given, ["RR@10"], drop_identical_ids=True).means["RR@10"] == 1.0


def test_the_run_is_as_deep_as_the_deepest_metric_needs(data: Collection):
    assert len(evaluate(data, BagOfWords(), ["RR@1"], top=1).run["q1"]) == 1
    with pytest.raises(LitotesError, match="'top' parameter of evaluate must reach the deepest metric, 100. Got 10"):
        evaluate(data, BagOfWords(), top=10)


def test_bad_metrics_are_refused_before_anything_is_encoded(data: Collection):
    with pytest.raises(LitotesError, match="'recal@10' is not a metric"):
        evaluate(data, "no/such/model", ["recal@10"])


def test_data_without_a_relevant_document_is_refused():
    data = collection({"q1": {"d1": 0}}, {"q1": "red"}, {"d1": "red"})
    with pytest.raises(DataError, match="None of the 1 queries has a relevant document"):
        evaluate(data, BagOfWords())


def test_data_without_texts_is_refused_for_an_encoder():
    labels = LabelMatrix.from_qrels({"q1": {"d1": 1}})
    with pytest.raises(DataError, match="Evaluation needs queries and documents with content"):
        evaluate(Collection(labels, None, None), BagOfWords())
    assert evaluate(Collection(labels, None, None), {"q1": {"d1": 1.0}}).means["RR@10"] == 1.0


def test_two_evaluations_compare(data: Collection):
    comparison = compare(evaluate(data, BagOfWords()), evaluate(data, {"q1": {"d1": 1.0}}, name="worse"))
    assert [d.metric for d in comparison.differences] == ["nDCG@10", "RR@10", "R@100"]
    assert comparison.differences[1].difference == pytest.approx(2 / 3)


def test_table_and_json(data: Collection, tmp_path: Path):
    found = evaluate(data, BagOfWords(), ["RR@10"])
    assert [line.split() for line in found.table().splitlines()] == [["RR@10"], ["BagOfWords", "0.6667"]]
    assert found.to_dict()["means"] == {"RR@10": pytest.approx(2 / 3)}
    assert "run" not in found.to_dict()


def test_a_written_run_is_read_by_trec_eval_in_the_same_order(data: Collection, tmp_path: Path):
    import ir_measures

    found = evaluate(data, BagOfWords(), ["nDCG@10", "RR@10"])
    write_run(tmp_path / "run", found.run)
    judged = [ir_measures.Qrel(q, d, g) for q, d, g in [("q1", "d2", 1), ("q2", "d3", 1), ("q2", "d4", 2)]]
    theirs = ir_measures.calc_aggregate(
        [ir_measures.nDCG @ 10], judged, ir_measures.read_trec_run(str(tmp_path / "run"))
    )
    ours = found.per_query["nDCG@10"]
    assert theirs[ir_measures.nDCG @ 10] == pytest.approx((ours["q1"] + ours["q2"]) / 2)
