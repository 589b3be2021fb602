"""A GPU without one: tensors on `cuda` that have a shape, a type, strides and no content, and a count of what runs.

Every operator is checked by PyTorch's own meta function for it, so a wrong argument, shape or type is found on a
computer that could not run the kernel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

DEVICE = torch.device("cuda", 0)
FREE = frozenset(
    [
        "_reshape_alias",
        "_unsafe_view",
        "alias",
        "as_strided",
        "detach",
        "device",
        "empty",
        "empty_like",
        "expand",
        "lift_fresh",
        "new_empty",
        "permute",
        "select",
        "slice",
        "split",
        "split_with_sizes",
        "squeeze",
        "t",
        "transpose",
        "unbind",
        "unsqueeze",
        "view",
    ]
)
"""Operators that start no kernel: they look at memory in another way, or reserve it."""


_AS_BUILT_WITH_CUDA: Any = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
if torch.version.cuda is None:
    # with CUDA this norm is a kernel of its own (dispatch in torchgen's native_functions.yaml); without, it would be
    # counted as what it is composed of. It is never called: fake tensors have their own way
    _AS_BUILT_WITH_CUDA.impl("_fused_rms_norm", lambda *arguments: None, "CUDA")


@contextmanager
def fake_gpu() -> Iterator[None]:
    with FakeTensorMode(allow_non_fake_inputs=True), _Indexing(), torch.no_grad():
        yield


def moved(model: Any, dtype: torch.dtype) -> Any:
    """The model with weights of this type on the fake GPU; rotation frequencies stay in fp32."""
    for module in model.modules():
        for kind, wanted in ((module._parameters, dtype), (module._buffers, torch.float32)):
            for name, old in kind.items():
                if old is not None:
                    kind[name] = torch.empty(old.shape, dtype=wanted, device=DEVICE)
    return model


class Calls(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operators that start a kernel, by name.

    Attributes:
        made: name, arguments and options of each, in order.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.made: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    @property
    def counts(self) -> Counter[str]:
        return Counter(name for name, *_ in self.made)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name not in FREE:
            self.made.append((name, args, kwargs or {}))
        return func(*args, **(kwargs or {}))


class _Indexing(TorchFunctionMode):
    """Indices and copies as the operators that they stand for: Python's own way there asks for a device that is not."""

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with torch.inference_mode(False), torch.no_grad():  # inference mode asks for the device, too
            if func is torch.Tensor.__getitem__:
                return _indexed(*args)
            if func is torch.Tensor.__setitem__:
                return _put(*args)
            if func is torch.Tensor.copy_:
                return torch.ops.aten.copy_(*args, **(kwargs or {}))
            return func(*args, **(kwargs or {}))


def _indexed(t: torch.Tensor, index: Any) -> torch.Tensor:
    view, tensors = _view(t, index)
    return view if all(tensor is None for tensor in tensors) else torch.ops.aten.index(view, tensors)


def _put(t: torch.Tensor, index: Any, value: Any) -> None:
    view, tensors = _view(t, index)
    if all(tensor is None for tensor in tensors):
        torch.ops.aten.copy_(view, torch.as_tensor(value, dtype=view.dtype, device=view.device))
    else:
        torch.ops.aten.index_put_(view, tensors, torch.as_tensor(value, device=t.device))


def _view(t: torch.Tensor, index: Any) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
    """What slices, numbers and None make of `t`, and the tensors among the indices at their dimensions."""
    parts = list(index) if isinstance(index, tuple) else [index]
    dots = next((place for place, part in enumerate(parts) if part is Ellipsis), None)
    if dots is None:
        dots, parts = len(parts), [*parts, Ellipsis]
    rest = t.dim() - sum(part is not None and part is not Ellipsis for part in parts)
    parts[dots : dots + 1] = [slice(None)] * rest
    tensors: list[torch.Tensor | None] = []
    for part in parts:
        at = len(tensors)
        if isinstance(part, int):
            t = t.select(at, part)
            continue
        if part is None:
            t = t.unsqueeze(at)
        elif isinstance(part, slice):
            begin, end, step = part.indices(t.shape[at])
            t = torch.ops.aten.slice(t, at, begin, end, step)
        tensors.append(part if isinstance(part, torch.Tensor) else None)
    return t, tensors
