"""What decides the vectors of a sentence-transformers model, part by part.

Only what a text of that role passes through counts: of a ``Router`` with two towers, training the query tower leaves
the fingerprint of the documents as it was, and a tower has the fingerprint of the plain model that it is a copy of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from litotes.core.fingerprint import digest

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["input_module", "modules_digest", "pipeline", "tokenizer_digest", "weights_digest"]

_VOLATILE = ("transformers_version", "architectures", "dtype", "torch_dtype")  # say who saved it, not what it computes
_LENGTHS = ("query_length", "document_length", "max_seq_length")  # a part of their own, however they were set


def pipeline(model: SentenceTransformer, role: str) -> list[torch.nn.Module]:
    """The modules that a text of ``role`` (``query`` or ``document``) passes through, in order, routers opened."""
    from sentence_transformers.base.modules import Router

    found: list[torch.nn.Module] = []
    for module in model.children():
        if isinstance(module, Router):
            found.extend(module.sub_modules[module._resolve_route(task=role, modality="text")])
        else:
            found.append(module)
    return found


def input_module(model: SentenceTransformer, role: str) -> torch.nn.Module:
    """The module that tokenizes texts of ``role``."""
    return pipeline(model, role)[0]


def weights_digest(modules: list[torch.nn.Module]) -> str:
    """Digest of every parameter and buffer, by name: about a second for a gigabyte."""
    parts: list[Any] = []
    for place, module in enumerate(modules):
        for name, tensor in _tensors(module):
            flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            parts.append([place, name, str(tensor.dtype), list(tensor.shape), digest(flat.numpy())])
    return digest(parts)


def modules_digest(model: SentenceTransformer, modules: list[torch.nn.Module]) -> str:
    """Digest of how the modules are set up: kinds, pooling, the transformer's configuration, truncated width."""
    parts = [[type(module).__name__, _settings(module)] for module in modules]
    return digest(json.dumps([parts, model.truncate_dim], sort_keys=True, default=_plain))


def tokenizer_digest(module: torch.nn.Module) -> str:
    """Digest of the vocabulary and the rules; the current truncation and padding are no part of it."""
    tokenizer: Any = getattr(module, "tokenizer", None)
    backend: Any = getattr(tokenizer, "backend_tokenizer", tokenizer)
    sides = [getattr(tokenizer, name, None) for name in ("padding_side", "truncation_side")]
    if hasattr(backend, "to_str"):
        rules = json.loads(backend.to_str())
        rules.pop("truncation", None)
        rules.pop("padding", None)
        return digest(json.dumps(rules, sort_keys=True), sides)
    vocabulary = tokenizer.get_vocab() if hasattr(tokenizer, "get_vocab") else None
    return digest(type(tokenizer).__name__, json.dumps(vocabulary, sort_keys=True, default=_plain), sides)


def _tensors(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _settings(module: torch.nn.Module) -> dict[str, Any]:
    own: Any = getattr(module, "get_config_dict", dict)
    settings = {name: value for name, value in own().items() if name not in _LENGTHS}
    config: Any = getattr(module, "config", None)
    if hasattr(config, "to_dict"):
        settings["config"] = {k: v for k, v in config.to_dict().items() if not k.startswith("_") and k not in _VOLATILE}
    return settings


def _plain(value: Any) -> Any:
    """Sets in order; of anything else that JSON cannot hold, its kind (its address would change from run to run)."""
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else type(value).__name__
