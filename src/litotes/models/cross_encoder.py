"""Cross-encoders: models that read query and document together and give one logit, loaded by name and trained."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from litotes.core.checks import check_float, check_int
from litotes.core.errors import LitotesError, require
from litotes.models.builtin import builtin_folder
from litotes.models.last_layers import train_last_layers
from litotes.models.loading import no_loading_bars
from litotes.models.precision import resolve_device

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

__all__ = ["PairModel", "load_cross_encoder"]


def load_cross_encoder(
    name: str | os.PathLike[str],
    *,
    device: str = "auto",
    dtype: str = "auto",
    max_length: int | None = None,
    seed: int | None = 0,
) -> CrossEncoder:
    """The cross-encoder ``name``: a folder, a hub name, ``builtin:minilm`` or ``tiny:bert``, with one output.

    A model that has no head of its own (``builtin:minilm``, ``tiny:bert``, any encoder) gets a new one from ``seed``;
    it has to be trained. ``dtype="float32"`` makes the weights float32, and so does ``"auto"`` on a CPU; otherwise they
    stay as saved. The state of torch's generator is left as it was.

    Args:
        max_length: most tokens of a pair; None takes the model's own.
        seed: of a head that is new; None refuses a model that has none yet.

    Raises:
        LitotesError: there is no such model, it has several outputs, or no head where one is needed.
    """
    require("sentence_transformers", extra="retrieval")
    text = os.fspath(name)
    kind, colon, rest = text.partition(":")
    device = resolve_device(device)
    if kind == "builtin" and colon:
        model = _loaded(text, str(builtin_folder(rest)), device, seed)
    elif kind == "tiny" and colon:
        from litotes.models.tiny import tiny_cross_encoder

        model = tiny_cross_encoder(rest, seed=seed or 0).to(device)
    else:
        model = _loaded(text, text, device, seed)
    if model.num_labels != 1:
        raise LitotesError(f"A cross-encoder has one output here, relevance. {text!r} has {model.num_labels}.")
    if max_length is not None:
        model.max_seq_length = check_int("load_cross_encoder", "max_length", max_length, at_least=4)
    return model.float() if dtype == "float32" or (dtype == "auto" and device == "cpu") else model


class PairModel(nn.Module):
    """A cross-encoder called on pairs of texts, with gradient.

    Args:
        model: a ``CrossEncoder`` with one output; it is trained in place, and its ``save_pretrained`` writes it.
        layers: train only the last ``layers`` transformer layers and the head; None trains everything.
        dropout: of all dropout layers; None leaves the model's own.
    """

    def __init__(self, model: CrossEncoder, *, layers: int | None = None, dropout: float | None = None) -> None:
        super().__init__()
        self.model = model
        if layers is not None:
            train_last_layers(model, layers)
        if dropout is not None:
            check_float("PairModel", "dropout", dropout, at_least=0.0, below=1.0)
            for module in model.modules():
                if isinstance(module, nn.Dropout):
                    module.p = dropout

    def forward(self, pairs: Sequence[tuple[str, str]]) -> Float[Tensor, pairs]:
        """Raw logits, float32: before any activation."""
        if not len(pairs):
            return torch.zeros(0, device=self.model.device)
        features: dict[str, Any] = self.model.preprocess(list(pairs))
        features = {k: v.to(self.model.device) if isinstance(v, Tensor) else v for k, v in features.items()}
        return self.model(features)["scores"].float().squeeze(1)


def _loaded(asked: str, where: str, device: str, seed: int | None) -> CrossEncoder:
    from sentence_transformers import CrossEncoder

    here = Path(where).exists()
    if not here and (where.startswith((".", "/", "~")) or where.count("/") > 1):
        raise LitotesError(f"The cross-encoder {asked!r} is a folder that does not exist.")
    try:
        has_head = _has_head(where)
        with no_loading_bars(), torch.random.fork_rng():
            torch.manual_seed(seed or 0)  # of a head that is new
            if has_head or seed is not None:
                return CrossEncoder(where, device=device)
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # whatever the loaders of three libraries raise, the user reads one sentence
        if here:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise LitotesError(f"The folder {asked!r} does not hold a cross-encoder: {reason}") from error
        raise LitotesError(
            f"The cross-encoder {asked!r} is neither a folder here nor a model that could be fetched. "
            "Check the name or the connection."
        ) from error
    raise LitotesError(
        f"{asked!r} is an encoder without a head that scores pairs, so its scores would be those of chance. "
        "Name a cross-encoder, or train one from it."
    )


def _has_head(where: str) -> bool:
    """Whether the saved model scores pairs already, by its configuration."""
    from transformers import AutoConfig
    from transformers.utils import cached_file

    named = AutoConfig.from_pretrained(where).architectures or []
    if any(name.endswith(("ForSequenceClassification", "ForCausalLM")) for name in named):
        return True
    file = cached_file(where, "config_sentence_transformers.json", _raise_exceptions_for_missing_entries=False)
    return file is not None and json.loads(Path(file).read_text(encoding="utf-8")).get("model_type") == "CrossEncoder"
