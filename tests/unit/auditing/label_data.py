"""A small table with labels of which three are wrong, one near-duplicate pair apart, and a function that embeds it."""

import numpy as np

from litotes.data.labelled_table import read_labelled_table

SUBJECTS = {
    "fruit": ["apple", "pear", "plum", "cherry"],
    "sea": ["wave", "tide", "ship", "harbour"],
    "sky": ["cloud", "star", "moon", "comet"],
}
WRONG = {3: "sea", 17: "sky", 30: "fruit"}
"""Rows with a label that is not theirs, and that label."""


def rows():
    """Texts and true classes, 12 of each class."""
    texts, truth = [], []
    for name, words in SUBJECTS.items():
        for number in range(12):
            first, second = words[number % 4], words[(number // 4 + number + 1) % 4]
            texts.append(f"the {first} and the {second} of story {number} are told here")
            truth.append(name)
    return texts, truth


def frame():
    """The table as a DataFrame with an index of its own."""
    import pandas as pd

    texts, truth = rows()
    labels = [WRONG.get(row, name) for row, name in enumerate(truth)]
    return pd.DataFrame(
        {"body": texts, "queue": labels, "note": list(range(36))}, index=[f"t{row}" for row in range(36)]
    )


def write_csv(path):
    """The table as a file."""
    frame().to_csv(path, index=False)
    return path


def table(path):
    """The table as the audit reads it."""
    return read_labelled_table(path, label="queue", text="body")


def embed(texts):
    """Counts of the subjects' words, with a little of the rest."""
    words = [word for subject in SUBJECTS.values() for word in subject]
    found = np.array([[text.split().count(word) for word in words] for text in texts], dtype=np.float32)
    by_subject = found.reshape(len(texts), 3, 4).sum(axis=2)
    extra = np.array([[0.1 * (len(text) % 5)] for text in texts], dtype=np.float32)
    return np.hstack([found * 0.5, by_subject, extra]).astype(np.float32)
