"""Texts pass the frozen lower layers of a transformer once: their states are kept in memory for every later epoch.

    h(x) = upper(lower(x)),   lower = embeddings and all but the last layers, frozen, in evaluation mode

What is kept of a text is lower(x) without padding, by its token ids, the number format and the kind of device that it
was computed with. Each text passes ``lower`` alone: matrix products round otherwise for other shapes, so in a batch its
states would depend on its company, and what a model computes on what was computed before it. Alone they are the same
bits whoever asks first. That costs what batches save (a short text takes a few times as long, a long one about as long
as in a padded batch), once for each text.

``upper`` is computed as always, with gradient and dropout. The model keeps its modules, their names and their weights:
only the backbone's ``forward`` is another, so ``save_pretrained`` writes the plain model and prompts, lengths, training
of the last layers and copies work as before. Two backbones that share everything but the part in question stand for
``lower`` and ``upper``; they are made anew at each call and cost nothing.
"""

from __future__ import annotations

import contextlib
import copy
import weakref
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

Key = tuple[str, str, bytes]  # frozen weights, number format and device, token ids and types

_NEAR = 1e-5  # how far the cut model may be from the whole one, relative to its largest value where that is above 1
_CHECKED = ("a", "two texts that differ in length, and are padded")

Model = TypeVar("Model", "SentenceTransformer", "CrossEncoder")


def freeze_lower_layers(
    model: Model, trained_layers: int, *, memory: int = 2**30, kept: KeptStates | None = None
) -> Model:
    """The same model, whose texts (of a cross-encoder: pairs of texts) pass all but the last ``trained_layers`` once.

    The new model shares modules and weights with ``model``, and the lower layers' parameters are frozen in both: no
    gradient reaches them any more, whatever is asked of training. If something else changes them, such as a loaded
    checkpoint, it is noticed and what was kept is forgotten; only a change in place through ``parameter.data``, which
    torch does not count, goes unnoticed. ``copy.deepcopy`` of the new model shares what is kept.

    A call of the backbone that asks for more than the last states (``output_hidden_states``, ``output_attentions``) or
    gives more than token ids, types and a mask (``inputs_embeds``, ``position_ids``) is computed whole.

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
    cut.forward = FrozenLayers(cut, n_layers - trained_layers, KeptStates(memory), backbone)
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
        self._weights: weakref.WeakKeyDictionary[object, str] = weakref.WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self._states)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.memory,)  # sent to another process, it begins empty

    def find(self, key: Key) -> Tensor | None:
        """The states of a key, or None."""
        return self._states.get(key)

    def keep(self, key: Key, states: Tensor) -> None:
        """Keep a copy, if it fits."""
        size = states.numel() * states.element_size()
        if key not in self._states and self.used + size <= self.memory:
            self._states[key] = states.clone()
            self.used += size

    def note_weights(self, user: object, weights: str) -> None:
        """Whose frozen weights these are. States of those that it had before are forgotten, unless others have them."""
        before = self._weights.get(user)
        if before == weights:
            return
        self._weights[user] = weights
        if before is not None and before not in self._weights.values():
            for key in [key for key in self._states if key[0] == before]:
                states = self._states.pop(key)
                self.used -= states.numel() * states.element_size()


class FrozenLayers:
    """Stands in for the ``forward`` of a backbone: what it computes, with the lower ``n`` layers looked up.

    Args:
        backbone: a transformer with ``embeddings`` and ``encoder.layer``.
        n: layers that are frozen, together with the embeddings.
        kept: where their states lie.
        uncut: the same modules with their own ``forward``. A twin that is made anew at each call would hang the hooks
            by which transformers collects the states of all layers on the shared layers at each call.

    Attributes:
        passed: texts that went through the lower layers.
    """

    def __init__(self, backbone: Any, n: int, kept: KeptStates, uncut: Any) -> None:
        self.backbone, self.n, self.kept, self.uncut, self.passed = backbone, n, kept, uncut, 0
        self._seen: tuple = ()
        self._digest = ""

    def __call__(self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **options: Any) -> Any:
        """As the backbone's own ``forward``; texts that are not padded on the right are computed and not kept."""
        options = {name: value for name, value in options.items() if value is not None}
        ids, types = input_ids, options.get("token_type_ids")
        if ids is None or set(options) - {"token_type_ids", "return_dict"}:
            return self._whole(input_ids=ids, attention_mask=attention_mask, **options)
        keep = torch.ones_like(ids, dtype=torch.bool) if attention_mask is None else attention_mask.bool()
        if keep.ndim == 2 and _is_right_padded(keep):
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
        how = (self._weights(), f"{_format(self.backbone, ids.device)} on {ids.device.type}")
        keys = [(*how, row[:n].tobytes()) for row, n in zip(tokens, lengths, strict=True)]
        found: dict[Key, Tensor] = {}
        for row, (key, n) in enumerate(zip(keys, lengths, strict=True)):
            if key not in found and (known := self.kept.find(key)) is not None:
                found[key] = known.to(ids.device)
            elif key not in found:
                alone = {"input_ids": ids, "attention_mask": keep.to(ids.dtype), "token_type_ids": types}
                found[key] = self._lower(**{k: v[row : row + 1, :n] for k, v in alone.items() if v is not None})[0]
                self.kept.keep(key, found[key])
        padded = nn.utils.rnn.pad_sequence([found[key] for key in keys], batch_first=True)
        return nn.functional.pad(padded, (0, 0, 0, ids.shape[1] - padded.shape[1]))

    def _lower(self, **tokens: Any) -> Float[Tensor, "batch tokens dim"]:
        lower = _twin(self.backbone, encoder=self._encoder(slice(None, self.n)), pooler=None)
        self.passed += len(tokens["input_ids"])
        with torch.no_grad(), _evaluating(self.lower_modules()):
            return lower(**{**tokens, "return_dict": True}).last_hidden_state

    def _whole(self, **tokens: Any) -> Any:
        """All layers at once, the frozen ones as ever without dropout and without gradient."""
        for part in self.lower_modules():
            part.requires_grad_(False)
        self.passed += len(next(x for x in tokens.values() if isinstance(x, Tensor)))
        with _evaluating(self.lower_modules()):
            return self.uncut(**tokens)

    def _encoder(self, layers: slice) -> nn.Module:
        return _twin(self.backbone.encoder, layer=self.backbone.encoder.layer[layers])

    def _weights(self) -> str:
        """Digest of the frozen weights, taken again when one of them may have changed."""
        tensors = [p for part in self.lower_modules() for p in part.parameters()]
        seen = tuple((id(p), p.data_ptr(), p._version) for p in tensors)
        if seen != self._seen:
            self._seen, self._digest = seen, weights_digest(self.lower_modules())
        self.kept.note_weights(self, self._digest)
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
