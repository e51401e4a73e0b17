"""Texts pass the frozen lower layers of a transformer once: their states are kept in memory for every later epoch.

    h(x) = upper(lower(x)),   lower = embeddings and all but the last layers, frozen, in evaluation mode

What is kept of a text is lower(x) without padding, by its token ids and by the number format that it was computed in.
``upper`` is computed as always, with gradient and dropout. The model keeps its modules, their names and their weights:
only the backbone's ``forward`` is another, so ``save_pretrained`` writes the plain model and prompts, lengths, training
of the last layers and copies work as before. Two backbones that share everything but the part in question stand for
``lower`` and ``upper``; they are made anew at each call and cost nothing.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from litotes.core.checks import check_int
from litotes.core.errors import LitotesError
from litotes.models.model_fingerprint import weights_digest

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

__all__ = ["FrozenLayers", "KeptStates", "freeze_lower_layers"]

Key = tuple[str, str, bytes]  # frozen weights, number format, token ids and types

_NEAR = 1e-5  # how far the cut model may be from the whole one, relative to its largest value where that is above 1
_CHECKED = ("a", "two texts that differ in length, and are padded")

Model = TypeVar("Model", "SentenceTransformer", "CrossEncoder")


def freeze_lower_layers(
    model: Model, trained_layers: int, *, memory: int = 2**30, kept: KeptStates | None = None
) -> Model:
    """The same model, whose texts (of a cross-encoder: pairs of texts) pass all but the last ``trained_layers`` once.

    The new model shares modules and weights with ``model``, and the lower layers' parameters are frozen in both: no
    gradient reaches them any more, whatever is asked of training. If something else changes them, such as a loaded
    checkpoint, it is noticed and what was kept is forgotten. ``copy.deepcopy`` of the new model shares what is kept.

    Args:
        model: a sentence-transformers ``Transformer`` of the BERT family and what follows it; or a ``CrossEncoder``
            over one, whose head stays trainable.
        trained_layers: layers that stay trainable; at least one layer must lie below them.
        memory: most bytes of states that are kept; texts beyond are computed each time.
        kept: where they are kept, for several models with the same lower layers; by default the model's own place.

    Raises:
        LitotesError: the model cannot be cut, or does not compute the same when it is.
    """
    check_int("freeze_lower_layers", "trained_layers", trained_layers, at_least=1)
    check_int("freeze_lower_layers", "memory", memory, at_least=0)
    first, *rest = model.children()
    backbone = _backbone(first)
    n_layers = len(backbone.encoder.layer)
    if trained_layers >= n_layers:
        raise LitotesError(
            f"trained_layers={trained_layers} of a model with {n_layers} layers leaves none to freeze. "
            f"Give at most {n_layers - 1}, or train the model as it is."
        )
    cut = _twin(backbone)
    cut.forward = FrozenLayers(cut, n_layers - trained_layers, KeptStates(memory))
    whole: Any = first.model
    with_cut = _twin(first, model=cut if whole is backbone else _twin(whole, **{whole.base_model_prefix: cut}))
    _check_equal(model, first, with_cut)
    cut.forward.kept = KeptStates(memory) if kept is None else kept
    cut.forward.passed = 0
    for part in cut.forward.lower_modules():
        part.requires_grad_(False)
    names = ("prompts", "default_prompt_name", "similarity_fn_name", "truncate_dim", "activation_fn")
    same: dict[str, Any] = {name: getattr(model, name) for name in names if hasattr(model, name)}
    made = type(model)(modules=[with_cut, *rest], device=str(model.device), **same)
    return made.train(model.training)


class KeptStates:
    """States by key, as many as fit into ``memory`` bytes; copies of a model share them.

    Attributes:
        used: bytes kept.
    """

    def __init__(self, memory: int) -> None:
        self.memory, self.used = memory, 0
        self._states: dict[Key, Tensor] = {}

    def __len__(self) -> int:
        return len(self._states)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def find(self, key: Key) -> Tensor | None:
        """The states of a key, or None."""
        return self._states.get(key)

    def keep(self, key: Key, states: Tensor) -> None:
        """Keep a copy, if it fits."""
        size = states.numel() * states.element_size()
        if key not in self._states and self.used + size <= self.memory:
            self._states[key] = states.clone()
            self.used += size

    def clear(self) -> None:
        """Forget everything."""
        self._states.clear()
        self.used = 0


class FrozenLayers:
    """Stands in for the ``forward`` of a backbone: what it computes, with the lower ``n`` layers looked up.

    Args:
        backbone: a transformer with ``embeddings`` and ``encoder.layer``.
        n: layers that are frozen, together with the embeddings.
        kept: where their states lie.

    Attributes:
        passed: texts that went through the lower layers.
    """

    def __init__(self, backbone: Any, n: int, kept: KeptStates) -> None:
        self.backbone, self.n, self.kept, self.passed = backbone, n, kept, 0
        self._seen: tuple = ()
        self._digest = ""

    def __call__(self, input_ids: Tensor, attention_mask: Tensor | None = None, **options: Any) -> Any:
        """As the backbone's own ``forward``; texts that are not padded on the right are computed and not kept."""
        options = {name: value for name, value in options.items() if value is not None}
        ids, types = input_ids, options.get("token_type_ids")
        keep = torch.ones_like(ids, dtype=torch.bool) if attention_mask is None else attention_mask.bool()
        plain = keep.ndim == 2 and not set(options) - {"token_type_ids", "return_dict"} and _is_right_padded(keep)
        if plain:
            states = self._looked_up(ids, keep, types)
        else:
            states = self._lower(input_ids=ids, attention_mask=attention_mask, **options)
        upper = _twin(self.backbone, embeddings=_Given(states), encoder=self._encoder(slice(self.n, None)))
        return upper(input_ids=ids, attention_mask=attention_mask, **options)

    def lower_modules(self) -> list[nn.Module]:
        """What is frozen."""
        return [self.backbone.embeddings, *self.backbone.encoder.layer[: self.n]]

    def _looked_up(
        self, ids: Int[Tensor, "batch tokens"], keep: Bool[Tensor, "batch tokens"], types: Tensor | None
    ) -> Float[Tensor, "batch tokens dim"]:
        lengths = keep.sum(dim=1).tolist()
        tokens = torch.stack([ids, torch.zeros_like(ids) if types is None else types], dim=2).cpu().numpy()
        how = (self._weights(), str(_format(self.backbone, ids.device)))
        keys = [(*how, row[:n].tobytes()) for row, n in zip(tokens, lengths, strict=True)]
        found = {key: self.kept.find(key) for key in keys}
        missing = [place for place, key in enumerate(keys) if found[key] is None]
        missing = list({keys[place]: place for place in missing}.values())  # a text that is there twice passes once
        if missing:
            longest = max(lengths[place] for place in missing)
            short = {"input_ids": ids, "attention_mask": keep.to(ids.dtype), "token_type_ids": types}
            states = self._lower(**{k: v[missing, :longest] for k, v in short.items() if v is not None})
            for place, row in zip(missing, states, strict=True):
                found[keys[place]] = row[: lengths[place]]
                self.kept.keep(keys[place], row[: lengths[place]])
        ready = [known for key in keys if (known := found[key]) is not None]
        padded = nn.utils.rnn.pad_sequence([known.to(ids.device) for known in ready], batch_first=True)
        return nn.functional.pad(padded, (0, 0, 0, ids.shape[1] - padded.shape[1]))

    def _lower(self, **tokens: Any) -> Float[Tensor, "batch tokens dim"]:
        lower = _twin(self.backbone, encoder=self._encoder(slice(None, self.n)), pooler=None)
        self.passed += len(tokens["input_ids"])
        with torch.no_grad(), _evaluating(self.lower_modules()):
            return lower(**{**tokens, "return_dict": True}).last_hidden_state

    def _encoder(self, layers: slice) -> nn.Module:
        return _twin(self.backbone.encoder, layer=self.backbone.encoder.layer[layers])

    def _weights(self) -> str:
        """Digest of the frozen weights, taken again when one of them may have changed."""
        tensors = [p for part in self.lower_modules() for p in part.parameters()]
        seen = tuple((id(p), p.data_ptr(), p._version) for p in tensors)
        if seen != self._seen:
            before, self._seen, self._digest = self._digest, seen, weights_digest(self.lower_modules())
            if before not in ("", self._digest):
                self.kept.clear()
        return self._digest


