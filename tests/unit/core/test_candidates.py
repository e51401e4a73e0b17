"""Candidates against dictionaries of cells."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core import Candidates, Collection, LabelMatrix, LitotesError
from litotes.core.candidate_run import judge_shard, load_run, miner_shard
from litotes.core.run_folder import RunFolder

N = 6


def data(n=N) -> Collection:
    ids = [[f"{side}{i}" for i in range(n)] for side in "qd"]
    tables = [pa.table({"id": names, "text": [f"text {name}" for name in names]}) for names in ids]
    return Collection(LabelMatrix(ids[0], ids[1], range(n), range(n)), *tables)


DATA = data()
PROPOSED = st.dictionaries(st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)), st.integers(-5, 5))


def found(cells: dict, miner="dense", **options) -> Candidates:
    """Ranks follow from scores within each row, ties by column."""
    order = sorted(cells, key=lambda cell: (cell[0], -cells[cell], cell[1]))
    ranks, seen = [], {}
    for row, _ in order:
        seen[row] = seen.get(row, 0) + 1
        ranks.append(seen[row])
    rows, cols = (np.array([cell[i] for cell in order], dtype=np.int64) for i in (0, 1))
    scores = [cells[cell] for cell in order]
    return Candidates.build(rows, cols, miner=miner, score=scores, rank=ranks, data=DATA, **options)


def cells_of(candidates: Candidates) -> list[tuple[int, int]]:
    return list(zip(candidates.row.tolist(), candidates.col.tolist(), strict=True))


@given(PROPOSED, PROPOSED)
def test_merging_is_a_full_outer_join(one, two):
    merged = found(one).merge(found(two, "bm25"))
    assert set(cells_of(merged)) == one.keys() | two.keys() and len(merged) == len(one.keys() | two.keys())
    for miner, cells in (("dense", one), ("bm25", two)):
        expected = [cells.get(cell, np.nan) for cell in cells_of(merged)]
        np.testing.assert_array_equal(merged.column(f"score.{miner}"), expected)
    sources = ["+".join(m for m, c in (("dense", one), ("bm25", two)) if cell in c) for cell in cells_of(merged)]
    assert merged.source == sources


@given(PROPOSED, PROPOSED)
def test_cells_are_sorted_by_row_best_rank_column(one, two):
    merged = found(one).merge(found(two, "bm25"))
    keys = list(zip(merged.row, merged.best_rank, merged.col, strict=True))
    assert keys == sorted(keys)


@given(PROPOSED, st.integers(1, N + 1))
def test_top_and_padded(cells, k):
    candidates = found(cells)
    expected = {
        row: [c for r, c in sorted(cells, key=lambda cell: (-cells[cell], cell[1])) if r == row][:k] for row in range(N)
    }
    top = candidates.top(k)
    assert cells_of(top) == [(row, col) for row, cols in expected.items() for col in cols]
    rows, cols, keep = candidates.padded(k)
    assert rows.tolist() == [row for row, mine in expected.items() if mine]
    for i, row in enumerate(rows):
        assert cols[i].tolist() == expected[row] + [-1] * (k - len(expected[row]))
    np.testing.assert_array_equal(keep, cols >= 0)


@given(PROPOSED, st.data())
def test_filter(cells, draw):
    candidates = found(cells)
    mask = draw.draw(st.lists(st.booleans(), min_size=len(candidates), max_size=len(candidates)))
    kept = candidates.filter(np.array(mask, dtype=bool))
    assert cells_of(kept) == [cell for cell, keep in zip(cells_of(candidates), mask, strict=True) if keep]


@given(PROPOSED, PROPOSED)
def test_saved_and_loaded(tmp_path_factory, one, two):
    path = tmp_path_factory.mktemp("c") / "c.parquet"
    merged = found(one, counts={"excluded_twin": 3}).merge(found(two, "bm25"))
    merged.save(path)
    loaded = Candidates.load(path)
    assert loaded.table.equals(merged.table) and loaded.counts == merged.counts and loaded.made_from == merged.made_from


@given(PROPOSED, st.lists(st.integers(0, N - 1), unique=True, min_size=1))
def test_selecting_rows_renumbers(cells, chosen):
    part = DATA.select_rows(chosen)
    kept = found(cells).select_rows(np.array(chosen), part)
    assert set(cells_of(kept)) == {(chosen.index(r), c) for r, c in cells if r in chosen}
    kept.check_data(part)


def test_selecting_rows_refuses_data_that_are_not_these_rows():
    with pytest.raises(LitotesError, match="2 rows were chosen, and the data has 1"):
        found(CELLS).select_rows(np.array([0, 1]), DATA.select_rows([0]))
    with pytest.raises(LitotesError, match="texts of columns differ"):
        found(CELLS).select_rows(np.array([0]), data(4).select_rows([0]))


CELLS = {(0, 1): 3, (0, 2): 2, (1, 0): 1}


def test_counts_add_up_per_miner():
    merged = found(CELLS, counts={"short": 1}).merge(found({(2, 0): 1}, counts={"short": 2, "twin": 1}))
    assert merged.counts == {"dense": {"short": 3, "twin": 1}}


def test_trust_is_the_smallest_over_judges_where_given():
    judged = found(CELLS).with_columns(
        {"trust.a": np.array([0.9, 0.2, np.nan]), "trust.b": np.array([0.5, np.nan, np.nan])}
    )
    np.testing.assert_array_equal(judged.trust, [0.5, 0.2, np.nan])
    np.testing.assert_allclose(judged.combined("mean"), [0.7, 0.2, np.nan])
    assert judged.trusted_by == ["a", "b"]


def test_trust_is_refused_where_no_judge_gave_one():
    with pytest.raises(LitotesError, match="No judge has given these candidates a trust.*litotes judge"):
        _ = found(CELLS).trust
    with pytest.raises(LitotesError, match="Judges margin gave raw values only"):
        _ = found(CELLS).with_columns({"judge.margin": np.zeros(3)}).trust


def test_another_data_set_is_refused_by_part():
    other = data().with_labels(DATA.labels.with_cells([0], [1]))
    with pytest.raises(LitotesError, match="made from other data: the judgements differ"):
        found(CELLS).check_data(other)
    found(CELLS).check_data(data())


def test_contradicting_columns_are_refused():
    with pytest.raises(LitotesError, match=r"cell \(row 0, column 1\) different values of 'score.dense': 3 and 4"):
        found(CELLS).merge(found({(0, 1): 4}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: found(CELLS).column("score.x"), "no column 'score.x'. They have: row, col"),
        (lambda: found(CELLS).filter(np.ones(2, dtype=bool)), "must be 3 booleans"),
        (lambda: found(CELLS).top(0), r"int in the range \[1, inf\). Got 0"),
        (lambda: found(CELLS).with_columns({"weight": np.ones(5)}), "5 values for 3 cells"),
        (lambda: Candidates(pa.table({"row": [0]})), "needs the column 'col'"),
        (lambda: Candidates(pa.table({"row": [0, 0], "col": [1, 1], "assumed": [-1, -1]})), "stands twice"),
        (lambda: Candidates(pa.table({"row": [0], "col": [-1], "assumed": [-1]})), "negative row or column"),
        (lambda: Candidates(pa.table({"row": [0, None], "col": [1, 1], "assumed": [-1, -1]})), "nulls in its column"),
    ],
)
def test_refused(make, message):
    with pytest.raises(LitotesError, match=message):
        make()


def write_run(path, judged=True) -> Candidates:
    run = RunFolder.open(path)
    one, two = found(CELLS, counts={"twin": 1}), found({(0, 1): 7, (3, 3): 1}, "bm25")
    for candidates, name in ((one, "dense"), (two, "bm25")):
        stage = run.stage(f"candidates/{name}", verb="mine", config={}, fingerprints={"m": name}, shards=2)
        halves = candidates.row < 1
        stage.write(0, miner_shard(candidates.filter(halves), name))
        stage.write(1, miner_shard(candidates.filter(~halves), name))
        stage.finish()
    merged = one.merge(two)
    merged = merged.with_columns({"judge.document": merged.col * 1.0, "trust.document": np.full(len(merged), 0.5)})
    if judged:
        stage = run.stage("judgements/document", verb="judge", config={}, fingerprints={}, shards=1)
        stage.write(0, judge_shard(merged, "document"))
        stage.finish()
    return merged


def test_a_run_folder_is_read_as_one_table(tmp_path):
    merged = write_run(tmp_path)
    loaded = Candidates.load(tmp_path)
    assert loaded.table.equals(merged.table.select(loaded.table.column_names))
    assert loaded.counts == {"dense": {"twin": 2}, "bm25": {}}, "a shard's counts are its own; judges count nothing"
    assert loaded.trust.tolist() == [0.5] * 4


def test_a_run_without_candidates_or_unfinished_says_what_to_do(tmp_path):
    with pytest.raises(LitotesError, match="not a run folder"):
        load_run(tmp_path / "nothing")
    run = RunFolder.open(tmp_path / "empty")
    with pytest.raises(LitotesError, match="no candidates here yet. Run: litotes mine"):
        load_run(run.path)
    run.stage("candidates/dense", verb="mine", config={}, fingerprints={}, shards=1)
    with pytest.raises(LitotesError, match="candidates/dense is not finished. Run: litotes resume"):
        load_run(run.path)


def test_candidates_show_what_they_hold():
    assert repr(found(CELLS)) == "Candidates(3 cells; miners dense)"
    judged = found(CELLS).with_columns({"judge.margin": np.zeros(3)})
    assert repr(judged) == "Candidates(3 cells; miners dense; judges margin)"


def test_trust_can_be_asked_for_as_a_column():
    judged = found(CELLS).with_columns({"trust.a": np.array([0.1, 0.2, 0.3])})
    assert judged.column("trust").tolist() == [0.1, 0.2, 0.3]
    with pytest.raises(LitotesError, match="'how' parameter of Candidates.combined"):
        judged.combined("median")


def test_an_assumed_label_is_minus_or_plus_one():
    with pytest.raises(LitotesError, match="'assumed' parameter of Candidates.build"):
        found(CELLS, assumed=0)
    assert found(CELLS, assumed=1).assumed.tolist() == [1, 1, 1]


def test_candidates_from_other_data_are_not_merged():
    other = data().with_labels(DATA.labels.with_cells([0], [1]))
    elsewhere = Candidates.build([0], [3], miner="bm25", score=[1.0], rank=[1], data=other)
    with pytest.raises(LitotesError, match="the judgements differ"):
        found(CELLS).merge(elsewhere)


def test_chosen_rows_keep_counts_and_belong_to_the_chosen_data():
    part = DATA.select_rows([1, 5])
    kept = found(CELLS, counts={"twin": 2}).select_rows([1, 5], part)
    assert kept.counts == {"dense": {"twin": 2}} and cells_of(kept) == [(0, 0)]
    with pytest.raises(LitotesError, match="the ids and the judgements"):
        kept.check_data(DATA)
    assert len(found({}).select_rows([], DATA.select_rows([]))) == 0


def test_a_judge_s_shard_belongs_to_the_data_it_judged():
    judged = found(CELLS, counts={"twin": 2}).with_columns({"judge.x": np.zeros(3)})
    shard = Candidates.from_table(judge_shard(judged, "x"))
    assert shard.made_from == judged.made_from and shard.counts == {}


def test_a_folder_named_like_a_file_is_a_run(tmp_path):
    write_run(tmp_path / "run.parquet", judged=False)
    assert len(Candidates.load(tmp_path / "run.parquet")) == 4


def test_numbers_for_one_cell_may_be_whole():
    more = found(CELLS).with_columns({"weight": [1, 2, 3]})
    assert more.column("weight").tolist() == [1.0, 2.0, 3.0]
    assert more.with_columns({"weight": more.col > 1}).column("weight").tolist() == [0.0, 1.0, 0.0]
    assert Candidates.build([0], [1], miner="m", score=[2], rank=[1], data=DATA).column("score.m").tolist() == [2.0]


def test_the_same_counts_in_another_order_give_the_same_bytes():
    one = found(CELLS, counts={"twin": 1, "short": 2}).to_table()
    two = found(CELLS, counts={"short": 2, "twin": 1}).to_table()
    assert one.schema.metadata == two.schema.metadata
