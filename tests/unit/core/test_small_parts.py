"""Checks, configuration, specs, text, seeds, fingerprints, progress, errors."""

import hashlib
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from litotes.core import progress as progress_module
from litotes.core.checks import check_choice, check_float, check_int, nearest
from litotes.core.config import Config
from litotes.core.errors import DataError, LitotesError, MachineError, MissingExtra, require
from litotes.core.fingerprint import difference, digest, digest_file, digest_texts
from litotes.core.ids import Ids
from litotes.core.progress import Progress, track
from litotes.core.seeds import rng, seed_everything, uniform_hash
from litotes.core.spec import Spec, build, parse_spec
from litotes.core.text import jaccard, last_name, normalise, shingles, words


class TestChecks:
    @pytest.mark.parametrize("value", [0, 1.0, True, "3", None])
    def test_not_an_int_in_range(self, value):
        with pytest.raises(LitotesError) as caught:
            check_int("DenseMiner", "top", value, at_least=1)
        assert str(caught.value) == (
            f"The 'top' parameter of DenseMiner must be an int in the range [1, inf). Got {value!r} instead."
        )

    @pytest.mark.parametrize("value", [0.0, 1.5, float("nan"), "x", False])
    def test_not_a_float_in_range(self, value):
        with pytest.raises(LitotesError, match=r"must be a float in the range \(0, 1\]"):
            check_float("X", "p", value, above=0, at_most=1)

    def test_good_values_pass(self):
        assert check_int("X", "n", np.int32(3), at_most=3) == 3
        assert check_int("X", "n", 3, at_least=3) == 3
        assert check_float("X", "p", 0, at_least=0, below=1) == 0.0

    def test_bounds_that_are_excluded(self):
        for value in (0, 1):
            with pytest.raises(LitotesError, match=r"in the range \(0, 1\)"):
                check_float("X", "p", value, above=0, below=1)

    def test_a_choice_names_the_nearest(self):
        with pytest.raises(LitotesError, match=r"one of 'hnsw', 'ivf'. Got 'hnws' instead. Did you mean 'hnsw'\?"):
            check_choice("X", "index", "hnws", ("hnsw", "ivf"))

    def test_what_looks_like_nothing_is_told_no_nearest_one(self):
        with pytest.raises(LitotesError, match=r"Got 'bm25' instead\.$"):
            check_choice("X", "index", "bm25", ("hnsw", "ivf"))
        assert nearest("abcdef", ["abcxyz"]) == "abcxyz" and nearest("abcdef", ["abwxyz"]) is None


class Example(Config):
    presets: ClassVar = {"paper": {"steps": 100}}
    steps: int = Field(50, ge=1, description="how many")
    temperature: float = 0.05


class TestConfig:
    def test_presets_and_changes(self):
        assert Example.preset("paper", temperature=1.0) == Example(steps=100, temperature=1.0)

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"temprature": 1}, r"Example has no option 'temprature'. Did you mean 'temperature'\?"),
            ({"steps": 0}, "The 'steps' option of Example: Input should be greater than or equal to 1. Got 0 instead."),
            ({"steps": "many"}, "'steps' option of Example: .*integer.* Got 'many' instead"),
        ],
    )
    def test_refused(self, values, message):
        with pytest.raises(LitotesError, match=message):
            Example(**values)

    def test_frozen_and_defaults_are_checked_too(self):
        with pytest.raises(ValidationError, match="frozen"):
            Example().steps = 3

        class Wrong(Config):
            steps: int = Field("many")

        with pytest.raises(LitotesError, match="'steps' option of Wrong"):
            Wrong()

    def test_unknown_preset(self):
        with pytest.raises(LitotesError, match="no preset 'papre'. Known presets: 'paper'"):
            Example.preset("papre")


