"""Classes that are easy, in more dimensions than a network needs to memorise, with a part of the labels wrong."""

import numpy as np

from litotes.data import symmetric_noise


def noisy_blobs(n: int = 160, width: int = 40, rate: float = 0.3, spread: float = 0.2, seed: int = 0):
    """``X``, the true classes, the given ones, and where they differ."""
    draw = np.random.default_rng(seed)
    truth = np.arange(n) % 4
    X = np.eye(width)[truth] + spread * draw.normal(size=(n, width))
    noisy = symmetric_noise(truth, rate, seed=seed)
    return X, truth, noisy.labels, noisy.wrong
