"""Judges by their names."""

import pytest

from litotes.core.errors import LitotesError
from litotes.judging.margin import MarginJudge
from litotes.judging.named import JUDGES, judge_from_spec


def test_a_spec_gives_a_judge(cross_encoder_folder):
    margin = judge_from_spec("margin:scorer=bm25,absolute_margin=0.5,name=m")
    assert isinstance(margin, MarginJudge) and (margin.absolute_margin, margin.relative_margin, margin.name) == (
        0.5,
        None,
        "m",
    )
    reranker = judge_from_spec(f"cross-encoder:name=ce2,model={cross_encoder_folder},batch_size=8")
    assert (reranker.name, reranker.batch_size) == ("ce2", 8)


def test_defaults_serve_where_the_spec_is_silent():
    made = judge_from_spec("margin", encoder="tiny:bert", query_prompt="query: ", ngram=5, corpus_prompt=None)
    assert (made.encoder, made.query_prompt, made.relative_margin) == ("tiny:bert", "query: ", 0.05)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("margni", "The 'kind' parameter of --by must be one of 'margin', 'document', 'cross-encoder', "),
        ("margin:relativ_margin=1", "MarginJudge has no option 'relativ_margin'."),
        ("margin:scorer=bm25,percentile=half", "The 'percentile' option of MarginJudge must be"),
        ("cross-encoder:model=nowhere/at-all", "The cross-encoder 'nowhere/at-all' is neither a folder"),
    ],
)
def test_what_is_wrong_with_a_spec_is_said(spec, message):
    with pytest.raises(LitotesError) as error:
        judge_from_spec(spec)
    assert str(error.value).startswith(message)


def test_a_cross_encoder_needs_a_model():
    with pytest.raises(LitotesError, match="CrossEncoderJudge needs the option 'model'. Write it as model=VALUE"):
        judge_from_spec("cross-encoder")


def test_every_kind_leads_to_a_class():
    assert all(module.startswith("litotes.judging.") and name.endswith("Judge") for module, name in JUDGES.values())
