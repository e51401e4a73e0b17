"""A program that mines and judges a run folder and can be killed at any moment: ``killed_program.py FOLDER VERB``."""

import sys

from litotes.core import RunFolder
from litotes.judging.margin import MarginJudge
from litotes.judging.run import judge_into
from litotes.mining.bm25 import BM25Miner
from litotes.mining.random import RandomMiner
from litotes.mining.run import mine_into
from tests.unit.mining.small_data import random_collection

ROWS, SHARD_ROWS = 240, 8


def main(folder: str, verb: str) -> None:
    """Do the verb's work in the folder, or what is left of it."""
    data, run = random_collection(11, n_rows=ROWS, n_cols=120, n_positives=300), RunFolder.open(folder)
    if verb == "mine":
        mine_into(run, BM25Miner(top=9), data, SHARD_ROWS)
        mine_into(run, RandomMiner(top=9), data, SHARD_ROWS)
    else:
        judge_into(run, MarginJudge(scorer="bm25"), data)


if __name__ == "__main__":
    main(*sys.argv[1:])
