"""Several devices on a machine that has none: tensors of the CPU that claim to lie elsewhere.

`cpu:0` and `cpu:1` are names torch accepts and forgets. Within `SeveralDevices` every tensor remembers its place, says
it when asked for its device, hands it to what is computed from it, and two that lie apart cannot meet in one call:
what CUDA refuses with "expected all tensors to be on the same device" is refused here too. The arithmetic is real.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

FIRST, SECOND = torch.device("cpu", 0), torch.device("cpu", 1)

_device_of = torch.Tensor.device.__get__
_MOVES = {"to", "cpu", "copy_"}


class Apart(Exception):
    """Tensors of two devices met."""


class SeveralDevices(TorchFunctionMode):
    """Tensors made without a word on their device lie on `FIRST`."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function == _device_of:
            return place(args[0])
        name = getattr(function, "__name__", "")
        given = list(_tensors([args, kwargs]))
        wanted = _wanted(args[1:] if name == "to" else (), kwargs)
        places = {place(tensor) for tensor in given if tensor.dim()}  # numbers may come from anywhere
        if len(places) > 1 and name not in _MOVES:
            raise Apart(f"{name}: {sorted(map(str, places))}")
        here = wanted or (place(args[0]) if name == "copy_" else next(iter(places), FIRST))
        before = {id(tensor): place(tensor) for tensor in given}
        result = function(*args, **kwargs)
        if name == "to" and any(result is tensor for tensor in given) and place(result) != here:
            result = result.view_as(result)  # the CPU thought that nothing had to move
        for tensor in _tensors(result):
            settle(tensor, before.get(id(tensor), here))
        return result


def place(tensor: torch.Tensor) -> torch.device:
    return getattr(tensor, "_lies_on", FIRST)


def settle(tensor: torch.Tensor, device: torch.device) -> None:
    tensor._lies_on = device  # type: ignore[attr-defined]


def spread(model: Any, second: tuple[str, ...]) -> Any:
    """The modules whose name begins with one of `second` lie on `SECOND`; what a module is given is moved to where its
    weights lie, and what the model gives comes back, as accelerate's hooks do it."""
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        settle(tensor, SECOND if name.startswith(second) else FIRST)
    for name, module in model.named_modules():
        if name and next(iter([*module.parameters(), *module.buffers()]), None) is not None:
            here = SECOND if name.startswith(second) else FIRST
            module.register_forward_pre_hook(_mover(here), with_kwargs=True)
    model.lm_head.register_forward_hook(lambda module, args, logits: logits.to(FIRST))
    return model


def _mover(device: torch.device) -> Any:
    def move(module: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        return _moved(args, device), _moved(kwargs, device)

    return move


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, (list, tuple)):
        return type(value)(_moved(part, device) for part in value)
    if isinstance(value, dict):
        return {name: _moved(part, device) for name, part in value.items()}
    return value


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _wanted(args: Any, kwargs: dict[str, Any]) -> torch.device | None:
    stated = kwargs.get("device") or next((arg for arg in args if isinstance(arg, (torch.device, str))), None)
    return None if stated is None else torch.device(stated)