class TestSpec:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("dense", ("dense", "dense", {})),
            ("dense:name=e5,top=20", ("dense", "e5", {"top": "20"})),
            ("run:a/b=c.trec", ("run", "run", {"a/b": "c.trec"})),
            ("run:bm25.trec,name=lucene", ("run", "lucene", {"path": "bm25.trec"})),
            ("vectors:/some/folder", ("vectors", "vectors", {"path": "/some/folder"})),
            ("cross-encoder:model=a:b", ("cross-encoder", "cross-encoder", {"model": "a:b"})),
        ],
    )
    def test_read(self, text, expected):
        spec = parse_spec(text)
        assert (spec.kind, spec.name, spec.options) == expected

    @pytest.mark.parametrize(
        "text", ["", ":x=1", "dense:top=1,20", "dense:top=1,top=2", "dense:name=a/b", "dense:name="]
    )
    def test_refused(self, text):
        with pytest.raises(LitotesError):
            parse_spec(text)

    def test_what_is_missing_is_said(self):
        with pytest.raises(LitotesError, match="no kind before the colon"):
            parse_spec(":name=x")
        assert Spec("dense", "dense").options == {}

    def test_build_reads_values_by_annotation(self):
        def make(top: int = 1, *, ratio: float | None = None, fast: bool = False, name: str = "x"):
            return top, ratio, fast, name

        assert build(make, {"top": "5", "ratio": "0.5", "fast": "true"}, "dense", name="y") == (5, 0.5, True, "y")
        with pytest.raises(LitotesError, match="dense has no option 'ration'.*Did you mean 'ratio'"):
            build(make, {"ration": "1"}, "dense")
        with pytest.raises(LitotesError, match="'top' option of dense must be int. Got 'x' instead"):
            build(make, {"top": "x"}, "dense")


class TestText:
    def test_normalised(self):
        assert normalise("  Straße\tÉ\n") == normalise("strasse E\u0301")

    def test_words_and_shingles(self):
        assert words("np.max_pool2d(X), été!") == ["np", "max", "pool2d", "x", "été"]
        assert shingles(["a", "b", "c"], 2) == {("a", "b"), ("b", "c")}
        assert shingles(["a"], 3) == {("a",)} and shingles([], 3) == frozenset()
        assert jaccard({1, 2}, {2, 3}) == 1 / 3 and jaccard(set(), set()) == 0.0

    def test_last_name(self):
        assert [last_name(n) for n in ("numpy.linalg.Norm_", "__init__", "a")] == ["norm", "init", "a"]

    def test_as_many_words_as_a_shingle_has(self):
        assert shingles(["a", "b"], 2) == {("a", "b")}


class TestSeeds:
    def test_streams_by_name(self):
        draws = [rng(*key).integers(2**60) for key in ((0, "a"), (0, "b"), (1, "a"), (0, "a", 1))]
        assert len(set(draws)) == 4 and rng(0, "a").integers(2**60) == draws[0]

    @given(st.integers(0, 2**64 - 1), st.integers(0, 1000), st.lists(st.integers(0, 2**40), min_size=1, max_size=20))
    def test_a_cells_number_depends_on_nothing_else(self, seed, epoch, rows):
        rows = np.array(rows)
        whole = uniform_hash(seed, epoch, rows, rows[::-1])
        single = [uniform_hash(seed, epoch, rows[i : i + 1], rows[::-1][i : i + 1])[0] for i in range(len(rows))]
        assert whole.tolist() == [int(x) for x in single]

    def test_numbers_look_uniform_and_each_argument_counts(self):
        rows, cols = np.divmod(np.arange(40_000), 200)
        base = uniform_hash(1, 2, rows, cols, table=3)
        assert len(np.unique(base)) == len(base)
        shares = np.bincount((base >> np.uint64(60)).astype(int), minlength=16) / len(base)
        assert np.abs(shares - 1 / 16).max() < 0.006  # five standard errors
        for other in (
            uniform_hash(0, 2, rows, cols, 3),
            uniform_hash(1, 3, rows, cols, 3),
            uniform_hash(1, 2, rows, cols),
        ):
            assert not (other == base).any()
        assert abs(np.corrcoef(base[:-1].astype(float), base[1:].astype(float))[0, 1]) < 0.03

    def test_seed_everything(self):
        seed_everything(3)
        first = np.random.random()
        seed_everything(3)
        assert np.random.random() == first


