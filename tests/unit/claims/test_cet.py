"""The claims of CET can be decided fairly, and what runs their arms trains and measures as it says."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.claims import cet, coupled_study, pooled_cranfield
from litotes.claims.pool_simulator import auc_by_query, simulate, training_lines
from litotes.core import Collection, LabelMatrix
from litotes.core.seeds import rng
from litotes.evaluation.experiment import Cell
from litotes.models import cross_encoder, frozen_layers
from litotes.models.selection_model import false_negative_posterior
from litotes.models.tiny import tiny_cross_encoder

CLAIMS = cet.CLAIMS


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_is_well_formed(claim):
    named = {side for a, _, b in claim.holds for side in (a, b) if isinstance(side, str)}
    assert named <= set(claim.arms) and not any(arm.trials for arm in claim.arms.values())
    assert claim.data == ("simulator" if claim.name.startswith("simulator") else "cranfield")
    assert len({arm.command for arm in claim.arms.values()}) == 1
    assert claim.metric not in claim.shown
    assert all(claim.digest != other.digest for other in CLAIMS if other is not claim)


CLAIM = {claim.name: claim for claim in CLAIMS}


def test_what_sees_what_is_asked_at_one_temperature():
    [(own, _, same)] = CLAIM["cranfield-same-inputs"].holds
    first, second = (dict(CLAIM["cranfield-same-inputs"].arms[name].config) for name in (own, same))
    assert second.pop("selection_inputs") == "same" and first == second and first["debias_ratio"] == 2.0


def test_a_claim_asks_one_question_of_the_strong_retriever():
    assert CLAIM["simulator-strong"].holds == [("strong, CET T=2", ">", "strong, unweighted")]
    assert CLAIM["simulator-strong-weak"].holds == [("strong, CET T=2", ">", "weak, unweighted")]


def test_what_is_reranked_stands_beside_the_rankers():
    assert {"weak order", "strong order", "strong, oracle"} <= set(CLAIM["simulator-paradox"].arms)
    assert set(cet.ORDERS) <= set(CLAIM["cranfield-paradox"].arms)
    for name in ("cranfield-features", "cranfield-same-inputs", "cranfield-texts", "cranfield-texts-paradox"):
        assert "hybrid order" in CLAIM[name].arms
    assert CLAIM["cranfield-retrievers"].holds == CLAIM["cranfield-cause"].holds
    assert cet.FEATURES["dense order"].config == {"order": "dense"}


def test_notes_say_what_a_reader_must_know():
    for name in ("cranfield-features", "cranfield-texts"):
        assert "chose T=2 after scoring this very set" in CLAIM[name].note and "interval" in CLAIM[name].note
    assert "by construction" in CLAIM["simulator-cause"].note


def test_the_share_of_a_whole_first_twenty_is_shown_of_retrievers_alone():
    shown = {claim.name for claim in CLAIMS if "relevant@20" in claim.shown}
    assert shown == {"cranfield-retrievers", "cranfield-cause"}


def test_seeds_are_of_this_study_alone():
    assert all(set(claim.seeds).isdisjoint(range(10)) for claim in CLAIMS)
    assert all(len(claim.seeds) >= 8 for claim in CLAIMS if next(iter(claim.arms.values())).command != "texts")


def test_the_controls_of_the_page_are_arms():
    arms = {name for claim in CLAIMS for name in claim.arms}
    assert {"unweighted", "CET T=10", "CET T=2", "CET T=1", "CET T=0.5", "CET T=1, same inputs", "oracle"} <= arms
    assert {"BM25, unweighted", "hybrid, unweighted", "hybrid, CET T=2", "hybrid, oracle"} <= arms


# --- the simulator ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world():
    return simulate(0)


def test_the_label_model_of_the_simulator(world):
    """l = r s; and P(r = 1 | l = 0) is rho (1 - lambda) / (1 - lambda rho)."""
    assert (world.labelled <= world.relevant).all()
    posterior = false_negative_posterior(world.relevance, world.selection)[~world.labelled]
    missing = world.relevant[~world.labelled]
    order = np.argsort(posterior)
    for tenth in np.array_split(order, 10):
        expected = posterior[tenth].mean()
        assert abs(missing[tenth].mean() - expected) < 5 * np.sqrt(expected * (1 - expected) / len(tenth)) + 1e-9
    lam = 1 / (1 + np.exp(-(2 * world.x[..., 0].astype(float) + 0.5)))
    rho = 1 / (1 + np.exp(-(3 * world.x[..., 1].astype(float) + world.x[..., 2] - 2)))
    np.testing.assert_allclose(world.selection, lam, rtol=1e-5)
    np.testing.assert_allclose(world.relevance, rho, rtol=1e-5)


def test_lines_are_one_labelled_document_of_a_training_query_against_each_unlabelled_one(world):
    lines = training_lines(world, 0)
    assert lines[:, 0].max() < 400 and world.labelled[lines[:, 0], lines[:, 1]].all()
    assert not world.labelled[lines[:, 0], lines[:, 2]].any()
    for query in np.unique(lines[:, 0])[:20]:
        own = lines[lines[:, 0] == query]
        assert len(set(own[:, 1])) == 1 and sorted(own[:, 2]) == np.flatnonzero(~world.labelled[query]).tolist()
    assert not world.relevant[tuple(training_lines(world, 0, oracle=True)[:, [0, 2]].T)].any()


def test_the_strong_retriever_brings_up_more_false_negatives(world):
    shares = {}
    for negatives in ("all", "weak", "strong"):
        lines = training_lines(world, 0, negatives=negatives)
        shares[negatives] = world.relevant[lines[:, 0], lines[:, 2]].mean()
        if negatives != "all":
            assert np.bincount(lines[:, 0]).max() == 10
    assert shares["weak"] < shares["all"] < shares["strong"]


def test_auc_by_hand():
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 1.0, 0.0], [1.0, 2.0, 3.0]])
    relevant = np.array([[True, False, False], [True, False, False], [False, False, False]])
    assert auc_by_query(scores, relevant).tolist() == [1.0, 0.75]


def run_in(tmp_path, arms, name, seed=0):
    folder = tmp_path / f"{name}-{seed}"
    folder.mkdir(exist_ok=True)
    return cet.run(Cell("made-up", arms[name], seed, "test", folder, None))


def test_an_arm_of_the_simulator_trains_and_is_measured_the_same_again(tmp_path, monkeypatch):
    monkeypatch.setattr(coupled_study, "EPOCHS", 1)
    found = {name: run_in(tmp_path, cet.SIMULATED, name) for name in ("unweighted", "CET T=1", "oracle")}
    assert all(set(x.metrics) == set(cet.SHOWN["simulated"]) for x in found.values())
    assert all(0.6 < x.metrics["AUC"] < 1 for x in found.values())
    assert found["unweighted"].metrics["weight ratio"] == 1.0 != found["CET T=1"].metrics["weight ratio"]
    assert found["oracle"].metrics["false negatives"] == 0
    assert run_in(tmp_path, cet.SIMULATED, "CET T=1") == found["CET T=1"]
    assert run_in(tmp_path, cet.SIMULATED, "CET T=1", seed=1) != found["CET T=1"]


def test_an_order_of_the_simulator_trains_nothing(tmp_path, world, monkeypatch):
    monkeypatch.setattr(coupled_study, "train_on_lines", None)
    weak, strong = (run_in(tmp_path, cet.SIMULATED, name).metrics for name in ("weak order", "strong order"))
    assert weak["nDCG@10"] < strong["nDCG@10"] and weak["false negatives"] < strong["false negatives"]
    logit = np.log(world.selection) - np.log(1 - world.selection)
    tested = world.is_test
    assert weak["AUC"] == pytest.approx(auc_by_query(logit[tested], world.relevant[tested]).mean(), abs=1e-6)


def test_all_draws_of_the_simulator_are_of_one_data_set(tmp_path):
    first, other = (run_in(tmp_path, cet.SIMULATED, "weak order", seed) for seed in (0, 1))
    assert first.metrics != other.metrics and first.facts["data"] == other.facts["data"]


# --- Cranfield, on a small stand-in -----------------------------------------------------------------------------------

WORDS = "wing flow plate heat shear shock wave drag lift jet nose cone duct fan rotor gust".split()


@pytest.fixture
def small(monkeypatch):
    """Thirty queries over a hundred and twenty documents in place of Cranfield; three of them are left no label."""
    generator = rng(0, "stand-in")
    queries = [" ".join(generator.choice(WORDS, 3, replace=False)) for _ in range(30)]
    documents = [f"{queries[j % 30]} {' '.join(generator.choice(WORDS, 4))}" for j in range(120)]
    rows, cols = [f"q{i}" for i in range(30)], [f"d{j}" for j in range(120)]
    cells = np.array([((j % 30 + 1) % 3 if j % 30 < 3 else j % 30, j) for j in range(120)])
    labels = LabelMatrix(rows, cols, *cells.T)
    tables = [pa.table({"id": ids, "text": texts}) for ids, texts in ((rows, queries), (cols, documents))]
    made = pooled_cranfield.pool_of(Collection(labels, *tables), generator.normal(size=(30, 120)))
    monkeypatch.setattr(pooled_cranfield, "pooled", lambda: made)
    monkeypatch.setattr(
        cross_encoder, "load_cross_encoder", lambda name, seed=0, **options: tiny_cross_encoder(seed=seed)
    )
    monkeypatch.setattr(frozen_layers, "freeze_lower_layers", lambda model, layers, kept: model)
    monkeypatch.setattr(coupled_study, "EPOCHS", 1)
    return made


def test_what_is_labelled_is_what_bm25_ranks_in_its_first_three(small):
    order = np.argsort(-small.retrievers["bm25"], axis=1, kind="stable")
    rows, cols = small.data.labels.positive_cells()
    assert len(np.unique(rows)) == len(rows) > 10
    for row, col in zip(rows, cols, strict=True):
        place = order[row].tolist().index(col)
        assert place < 3 and small.relevant[row, col] and not small.relevant[row, order[row, :place]].any()
    unlabelled = np.setdiff1d(np.arange(30), rows)
    assert not any(small.relevant[row, order[row, :3]].any() for row in unlabelled)
    assert small.data.truth is not None and len(small.data.truth) == 120


@pytest.mark.parametrize("negatives", ["bm25", "hybrid", "dense"])
def test_lines_are_unlabelled_of_the_first_twenty_of_other_parts(small, negatives):
    lines = pooled_cranfield.training_lines(small, 1, negatives)
    assert (small.part[lines[:, 0]] != 1).all() and len(lines)
    order = np.argsort(-small.retrievers[negatives], axis=1, kind="stable")[:, :20]
    assert all(col in order[row] for row, _, col in lines)
    assert not small.data.labels.is_positive(lines[:, 0], lines[:, 2]).any()
    oracle = pooled_cranfield.training_lines(small, 1, negatives, oracle=True)
    assert not small.relevant[oracle[:, 0], oracle[:, 2]].any() and 0 < len(oracle) < len(lines)


def test_an_arm_on_features_ranks_every_query_by_a_model_that_has_not_seen_it(small, tmp_path, monkeypatch):
    asked, rerank = [], coupled_study._reranked
    monkeypatch.setattr(
        coupled_study,
        "_reranked",
        lambda R, known, rows, *a, **k: asked.append(rows) or rerank(R, known, rows, *a, **k),
    )
    names = ("hybrid, unweighted", "hybrid, CET T=2", "hybrid, oracle")
    plain, weighted, oracle = (run_in(tmp_path, cet.FEATURES, name) for name in names)
    assert [small.part[rows].tolist() for rows in asked[:3]] == [[part] * 10 for part in range(3)]
    for outcome in (plain, weighted, oracle):
        assert set(outcome.metrics) == set({*cet.SHOWN["features"], "relevant@20"})
        for metric, values in outcome.per_query.items():
            assert outcome.metrics[metric] == pytest.approx(np.mean(list(values.values())))
    assert plain.metrics["weight ratio"] == 1.0 != weighted.metrics["weight ratio"]
    assert plain.metrics["false negatives"] == weighted.metrics["false negatives"] > 0
    assert oracle.metrics["false negatives"] == 0 < oracle.metrics["relevant@20"]


def test_queries_with_a_label_count_and_all_stand_beside(small, tmp_path):
    assert 0 < len(small.labelled) < 30, "this test would be vacuous"
    found = run_in(tmp_path, cet.FEATURES, "hybrid order")
    named = {small.data.row_ids[row] for row in small.labelled}
    assert all(set(values) == named for values in found.per_query.values())
    assert found.facts["queries with a label"] == found.facts["queries measured"] == len(named)
    assert found.metrics["nDCG@10"] != found.metrics["nDCG@10, all queries"]


def test_an_order_is_the_retrievers_own_and_trains_nothing(small, tmp_path, monkeypatch):
    monkeypatch.setattr(coupled_study, "train_on_lines", None)
    from litotes.evaluation.metrics import measure_scores

    for arm in ("BM25 order", "dense order"):
        name = arm.split()[0].lower()
        found, again = (run_in(tmp_path, cet.FEATURES, arm, seed) for seed in (0, 1))
        assert found == again
        first = np.argsort(-small.retrievers[name], axis=1, kind="stable")[small.labelled, :20]
        relevant = small.relevant[small.labelled[:, None], first]
        assert found.metrics["relevant@20"] == pytest.approx(relevant.mean())
        unlabelled = ~small.data.is_positive(small.labelled[:, None], first)
        shares = [own[free].mean() for own, free in zip(relevant, unlabelled, strict=True)]
        assert found.metrics["false negatives"] == pytest.approx(np.mean(shares))
    by_query = measure_scores(small.retrievers["dense"], small.relevant.astype(float), ["nDCG@10"])[0][:, 0]
    assert found.metrics["nDCG@10"] == pytest.approx(by_query[small.labelled].mean(), abs=1e-9)
    assert found.metrics["nDCG@10, all queries"] == pytest.approx(by_query.mean(), abs=1e-9)


def test_rankers_share_the_statistics_of_the_set(small, tmp_path, monkeypatch):
    from litotes.models import match_features

    plain = match_features.MatchFeatures(match_features.FEATURE_SETS["lexical"])
    cells = np.arange(30), np.arange(30)
    np.testing.assert_array_equal(small.features("lexical").table(small.data, *cells), plain.table(small.data, *cells))
    monkeypatch.setattr(match_features, "_Statistics", None)  # made with the set, and never again
    run_in(tmp_path, cet.FEATURES, "hybrid, CET T=2")


def test_an_arm_on_texts_ranks_one_part(small, tmp_path):
    found = run_in(tmp_path, cet.TEXTS, "hybrid, CET T=2")
    ranked = np.intersect1d(np.flatnonzero(small.part == 0), small.labelled)
    assert set(found.per_query["nDCG@10"]) == {small.data.row_ids[row] for row in ranked}
    assert 0 < found.metrics["nDCG@10"] < 1 and found.metrics["weight ratio"] != 1
    order = run_in(tmp_path, cet.TEXTS, "hybrid order")
    assert set(order.per_query["nDCG@10"]) == set(found.per_query["nDCG@10"])
    assert set(order.metrics) == set(found.metrics) >= set(cet.SHOWN["texts"])


def test_several_negatives_to_a_line_keep_their_query_and_leave_the_rest():
    lines = np.array([(0, 9, col) for col in range(5)] + [(3, 8, col) for col in range(2)])
    assert coupled_study._several_negatives(lines, 2).tolist() == [[0, 9, 0, 1], [0, 9, 2, 3], [3, 8, 0, 1]]
