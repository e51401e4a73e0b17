"""What the guard leaves out, and that a refresh still knows the model in training through it."""

from types import SimpleNamespace

import pytest

from litotes.core import Candidates, RunFolder
from litotes.core.errors import DataError, LitotesError
from litotes.judging import MarginJudge
from litotes.mining import DenseMiner, mine_into
from litotes.models import tiny_bert
from litotes.training import GuardedMiner, NegativesCollator, RefreshNegatives
from litotes.training.guarded_miner import check_window, window_miner


@pytest.fixture
def guarded(tiny):
    return GuardedMiner(DenseMiner(tiny, top=20, name="w"), MarginJudge(relative_margin=0.02, encoder=tiny))


def test_cells_too_near_to_the_positive_are_left_out_and_no_others(data, tiny, guarded):
    all_of_them, found = DenseMiner(tiny, top=20, name="w").mine(data), guarded.mine(data)
    margin = MarginJudge(relative_margin=0.02, encoder=tiny).judge(all_of_them, data).column("judge.margin")
    kept = set(zip(found.row.tolist(), found.col.tolist(), strict=True))
    expected = zip(all_of_them.row[margin >= 0].tolist(), all_of_them.col[margin >= 0].tolist(), strict=True)
    assert kept == set(expected) and 0 < len(found) < len(all_of_them)
    assert found.miners == ["w"] and "judge.margin" not in found.table.column_names


def test_a_row_without_a_positive_to_compare_with_keeps_its_cells(data, tiny, guarded):
    bare = data.with_labels(data.labels.without_cells([3], [3]))
    assert (guarded.mine(bare).row == 3).sum() == 20


def test_a_window_is_of_the_ranks_that_it_names_with_and_without_a_margin(data, tiny):
    window = {"over": 3, "down_to": 9}
    plain = window_miner("dense:name=w", tiny, **window)
    assert isinstance(plain, DenseMiner) and set(plain.mine(data).column("rank.w")) == set(range(4, 10))
    with_margin = window_miner("dense:name=w", tiny, **window, relative_margin=0.001, seed=3)
    assert isinstance(with_margin, GuardedMiner) and with_margin.name == "w"
    assert with_margin.margin.relative_margin == 0.001 and 0 < len(with_margin.mine(data)) < len(plain.mine(data))
    assert window_miner("random", tiny, **window, seed=3).seed == 3


def test_a_window_that_the_corpus_does_not_reach_is_refused_with_the_number_of_documents(data):
    check_window("X", data, over=10, down_to=100, needed=29)  # 40 documents, one of them the positive
    message = r"X needs 30 of the ranks 11 to 100 .*, and the corpus has 40 documents: 29 of these ranks exist"
    with pytest.raises(DataError, match=message):
        check_window("X", data, over=10, down_to=100, needed=30)
    with pytest.raises(DataError, match="X needs 3 of the ranks 11 to 12 .* 2 of these ranks exist. Lower range_min"):
        check_window("X", data, over=10, down_to=12, needed=3)


def test_it_is_mined_into_a_run_like_any_miner(data, tmp_path, guarded):
    mine_into(RunFolder.open(tmp_path), guarded, data)
    assert len(Candidates.load(tmp_path)) == len(guarded.mine(data))
    assert {"guard relative_margin", "top"} <= guarded.fingerprint(data).keys()


def test_a_refresh_knows_the_model_in_training(data):
    model = tiny_bert()
    miner = GuardedMiner(DenseMiner(model, top=20), MarginJudge(absolute_margin=-2.0, encoder=model))
    refresh = RefreshNegatives(NegativesCollator(model, data, miner.mine(data), 5), miner, every_n_epochs=1)
    args = SimpleNamespace(dataloader_num_workers=0, dataloader_persistent_workers=False)
    start = SimpleNamespace(global_step=0)
    refresh.on_train_begin(args, start, None, model=model, train_dataloader=None)
    with pytest.raises(LitotesError, match="the miner's encoder is another object"):
        refresh.on_train_begin(args, start, None, model=tiny_bert(), train_dataloader=None)