class TestFingerprint:
    def test_types_and_places_are_told_apart(self):
        parts = [1, "1", 1.0, True, None, b"1", [1], ["1"], {"a": 1}, np.array([1]), np.array([1.0]), np.array([[1]])]
        assert len({digest(part) for part in parts}) == len(parts)
        assert digest("ab", "c") != digest("a", "bc") and digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})

    def test_the_same_in_another_process(self):
        code = "from litotes.core.fingerprint import digest; print(digest({'x': [1, 'ü', 0.5]}))"
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert other.stdout.strip() == digest({"x": [1, "ü", 0.5]})

    def test_unknown_types_are_refused(self):
        with pytest.raises(TypeError, match="object"):
            digest(object())

    def test_digests_are_128_bits_and_stay_what_they_were(self):
        assert digest() == digest_texts([]) == hashlib.blake2b(b"", digest_size=16).hexdigest()
        by_hand = b"n" + b"s" + (2).to_bytes(8, "little") + "ü".encode() + b"t" + b"f"
        assert digest(None, "ü", True, False) == hashlib.blake2b(by_hand, digest_size=16).hexdigest()
        assert digest(b"x") == hashlib.blake2b(b"b" + (1).to_bytes(8, "little") + b"x", digest_size=16).hexdigest()
        assert digest_texts(["a", None, "ü"]) == digest("a", None, "ü") != digest_texts(["a", "ü"])

    def test_one_value_is_told_from_another(self):
        for one, two in ((True, False), (b"a", b"b"), (None, False), ("", b""), ([], [None])):
            assert digest(one) != digest(two)

    def test_a_file_s_digest_is_of_all_its_bytes(self, tmp_path):
        content = bytes(range(256)) * 5000  # more than is read at once
        (tmp_path / "f").write_bytes(content)
        assert digest_file(tmp_path / "f") == hashlib.blake2b(content, digest_size=16).hexdigest()

    def test_difference_names_parts(self):
        assert difference({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == ["b", "c"]


class TestIds:
    def test_positions(self):
        ids = Ids(["007", 7, "x"])
        assert ids.values == ["007", "7", "x"] and ids.index("7") == 1 and "007" in ids
        assert ids.positions(["x", "?"], missing=-1).tolist() == [2, -1]
        with pytest.raises(LitotesError, match=r"'xx' is not among the 3 ids. Did you mean 'x'\?"):
            ids.positions(["xx"])
        assert ids.positions(["x", "7"]).tolist() == [2, 1]

    def test_equal_where_ids_and_order_are(self):
        assert Ids("ab") == Ids("ab") != Ids("ba") and Ids("ab") != ["a", "b"]

    def test_shown_with_the_first_three(self):
        assert repr(Ids("ab")) == "Ids(['a', 'b'], n=2)"
        assert repr(Ids("abc")) == "Ids(['a', 'b', 'c'], n=3)" and repr(Ids("abcd")) == "Ids(['a', 'b', 'c', ...], n=4)"

    def test_the_one_that_stands_twice_is_named(self):
        with pytest.raises(LitotesError, match="The id 'b' stands twice"):
            Ids(["a", "b", "c", "b"])


class TestErrors:
    def test_exit_codes(self):
        assert (
            LitotesError.exit_code == DataError.exit_code == MissingExtra.exit_code == 2 and MachineError.exit_code == 1
        )

    def test_a_place_in_a_file(self):
        assert str(DataError.at("a.tsv", 3, "bad.")) == "a.tsv:3: bad."
        assert str(DataError.at("a.tsv", None, "bad.")) == "a.tsv: bad."

    def test_a_missing_extra_names_the_command(self):
        require("json", extra="retrieval")
        with pytest.raises(MissingExtra, match=r'needs nowhere_to_be_found; run: pip install "litotes\[retrieval\]"'):
            require("json", "nowhere_to_be_found", extra="retrieval")
        with pytest.raises(MissingExtra, match=rf"^{__name__} needs"):
            require("nowhere_to_be_found", extra="retrieval")


class TestProgress:
    def test_short_work_is_quiet(self, capsys):
        assert list(track(range(3), "Counting")) == [0, 1, 2]
        assert capsys.readouterr() == ("", "")

    def test_long_work_off_a_terminal_says_a_line(self, capsys, monkeypatch):
        clock = iter([0, 100, 115, 130, 145, 160])  # the first text comes with 85 seconds of preparation
        monkeypatch.setattr(progress_module.time, "monotonic", lambda: float(next(clock)))
        with Progress("Encoding", total=5, unit="texts") as bar:
            for _ in range(5):
                bar.advance()
        out, err = capsys.readouterr()
        assert out == "" and err.splitlines() == [
            "Encoding: 1 of 5 texts",
            "Encoding: 3 of 5 texts, about 30 s left",
            "Encoding: 5 of 5 texts, about 0 s left",
        ]

    def test_on_a_terminal_there_is_a_bar(self, monkeypatch):
        monkeypatch.setattr(progress_module.sys.stderr, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(progress_module, "_QUIET_SECONDS", -1.0)
        with Progress("Encoding", total=2) as bar:
            bar.advance(2)
            assert bar._bar.tasks[0].completed == 2
        assert not bar._bar.live.is_started
