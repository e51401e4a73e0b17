"""Reranking orders the top of a run anew, leaves the rest behind it, and survives a run file."""

import numpy as np
import pytest

from litotes.core.errors import DataError, LitotesError
from litotes.data.trec import read_run
from litotes.evaluation import evaluate
from litotes.evaluation.reranking import rerank, reranker
from litotes.models.interaction import InteractionRanker
from litotes.models.tiny import tiny_cross_encoder
from tests.unit.training.small_world import small_data


class Named:
    """Scores a document by the number at its end: the last is best, or whatever a function makes of it."""

    def __init__(self, value=float):
        self.value, self.read = value, []

    def score(self, pairs):
        self.read = list(pairs)
        return np.array([self.value(int(document.split()[-1])) for _, document in pairs])


@pytest.fixture(scope="module")
def data():
    return small_data()


@pytest.fixture(scope="module")
def run(data):
    """Query i finds documents i, i + 1, ... i + 7 in this order."""
    return {f"q{i}": {f"d{i + j}": 10.0 - j for j in range(8)} for i in range(data.n_rows)}


def test_the_first_documents_are_ordered_anew_and_the_rest_stays_behind(data, run):
    scorer = Named()
    found = rerank(data, run, scorer, depth=3)
    assert list(found["q4"]) == ["d6", "d5", "d4", "d7", "d8", "d9", "d10", "d11"]
    assert found["q4"]["d6"] == 6.0 and all(score < 4.0 for score in list(found["q4"].values())[3:])
    assert list(found["q4"].values()) == sorted(found["q4"].values(), reverse=True)
    assert len(scorer.read) == 3 * data.n_rows and scorer.read[0] == (data.row_texts[0], data.col_texts[0])
    assert set(found) == set(run) and all(set(found[query]) == set(run[query]) for query in run)


def test_a_run_is_taken_by_its_scores_not_by_its_order(data, run):
    shuffled = {query: dict(reversed(scores.items())) for query, scores in run.items()}
    assert rerank(data, shuffled, Named(), depth=3) == rerank(data, run, Named(), depth=3)


def test_equal_scores_keep_the_retrievers_order_in_a_run_file_too(data, run, tmp_path):
    found = rerank(data, run, Named(lambda number: 5.0), depth=4)
    measured = evaluate(data, found, ["RR@10"])
    measured.write_run(tmp_path / "x.trec")
    for given in (found, measured.run, read_run(tmp_path / "x.trec")):
        assert list(given["q4"]) == list(run["q4"])
        assert len({np.float32(score) for score in given["q4"].values()}) == 8, "nothing is left to a reader's ties"


def test_only_metrics_within_the_depth_change(data, run):
    names = ["RR@10", "R@5", "R@8"]
    before, after = (evaluate(data, given, names).means for given in (run, rerank(data, run, Named(), depth=5)))
    assert before["RR@10"] == 1.0 > after["RR@10"]
    assert before["R@5"] == after["R@5"] and before["R@8"] == after["R@8"]


def test_documents_without_text_are_not_read(data, run):
    bare = {query: {**scores, "d39": 99.0} for query, scores in run.items()}
    import pyarrow as pa

    from litotes.core import Collection

    texts = pa.table({"id": list(data.col_ids), "text": [*data.col_texts[:39], None]})
    found = rerank(Collection(data.labels, data.rows.table, texts), bare, Named(), depth=3)
    assert list(found["q4"])[:3] == ["d5", "d4", "d39"]


def test_a_run_of_other_queries_or_no_depth_is_refused(data, run):
    with pytest.raises(DataError, match="query 'who' that is not in the data"):
        rerank(data, {"who": {"d1": 1.0}}, Named())
    with pytest.raises(LitotesError, match="'depth' parameter of rerank must be an int"):
        rerank(data, run, Named(), depth=0)


def test_a_reranker_is_a_folder_of_either_kind_or_a_live_model(data, run, tmp_path):
    model = tiny_cross_encoder("bert", seed=1)
    model.save_pretrained(str(tmp_path / "cross"))
    ranker = InteractionRanker.of(data)
    ranker.save_pretrained(tmp_path / "interaction")
    for live, folder in ((model, "cross"), (ranker, "interaction")):
        ours, theirs = (rerank(data, run, reranker(each), depth=4) for each in (live, tmp_path / folder))
        assert [list(x) for x in ours.values()] == [list(x) for x in theirs.values()]
    with pytest.raises(LitotesError, match="A reranker is a name, a folder or a model that scores pairs. Got int"):
        reranker(3)


def test_a_score_that_is_no_number_is_refused(data):
    class Diverged:
        def score(self, pairs):
            return [1.0] + [float("nan")] * (len(pairs) - 1)

    run = {data.row_ids[0]: {data.col_ids[0]: 2.0, data.col_ids[1]: 1.0}}
    with pytest.raises(DataError, match=f"scores the document '{data.col_ids[1]}' for the query .* as NaN"):
        rerank(data, run, Diverged())


def test_a_folder_of_an_interaction_ranker_is_read_onto_the_device(data, tmp_path):
    InteractionRanker.of(data).save_pretrained(tmp_path)
    assert reranker(tmp_path, device="meta").idf.device.type == "meta"
