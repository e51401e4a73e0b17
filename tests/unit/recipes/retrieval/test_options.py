"""Options of every recipe for a text encoder: what they set on the model, and what the trainer gets."""

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from litotes.core.errors import LitotesError
from litotes.models import tiny_bert
from litotes.models.tiny import tiny_tokenizer
from litotes.recipes.retrieval.options import EncoderOptions, TrainingOptions
from litotes.training import QueryTower, Rounds, ShuffledBatches


def test_prompts_and_lengths_are_set_on_the_model_of_both_towers():
    start = tiny_bert()
    for model in (start, QueryTower(start).beside(start)):
        options = EncoderOptions(query_prompt="q: ", corpus_prompt="", query_length=5, corpus_length=7)
        assert options.load(model) is model
        assert model.prompts["query"] == "q: " and model.prompts["document"] == ""
        lengths = [
            model.preprocess(["a b c d e f g h i j"], task=task)["input_ids"].shape[1] for task in ("query", "document")
        ]
        assert lengths == [5, 7]


def test_a_model_without_a_length_is_refused():
    model = SentenceTransformer(modules=[StaticEmbedding(tiny_tokenizer(), embedding_dim=8)], device="cpu")
    with pytest.raises(LitotesError, match="A StaticEmbedding reads whole texts; it has no query length to set"):
        EncoderOptions(query_length=5).load(model)


@pytest.mark.parametrize(("asked", "steps"), [(0.1, 5), (0.0, 0), (7, 7), (1.0, 1)])
def test_warm_up_is_a_share_below_one_and_steps_from_one_on(tmp_path, asked, steps):
    options = TrainingOptions(warmup_steps=asked)
    assert options.warmup(50) == steps
    theirs = SentenceTransformerTrainingArguments(output_dir=str(tmp_path), use_cpu=True, **options.trainer_arguments())
    assert theirs.get_warmup_steps(50) == steps
    assert theirs.learning_rate == options.learning_rate and theirs.num_train_epochs == 1


@pytest.mark.parametrize("bad", [{"batch_size": 0}, {"dtype": "int8"}, {"learning_rate": 0}, {"seed": -1}])
def test_bad_values_name_the_option(bad):
    (name,) = bad
    with pytest.raises(LitotesError, match=f"The '{name}' option of TrainingOptions"):
        TrainingOptions(**bad)


@pytest.mark.parametrize(("rows", "parts", "epoch"), [(64, 1, 8), (65, 1, 9), (65, 4, 3), (8, 4, 1)])
def test_steps_are_of_the_optimiser_as_in_both_loops(rows, parts, epoch, tmp_path):
    options = TrainingOptions(per_device_train_batch_size=8, gradient_accumulation_steps=parts, num_train_epochs=3)
    assert options.steps_of_epoch(rows) == epoch and options.total_steps(rows) == 3 * epoch
    assert options.model_copy(update={"max_steps": 5}).total_steps(rows) == 5
    theirs = SentenceTransformerTrainingArguments(output_dir=str(tmp_path), use_cpu=True, **options.trainer_arguments())
    ours = options.rounds_arguments(tmp_path, options.total_steps(rows))
    assert theirs.gradient_accumulation_steps == ours.gradient_accumulation_steps == parts
    rounds = Rounds({}, lambda batch, state: {}, ShuffledBatches(np.arange(rows), 8, seed=0), ours)
    assert rounds.updates_per_epoch == epoch
