"""``--break``: whatever litotes returns to an adapter is wrong, to show that each golden case would notice.

Floats are 1 % off (0, NaN and infinity become 0.01), integers off by one, booleans flipped, strings one character
longer, an empty array one row longer; containers are broken inside. An object of litotes is handed out as a stand-in
whose attributes and results are broken in turn, and is itself again when it comes back as an argument. An argument that
a call changed counts as a result.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch

__all__ = ["break_results", "wrong"]


def break_results(adapters: ModuleType) -> None:
    """Replace every name of litotes that the module uses by a stand-in."""
    for name, value in list(vars(adapters).items()):
        if _is_ours(value):
            setattr(adapters, name, StandIn(value))


class StandIn:
    """Answers for a module, class, function or object of litotes, always wrong."""

    def __init__(self, target: Any) -> None:
        object.__setattr__(self, "_target", target)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = _real(args), _real(kwargs)
        before = [(tensor, _copy(tensor)) for tensor in _arrays_in((args, kwargs))]
        result = self._target(*args, **kwargs)
        for array, copy in before:
            if not _same(array, copy):
                _break_in_place(array)
        return wrong(result)

    def __getattr__(self, name: str) -> Any:
        return wrong(getattr(self._target, name))

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._target, name, _real(value))

    def __getitem__(self, key: Any) -> Any:
        return wrong(self._target[_real(key)])

    def __iter__(self) -> Iterator[Any]:
        return (wrong(value) for value in self._target)

    def __len__(self) -> int:
        return len(self._target) + 1


def wrong(value: Any) -> Any:
    """The value, broken; TypeError for a type that nobody has taught it, so that nothing passes unbroken."""
    if value is None or isinstance(value, StandIn):
        return value
    if isinstance(value, torch.Tensor):
        return _wrong_tensor(value)
    if isinstance(value, np.ndarray | np.generic):
        return _wrong_array(np.asarray(value))
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return type(value)(_wrong_array(np.asarray(value)).item())
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, Mapping):
        return {key: wrong(item) for key, item in value.items()} or {"": 0}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(wrong, value))
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(map(wrong, value)) or type(value)([0])
    if _is_ours(value) or callable(value):
        return StandIn(value)
    if isinstance(value, Iterator):
        return map(wrong, value)
    raise TypeError(f"--break does not know how to make a {type(value).__name__} wrong; teach it in breaking.py.")


def _wrong_tensor(value: torch.Tensor) -> torch.Tensor:
    if not value.numel():
        return torch.cat([value, value.new_zeros(1, *value.shape[1:])])
    if value.dtype == torch.bool:
        return ~value
    if not value.is_floating_point():
        return value + 1
    dead = ~value.isfinite() | (value == 0)
    return torch.where(dead, torch.where(value.isfinite(), value, 0.0) + 0.01, value * 1.01)


def _wrong_array(value: np.ndarray) -> np.ndarray:
    if not value.size:
        return np.concatenate([value, np.zeros((1, *value.shape[1:]), dtype=value.dtype)])
    if value.dtype.kind == "b":
        return ~value
    if value.dtype.kind in "iu":
        return value + value.dtype.type(1)
    if value.dtype.kind == "f":
        return np.where(np.isfinite(value) & (value != 0), value * 1.01, 0.01).astype(value.dtype)
    if value.dtype.kind in "UTO":
        return np.vectorize(wrong, otypes=[object])(value)
    raise TypeError(f"--break does not know how to make an array of {value.dtype} wrong; teach it in breaking.py.")


def _is_ours(value: Any) -> bool:
    """Whether this is litotes, something defined in it, or an object of a class of it."""
    home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return isinstance(home, str) and home.split(".")[0] == "litotes"


def _real(value: Any) -> Any:
    """Arguments with stand-ins replaced by what they stand for."""
    if isinstance(value, StandIn):
        return value._target
    if isinstance(value, Mapping):
        return {key: _real(item) for key, item in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(map(_real, value))
    return value


def _arrays_in(value: Any) -> Iterator[torch.Tensor | np.ndarray]:
    """Everything in the arguments that a call could change: arrays, tensors, a model's parameters and buffers."""
    if isinstance(value, torch.Tensor | np.ndarray):
        yield value
    elif isinstance(value, torch.nn.Module):
        yield from value.state_dict(keep_vars=True).values()
    elif isinstance(value, Mapping):
        yield from _arrays_in(list(value.values()))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from _arrays_in([getattr(value, field.name) for field in dataclasses.fields(value)])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _arrays_in(item)


def _copy(array: torch.Tensor | np.ndarray) -> torch.Tensor | np.ndarray:
    return array.detach().clone() if isinstance(array, torch.Tensor) else array.copy()


def _same(array: torch.Tensor | np.ndarray, copy: torch.Tensor | np.ndarray) -> bool:
    if isinstance(array, torch.Tensor):
        return bool(torch.equal(array.nan_to_num(), copy.nan_to_num()))
    return bool(np.array_equal(array, copy, equal_nan=array.dtype.kind == "f"))


def _break_in_place(array: torch.Tensor | np.ndarray) -> None:
    if isinstance(array, torch.Tensor):
        with torch.no_grad():
            array.copy_(_wrong_tensor(array))
    else:
        array[...] = _wrong_array(array)
