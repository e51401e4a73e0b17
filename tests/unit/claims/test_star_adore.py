"""The claims of STAR and ADORE can be decided fairly, and what runs their arms trains, measures and goes on."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.claims import retrieval_study, star_adore
from litotes.claims.retrieval_study import ERRORS, METRICS, OVERLAP, Splits, run_recipe
from litotes.core import Collection, LabelMatrix
from litotes.evaluation.claim import Arm
from litotes.evaluation.experiment import Cell
from litotes.recipes.training_command import find_training_command

CLAIMS = star_adore.CLAIMS
WORDS = "red cat sleeps blue dog runs river iron bread stone cloud snow quick fox owl pear tree green hill lamp".split()
READING = {"encoder": "word-bag", "scale": 1.0, "max_steps": 2, "save_steps": 100}
TRAINING = {"per_device_train_batch_size": 4, "dtype": "float32", "warmup_steps": 0, "learning_rate": 1e-2}
STAR = Arm("star", {**READING, **TRAINING, "num_negatives": 0})
ADORE = Arm("adore", {**READING, **TRAINING, "top": 5, "metric_cut": 5}, STAR)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_is_well_formed(claim):
    named = {side for a, _, b in claim.holds for side in (a, b) if isinstance(side, str)}
    assert set(claim.arms) == named
    assert {len(arm.trials) for arm in claim.arms.values()} == {4}
    assert claim.metric in {*METRICS, *ERRORS, OVERLAP} and set(claim.shown) <= {*METRICS, *ERRORS, OVERLAP}
    assert claim.choose_by in METRICS
    assert claim.name.startswith(f"{claim.data}-")
    assert all(claim.digest != other.digest for other in CLAIMS if other is not claim)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_every_arm_is_a_command_that_takes_its_options(claim):
    for arm in claim.arms.values():
        for link in arm.chain():
            for trial in link.trials or [{}]:
                options = {**link.config, **trial}
                options.pop("encoder")
                config = find_training_command(link.command).config(**options, seed=0)
                assert options.items() <= config.model_dump().items()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_compared_arms_train_as_long_and_start_from_one_warm_up(claim):
    steps = {name: [link.config["max_steps"] for link in arm.chain()] for name, arm in claim.arms.items()}
    assert len({sum(each) for each in steps.values()}) == 1
    assert len({next(arm.chain()).to_dict().__repr__() for arm in claim.arms.values()}) == 1


def test_both_data_sets_are_asked_the_same():
    names = {
        data: {c.name.removeprefix(f"{data}-") for c in CLAIMS if c.data == data} for data in ("pydocs", "nfcorpus")
    }
    assert names["pydocs"] == names["nfcorpus"]
    assert len(CLAIMS) == sum(map(len, names.values()))


def collection(name, n_queries, rng, with_truth=False):
    """Queries of three words, and documents that hold the words of one of them."""
    queries = [" ".join(rng.choice(WORDS, 3, replace=False)) for _ in range(n_queries)]
    documents = [f"{queries[i % n_queries]} {rng.choice(WORDS)}" for i in range(24)]
    rows, cols = [f"{name}{i}" for i in range(n_queries)], [f"d{i}" for i in range(24)]

    def labels(per_query):
        pairs = [(row, row + n_queries * k) for row in range(n_queries) for k in range(per_query)]
        return LabelMatrix(rows, cols, *np.array(pairs).T)

    tables = [pa.table({"id": ids, "text": texts}) for ids, texts in ((rows, queries), (cols, documents))]
    return Collection(labels(1), *tables, truth=labels(2) if with_truth else None)


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    return Splits(
        collection("f", 8, rng), collection("v", 4, rng, with_truth=True), collection("t", 6, rng, with_truth=True)
    )


@pytest.fixture
def cell_in(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(retrieval_study, "splits", {"made-up": parts}.__getitem__)

    def make(arm, folder, *, start=None, split="test", seed=0):
        (tmp_path / folder).mkdir(exist_ok=True)
        return Cell("made-up", arm, seed, split, tmp_path / folder, None if start is None else tmp_path / start)

    return make


def test_an_arm_trains_from_the_one_before_and_is_measured(cell_in, parts, tmp_path):
    first = run_recipe(cell_in(STAR, "first"))
    second = run_recipe(cell_in(ADORE, "second", start="first"))
    assert set(first.metrics) == {*METRICS, *ERRORS}
    assert set(second.metrics) == {*METRICS, *ERRORS, OVERLAP}
    assert 0 <= second.metrics[OVERLAP] <= 1
    for outcome in (first, second):
        known = retrieval_study._fingerprint("made-up")
        assert outcome.facts["data"] == {"name": "made-up", "fingerprint": known, "queries": 6}
        for metric in (*METRICS, *ERRORS):
            values = outcome.per_query[metric]
            assert set(values) == {f"t{i}" for i in range(6)}
            assert outcome.metrics[metric] == pytest.approx(np.mean(list(values.values())))
        assert all(outcome.per_query["errors@10"][q] == min(10, outcome.per_query["errors"][q]) for q in values)
    assert first.metrics != {name: second.metrics[name] for name in first.metrics}
    assert (tmp_path / "first" / "model").is_dir()


def test_the_fingerprint_is_of_every_part_and_of_the_truth(parts, monkeypatch):
    rng = np.random.default_rng(1)
    other, test = collection("t", 6, rng, with_truth=True), parts.test
    bare = Collection(test.labels, test.rows.table, test.cols.table)
    changed = [parts, *(parts._replace(**{name: other}) for name in parts._fields), parts._replace(test=bare)]
    found = set()
    for each in changed:
        monkeypatch.setattr(retrieval_study, "splits", lambda name, each=each: each)
        found.add(retrieval_study._fingerprint("made-up"))
    assert len(found) == len(changed)


def test_dev_is_measured_by_labels_and_test_by_the_truth(cell_in, parts, monkeypatch):
    from litotes import evaluation

    asked = []

    def evaluate(data, encoder, metrics, *, qrels):
        asked.append((data, qrels))
        return measured(data, encoder, metrics, qrels=qrels)

    measured = evaluation.evaluate
    monkeypatch.setattr(evaluation, "evaluate", evaluate)
    run_recipe(cell_in(STAR, "dev", split="dev"))
    run_recipe(cell_in(STAR, "test"))
    assert asked == [(parts.dev, parts.dev.labels), (parts.test, parts.test.truth)]


def test_a_cell_that_was_killed_after_training_goes_on_to_the_same_numbers(cell_in):
    cell = cell_in(STAR, "cell", seed=3)
    assert run_recipe(cell) == run_recipe(cell) == run_recipe(cell_in(STAR, "another", seed=3))
    assert run_recipe(cell).metrics != run_recipe(cell_in(STAR, "other seed", seed=4)).metrics


def test_the_built_in_sets_are_found_by_name(monkeypatch):
    from litotes.data import builtin

    monkeypatch.setattr(builtin, "load_builtin", lambda name, split: f"{name} {split}")
    retrieval_study.splits.cache_clear()
    try:
        assert retrieval_study.splits("pydocs") == ("pydocs fit", "pydocs dev", "pydocs test")
    finally:
        retrieval_study.splits.cache_clear()
