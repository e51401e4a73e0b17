"""The four layouts of sentence-transformers: what they hold, and that its trainers train on each."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import Candidates, Collection, LabelMatrix, LitotesError

pytest.importorskip("sentence_transformers", reason="needs litotes[retrieval]")


def small() -> Collection:
    """Three queries: the first has two positives, the third's positive has no text."""
    qrels = {"q0": {"d0": 1, "d1": 2}, "q1": {"d2": 1, "d3": 0}, "q2": {"d5": 1}}
    labels = LabelMatrix.from_qrels(qrels, cols=[f"d{i}" for i in range(7)])
    rows = pa.table({"id": ["q0", "q1", "q2"], "text": ["query zero", "query one", "query two"]})
    cols = pa.table({"id": [f"d{i}" for i in range(5)], "text": [f"document {i}" for i in range(5)]})
    return Collection(labels, rows, cols)


def found(data: Collection) -> Candidates:
    row, col = np.array([0, 0, 1, 1, 2, 1]), np.array([3, 4, 3, 0, 0, 6])  # d6 has no text
    return Candidates.build(row, col, miner="m", score=np.zeros(6), rank=[1, 2, 1, 2, 1, 3], data=data)


def test_triplets():
    data = small()
    table = found(data).top(1).to_dataset("triplet", data)
    assert table.column_names == ["anchor", "positive", "negative"]
    assert [tuple(line.values()) for line in table] == [
        ("query zero", "document 0", "document 3"),
        ("query zero", "document 1", "document 3"),
        ("query one", "document 2", "document 3"),
    ]


def test_tuples_leave_short_rows_out_and_say_so(capsys):
    data = small()
    table = found(data).to_dataset("n-tuple", data)
    assert table.column_names == ["anchor", "positive", "negative_1", "negative_2"]
    assert table["negative_2"][:] == ["document 4", "document 4", "document 0"]
    assert not capsys.readouterr().err  # the third row has no positive with text: it could not be trained on anyway
    one_less = found(data).filter(np.array([True, True, True, False, True, True]))
    assert one_less.to_dataset("n-tuple", data)["negative_2"][:] == ["document 4", "document 4"]
    assert "1 of 2 rows have fewer than 2 candidates and are left out" in capsys.readouterr().err


def test_the_width_of_tuples_is_set_by_rows_that_can_be_trained_on():
    data = small()
    row, col = np.array([0, 1, 2, 2]), np.array([3, 3, 0, 1])  # the third row has most, and no positive with text
    more = Candidates.build(row, col, miner="m", score=np.zeros(4), rank=[1, 1, 1, 2], data=data)
    table = more.to_dataset("n-tuple", data)
    assert table.column_names == ["anchor", "positive", "negative_1"] and len(table) == 3


def test_labelled_pairs_and_lists():
    data = small()
    pairs = found(data).top(1).to_dataset("labeled-pair", data)
    assert pairs.column_names == ["anchor", "document", "label"]
    assert list(zip(pairs["document"], pairs["label"], strict=True)) == [
        ("document 0", 1),
        ("document 1", 1),
        ("document 3", 0),
        ("document 2", 1),
        ("document 3", 0),
    ]
    lists = found(data).top(1).to_dataset("labeled-list", data)
    assert lists["documents"][:] == [["document 0", "document 1", "document 3"], ["document 2", "document 3"]]
    assert lists["labels"][:] == [[1, 1, 0], [1, 0]]


def test_assumed_positives_are_not_trained_on_as_negatives():
    data = small()
    both = found(data).filter(np.array([True, False, True, False, False, False]))
    more = Candidates.build([0], [4], miner="m2", score=[0.0], rank=[1], data=data, assumed=1)
    assert both.merge(more).to_dataset("triplet", data)["negative"][:] == ["document 3"] * 3


def test_refused():
    data = small()
    with pytest.raises(LitotesError, match="'format' parameter of to_dataset"):
        found(data).to_dataset("triplets", data)
    with pytest.raises(LitotesError, match="no candidate to train on"):
        found(data).filter(np.zeros(6, dtype=bool)).to_dataset("triplet", data)
    with pytest.raises(LitotesError, match="no candidate to train on.*no positive with a text"):
        found(data).filter(found(data).row == 2).to_dataset("triplet", data)
    with pytest.raises(LitotesError, match="texts of columns differ"):
        found(data).to_dataset("triplet", Collection(data.labels, data.rows.table))


@pytest.mark.parametrize("layout", ["triplet", "n-tuple", "labeled-pair"])
def test_an_embedder_trains_one_step(layout, tmp_path):
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import (
        ContrastiveLoss,
        MultipleNegativesRankingLoss,
        TripletLoss,
    )

    from litotes.models.tiny import tiny_bert

    model, data = tiny_bert(), small()
    before = model[0].model.get_input_embeddings().weight.detach().clone()
    loss = {
        "triplet": TripletLoss,
        "n-tuple": MultipleNegativesRankingLoss,
        "labeled-pair": ContrastiveLoss,
    }[layout](model)
    args = SentenceTransformerTrainingArguments(
        str(tmp_path), max_steps=1, per_device_train_batch_size=3, report_to="none", save_strategy="no", use_cpu=True
    )
    table = found(data).to_dataset(layout, data)
    result = SentenceTransformerTrainer(model, args, train_dataset=table, loss=loss).train()
    assert result.global_step == 1
    assert not (model[0].model.get_input_embeddings().weight == before).all()


def test_a_reranker_trains_one_step_on_lists(tmp_path):
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.losses import LambdaLoss
    from transformers import BertConfig, BertForSequenceClassification

    from litotes.models.tiny import tiny_tokenizer

    tokenizer = tiny_tokenizer(64)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, num_labels=1,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(tmp_path / "ce")
    tokenizer.save_pretrained(tmp_path / "ce")
    model, data = CrossEncoder(str(tmp_path / "ce"), device="cpu"), small()
    args = CrossEncoderTrainingArguments(
        str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=2, report_to="none", save_strategy="no",
        use_cpu=True,
    )  # fmt: skip
    table = found(data).to_dataset("labeled-list", data)
    assert CrossEncoderTrainer(model, args, train_dataset=table, loss=LambdaLoss(model)).train().global_step == 1


def test_what_is_assumed_neither_way_is_no_negative():
    data = small()
    table = found(data).top(1).table
    kept = table.set_column(table.column_names.index("assumed"), "assumed", pa.array([0] * len(table), pa.int8()))
    with pytest.raises(LitotesError, match="no candidate to train on"):
        Candidates(kept, made_from=found(data).made_from).to_dataset("triplet", data)
