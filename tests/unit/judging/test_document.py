"""The document judge: what it compares, when it cannot, and how it does on the demo's queries."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import Candidates, Collection, LabelMatrix
from litotes.core.errors import LitotesError, StaleError
from litotes.core.text import jaccard, last_name, shingles, words
from litotes.data.pydocs import load_pydocs, pydocs_truth
from litotes.judging.calibration import Calibration
from litotes.judging.document import DocumentJudge
from litotes.judging.named import judge_from_spec
from litotes.mining.bm25 import BM25Miner

LONG = "one two three four five six seven eight"
DOCUMENTS = {  # id: title, text
    "a": ("lib.norm", LONG),
    "alias": ("lib.linalg.norm", LONG),
    "twin": ("lib.norm", LONG),
    "near": ("lib.norm_", f"{LONG} nine"),
    "twin_body": ("lib.other", LONG),
    "far": ("lib.thing", "words that nobody else in here has ever said"),
    "bare": ("", LONG),
    "title_only": ("lib.norm", None),
    "empty": ("", None),
    "sentence": ("The norm of A.", "nothing in common with the rest of these at all"),
    "sentence2": ("the  NORM of a.", "quite another text stands in this place so far"),
}


def collection(
    positives: dict[str, list[str]], truth: LabelMatrix | None = None, documents: dict = DOCUMENTS
) -> Collection:
    cells = [(row, col, 1) for row, cols in positives.items() for col in cols]
    labels = LabelMatrix.from_qrels(cells, rows=list(positives), cols=list(documents))
    rows = pa.table({"id": list(positives), "text": [f"query {row}" for row in positives]})
    titles, texts = zip(*documents.values(), strict=True)
    cols = pa.table({"id": list(documents), "title": pa.array(titles), "text": pa.array(texts, pa.string())})
    return Collection(labels, rows, cols, truth=truth)


def everything(data: Collection, assumed: int = -1) -> Candidates:
    """Every cell, the positives too."""
    row, col = np.divmod(np.arange(data.n_rows * data.n_cols), data.n_cols)
    return Candidates.build(row, col, miner="all", score=-col, rank=col + 1, data=data, assumed=assumed)


def judged(
    data: Collection, judge: DocumentJudge | None = None, column: str = "judge.document"
) -> dict[str, dict[str, float]]:
    """{row id: {column id: value}}."""
    found = (judge or DocumentJudge()).judge(everything(data), data)
    values: dict[str, dict[str, float]] = {row: {} for row in data.row_ids}
    for row, col, value in zip(found.row, found.col, found.column(column), strict=True):
        values[data.row_ids[row]][data.col_ids[col]] = value
    return values


class TestTheValue:
    def test_by_hand(self) -> None:
        value = judged(collection({"q": ["a"]}))["q"]
        assert value["alias"] == value["twin"] == pytest.approx(1.6)
        assert value["near"] == pytest.approx(6 / 7 + 0.6)
        assert value["twin_body"] == pytest.approx(1.0)
        assert value["bare"] == pytest.approx(1.0)
        assert value["far"] == 0

    def test_the_largest_over_several_positives(self) -> None:
        one, two, both = (judged(collection({"q": cols}))["q"] for cols in (["a"], ["far"], ["a", "far"]))
        for col in DOCUMENTS:
            if col != "empty":
                assert both[col] == max(one[col], two[col])
        assert both["far"] == pytest.approx(1.6) and both["alias"] == pytest.approx(1.6)

    def test_a_document_without_body_is_its_title(self) -> None:
        value = judged(collection({"q": ["title_only"]}))["q"]
        assert value["title_only"] == pytest.approx(1.6)
        assert value["a"] == pytest.approx(0.6)

    def test_a_title_of_several_words_is_the_name_as_a_whole(self) -> None:
        value = judged(collection({"q": ["sentence"]}))["q"]
        assert value["sentence2"] == pytest.approx(0.6)
        assert value["a"] == 0

    @pytest.mark.parametrize("ngram", [1, 2, 3, 5])
    def test_equals_the_double_loop(self, ngram: int) -> None:
        random = np.random.default_rng(ngram)
        documents = {
            f"d{i}": (f"m.{random.choice(list('fgh'))}", " ".join(random.choice(list("abcd"), size=int(size))))
            for i, size in enumerate(random.integers(1, 12, size=20))
        }
        data = collection({f"q{i}": [f"d{i}", f"d{i + 7}"] for i in range(6)}, documents=documents)
        found = judged(data, DocumentJudge(ngram=ngram, calibration=None))

        def alike(one: str, other: str) -> float:
            same = last_name(documents[one][0]) == last_name(documents[other][0])
            return jaccard(*(shingles(words(documents[d][1]), ngram) for d in (one, other))) + 0.6 * same

        for row, positives in data.relevant_docs.items():
            for col in documents:
                assert found[row][col] == pytest.approx(max(alike(positive, col) for positive in positives))

    def test_blocks_change_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = collection({"q": ["a"], "none": [], "r": ["far", "bare"]})
        at_once = DocumentJudge().judge(everything(data), data)
        monkeypatch.setattr("litotes.judging.document._BLOCK", 3)
        assert DocumentJudge().judge(everything(data), data).table.equals(at_once.table)


class TestWhenNothingCanBeSaid:
    @pytest.mark.parametrize("column", ["judge.document", "trust.document"])
    def test_nulls(self, column: str) -> None:
        data = collection({"q": ["a"], "no_positive": [], "no_text": ["empty"], "one_of_two": ["empty", "a"]})
        found = judged(data, column=column)
        assert np.isnan(list(found["no_positive"].values())).all()
        assert np.isnan(list(found["no_text"].values())).all()
        assert np.isnan(found["q"]["empty"]) and not np.isnan(found["q"]["far"])
        assert found["one_of_two"]["alias"] == found["q"]["alias"]

    def test_columns_without_any_text_are_refused(self) -> None:
        labels = LabelMatrix(["q"], ["d", "e"], [0], [0])
        data = Collection(labels, None, pa.table({"id": ["d", "e"], "vector": [[1.0], [2.0]]}))
        with pytest.raises(LitotesError, match="compares texts, and no column of"):
            DocumentJudge().judge(everything(data), data)

    def test_no_candidates(self) -> None:
        data = collection({"q": ["a"]})
        none = everything(data).filter(np.zeros(data.n_cols, dtype=bool))
        found = DocumentJudge().judge(none, data)
        assert len(found) == 0 and found.judges == ["document"] and found.trusted_by == ["document"]

    def test_candidates_of_other_data_are_refused(self) -> None:
        with pytest.raises(StaleError, match="made from other data"):
            DocumentJudge().judge(everything(collection({"q": ["a"]})), collection({"q": ["far"]}))


class TestTrust:
    def test_lower_the_more_alike(self) -> None:
        trust = judged(collection({"q": ["a"]}), column="trust.document")["q"]
        assert trust["alias"] < trust["near"] < 0.5 < trust["far"]
        assert trust["twin_body"] > trust["alias"]

    def test_documents_without_names_have_their_own_calibration(self) -> None:
        """The same text with no name on one side: not the same as another name."""
        trust = judged(collection({"q": ["a"]}), column="trust.document")["q"]
        assert trust["bare"] < trust["twin_body"]

    def test_of_an_assumed_positive_it_is_the_other_way_round(self) -> None:
        data = collection({"q": ["a"]})
        negative = DocumentJudge().judge(everything(data), data).trust
        positive = DocumentJudge().judge(everything(data, assumed=1), data).trust
        assert np.nan_to_num(negative + positive, nan=1.0) == pytest.approx(1.0)

    def test_raw_values_only(self) -> None:
        data = collection({"q": ["a"]})
        for judge in (DocumentJudge(calibration=None), judge_from_spec("document:calibration=none")):
            found = judge.judge(everything(data), data)
            assert found.judges == ["document"] and found.trusted_by == []
            assert judge.says(data) == "not calibrated"

    def test_an_older_trust_is_not_left_standing(self) -> None:
        data = collection({"q": ["a"]})
        first = DocumentJudge().judge(everything(data), data)
        assert np.isnan(DocumentJudge(ngram=1, calibration=None).judge(first, data).trust).all()

    def test_a_calibration_of_ones_own(self, tmp_path: Path) -> None:
        data = collection({"q": ["a"]})
        raw = DocumentJudge(calibration=None).judge(everything(data), data)
        values = raw.column("judge.document")
        own = Calibration.fit(values, values > 1, data=data, judge=DocumentJudge(calibration=None).fingerprint())
        own.save(tmp_path / "own.json")
        for calibration in (own, tmp_path / "own.json", str(tmp_path / "own.json")):
            judge = DocumentJudge(calibration=calibration)
            found = judge.judge(raw, data)
            assert np.array_equal(found.trust, 1 - own.apply(values), equal_nan=True)
            assert judge.says(data) == "calibrated on these data"

    def test_a_calibration_of_another_judge_is_refused(self) -> None:
        with pytest.raises(StaleError, match="fitted to a judge with another ngram"):
            DocumentJudge(ngram=4)
        with pytest.raises(StaleError, match="another encoder weights"):
            DocumentJudge(encoder="tiny:bert")
        with pytest.raises(LitotesError, match="reads margin. DocumentJudge knows value, shared"):
            DocumentJudge(calibration=Calibration(("margin",), (1.0,), 0.0))
        with pytest.raises(LitotesError, match="cosine needs an encoder"):
            DocumentJudge(calibration=Calibration(("cosine",), (1.0,), 0.0))

    def test_what_it_says_of_other_data(self) -> None:
        assert DocumentJudge().says(collection({"q": ["a"]})) == "calibrated on pydocs, not on your data"
        assert DocumentJudge().says(load_pydocs("all", "tiny")) == "calibrated on another part of pydocs"


class TestWithAnEncoder:
    @staticmethod
    def encode(texts: list[str]) -> np.ndarray:
        """Two numbers a text; never of length 1."""
        return np.array([[3.0 * len(text), 4.0 * text.count("e")] for text in texts], dtype=np.float32)

    def test_the_cosine_of_the_bodies_is_added(self) -> None:
        data = collection({"q": ["a"]})
        plain = judged(data, DocumentJudge(calibration=None))["q"]
        value = judged(data, DocumentJudge(encoder=self.encode, calibration=None))["q"]
        for col, (title, text) in DOCUMENTS.items():
            if title or text:
                one, other = self.encode([LONG, text or title])
                cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
                assert value[col] - plain[col] == pytest.approx(cosine, abs=1e-6)

    def test_an_encoder_without_a_fingerprint_is_asked_each_time(self) -> None:
        asked: list[int] = []
        data = collection({"q": ["a"]})
        judge = DocumentJudge(encoder=lambda texts: asked.append(len(texts)) or self.encode(texts), calibration=None)
        for _ in range(2):
            judge.judge(everything(data), data)
        half = len(asked) // 2
        assert half and asked[:half] == asked[half:]

    def test_its_fingerprint_counts(self) -> None:
        plain = DocumentJudge(calibration=None).fingerprint()
        assert plain == {"judge": "document", "ngram": "3", "calibration": "none"}
        tiny = DocumentJudge(encoder="tiny:bert", calibration=None).fingerprint()
        assert "encoder weights" in tiny
        assert DocumentJudge().fingerprint()["calibration"] not in ("none", tiny["calibration"])


class TestWhatItNeverDoes:
    def test_it_does_not_look_at_truth_or_at_other_queries_labels(self) -> None:
        alone = collection({"q": ["a"], "other": []})
        truth = LabelMatrix.from_qrels([("q", "alias", 1)], rows=["q", "other"], cols=list(DOCUMENTS))
        labelled_elsewhere = collection({"q": ["a"], "other": ["alias", "far"]}, truth=truth)
        expected, found = (judged(data, column="trust.document")["q"] for data in (alone, labelled_elsewhere))
        assert np.array_equal(list(expected.values()), list(found.values()), equal_nan=True)

    def test_it_drops_nothing_and_changes_nothing_else(self) -> None:
        data = collection({"q": ["a"], "r": ["far"]})
        before = everything(data)
        after = DocumentJudge(name="d2").judge(before, data)
        assert after.table.select(before.table.column_names).equals(before.table)
        assert after.judges == ["d2"] and after.counts == before.counts


class TestReasons:
    @pytest.mark.parametrize(
        ("col", "reason"),
        [
            ("near", "same name 'norm'; 86% of the word triples shared (positive a)"),
            ("twin_body", "names 'other' and 'norm'; 100% of the word triples shared (positive a)"),
            ("bare", "100% of the word triples shared (positive a)"),
            ("empty", "no text to compare"),
        ],
    )
    def test_in_words(self, col: str, reason: str) -> None:
        data = collection({"q": ["far", "a"]})
        assert DocumentJudge().explain(data, 0, data.col_ids.index(col)) == reason


class TestOnPydocs:
    """The shipped calibration on queries that it has never seen."""

    @pytest.mark.parametrize("rules", ["abcd", "abc"])
    def test_precision_and_recall_on_the_demo(self, rules: str) -> None:
        data = load_pydocs("all", "demo")
        found = DocumentJudge().judge(BM25Miner(top=10).mine(data), data)
        flagged = found.trust < 0.5
        truth = pydocs_truth(data, rules).is_positive(found.row, found.col)
        assert (flagged & truth).sum() / flagged.sum() >= 0.80
        assert (flagged & truth).sum() / truth.sum() >= 0.75

    def test_trust_is_a_probability(self) -> None:
        """Of the cells trusted to a degree, about that share are negatives."""
        data = load_pydocs("all", "demo")
        found = DocumentJudge().judge(BM25Miner(top=10).mine(data), data)
        truth = data.truth.is_positive(found.row, found.col)
        assert 1 - found.trust.mean() == pytest.approx(truth.mean(), rel=0.2)
        for low, high in ((0.0, 0.1), (0.9, 1.0)):
            inside = (found.trust >= low) & (found.trust <= high)
            assert (~truth[inside]).mean() == pytest.approx(found.trust[inside].mean(), abs=0.03)

    def test_the_shipped_calibrations_say_what_they_are(self) -> None:
        named, unnamed = DocumentJudge().calibrations
        for calibration in (named, unnamed):
            assert calibration.data_name == "pydocs" and calibration.n_positives > 500
            assert calibration.measured == "on held-out rows, 5 folds"
            assert "outside the demo's sample" in calibration.note
        assert named.is_monotone and named.log_loss < unnamed.log_loss
        assert "same_name" in named.features and "same_name" not in unnamed.features
