"""pydocs: each step of its construction on small inputs, then the set itself as the installed libraries give it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core.errors import LitotesError, MachineError
from litotes.core.text import jaccard, last_name, normalise, shingles, words
from litotes.data.pydocs import build, crawl, load_pydocs, pydocs_truth
from litotes.data.pydocs.docstrings import DocstringParts, reason_to_drop, split_docstring
from litotes.data.pydocs.groups import capped, groups_by_key, join_near_duplicates

BODY = "The rest says enough about the thing so that a person can tell what it does to its input and why."


class TestSplittingADocstring:
    @pytest.mark.parametrize(
        ("doc", "signature", "sentence", "rest"),
        [
            ("Add two numbers here.", "", "Add two numbers here.", ""),
            ("Add two\nnumbers here. Broadcasts.\n\nNotes", "", "Add two numbers here.", "Broadcasts.\n\nNotes"),
            ("Add it, e.g. to that. Then more.", "", "Add it, e.g. to that.", "Then more."),
            ("Version 2. of the thing. More.", "", "Version 2. of the thing.", "More."),
            ("No full stop\n\nMore.", "", "No full stop", "More."),
            ("add(x1, x2, /, out=None)\n\nAdd arguments.\n\nMore.", "(x1, x2, /, out=None)", "Add arguments.", "More."),
            ("add(a,\n    b) -> Tensor\n\nAdds b to a.", "(a, b) -> Tensor", "Adds b to a.", ""),
            ("max(x)\nmax(x, dim)\nThe largest value.", "(x)", "The largest value.", ""),
            ("y,info = dger(a,[b])\n\nWrapper for dger.", "(a,[b])", "Wrapper for dger.", ""),
            ("Compute f(x) of all.\n\nMore.", "", "Compute f(x) of all.", "More."),
        ],
    )
    def test_by_hand(self, doc: str, signature: str, sentence: str, rest: str) -> None:
        assert split_docstring(doc) == DocstringParts(signature, sentence, rest)

    @given(st.text(alphabet="ab .(\n!X", min_size=1).filter(str.strip))
    def test_nothing_is_lost_or_said_twice(self, doc: str) -> None:
        parts = split_docstring(doc)
        if not parts.signature:
            assert " ".join(f"{parts.sentence} {parts.rest}".split()) == " ".join(doc.split())

    @pytest.mark.parametrize(
        ("sentence", "rest", "reason"),
        [
            ("Add two numbers exactly.", BODY, None),
            ("Add two numbers.", BODY, "first sentence too short or too long"),
            ("word " * 41, BODY, "first sentence too short or too long"),
            ("This way is Deprecated now.", BODY, "deprecated"),
            ("Add two numbers exactly.", f".. deprecated:: 2.0\n   Use add.\n\n{BODY}", "deprecated"),
            ("Add two numbers exactly.", f"x : int\n\n    .. deprecated:: 2.0\n\n{BODY}", None),
            ("Alias for the other one.", BODY, "points elsewhere"),
            ("See the other one there.", BODY, "points elsewhere"),
            ("Seek the other one there.", BODY, None),
            ("Add two numbers exactly.", "Too little is said here.", "too little beside the first sentence"),
            ("Add two numbers exactly.", f"Examples\n--------\n{BODY}", "too little beside the first sentence"),
            ("Add two numbers exactly.", f"See Also\n--------\n{BODY}", "too little beside the first sentence"),
            ("Add two numbers exactly.", f"Example::\n\n    {BODY}", "too little beside the first sentence"),
            ("Add two numbers exactly.", f"Examples\n--------\nOne.\n\nNotes\n-----\n{BODY}", None),
            ("Add two numbers exactly.", f"Example::\n\n    One.\n\nArgs:\n    {BODY}", None),
        ],
    )
    def test_what_is_dropped_and_why(self, sentence: str, rest: str, reason: str | None) -> None:
        assert reason_to_drop(DocstringParts("", sentence, rest)) == reason


class TestGroups:
    @given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abcdef"), st.sampled_from("uvwxyz")), max_size=12))
    def test_rules_a_to_c_are_the_connected_parts(self, items: list[tuple[int, str, str]]) -> None:
        groups = groups_by_key(*([list(column) for column in zip(*items, strict=True)] or [[], [], []]))
        places = range(len(items))
        joined = [{k for k in places if any(a == b for a, b in zip(items[j], items[k], strict=True))} for j in places]
        reached = joined
        for _ in items:  # spread along shared keys until nothing changes
            reached = [set().union(*(joined[k] for k in near)) for near in reached]
        assert groups == [min(near) for near in reached]

    def test_symbols_tell_sentences_apart(self) -> None:
        sentences = ["The truth of (x1 > x2).", "The truth of (x1 < x2).", "the  truth of (x1 > x2)."]
        assert groups_by_key([1, 2, 3], ["a", "b", "c"], sentences) == [0, 1, 0]

    @given(st.lists(st.tuples(st.sampled_from(["m.f", "n.F_", "m.g"]), st.text("ab ", max_size=14)), max_size=10))
    def test_rule_d_equals_the_comparison_of_all_pairs(self, items: list[tuple[str, str]]) -> None:
        names, texts = [name for name, _ in items], [text for _, text in items]
        group = list(range(len(items)))
        for i in range(len(items)):
            for j in range(i):
                near = jaccard(shingles(words(texts[i]), 4), shingles(words(texts[j]), 4)) >= 0.6
                if last_name(names[i]) == last_name(names[j]) and near:
                    low, high = sorted((group[i], group[j]))
                    group = [low if g == high else g for g in group]
        assert join_near_duplicates(range(len(items)), names, texts) == group

    def test_rule_d_keeps_what_was_joined_before(self) -> None:
        assert join_near_duplicates([0, 0, 2], ["m.f", "m.g", "n.g"], ["x", "a b c d", "a b c d"]) == [0, 0, 0]

    def test_a_group_is_cut_to_four_and_repetitions_go_first(self) -> None:
        names = ["a.bbbb", "a.b", "a.bb", "a.bbb", "a.c", "a.bbbbb"]
        docs = ["one", "one", "one", "two", "one", "three"]
        assert [names[i] for i in capped(range(6), names, docs)] == ["a.b", "a.bbb", "a.bbbbb", "a.c"]


FAKE = {
    "__init__.py": '"""Fake."""\nimport warnings; warnings.warn("loud", UserWarning); print("noise")\n'
    "def helper(x, f=print, g=lambda: 0, names={'a', 'b', 'c'}):\n    '''Help with x.'''\n"
    "alias = helper\nanother_alias = helper\ndef _hidden(): '''Hidden.'''\ndef silent(): pass\n",
    "parts.py": "from collections import OrderedDict\nfrom fakelib import helper\n"
    "class Base:\n    '''A base.'''\n    def run(self): '''Run it.'''\n"
    "    @classmethod\n    def make(cls): '''Make it.'''\n"
    "    @property\n    def loud(self): raise RuntimeError('a property was read')\n"
    "class Child(Base):\n    '''A child.'''\n    def _own(self): '''Own.'''\n"
    "class Call:\n    '''Its class.'''\n    def __call__(self): pass\n"
    "call = Call()\nnamed = Call(); named.__doc__ = 'By itself.'\n",
    "chance.py": "import numpy\ndef draw(): pass\ndraw.__doc__ = f'Gives {numpy.random.default_rng().random()}.'\n"
    "draw.__doc__ += f' {numpy.random.random()}'\n",
    "broken.py": "raise SystemError('no')\n",
    "online.py": "import socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
    "socket.create_connection(server.getsockname(), timeout=5)\n",
    "tests.py": "raise AssertionError('tests are not imported')\n",
    "_private.py": "raise AssertionError('private parts are not imported')\n",
}


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """What two crawls write, and say on stderr, about a small library that does all that a library should not."""
    folder = tmp_path_factory.mktemp("crawl")
    (folder / "fakelib").mkdir()
    for name, text in FAKE.items():
        (folder / "fakelib" / name).write_text(text)
    out = folder / "out.jsonl"
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-P", crawl.__file__, str(out), "fakelib"]
    done = []
    for _ in range(2):
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr
        done.append((out.read_text(), said))
    return done


@pytest.fixture(scope="module")
def crawled(crawls: list[tuple[str, str]]) -> tuple[dict[str, dict], dict[str, int]]:
    *lines, last = [json.loads(line) for line in crawls[0][0].splitlines()]
    return {line["name"]: line for line in lines}, last["counts"]


class TestCrawl:
    def test_the_names_found(self, crawled: tuple) -> None:
        expected = {"fakelib.alias", "fakelib.helper"}  # two names of one object, the shortest
        expected |= {"fakelib.parts.Base", "fakelib.parts.Base.run", "fakelib.parts.Base.make"}
        expected |= {"fakelib.parts.Child", "fakelib.parts.Child.run", "fakelib.parts.Child.make"}
        expected |= {"fakelib.parts.Call", "fakelib.parts.named", "fakelib.chance.draw"}
        assert set(crawled[0]) == expected

    def test_names_of_one_object_share_its_number(self, crawled: tuple) -> None:
        found = crawled[0]
        assert found["fakelib.alias"]["object"] == found["fakelib.helper"]["object"]
        assert found["fakelib.parts.Base.make"]["object"] == found["fakelib.parts.Child.make"]["object"]
        assert found["fakelib.parts.Base.run"]["object"] != found["fakelib.parts.Base.make"]["object"]

    def test_a_signature_holds_no_address(self, crawled: tuple) -> None:
        signature = crawled[0]["fakelib.helper"]["signature"]
        assert "g=<function <lambda>>" in signature and "0x" not in signature

    def test_modules_that_fail_or_ask_the_network_are_counted(self, crawled: tuple) -> None:
        assert crawled[1]["modules"] == 3 and crawled[1]["modules_not_importable"] == 2

    def test_no_warning_is_shown(self, crawls: list) -> None:
        assert [said for _, said in crawls] == ["", ""]

    def test_what_a_library_draws_or_orders_by_chance_is_the_same_each_time(self, crawls: list) -> None:
        assert crawls[0] == crawls[1]

    @pytest.mark.parametrize(
        ("name", "internal"),
        [
            ("torch.FloatTensor.add", True),
            ("torch.Tensor.add", False),
            ("torch.cuda.synchronize", True),
            ("torch.nn.functional.relu", False),
            ("torch.functional.einsum", False),
            ("pandas.core.frame.DataFrame", True),
            ("numpy.ma.core.max", False),
            ("numpy.core", True),
            ("sklearn.utils.shuffle", True),
        ],
    )
    def test_what_is_internal(self, name: str, internal: bool) -> None:
        assert crawl.is_internal(name) is internal


def entry(name: str, number: int, doc: str, signature: str = "(x)") -> dict:
    return {"name": name, "object": number, "doc": doc, "signature": signature}


ENTRIES = [
    entry("lib.first", 0, f"Return the first of all things. {BODY}"),
    entry("lib.sub.first", 0, f"Return the first of all things. {BODY}"),
    entry("lib.copied", 1, f"Return the first of all things. Other {BODY}", signature=""),
    entry("lib.last", 2, f"last(a, b)\n\nReturn the last of all things.\n\n{BODY}", signature=""),
    entry("lib.short", 3, "Too short."),
]


class TestBuildingTheTable:
    def test_documents_queries_and_labels(self) -> None:
        table = build.build_table(ENTRIES, {"modules": 1}, {"numpy": "1"})
        assert table["id"].to_pylist() == ["lib.copied", "lib.first", "lib.last", "lib.sub.first"]
        assert table["text"].to_pylist() == [f"Other {BODY}", f"(x) {BODY}", f"(a, b) {BODY}", f"(x) {BODY}"]
        assert table["labelled"].to_pylist() == [False, True, True, False]
        assert table["query"].to_pylist()[1:3] == ["Return the first of all things.", "Return the last of all things."]
        assert table["group"].to_pylist() == [0, 0, 1, 0]
        about = build.pydocs_about(table)
        assert about["counts"]["dropped"] == {"first sentence too short or too long": 1}
        assert about["counts"]["groups"] == 2 and about["counts"]["groups_of_several"] == 1
        assert about["made_from"] == {"numpy": "1"}

    def test_the_digest_follows_the_content(self) -> None:
        def digest(entries: list[dict]) -> str:
            return build.pydocs_about(build.build_table(entries, {}, {}))["content"]

        assert digest(ENTRIES) == digest(ENTRIES)
        assert digest(ENTRIES) != digest(ENTRIES[:-2])

    def test_groups_keep_their_order_when_others_come_and_go(self) -> None:
        many = [entry(f"lib.f{i}", i, f"Return thing number {i} here. {BODY} {i}") for i in range(40)]

        def order(entries: list[dict]) -> list[str]:
            table = build.build_table(entries, {}, {})
            return [name for _, name in sorted(zip(table["place"].to_pylist(), table["id"].to_pylist(), strict=True))]

        every_other = order(many[::2])
        assert [name for name in order(many) if name in every_other] == every_other
        assert order(many) != sorted(order(many))


class TestKeeping:
    @pytest.fixture(autouse=True)
    def _own_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LITOTES_CACHE", str(tmp_path))
        build._table_of.cache_clear()
        yield
        build._table_of.cache_clear()

    @staticmethod
    def crawl_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
        runs: list[int] = []
        monkeypatch.setattr(build, "_crawled", lambda: (runs.append(1), (ENTRIES, {"modules": 1}))[1])
        return runs

    def test_read_once_then_from_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        runs = self.crawl_once(monkeypatch)
        first = build.pydocs_table()
        build._table_of.cache_clear()
        second = build.pydocs_table()
        assert second.equals(first, check_metadata=True)
        assert len(runs) == 1 and len(list(tmp_path.rglob("*.parquet"))) == 1

    def test_another_version_is_another_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        runs = self.crawl_once(monkeypatch)
        build.pydocs_table()
        monkeypatch.setattr(build, "CONSTRUCTION", 10**6)
        build.pydocs_table()
        assert len(runs) == 2 and len(list(tmp_path.rglob("*.parquet"))) == 2

    def test_a_damaged_file_is_built_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
    ) -> None:
        runs = self.crawl_once(monkeypatch)
        table = build.pydocs_table()
        (file,) = tmp_path.rglob("*.parquet")
        file.write_bytes(file.read_bytes()[:100])
        build._table_of.cache_clear()
        assert build.pydocs_table().equals(table)
        assert len(runs) == 2 and "built anew" in capsys.readouterr().err

    def test_a_cache_that_cannot_be_written_is_said(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
    ) -> None:
        self.crawl_once(monkeypatch)

        def refuse(*_: object) -> None:
            raise MachineError("/cache: cannot be written (read-only).")

        monkeypatch.setattr(build, "write_parquet", refuse)
        assert len(build.pydocs_table()) == 4
        assert "not kept for the next time: /cache" in capsys.readouterr().err

    def test_a_crawl_that_dies_is_one_sentence(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        script = tmp_path / "dies.py"
        script.write_text("raise SystemExit('no memory')")
        monkeypatch.setattr(crawl, "__file__", str(script))
        with pytest.raises(MachineError, match="ended with code 1: no memory"):
            build.pydocs_table()

    def test_too_few_groups_for_the_samples(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.crawl_once(monkeypatch)
        with pytest.raises(LitotesError, match="give 2 groups for pydocs; more than 2400 are needed"):
            load_pydocs("all", "demo")


class TestTheInstalledLibraries:
    """The real thing; built once for the whole run of the suite."""

    def test_counts_are_near_those_of_the_pilot(self) -> None:
        """7,354 names, 4,853 groups, 31 % of several members, 7,001 documents, largest group 43."""
        counts = load_pydocs("all", "tiny").notes["whole_set"]["counts"]
        assert 6500 < counts["names_kept"] < 9000
        assert 4300 < counts["groups"] < 6000
        assert 0.27 < counts["groups_of_several"] / counts["groups"] < 0.37
        assert 6200 < counts["documents"] < 8500
        assert counts["largest_group"] < 60

    def test_the_demo_sample_and_its_splits(self) -> None:
        splits = {split: load_pydocs(split, "demo") for split in ("train", "fit", "dev", "test", "all")}
        assert {split: data.n_rows for split, data in splits.items()} == {
            "train": 1600, "fit": 1400, "dev": 200, "test": 800, "all": 2400,
        }  # fmt: skip
        ids = {split: set(data.row_ids) for split, data in splits.items()}
        assert ids["train"] == ids["fit"] | ids["dev"] and not ids["fit"] & ids["dev"]
        assert ids["all"] == ids["train"] | ids["test"] and not ids["train"] & ids["test"]
        assert {data.cols.fingerprint for data in splits.values()} == {splits["all"].cols.fingerprint}

    def test_no_group_of_the_demo_is_among_the_rest(self) -> None:
        demo, rest, full = (load_pydocs("all", size) for size in ("demo", "rest", "full"))
        assert set(demo.col_ids).isdisjoint(rest.col_ids)
        assert set(demo.col_ids) | set(rest.col_ids) == set(full.col_ids)
        assert {normalise(text) for text in demo.row_texts}.isdisjoint(normalise(text) for text in rest.row_texts)

    def test_one_label_a_query_and_the_whole_group_as_truth(self) -> None:
        data = load_pydocs("all", "tiny")
        assert (data.labels.positive_counts() == 1).all()
        assert data.truth.is_positive(*data.labels.positive_cells()).all()
        assert len(data.truth) == data.n_cols  # every document answers exactly one query
        assert (np.bincount(data.truth.cells()[1], minlength=data.n_cols) == 1).all()
        for row in range(data.n_rows):
            (labelled,) = data.labels.positives(row)
            assert data.row_ids[row] == f"q:{data.col_ids[labelled]}"

    def test_truth_of_a_to_c_is_part_of_the_full_truth(self) -> None:
        data = load_pydocs("all", "demo")
        strict = pydocs_truth(data, "abc")
        assert data.truth.is_positive(*strict.positive_cells()).all()
        assert len(data.labels) < len(strict) < len(data.truth)
        assert pydocs_truth(data, "abcd").fingerprint == data.truth.fingerprint

    def test_truth_of_some_rows(self) -> None:
        data = load_pydocs("all", "tiny")
        some = data.select_rows([5, 2])
        assert pydocs_truth(some, "abcd").fingerprint == some.truth.fingerprint

    def test_truth_of_other_data_is_refused(self) -> None:
        data = load_pydocs("all", "tiny")
        other = type(data)(data.labels, data.rows.table, data.cols.table)
        with pytest.raises(LitotesError, match="the built-in set pydocs only"):
            pydocs_truth(other)

    def test_hardly_a_document_holds_its_query(self) -> None:
        """The sentence is removed; some docstrings say it once more further down."""
        data = load_pydocs("all", "demo")
        cells = zip(*data.labels.positive_cells(), strict=True)
        held = [normalise(data.row_texts[row]) in normalise(data.col_texts[col]) for row, col in cells]
        assert np.mean(held) < 0.03

    def test_a_document_is_title_blank_text(self) -> None:
        data = load_pydocs("all", "demo")
        assert data.col_titles == data.col_ids.values
        assert data.col_texts == [f"{name} {body}" for name, body in zip(data.col_ids, data.col_bodies, strict=True)]

    def test_another_process_reads_the_same_set(self, tmp_path: Path) -> None:
        program = "from litotes.data.pydocs import load_pydocs; d = load_pydocs('all', 'tiny')\n"
        program += "print(d.fingerprint, d.notes['whole_set']['content'])"
        environment = {**os.environ, "PYTHONHASHSEED": "5", "LITOTES_CACHE": str(tmp_path)}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        data = load_pydocs("all", "tiny")
        assert done.stdout.split() == [data.fingerprint, data.notes["whole_set"]["content"]]
        assert "Warning" not in done.stderr

    @pytest.mark.parametrize(("split", "size"), [("valid", "demo"), ("train", "all")])
    def test_unknown_splits_and_sizes(self, split: str, size: str) -> None:
        with pytest.raises(LitotesError, match="must be one of"):
            load_pydocs(split, size)