class _Given(nn.Module):
    """Embeddings that are known already."""

    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self.states = states

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        return self.states


def _twin(module: nn.Module, **children: nn.Module | None) -> Any:
    """The same module, sharing parameters and children except for those given."""
    twin = copy.copy(module)
    twin.__dict__.pop("forward", None)
    twin._modules = {**module._modules, **{k: v for k, v in children.items() if k in module._modules}}
    return twin


def _backbone(module: nn.Module) -> Any:
    from sentence_transformers.base.modules import Transformer

    whole: Any = getattr(module, "model", None)
    backbone: Any = getattr(whole, "base_model", whole)  # the body of a model that ends in a head
    if not isinstance(module, Transformer) or isinstance(backbone.__dict__.get("forward"), FrozenLayers):
        what = "frozen once already" if isinstance(module, Transformer) else f"a {type(module).__name__}"
        raise LitotesError(
            f"freeze_lower_layers takes a model that begins with a plain Transformer module; this one is {what}."
        )
    layers = getattr(getattr(backbone, "encoder", None), "layer", None)
    if not isinstance(layers, nn.ModuleList) or not isinstance(getattr(backbone, "embeddings", None), nn.Module):
        raise LitotesError(
            f"freeze_lower_layers cuts models of the BERT family, which have embeddings and encoder.layer; "
            f"{type(backbone).__name__} has not. Use trained_layers without it."
        )
    if backbone.config.output_hidden_states:
        raise LitotesError("freeze_lower_layers cannot give the states of every layer (output_hidden_states=True).")
    return backbone


