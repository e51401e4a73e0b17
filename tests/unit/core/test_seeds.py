"""Chance that can be repeated: the numbers themselves, since runs that were recorded must stay what they were."""

import random
import sys

import numpy as np
import pytest

from litotes.core.seeds import _mix, derived_seed, rng, seed_everything, uniform_hash


def test_the_mixing_is_that_of_splitmix64():
    first = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]  # Vigna's splitmix64.c, seed 0
    state = np.arange(3, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert _mix(state).tolist() == first


def test_a_cells_number_by_hand():
    def mix(x: int) -> int:
        x = (x + 0x9E3779B97F4A7C15) % 2**64
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
        return x ^ (x >> 31)

    state = 0x9E3779B97F4A7C15
    for value in (7, 2, 3):
        state = mix(state ^ value)
    expected = mix(mix(state ^ 11) ^ mix(13))
    assert uniform_hash(7, 2, [11], [13], table=3).tolist() == [expected]
    assert uniform_hash(7, 2, [11], [13]).tolist() == uniform_hash(7, 2, [11], [13], table=0).tolist()


def test_streams_stay_what_they_were():
    assert rng(0, "a").integers(2**32, size=2).tolist() == [1307338299, 1762441604]
    label = rng(5, "x", 1).integers(2**63)
    assert label == rng(5, "x", "1").integers(2**63) != rng(5, "x1").integers(2**63)
    seeds = [3, 3 + 2**32, 3 + 2**33, 3 * 2**32]
    assert len({int(rng(seed).integers(2**63)) for seed in seeds}) == len(seeds), "all 64 bits of a seed count"


@pytest.mark.parametrize("seed", [3, 2**32 + 3, 2**31])
def test_every_library_is_seeded(seed, monkeypatch):
    torch = pytest.importorskip("torch", reason="needs litotes[retrieval]")
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        seed_everything(seed)
        found = random.random(), np.random.random(), float(torch.rand(1))
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
    expected = random.Random(seed).random(), np.random.RandomState(seed % 2**32).random()
    assert found[:2] == expected
    assert found[2] == float(torch.rand(1, generator=torch.Generator().manual_seed(seed)))
    monkeypatch.delitem(sys.modules, "torch")
    state = random.getstate(), np.random.get_state()
    try:
        seed_everything(0)  # where torch is not loaded it is left alone
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
    assert "torch" not in sys.modules


def test_a_stage_has_a_seed_of_its_own_that_stays_what_it_is():
    assert derived_seed(0, "rounds") == derived_seed(0, "rounds")
    found = [derived_seed(seed, stage) for seed in (0, 1, 2**40) for stage in ("retriever", "ranker", "rounds")]
    assert len({*found, 0, 1}) == 11 and all(0 <= seed < 2**32 for seed in found)
    assert found[0] == 1306394359
