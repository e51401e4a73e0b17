"""Lengths, distances and readability of marked sentences, counted by hand."""

import pytest

from litotes.auditing.sentence_attributes import flesch_kincaid, sentence_attributes
from litotes.core.errors import DataError

SENTENCES = [
    "The <e1>audits</e1> were about <e2>waste</e2>.",
    "<e2>Mills</e2> were run by the old, well-known <e1>company</e1> of Ann's. It closed.",
]


def test_by_hand():
    found = sentence_attributes(SENTENCES)
    assert found["sentence_length"] == [5, 12]
    assert found["entity_distance"] == [2, 6]
    assert set(found) == {"sentence_length", "entity_distance", "readability"}
    # 5 words, 1 sentence; syllables: The 1, audits 2, were 1, about 2, waste 1
    assert found["readability"][0] == pytest.approx(0.39 * 5 + 11.8 * 7 / 5 - 15.59)


def test_entities_that_are_told():
    found = sentence_attributes(
        SENTENCES, entity_types=[["X", "Y"], ["X", "X", "Y", "Z"]], argument_types=[("X", "Y"), ("X", "X")]
    )
    assert found["entities"] == [2, 4]
    assert found["same_type_arguments"] == [0.0, 1.0]
    assert found["extra_entities_of_argument_types"] == [0, 0]
    more = sentence_attributes(SENTENCES[:1], entity_types=[["X", "Y", "Y", "Z"]], argument_types=[("X", "Y")])
    assert more["extra_entities_of_argument_types"] == [1]


def test_longer_words_and_sentences_take_a_higher_grade():
    plain, hard = flesch_kincaid("We sat down. It was hot."), flesch_kincaid("Considerable deliberation preceded it.")
    assert plain < hard
    assert flesch_kincaid("...") is None


@pytest.mark.parametrize("sentence", ["no marks", "<e1>a</e1> alone", "<e1>a</e1> <e2>b</e2> <e2>c</e2>"])
def test_a_sentence_without_its_pair_is_refused(sentence):
    with pytest.raises(DataError, match="Sentence 0 .* must mark <e1>...</e1> and <e2>...</e2> once"):
        sentence_attributes([sentence])


def test_types_of_another_length_are_refused():
    with pytest.raises(DataError, match="There are 1 entity_types for 2 sentences."):
        sentence_attributes(SENTENCES, entity_types=[["X"]])
