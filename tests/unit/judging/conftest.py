"""What the judges' tests share: one small collection, its candidates, one small cross-encoder."""

import pytest

from litotes.core import Candidates, Collection
from litotes.mining.bm25 import BM25Miner
from tests.unit.judging.small_cross_encoder import save_small_cross_encoder
from tests.unit.mining.small_data import random_collection


@pytest.fixture(scope="session")
def data() -> Collection:
    return random_collection(7)


@pytest.fixture(scope="session")
def candidates(data) -> Candidates:
    return BM25Miner(top=8).mine(data)


@pytest.fixture(scope="session")
def cross_encoder_folder(tmp_path_factory) -> str:
    return save_small_cross_encoder(tmp_path_factory.mktemp("cross-encoder"))
