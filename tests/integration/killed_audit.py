"""A program that audits a small collection and can be killed at any moment: ``killed_audit.py FOLDER``."""

import sys

from litotes.auditing.retrieval_audit import audit_retrieval
from tests.unit.auditing.audit_data import word_encoder
from tests.unit.mining.small_data import random_collection

ROWS, SHARD_ROWS = 200, 8


def main(folder: str) -> None:
    """Do the whole audit in the folder, or what is left of it."""
    data = random_collection(12, n_rows=ROWS, n_cols=120, n_positives=300)
    audit_retrieval(data, word_encoder(), out=folder, top=12, reach=20, shard_rows=SHARD_ROWS, say=lambda _: None)


if __name__ == "__main__":
    main(sys.argv[1])
