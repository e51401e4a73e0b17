"""Vectors on disk: found again, never trusted when damaged, never another model's, and the same bytes after a kill."""

import copy
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
import torch

import litotes.models.vector_store as vector_store
from litotes.core.errors import MachineError
from litotes.models.encoder import resolve_encoder
from litotes.models.vector_store import VectorStore, text_digests

TEXTS = [f"text number {i} {'x' * (i % 11)}" for i in range(100)]


def chunks(store):
    return sorted(store.folder.glob("*/*.safetensors"))


def test_what_is_kept_is_not_encoded_again(store, counting):
    first, second = counting(), counting()
    made = resolve_encoder(first, fingerprint="letters", store=store).encode(TEXTS, "document")
    again = resolve_encoder(second, fingerprint="letters", store=store).encode(TEXTS[::-1], "document")
    assert second.batches == []
    assert np.array_equal(again, made[::-1])


def test_without_a_fingerprint_nothing_of_a_function_is_kept(store, counting):
    function = counting()
    encoder = resolve_encoder(function, store=store)
    encoder.encode(TEXTS, "document")
    encoder.encode(TEXTS, "document")
    assert len(function.texts) == 2 * len(TEXTS)
    assert not store.folder.exists()


def test_editing_one_document_encodes_one_document(store, tiny):
    edited = [*TEXTS[:40], "another text altogether", *TEXTS[41:]]
    calls = []
    encode = tiny.encode_document
    tiny.encode_document = lambda texts, **options: calls.append(texts) or encode(texts, **options)
    encoder = resolve_encoder(tiny, store=store)
    encoder.encode(TEXTS, "document")
    calls.clear()
    found = encoder.encode(edited, "document")
    assert calls == [["another text altogether"]]
    assert np.abs(found - resolve_encoder(tiny, store=False).encode(edited, "document")).max() <= 1e-6


def test_a_fine_tuned_copy_never_gets_the_old_vectors(store, tiny, tmp_path):
    tiny.save_pretrained(tmp_path / "base")
    base = resolve_encoder(str(tmp_path / "base"), store=store).encode(TEXTS[:5], "document")
    tuned = copy.deepcopy(tiny)
    with torch.no_grad():
        weight = next(iter(tuned.parameters()))
        weight.mul_(torch.linspace(0.5, 1.5, weight.numel()).reshape(weight.shape))
    tuned.save_pretrained(tmp_path / "tuned")
    found = resolve_encoder(str(tmp_path / "tuned"), store=store).encode(TEXTS[:5], "document")
    assert len(list(store.folder.iterdir())) == 2
    assert np.array_equal(found, resolve_encoder(tuned, store=False).encode(TEXTS[:5], "document"))
    assert not np.allclose(found, base, atol=1e-4)


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped byte", "not a chunk"])
def test_a_damaged_chunk_is_redone(store, counting, damage):
    wanted = resolve_encoder(counting(), fingerprint="letters", store=store).encode(TEXTS, "document")
    (chunk,) = chunks(store)
    content = bytearray(chunk.read_bytes())
    if damage == "flipped byte":
        content[-5] ^= 1
    chunk.write_bytes({"cut": content[:-100], "empty": b"", "not a chunk": b"x" * 500}.get(damage, bytes(content)))
    function = counting()
    found = resolve_encoder(function, fingerprint="letters", store=store).encode(TEXTS, "document")
    assert sorted(function.texts) == sorted(TEXTS)
    assert np.array_equal(found, wanted)
    last = counting()
    resolve_encoder(last, fingerprint="letters", store=store).encode(TEXTS, "document")
    assert last.batches == []


def test_a_chunk_under_another_name_is_not_trusted(store, counting):
    resolve_encoder(counting(), fingerprint="letters", store=store).encode(TEXTS, "document")
    (chunk,) = chunks(store)
    chunk.rename(chunk.with_name("0" * 32 + ".safetensors"))
    function = counting()
    resolve_encoder(function, fingerprint="letters", store=store).encode(TEXTS, "document")
    assert len(function.texts) == len(TEXTS)


def test_a_batch_kept_in_part_encodes_only_the_rest(store, counting):
    resolve_encoder(counting(), fingerprint="letters", store=store, batch_size=10).encode(TEXTS[:5], "document")
    function = counting()
    resolve_encoder(function, fingerprint="letters", store=store, batch_size=10).encode(TEXTS, "document")
    assert sorted(function.texts) == sorted(TEXTS[5:])
    whole = counting()
    resolve_encoder(whole, batch_size=10).encode(TEXTS, "document")
    kept = set(TEXTS[:5])
    rest = [[text for text in batch if text not in kept] for batch in whole.batches]
    assert function.batches == [batch for batch in rest if batch]


@pytest.mark.parametrize("is_kept", [False, True])
def test_the_vectors_are_held_once(store, monkeypatch, is_kept):
    monkeypatch.setattr(vector_store, "_CHUNK_BYTES", 1 << 20)
    texts = [f"text {i}" for i in range(20_000)]
    encoder = resolve_encoder(lambda batch: np.ones((len(batch), 512)), fingerprint="wide", store=store, batch_size=500)
    if is_kept:
        encoder.encode(texts, "document")
    tracemalloc.start()
    found = encoder.encode(texts, "document")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.nbytes < peak < 1.4 * found.nbytes


