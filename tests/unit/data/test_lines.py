"""Lines: where they end, what they may hold, and what is said of those that are none."""

import gzip
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core.errors import DataError
from litotes.data.lines import (
    BadLine,
    check_text,
    first_character,
    parse_object,
    parsed_lines,
    raw_lines,
    take_id,
    take_number,
    take_text,
)


def lines_of(path, **options):
    notes = Counter()
    return list(parsed_lines(path, str, notes, **options)), notes


class TestParsedLines:
    @pytest.mark.parametrize("gz", [False, True])
    @pytest.mark.parametrize("end", [b"\n", b"\r\n"])
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_ends_marks_and_gzip_make_no_difference(self, put, gz, end, mark):
        path = put("x.txt", mark + end.join([b"one", b"", b"  ", "tv\u00e5".encode()]) + end, gz=gz)
        assert lines_of(path) == ([(1, "one"), (4, "tv\u00e5")], {"blank_lines": 2})

    def test_only_a_line_feed_ends_a_line(self, put):
        text = "a\u2028b\x85c\x0bd\x0ce\x1df\rg"
        assert lines_of(put("x.txt", text + "\nh"))[0] == [(1, text), (2, "h")]

    def test_gzip_is_told_by_content_not_by_name(self, put):
        assert lines_of(put("x.gz", "plain"))[0] == [(1, "plain")]
        assert lines_of(put("x.txt", "packed", gz=True))[0] == [(1, "packed")]

    def test_two_gzip_members_are_one_file(self, put):
        assert lines_of(put("x.gz", gzip.compress(b"a\n") + gzip.compress(b"b\n")))[0] == [(1, "a"), (2, "b")]

    def test_an_empty_file_has_no_lines(self, put):
        assert lines_of(put("x.txt", "")) == ([], {})

    def test_bytes_that_are_not_utf8_name_line_and_column(self, put):
        path = put("x.txt", b"good\ncaf\xe9\n")
        with pytest.raises(DataError, match=r"x\.txt:2: the byte 0xe9 at column 4 is not UTF-8"):
            lines_of(path)
        assert lines_of(path, skip_bad_lines=True) == ([(1, "good")], {"skipped_lines": 1})

    def test_a_cut_gzip_file_says_how_far_it_went_even_when_skipping(self, put):
        whole = gzip.compress("".join(f"line {i * 7919 % 1000}\n" for i in range(5000)).encode())
        with pytest.raises(DataError, match=r"x\.gz: the gzip file is cut off after line [\d,]+\."):
            lines_of(put("x.gz", whole[: len(whole) // 2]), skip_bad_lines=True)

    def test_a_damaged_gzip_file(self, put):
        whole = bytearray(gzip.compress(bytes(range(256)) * 50))
        whole[-6] ^= 255  # the checksum
        with pytest.raises(DataError, match="damaged"):
            list(raw_lines(put("x.gz", bytes(whole))))

    def test_missing_file_and_folder(self, tmp_path):
        with pytest.raises(DataError, match="no such file"):
            lines_of(tmp_path / "absent")
        with pytest.raises(DataError, match="is a folder, where a file was expected"):
            lines_of(tmp_path)

    @given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), max_size=8))
    def test_what_is_written_is_read(self, tmp_path_factory, texts):
        path = tmp_path_factory.mktemp("lines") / "x.txt"
        path.write_bytes("".join(f"|{text}|\n" for text in texts).encode())
        assert [line for _, line in lines_of(path)[0]] == [f"|{text}|" for text in texts]


class TestParseObject:
    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('{"a": 1', "not valid JSON"),
            ("{'a': 1}", "not valid JSON"),
            ("[1, 2]", "a list: '[1, 2]'. Expected one JSON object"),
            ('"text"', "a string"),
            ("null", "null"),
            ("7", "the number 7"),
            ("true", "a truth value"),
            ("[", "over several lines"),
            ("{", "over several lines"),
            ("[" * 100_000, "cannot be read"),
            ('{"a": ' + "9" * 5000 + "}", "cannot be read"),
        ],
    )
    def test_other_things_are_refused(self, line, said):
        with pytest.raises(BadLine) as raised:
            parse_object(line)
        assert said in str(raised.value)
        assert len(str(raised.value)) < 250

    def test_an_object_is_read(self):
        assert parse_object('{"a": "x\\u2028\u2028"}') == {"a": "x\u2028\u2028"}


class TestFields:
    def test_texts(self):
        assert take_text({"a": ""}, "a") == ""
        assert take_text({"a": None}, "a", default="") == ""
        assert take_text({}, "a", default="") == ""
        with pytest.raises(BadLine, match=r"no field 'text' among '_id', 'txt'\. Did you mean 'txt'\?"):
            take_text({"_id": "1", "txt": "x"}, "text")
        with pytest.raises(BadLine, match="the field 'text' is the number 3. Expected a string"):
            take_text({"text": 3}, "text", default="")

    def test_ids(self):
        notes = Counter()
        assert [take_id({"_id": value}, "_id", notes) for value in ("007", 7, -1)] == ["007", "7", "-1"]
        assert notes == {"numeric_ids": 2}
        for value in ("", None, 1.5, True, ["a"]):
            with pytest.raises(BadLine, match="Expected an id"):
                take_id({"_id": value}, "_id", notes)

    def test_numbers(self):
        assert [take_number(text, "grade") for text in ("1", "-2", "0.5", "1e-3")] == [1, -2, 0.5, 0.001]
        for text in ("high", "", "nan", "inf", "1_0", "1,5"):
            with pytest.raises(BadLine, match="is not a number"):
                take_number(text, "grade")

    def test_half_characters(self):
        assert check_text("\U0001f989 \u00e5", "text") == "\U0001f989 \u00e5"
        with pytest.raises(BadLine, match=r"half a character \(U\+D83E\)"):
            check_text("x \ud83e", "text")
        with pytest.raises(BadLine, match="the byte 0xe9"):
            check_text(b"caf\xe9".decode("utf-8", "surrogateescape"), "text")


def test_first_character_looks_past_blanks(put):
    assert first_character(put("x", b"\xef\xbb\xbf\r\n  <top>")) == "<"
    assert first_character(put("y", "\n\n")) == ""