def _check_equal(model: SentenceTransformer | CrossEncoder, whole: Any, cut: Any) -> None:
    gives = whole.module_output_name
    tokens = model.preprocess(list(_CHECKED) if gives == "token_embeddings" else [_CHECKED, _CHECKED[::-1]])
    tokens = {k: v.to(model.device) if isinstance(v, Tensor) else v for k, v in tokens.items()}
    with torch.no_grad(), _evaluating([whole, cut]):
        expected, found = (module(dict(tokens))[gives].float() for module in (whole, cut))
    if gives == "token_embeddings":
        keep = tokens["attention_mask"].bool()
        expected, found = expected[keep], found[keep]
    away = float((found - expected).abs().max())
    if not away <= _NEAR * max(1.0, float(expected.abs().max())):
        raise LitotesError(
            f"freeze_lower_layers: a {type(cut.model).__name__} cut in two is {away:.1e} away from the whole model, "
            "so it does more than pass states from layer to layer. Use trained_layers without it."
        )


def _is_right_padded(keep: Bool[Tensor, "batch tokens"]) -> bool:
    return bool((keep[:, :-1] >= keep[:, 1:]).all()) and bool(keep[:, :1].all())


def _format(backbone: nn.Module, device: torch.device) -> torch.dtype:
    """What the lower layers compute in."""
    if torch.is_autocast_enabled(device.type):
        return torch.get_autocast_dtype(device.type)
    return next(backbone.parameters()).dtype


@contextlib.contextmanager
def _evaluating(modules: list[nn.Module]) -> Iterator[None]:
    training = [part for module in modules for part in module.modules() if part.training]
    try:
        for part in training:
            part.training = False
        yield
    finally:
        for part in training:
            part.training = True