def test_an_error_in_the_middle_loses_nothing_that_was_made(store, counting):
    function = counting()

    def breaks(texts):
        if len(function.batches) == 5:
            raise KeyboardInterrupt
        return function(texts)

    with pytest.raises(KeyboardInterrupt):
        resolve_encoder(breaks, fingerprint="letters", store=store, batch_size=10).encode(TEXTS, "document")
    after, whole = counting(), counting()
    resolve_encoder(after, fingerprint="letters", store=store, batch_size=10).encode(TEXTS, "document")
    resolve_encoder(whole, batch_size=10).encode(TEXTS, "document")
    assert function.batches + after.batches == whole.batches


def test_a_folder_that_cannot_be_written_is_said_once(store, counting, monkeypatch, capsys):
    def refuse(path, content):
        raise MachineError(f"{path}: cannot be written (Read-only file system).")

    monkeypatch.setattr(vector_store, "write_atomically", refuse)
    encoder = resolve_encoder(counting(), fingerprint="letters", store=store)
    found = encoder.encode(TEXTS, "document")
    encoder.encode(["another"], "document")
    assert np.array_equal(found, resolve_encoder(counting()).encode(TEXTS, "document"))
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("Vectors are not kept, they will be computed again next time:")
    assert said[0].endswith("cannot be written (Read-only file system).")


def test_a_cache_in_an_impossible_place_still_encodes(counting, capsys):
    for impossible in (os.path.join(os.devnull, "litotes"), __file__):
        store = VectorStore(impossible)
        found = resolve_encoder(counting(), fingerprint="letters", store=store).encode(TEXTS, "document")
        assert len(found) == len(TEXTS)
        assert capsys.readouterr().err.count("Vectors are not kept") == 1


def test_the_cache_lies_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("LITOTES_CACHE", str(tmp_path))
    assert VectorStore().folder == tmp_path / "vectors"


def test_a_shelf_says_what_it_is_for(store, counting):
    encoder = resolve_encoder(counting(), fingerprint="letters", store=store)
    encoder.encode(TEXTS, "document")
    (note,) = store.folder.glob("*/fingerprint.json")
    assert json.loads(note.read_text()) == encoder.fingerprint("document")


def test_texts_have_distinct_digests_also_with_broken_unicode():
    digests = text_digests(["a", "b", "", "\ud800", "ä", "a\u0308"])
    assert digests.shape == (6, 16)
    assert len({row.tobytes() for row in digests}) == 6


WORKER = """
import sys, time
import numpy as np
import litotes.models.vector_store as vector_store
from litotes.models import VectorStore, resolve_encoder
vector_store._CHUNK_SECONDS = 0.0
pause, folder, out = float(sys.argv[1]), sys.argv[2], sys.argv[3]

def embed(texts):  # the last number tells the batch that a text was in
    time.sleep(pause)
    batch = sum((i + 1) * len(text) * ord(text[-1]) for i, text in enumerate(texts))
    return [[float(len(text)), float(text.split()[2]), float(batch)] for text in texts]

texts = [f"text number {i} {'x' * (i % 11)}" for i in range(100)]
print("ready", flush=True)
encoder = resolve_encoder(embed, fingerprint="tells batches", similarity="dot", store=VectorStore(folder), batch_size=4)
np.save(out, encoder.encode(texts, "document"))
"""


def start(pause, folder, out):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WORKER, str(pause), str(folder), str(out)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_killed_and_gone_on_gives_the_bytes_of_never_stopped(tmp_path):
    whole = start(0, tmp_path / "whole", tmp_path / "whole.npy")
    killed = start(0.05, tmp_path / "killed", tmp_path / "killed.npy")
    assert killed.stdout.readline() == "ready\n"
    deadline = time.monotonic() + 30
    while len(list((tmp_path / "killed").glob("*/*.safetensors"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    made = len(list((tmp_path / "killed").glob("*/*.safetensors")))
    assert 5 <= made < 25, "the test would be vacuous"
    assert whole.wait() == 0
    assert start(0, tmp_path / "killed", tmp_path / "killed.npy").wait() == 0
    assert (tmp_path / "killed.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_two_processes_at_once_do_not_break_each_other(tmp_path):
    both = [start(0.01, tmp_path / "shared", tmp_path / f"{i}.npy") for i in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert (tmp_path / "0.npy").read_bytes() == (tmp_path / "1.npy").read_bytes()
    chunks_before = set((tmp_path / "shared").glob("*/*"))
    assert start(0, tmp_path / "shared", tmp_path / "2.npy").wait() == 0
    assert (tmp_path / "2.npy").read_bytes() == (tmp_path / "1.npy").read_bytes()
    assert set((tmp_path / "shared").glob("*/*")) == chunks_before, "everything was kept"
