"""Tables for the guide on wrong labels: first lines of scipy's docstrings, labelled with the part that they belong to.

Writes ``tickets.csv``, where every fifth label is another one at random, ``truth.csv`` with the right ones,
``checked.csv`` with other rows and right labels, and ``new.csv`` without labels.
"""

import importlib
import inspect

import pandas as pd

from litotes.data import symmetric_noise

PARTS = ["linalg", "ndimage", "optimize", "signal", "special", "stats"]
EACH = 70

rows = []
for part in PARTS:
    module = importlib.import_module(f"scipy.{part}")
    docs = {inspect.getdoc(getattr(module, name)) or "" for name in module.__all__ if callable(getattr(module, name))}
    lines = {text.strip().split("\n\n")[0].replace("\n", " ") for text in docs}
    prose = sorted(line for line in lines if 4 <= len(line.split()) <= 40 and "(" not in line[:20])
    rows += [(line, part) for line in prose[:EACH]]

table = pd.DataFrame(rows, columns=["body", "queue"]).sample(frac=1, random_state=0).reset_index(drop=True)
checked, new, tickets = table[:60], table[60:90], table[90:].reset_index(drop=True)
noisy = symmetric_noise(tickets["queue"].map(PARTS.index), 0.2, seed=0)
tickets.to_csv("truth.csv", index=False)
tickets.assign(queue=[PARTS[label] for label in noisy.labels]).to_csv("tickets.csv", index=False)
checked.to_csv("checked.csv", index=False)
new[["body"]].to_csv("new.csv", index=False)
print(f"tickets.csv: {len(tickets)} rows, {int(noisy.wrong.sum())} of them with a wrong label")
