"""A ranker on a few numbers a cell: match features, standardised, through one hidden layer. It trains in seconds."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from litotes.core import Collection
from litotes.core.checks import check_float, check_int
from litotes.core.errors import DataError, LitotesError
from litotes.core.files import read_json, write_atomically, write_json
from litotes.models.cell_model import CellModel
from litotes.models.match_features import CellFeatures, MatchFeatures
from litotes.models.precision import best_device

__all__ = ["FEATURES_FILE", "FeatureRanker"]

FEATURES_FILE, WEIGHTS_FILE = "features.json", "model.safetensors"
_FORMAT = 1


class FeatureRanker(CellModel):
    r"""R(q, d) = v . tanh(W x(q, d) + b), where x are standardised features of the cell.

    Nothing is added at the end: losses of pairs have a gradient of 0 there, and Adam would make steps of its rounding
    error, which move the level of all scores and with it every weight that is made of them.

    Args:
        features: names of match features (:mod:`litotes.models.match_features`), or anything with ``names`` and
            ``table(data, rows, cols)``; a model of the latter cannot be saved.
        hidden: units of the hidden layer.
        dropout: on the hidden layer.
        seed: of the weights; torch's generator is left as it was.
    """

    mean: Tensor
    spread: Tensor

    def __init__(
        self, features: tuple[str, ...] | CellFeatures, *, hidden: int = 32, dropout: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__()
        self.features: CellFeatures = MatchFeatures(features) if isinstance(features, tuple | list) else features
        self.hidden = check_int("FeatureRanker", "hidden", hidden, at_least=1)
        self.dropout = check_float("FeatureRanker", "dropout", dropout, at_least=0.0, below=1.0)
        width = len(self.features.names)
        if not width:
            raise LitotesError("A FeatureRanker needs at least one feature.")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            last = nn.Linear(hidden, 1, bias=False)
            self.network = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Dropout(dropout), last)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self._known_of = ""
        self._keys, self._table = np.empty(0, dtype=np.int64), np.empty((0, width), dtype=np.float32)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The features."""
        return tuple(self.features.names)

    def forward(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> Float[Tensor, " cells"]:
        """Raw logits."""
        table = torch.from_numpy(self._looked_up(data, rows, cols)).to(self.mean)
        return self.network((table - self.mean) / self.spread).squeeze(1).to(table.dtype)  # autocast gives bfloat16

    def standardise(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> None:
        """From now on features have mean 0 and deviation 1 over these cells; one that is constant there stays 0."""
        table = self._looked_up(data, rows, cols).astype(np.float64)
        if not len(table):
            raise LitotesError("A FeatureRanker cannot be standardised over no cells.")
        spread = table.std(axis=0)
        self.mean.copy_(torch.from_numpy(table.mean(axis=0)))
        self.spread.copy_(torch.from_numpy(np.where(spread > 1e-9, spread, 1.0)))

    def prepare(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> None:
        """Keep the features of these cells, and forget those of others."""
        keys = np.unique(np.asarray(rows, dtype=np.int64) * data.n_cols + np.asarray(cols, dtype=np.int64))
        self._table = self.features.table(data, *np.divmod(keys, data.n_cols))
        self._keys, self._known_of = keys, data.fingerprint

    def fingerprint(self) -> dict[str, str]:
        """Also the libraries that make match features."""
        import bm25s
        import sklearn

        libraries = {"bm25s": bm25s.__version__, "scikit-learn": sklearn.__version__}
        return super().fingerprint() | (libraries if isinstance(self.features, MatchFeatures) else {})

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write ``features.json`` and ``model.safetensors``.

        Raises:
            LitotesError: its features are not match features.
        """
        from safetensors.torch import save_file

        if not isinstance(self.features, MatchFeatures):
            raise LitotesError(
                "Only a FeatureRanker over match features can be saved; of others save the state_dict()."
            )
        tensors = {name: tensor.contiguous().cpu() for name, tensor in self.state_dict().items()}
        write_atomically(Path(folder) / WEIGHTS_FILE, lambda path: save_file(tensors, str(path)))
        config = {"format": _FORMAT, "features": list(self.inputs), "hidden": self.hidden, "dropout": self.dropout}
        write_json(Path(folder) / FEATURES_FILE, config)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, device: str = "auto") -> FeatureRanker:
        """Read what :meth:`save` wrote.

        Raises:
            DataError: one of the two files is missing or is not of this format.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        config, weights = read_json(Path(folder) / FEATURES_FILE), Path(folder) / WEIGHTS_FILE
        if not isinstance(config, dict) or config.get("format") != _FORMAT:
            raise DataError(
                f"{Path(folder) / FEATURES_FILE}: not a feature ranker of format {_FORMAT}; train it again."
            )
        model = cls(tuple(config["features"]), hidden=config["hidden"], dropout=config["dropout"])
        try:
            model.load_state_dict(load_file(str(weights)))
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise DataError(f"{weights}: does not hold the weights of this ranker ({reason}).") from None
        return model.to(best_device() if device == "auto" else device).eval()

    def _looked_up(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """The features of cells, kept or made; float32 ``[cells, features]``."""
        rows, cols = np.asarray(rows, dtype=np.int64), np.asarray(cols, dtype=np.int64)
        if not len(self._keys) or self._known_of != data.fingerprint:
            return self.features.table(data, rows, cols)
        keys = rows * data.n_cols + cols
        place = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        found, known = self._table[place], self._keys[place] == keys
        if not known.all():
            found[~known] = self.features.table(data, rows[~known], cols[~known])
        return found
