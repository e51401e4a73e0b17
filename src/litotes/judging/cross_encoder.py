"""What a cross-encoder makes of each candidate: a model that reads query and document together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from litotes.core import Candidates, Collection, LitotesError
from litotes.core.checks import check_int
from litotes.core.fingerprint import digest
from litotes.core.progress import Progress
from litotes.judging.pair_scorer import PairCells
from litotes.mining.named import check_name
from litotes.models.cross_encoder import load_cross_encoder
from litotes.models.model_fingerprint import tokenizer_digest, weights_digest

__all__ = ["CrossEncoderJudge", "CrossEncoderScorer"]

_BATCHES_AT_ONCE = 16
_VOLATILE = ("_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype", "sentence_transformers")


class CrossEncoderJudge:
    """``judge.<name>`` is the raw logit of a cross-encoder; null where the row or the candidate has no text.

    A logit says which pair is more relevant, not how likely; trust comes with a calibration
    (:func:`litotes.judging.calibrate.calibrate`, or ``litotes judge --calibrate``).

    Args:
        model: a name or folder that ``sentence_transformers.CrossEncoder`` loads, or a live one, left as it is.
        batch_size: pairs scored at once; a shard's pairs are sorted by length before they are cut.
        max_length: most tokens of a pair; None takes the model's own.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``. A live model stays where it is.
        name: what the columns are called.

    Raises:
        LitotesError: no such model, one with several outputs, or a parameter out of its range.
    """

    kind = "cross-encoder"

    def __init__(
        self,
        model: Any,
        batch_size: int = 64,
        max_length: int | None = None,
        device: str = "auto",
        name: str = "cross-encoder",
    ) -> None:
        self.name = check_name("CrossEncoderJudge", name)
        self.model, self.batch_size, self.max_length, self.device = model, batch_size, max_length, device
        self.scorer = CrossEncoderScorer(model, batch_size, max_length, device)
        self._cells = PairCells(self.scorer)

    def judge(self, candidates: Candidates, data: Collection) -> Candidates:
        """The candidates with the column ``judge.<name>``; none is dropped.

        Raises:
            StaleError: the candidates were made from other data.
        """
        candidates.check_data(data)
        return candidates.with_columns({f"judge.{self.name}": self._cells.score(data, candidates.row, candidates.col)})

    def fingerprint(self) -> dict[str, str]:
        """What decides the column, by part."""
        return {"judge": self.kind, **self.scorer.fingerprint()}


class CrossEncoderScorer:
    """Raw logits of pairs of texts; see :class:`CrossEncoderJudge` for the parameters.

    Args:
        raw: whether to give the logits; otherwise the model's own activation is applied to them, a sigmoid by default.
        devices: one process on each of these devices shares the work; None stays in this process.
    """

    def __init__(
        self,
        model: Any,
        batch_size: int = 64,
        max_length: int | None = None,
        device: str = "auto",
        raw: bool = True,
        devices: Sequence[str] | None = None,
    ) -> None:
        self.batch_size = check_int("CrossEncoderJudge", "batch_size", batch_size, at_least=1)
        self._is_live = not isinstance(model, str | os.PathLike)
        self.model = model if self._is_live else load_cross_encoder(model, device=device, seed=None)
        if not hasattr(self.model, "predict") or not hasattr(self.model, "num_labels"):
            raise LitotesError(
                f"The 'model' parameter of CrossEncoderJudge must be a name, a folder or a CrossEncoder. "
                f"Got {type(model).__name__} instead."
            )
        if self.model.num_labels != 1:
            raise LitotesError(
                f"A cross-encoder has one output here, relevance. This {type(model).__name__} has "
                f"{self.model.num_labels}."
            )
        self.max_length = check_int("CrossEncoderJudge", "max_length", max_length, at_least=4) if max_length else None
        self.raw, self.devices = raw, None if devices is None else list(devices)
        self._known: dict[str, str] | None = None

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """float64 ``[pairs]``: the model's output, before any activation where ``raw``."""
        order = sorted(range(len(pairs)), key=lambda i: (-sum(map(len, pairs[i])), i))
        step = self.batch_size * _BATCHES_AT_ONCE if self.devices is None else max(len(pairs), 1)
        options: dict[str, Any] = {"activation_fn": torch.nn.Identity()} if self.raw else {}
        if self.devices is not None:
            options["device"], own_device = self.devices, self.model.device
        scores, was_training, own_length = np.zeros(len(pairs)), self.model.training, self.model.max_seq_length
        try:
            self.model.max_seq_length = self.max_length or own_length
            with Progress("Reading pairs", total=len(pairs), unit="pairs") as bar:
                for start in range(0, len(order), step):
                    chunk = order[start : start + step]
                    scores[chunk] = self.model.predict(
                        [pairs[i] for i in chunk],
                        batch_size=self.batch_size,
                        show_progress_bar=False,
                        **options,
                    )
                    bar.advance(len(chunk))
        finally:
            self.model.max_seq_length = own_length
            self.model.train(was_training)
            if self.devices is not None:  # starting processes takes a model to the CPU
                self.model.to(own_device)
        return scores

    def fingerprint(self) -> dict[str, str]:
        """Weights, tokenizer, configuration, length and number format; of a live model as it is now."""
        if self._known is None or self._is_live:
            modules = list(self.model.children())
            config = {key: value for key, value in self.model.config.to_dict().items() if key not in _VOLATILE}
            self._known = {
                "weights": weights_digest(modules),
                "tokenizer": tokenizer_digest(modules[0]),
                "configuration": digest(repr(sorted(config.items()))),
                "max_length": str(self.max_length or self.model.max_seq_length),
                "dtype": str(next(self.model.parameters()).dtype).removeprefix("torch."),
            }
            if not self.raw:
                self._known["activation"] = str(self.model.activation_fn)
        return self._known
