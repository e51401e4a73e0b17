"""Approximate dense mining: what exact mining promises, and a recall that is measured and true."""

import numpy as np
import pytest

from litotes.core.errors import LitotesError
from litotes.mining.approximate import ApproximateMiner
from litotes.mining.dense import DenseMiner
from litotes.mining.named import miner_from_spec
from tests.unit.mining.small_data import make_collection, random_collection

N_ROWS, N_COLS, WIDTH = 120, 4000, 16


@pytest.fixture(scope="module")
def cloud():
    """Many points around few centres, some texts twice, some missing; the vector of a text is drawn from its name."""
    rng = np.random.default_rng(0)
    texts: list[str | None] = [f"point {i}" for i in range(N_COLS)]
    texts[10:20] = [None] * 10
    texts[30] = texts[31] = "POINT  40"
    positives = [
        (row, int(col)) for row in range(N_ROWS) for col in rng.choice(N_COLS, 3 if row else 600, replace=False)
    ]
    centres = rng.standard_normal((40, WIDTH))
    vectors = {name: centres[rng.integers(40)] + rng.standard_normal(WIDTH) for name in texts if name}
    queries = [f"query {i}" for i in range(N_ROWS)]
    vectors |= {name: centres[rng.integers(40)] + rng.standard_normal(WIDTH) for name in queries}
    vectors["point 40"] = vectors["POINT  40"]
    data = make_collection(queries, texts, [*positives, (5, 40)])

    def embed(batch):
        return np.stack([vectors[text] for text in batch])

    return data, embed


def miner(embed, index, **options):
    return ApproximateMiner(
        embed, index, encoder_fingerprint="cloud", store=False, **{"top": 20, "recall_rows": 60, **options}
    )


@pytest.mark.parametrize("index", ["hnsw", "ivf"])
def test_keeps_what_exact_mining_promises_and_finds_what_it_says(cloud, index, capsys):
    data, embed = cloud
    near = miner(embed, index).mine(data)
    exact = DenseMiner(embed, top=20, encoder_fingerprint="cloud", store=False).mine(data)
    assert not data.is_positive(near.row, near.col).any()
    assert data.cols_with_content[near.col].all()
    assert (np.bincount(near.row, minlength=N_ROWS) == 20).all()
    scores = dict(zip(zip(exact.row, exact.col, strict=True), exact.column("score.dense"), strict=True))
    common = [
        (cell, score)
        for cell, score in zip(zip(near.row, near.col, strict=True), near.column(f"score.{index}"), strict=True)
        if cell in scores
    ]
    assert all(scores[cell] == score for cell, score in common), "a cell that both find has one score"
    counts = near.counts[index]
    stated, measured = counts["recall_found"] / counts["recall_of"], len(common) / len(exact)
    assert counts["recall_of"] == 60 * 20
    assert stated > 0.9
    assert abs(measured - stated) < 0.05
    said = capsys.readouterr().err
    assert f"{index}: finds {stated:.1%} of the exact top 20 on 60 rows (recall)." in said


@pytest.mark.parametrize("index", ["hnsw", "ivf"])
def test_the_same_seed_gives_the_same_cells_and_shards_change_nothing(cloud, index):
    data, embed = cloud
    one, two = miner(embed, index), miner(embed, index)
    whole = one.mine(data)
    assert whole.table.equals(two.mine(data).table)
    assert one.fingerprint(data) == two.fingerprint(data)
    assert one.fingerprint(data) != miner(embed, index, seed=1).fingerprint(data)
    parts = [two.mine(data, np.arange(start, start + 30)) for start in range(0, N_ROWS, 30)]
    merged = parts[0].merge(*parts[1:])
    assert merged.table.equals(whole.table)
    assert merged.counts == whole.counts


def test_looking_wider_finds_more(cloud, capsys):
    data, embed = cloud

    def recall(**options):
        counts = miner(embed, **options).mine(data).counts[options["index"]]
        return counts["recall_found"] / counts["recall_of"]

    capsys.readouterr()
    assert recall(index="ivf", n_probe=1) < recall(index="ivf", n_probe=4) < recall(index="ivf", n_probe=1000) == 1.0
    said = capsys.readouterr().err.splitlines()
    assert "(recall); a higher n_probe finds more." in said[0] and said[2].endswith(
        "finds 100.0% of the exact top 20 on 60 rows (recall)."
    )
    assert recall(index="hnsw", links=2, ef_search=1) < recall(index="hnsw", ef_search=400)


@pytest.mark.parametrize("index", ["hnsw", "ivf"])
def test_columns_above_max_score_are_made_up_for_from_deeper(cloud, index):
    data, embed = cloud
    options = {"max_score": 0.3, "top": 10, "ef_search": 16, "n_probe": 1000}
    found = miner(embed, index, **options).mine(data)
    assert (found.column(f"score.{index}") <= 0.3).all()
    assert (np.bincount(found.row, minlength=N_ROWS) == 10).all()


@pytest.mark.parametrize("index", ["hnsw", "ivf"])
def test_a_small_corpus_gives_fewer_and_counts_it(index):
    data = random_collection(1)
    found = ApproximateMiner("tiny:bert", index, store=False).mine(data)
    exact = DenseMiner("tiny:bert", store=False).mine(data)
    assert set(zip(found.row, found.col, strict=True)) == set(zip(exact.row, exact.col, strict=True))
    assert found.counts[index]["short_rows"] == data.n_rows


def test_the_kind_is_the_name(cloud):
    assert ApproximateMiner(cloud[1], "ivf").name == "ivf"
    named = miner_from_spec("hnsw:encoder=tiny:bert,ef_search=9,name=graph", store=False)
    assert (named.name, named.index, named.ef_search) == ("graph", "hnsw", 9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"index": "hnws"}, "The 'index' parameter of ApproximateMiner.*Did you mean 'hnsw'"),
        ({"links": 1}, r"The 'links' parameter of ApproximateMiner must be an int in the range \[2, inf\)"),
        ({"n_probe": 0}, "'n_probe' parameter of ApproximateMiner"),
        ({"recall_rows": 0}, "'recall_rows' parameter of ApproximateMiner"),
        ({"top": 0}, "'top' parameter of ApproximateMiner"),
    ],
)
def test_refused_in_one_sentence(options, message):
    with pytest.raises(LitotesError, match=message):
        ApproximateMiner(len, **options)
