"""Ready vectors: read by id, and every way in which the four files can be wrong."""

import numpy as np
import pytest

from litotes.core.errors import DataError, LitotesError
from litotes.models.encoder import resolve_encoder
from litotes.models.vector_folder import save_vectors

IDS = ["d1", "d2", "d3"]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    save_vectors(tmp_path / "v", ["q1", "q2"], rng.standard_normal((2, 4)), IDS, rng.standard_normal((3, 4)))
    return tmp_path / "v"


def test_written_and_read_by_id(folder):
    stored = np.load(folder / "corpus.npy", allow_pickle=False)
    found = resolve_encoder(f"vectors:{folder}", similarity="dot").encode(
        ["c", None, "a"], "document", ids=["d3", "d9", "d1"]
    )
    assert found.dtype == np.float32
    assert np.array_equal(found, np.stack([stored[2], np.zeros(4), stored[0]]).astype(np.float32))
    cosine = resolve_encoder(f"vectors:{folder}").encode(["c"], "document", ids=["d3"])
    assert np.allclose(cosine, stored[2] / np.linalg.norm(stored[2]))


def test_windows_line_ends_and_a_byte_order_mark_are_read(folder):
    (folder / "corpus.ids.txt").write_bytes("\ufeffd1\r\nd2\r\nd3\r\n".encode())
    assert resolve_encoder(f"vectors:{folder}").encode(["x"], "document", ids=["d2"]).shape == (1, 4)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_are_read(folder, dtype):
    np.save(folder / "corpus.npy", np.ones((3, 4), dtype=dtype))
    found = resolve_encoder(f"vectors:{folder}", similarity="dot").encode(["x"], "document", ids=["d2"])
    assert found.dtype == np.float32
    assert np.array_equal(found, np.ones((1, 4)))


def wrong(path, value):
    def change(folder):
        if isinstance(value, np.ndarray):
            np.save(folder / path, value, allow_pickle=True)
        elif value is None:
            (folder / path).unlink()
        else:
            (folder / path).write_bytes(value)

    return change


CASES = {
    "missing array": (wrong("corpus.npy", None), r"corpus\.npy: no such file"),
    "missing ids": (wrong("queries.ids.txt", None), r"queries\.ids\.txt: no such file"),
    "half an array": (wrong("corpus.npy", b"\x93NUMPY\x01\x00"), r"corpus\.npy: not a whole \.npy file"),
    "empty file": (wrong("corpus.npy", b""), r"corpus\.npy: not a whole \.npy file"),
    "a pickle": (wrong("corpus.npy", np.array([{"a": 1}], dtype=object)), r"corpus\.npy: not a whole \.npy file"),
    "NaN": (
        wrong("corpus.npy", np.array([[1.0] * 4, [np.nan] * 4, [1.0] * 4])),
        r"corpus\.npy: NaN or infinity in row 1",
    ),
    "infinity": (wrong("queries.npy", np.full((2, 4), np.inf)), r"queries\.npy: NaN or infinity in row 0"),
    "two widths": (wrong("corpus.npy", np.ones((3, 5))), r"two widths, 4 in queries\.npy and 5 in corpus\.npy"),
    "too few": (wrong("corpus.npy", np.ones((2, 4))), r"corpus\.ids\.txt: 3 ids for 2 vectors in corpus\.npy"),
    "integers": (
        wrong("corpus.npy", np.ones((3, 4), dtype=np.int64)),
        r"corpus\.npy: an array of int64 of shape \(3, 4\)",
    ),
    "one axis": (wrong("corpus.npy", np.ones(3)), r"corpus\.npy: an array of float64 of shape \(3,\)"),
    "an id twice": (
        wrong("corpus.ids.txt", b"d1\nd2\nd1\n"),
        r"corpus\.ids\.txt:3: the id 'd1' stands twice, first in line 1",
    ),
    "not text": (wrong("corpus.ids.txt", b"\xff\xfe\xfa"), r"corpus\.ids\.txt: not UTF-8 text"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_with_one_sentence_that_names_the_file(folder, name):
    change, message = CASES[name]
    change(folder)
    with pytest.raises(DataError, match=message) as error:
        resolve_encoder(f"vectors:{folder}")
    assert "\n" not in str(error.value)


def test_an_id_without_a_vector_is_named(folder):
    with pytest.raises(DataError, match=r"corpus\.ids\.txt: 2 ids of the data are missing, for example 'd8'"):
        resolve_encoder(f"vectors:{folder}").encode(["a", "b", "c"], "document", ids=["d1", "d8", "d9"])


def test_a_text_without_an_id_is_refused(folder):
    with pytest.raises(LitotesError, match="holds the vectors of ids"):
        resolve_encoder(f"vectors:{folder}").encode(["some text"], "query")


def test_prompts_cannot_be_set(folder):
    with pytest.raises(LitotesError, match="query_prompt='q: ' cannot be set for 'vectors:"):
        resolve_encoder(f"vectors:{folder}", query_prompt="q: ")
    assert resolve_encoder(f"vectors:{folder}", query_prompt="").similarity == "cosine", "no prompt is no prompt"


def test_the_fingerprint_follows_the_files(folder):
    before = resolve_encoder(f"vectors:{folder}").fingerprint("document")
    queries = resolve_encoder(f"vectors:{folder}").fingerprint("query")
    np.save(folder / "corpus.npy", np.ones((3, 4), dtype=np.float32))
    after = resolve_encoder(f"vectors:{folder}")
    assert after.fingerprint("document") != before
    assert after.fingerprint("query") == queries


@pytest.mark.parametrize(
    ("ids", "vectors", "message"),
    [
        (["a"], np.ones((2, 4)), "1 ids for 2 vectors of the corpus"),
        (["a", "b\nc"], np.ones((2, 4)), r"the id 'b\\nc' cannot stand on a line of its own"),
        (["a", ""], np.ones((2, 4)), "the id '' cannot stand"),
        (["a", "b"], np.ones((2, 5)), "two widths, 4 and 5"),
        (["a", "b"], np.full((2, 4), np.nan), "save_vectors: corpus: NaN or infinity in row 0"),
    ],
)
def test_what_cannot_be_read_back_is_not_written(tmp_path, ids, vectors, message):
    with pytest.raises(LitotesError, match=message):
        save_vectors(tmp_path / "v", ["q"], np.ones((1, 4)), ids, vectors)
    assert not (tmp_path / "v").exists()
