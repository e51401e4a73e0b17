"""The collator: negatives by id, texts looked up last, tokens as sentence-transformers makes them, clear refusals."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Router
from sentence_transformers.sentence_transformer.data_collator import SentenceTransformerDataCollator

from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.models import tiny_bert
from litotes.training.negatives import NegativesCollator
from tests.unit.training.small_world import candidates_of


def make(model, data, k=3, epoch=0, found=None, **options):
    collator = NegativesCollator(model, data, candidates_of(data) if found is None else found, k=k, **options)
    collator.set_epoch(epoch)
    return collator


def lines(data, *positions):
    pairs = data.pairs()
    return [pairs[i] for i in positions or range(6)]


def test_ids_reach_the_loss_as_label_and_are_not_tokenized(tiny, data):
    batch = make(tiny, data, k=3)(lines(data))
    label = batch["label"]
    assert label.dtype == torch.int64 and label.shape == (6, 5)
    assert label[:, :2].tolist() == [line["label"] for line in lines(data)]
    columns = {key.rsplit("_input_ids", 1)[0] for key in batch if key.endswith("_input_ids")}
    assert columns == {"anchor", "positive", "negative_1", "negative_2", "negative_3"}


def test_texts_are_those_of_the_ids(tiny, data):
    collator = make(tiny, data, k=3)
    batch = collator(lines(data))
    for j in range(3):
        texts = [data.col_texts[col] for col in batch["label"][:, 2 + j]]
        expected = tiny.preprocess(texts, task="document")["input_ids"]
        assert torch.equal(batch[f"negative_{j + 1}_input_ids"], expected)


def test_negatives_are_never_positives_nor_their_twins(tiny, data):
    collator = make(tiny, data, k=3)
    for epoch in range(20):
        collator.set_epoch(epoch)
        label = collator(lines(data))["label"].numpy()
        assert not data.is_positive(label[:, :1], label[:, 2:]).any()


def test_a_batch_is_its_lines_whatever_came_before(tiny, data):
    together = make(tiny, data, epoch=4)(lines(data))["label"]
    collator = make(tiny, data, epoch=4)
    collator(lines(data, 5, 6, 7))
    one_by_one = torch.cat([collator(lines(data, i))["label"] for i in range(6)])
    assert torch.equal(together, one_by_one)


def test_negatives_change_with_the_epoch(tiny, data):
    assert not torch.equal(
        make(tiny, data, epoch=0)(lines(data))["label"], make(tiny, data, epoch=1)(lines(data))["label"]
    )


def test_tokens_are_those_of_the_collator_of_sentence_transformers(tiny, data):
    prompts = {"anchor": "query: ", "positive": "passage: ", "negative_1": "passage: ", "negative_2": "passage: "}
    mapping = {c: "query" if c == "anchor" else "document" for c in prompts}
    collator = make(tiny, data, k=2, prompts={"anchor": "query: ", "positive": "passage: "}, max_length={"document": 9})
    batch = collator(lines(data))
    label = batch["label"]
    rows = [
        {
            **{k: v for k, v in line.items() if k != "label"},
            **{f"negative_{j + 1}": data.col_texts[label[i, 2 + j]] for j in range(2)},
        }
        for i, line in enumerate(lines(data))
    ]
    theirs = SentenceTransformerDataCollator(
        tiny.preprocess, prompts=prompts, router_mapping=mapping, max_length={"document": 9}
    )(rows)
    assert set(batch) - {"label"} == set(theirs)
    for key, value in theirs.items():
        assert torch.equal(batch[key], value) if isinstance(value, torch.Tensor) else batch[key] == value, key
    assert batch["positive_input_ids"].shape[1] == 9 < batch["anchor_input_ids"].shape[1]


def test_a_router_sends_negatives_to_the_document_tower(data):
    query, document = tiny_bert(1), tiny_bert(2)
    router = SentenceTransformer(modules=[Router.for_query_document(list(query), list(document))], device="cpu")
    batch = make(router, data, k=1)(lines(data))
    assert batch["anchor_task"] == "query" and batch["positive_task"] == batch["negative_1_task"] == "document"
    features = {k.removeprefix("negative_1_"): v for k, v in batch.items() if k.startswith("negative_1_")}
    with torch.no_grad():
        ours = router(features)["sentence_embedding"]
    texts = [data.col_texts[col] for col in batch["label"][:, 2]]
    torch.testing.assert_close(ours, torch.from_numpy(document.encode(texts)), rtol=0, atol=1e-6)


def test_prompts_of_the_training_arguments_are_used_and_a_conflict_is_refused(tiny, data):
    args = SimpleNamespace(
        dataloader_num_workers=0, dataloader_persistent_workers=False, prompts={"anchor": "ask: "}, router_mapping={}
    )
    collator = make(tiny, data, k=1)
    plain = collator(lines(data))["anchor_input_ids"].shape[1]
    collator.on_train_begin(args, None, None)
    assert collator(lines(data))["anchor_input_ids"].shape[1] > plain
    with pytest.raises(LitotesError, match="different prompts: 'x: ' and {'anchor': 'ask: '}"):
        make(tiny, data, k=1, prompts="x: ").on_train_begin(args, None, None)


def test_without_an_epoch_it_says_how_to_give_it_one(tiny, data):
    collator = NegativesCollator(tiny, data, candidates_of(data), k=1)
    with pytest.raises(LitotesError, match=r"does not know the epoch. .*callbacks=\[...\]"):
        collator(lines(data))


def test_lines_of_other_data_are_refused(tiny, data):
    with pytest.raises(LitotesError, match=r"lines \[row, positive column\] of its own data.*Got \[0, 39\] first"):
        make(tiny, data)([{"anchor": "a", "positive": "b", "label": [0, 39]}])


def test_lines_without_ids_are_refused(tiny, data):
    with pytest.raises(LitotesError, match=r"lines of collator.pairs\(\). Got columns anchor, positive"):
        make(tiny, data)([{"anchor": "a", "positive": "b"}])


def test_persistent_workers_are_refused(tiny, data):
    args = SimpleNamespace(dataloader_num_workers=1, dataloader_persistent_workers=True)
    with pytest.raises(LitotesError, match="dataloader_persistent_workers=True"):
        make(tiny, data).on_train_begin(args, None, None)


def test_short_rows_are_refused_by_name_dropped_or_repeated(tiny, data):
    found = candidates_of(data)
    few = found.filter((found.row != 4) | (np.arange(len(found)) % 4 == 0))  # row 4 keeps 2 of 8
    with pytest.raises(
        DataError, match=r"1 of 12 rows have fewer than 3 candidates \(the least has 2, k is 3\), for example 'q4'"
    ):
        make(tiny, data, found=few)
    dropped = make(tiny, data, found=few, short="drop")
    assert 4 not in np.asarray(dropped.pairs()["label"])[:, 0] and len(dropped.pairs()) == len(data.pairs()) - 1
    with pytest.raises(LitotesError, match=r"lines \[row, positive column\] of its own data"):
        dropped(lines(data, *range(len(data.pairs()))))
    repeated = make(tiny, data, found=few, short="repeat")
    row = repeated(lines(data, *range(len(data.pairs()))))["label"]
    assert len(set(row[row[:, 0] == 4][0, 2:].tolist())) == 2
    none = found.filter(found.row != 4)
    with pytest.raises(DataError, match="1 of 12 rows have fewer than 1 candidates"):
        make(tiny, data, found=none, short="repeat")


def test_rows_that_are_not_trained_on_need_no_candidates(tiny, data):
    found = candidates_of(data)
    collator = make(tiny, data, found=found.filter(found.row != 4), rows=np.setdiff1d(np.arange(12), [4]))
    assert 4 not in np.asarray(collator.pairs()["label"])[:, 0]


def test_an_observed_positive_or_its_twin_among_the_candidates_is_refused(tiny, data):
    from litotes.core import Candidates

    for col in (0, 30):
        bad = Candidates.build([0], [col], miner="m", score=[1.0], rank=[1], data=data)
        with pytest.raises(DataError, match=f"1 candidates are observed positives .* for example 'd{col}' for 'q0'"):
            make(tiny, data, k=1, found=bad, rows=[0])


def test_candidates_of_other_data_are_refused(tiny, data):
    other = data.select_rows(range(11))
    with pytest.raises(StaleError, match="made from other data"):
        make(tiny, data, found=candidates_of(other))


def test_a_table_takes_effect_from_its_batch(tiny, data):
    collator = make(tiny, data, k=2)
    collator.add_table(candidates_of(data, seed=9), number=1, from_batch=2)
    old, new = collator.tables
    for batch in range(4):
        label = collator(lines(data))["label"].numpy()
        used = old if batch < 2 else new
        keys = label[:, 0] * data.n_cols + label[:, 1]
        np.testing.assert_array_equal(label[:, 2:], used.draw(label[:, 0], 2, seed=0, epoch=0, lines=keys))
    collator.add_table(candidates_of(data, seed=10), number=2, from_batch=9)
    assert [table.number for table in collator.tables] == [1, 2], "a table that nothing can draw from is forgotten"


@pytest.mark.parametrize(("name", "value"), [("k", 0), ("short", "pad")])
def test_options_are_checked_at_construction(tiny, data, name, value):
    with pytest.raises(LitotesError, match=f"The '{name}' parameter of NegativesCollator must be"):
        make(tiny, data, **{name: value})


def test_batches_of_an_evaluation_are_not_counted(tiny, data):
    collator = make(tiny, data, k=2)
    collator(lines(data))
    collator.on_step_end(None, None, None)
    collator(lines(data)), collator(lines(data))
    collator.on_evaluate(None, None, None)
    assert collator.next_batch == 1
