"""Topics and documents in TREC's tags."""

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from litotes.core.errors import DataError
from litotes.data.trec_sgml import document_element, read_documents, read_topics, topic_element

ids = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=6)
texts = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(list("&<>;# \n\r\t\u2028\xa0\x1c/\"'lt")))
)

OLD_TOPICS = """
<top>

<num> Number: 301
<title> International Organized Crime

<desc> Description:
Identify organizations

<narr> Narrative: A relevant document must name <one>.
</top>
<top>
<num> Number: 302
<title> Topic: Poliomyelitis
and Post-Polio
</top>
"""

NEWSPAPER = """<DOC>
<DOCNO> FT911-3 </DOCNO>
<PROFILE>_AN-BEOA7AAIFT</PROFILE>
<HEADLINE>
FT  14 MAY 91 / R&D: The AT&amp;T &hyph; deal
</HEADLINE>
<TEXT>
First line
second <F P=1>line</F>
</TEXT>
<TEXT>more</TEXT>
</DOC>
<doc><docno>2</docno><text>one line</text></doc>
"""


@given(st.lists(st.tuples(ids, texts), max_size=4))
@example([("1", "</title> & <b> &lt; &#10; &#99999999; \r\n x")])
def test_topics_read_back_exactly(tmp_path_factory, topics):
    path = tmp_path_factory.mktemp("topics") / "topics"
    path.write_bytes("".join(topic_element(*topic) for topic in topics).encode())
    assert [topic for _, topic in read_topics(path, Counter())] == topics


@given(st.lists(st.tuples(ids, texts, texts), max_size=4))
@example([("1", "", "")])
@example([("1", " ", "a\n</TEXT>\n</DOC>\n<DOC>\nb\n\n")])
def test_documents_read_back_exactly(tmp_path_factory, documents):
    path = tmp_path_factory.mktemp("documents") / "documents"
    path.write_bytes("".join(document_element(*document) for document in documents).encode())
    assert [document for _, document in read_documents(path, Counter())] == documents


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_topics_of_the_old_kind(put, end):
    found = list(read_topics(put("topics", OLD_TOPICS.replace("\n", end)), Counter()))
    assert found == [(2, ("301", "International Organized Crime")), (12, ("302", "Poliomyelitis and Post-Polio"))]


def test_newspaper_documents(put):
    found = list(read_documents(put("docs.gz", NEWSPAPER, gz=True), Counter()))
    assert found == [
        (1, ("FT911-3", "FT 14 MAY 91 / R&D: The AT&T &hyph; deal", "First line\nsecond  line\nmore")),
        (13, ("2", "", "one line")),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<top>\n<num>1</num>\n<title>x</title>\n", "x:1: the <top> begun here is never closed"),
        (b"<top>\n<title>x</title>\n</top>\n", "x:1: a topic without <num>"),
        (b"<top>\n<num>1</num>\n</top>\n", "x:1: a topic without <title>"),
        (b"<top>\n<num>1</num>\n<top>\n", "x:3: <top> inside the one begun in line 1"),
        (b"\n301\n<top>\n", "x:2: text outside <top>...</top>: '301'"),
        (b"<top>\n<num>1</num>\n<title>caf\xe9</title>\n</top>\n", "x:3: 'the element' holds the byte 0xe9"),
    ],
)
def test_what_is_no_topic(put, content, said):
    with pytest.raises(DataError) as raised:
        list(read_topics(put("x", content), Counter()))
    assert said in str(raised.value)


def test_bad_elements_can_be_skipped(put):
    content = b"<DOC>\n<DOCNO>1</DOCNO>\n</DOC>\n" + document_element("2", "", "fine").encode()
    notes = Counter()
    assert list(read_documents(put("x", content), notes, skip_bad_lines=True)) == [(4, ("2", "", "fine"))]
    assert notes == {"skipped_lines": 1}


def test_numbers_that_are_no_character_stay_as_they_are(put):
    text = "&#1114112; &#9999999; &#55296; &unknown; &#38;"
    path = put("x", f"<top>\n<num>1</num>\n<title>{text}</title>\n</top>\n")
    assert [topic for _, topic in read_topics(path, Counter())] == [("1", text.replace("&#38;", "&"))]
