"""Prefixes already read, as a tree: what two prompts begin with is computed and kept once.

A node holds the keys and values of its own tokens; a prefix is the path from the root. Extending a prefix and
splitting a node copy nothing: a child adds its own tokens, and the halves of a split node are views of one tensor.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any

import torch

from workers.shared_prefix.attention import store_keys
from workers.shared_prefix.capacity import sizes
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.passes import Fill
from workers.shared_prefix.segments import Prefix, Segment
from workers.shared_prefix.transfer import to_device

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Node:
    """A stretch of tokens whose keys and values are kept once.

    Attributes:
        tokens: its own.
        layers: its keys and values, one segment a layer.
        children: by their first tokens.
        used: when, in calls of `acquire`.
    """

    tokens: list[int]
    layers: list[Segment]
    parent: Node | None
    used: int = 0
    children: dict[int, Node] = field(default_factory=dict)

    def storages(self) -> dict[int, int]:
        """Address and bytes of the memory it keeps alive."""
        whole = [t.untyped_storage() for segment in self.layers for t in segment]
        return {storage.data_ptr(): storage.nbytes() for storage in whole}


class PrefixTree:
    """Least recently used paths go first when it outgrows its budget; the paths in use always stay.

    Args:
        model: a causal language model whose attention `attention.forward` can lead.
        kernels: of its device, precision and head width.
        budget: bytes of keys and values to keep.
        chunk: tokens read at a time.
    """

    def __init__(self, model: Any, kernels: Kernels, budget: int, chunk: int = 2048) -> None:
        self._model = model
        self._kernels = kernels
        self._budget = budget
        self._chunk = chunk
        config = model.config.get_text_config(decoder=True)
        self._layers = config.num_hidden_layers
        self._token_bytes = sizes(config, model.dtype.itemsize).kept
        self._root = Node([], [], None)
        self._bytes: int | None = 0  # kept alive; None where it has to be counted
        self._clock = count(1)
        self.tokens_read = 0
        """Prefix tokens that had to be computed so far."""

    @torch.inference_mode()
    def acquire(self, tokens: list[int], in_use: Collection[list[int]] = ()) -> Prefix:
        """The keys and values of `tokens`. What is missing is computed.

        Args:
            in_use: prefixes acquired before that must stay, whatever the budget.
        """
        now = next(self._clock)
        others = [self._descend(prefix, now)[0] for prefix in in_use]
        node, matched = self._descend(tokens, now)
        if matched < len(tokens):
            node = self._extend(node, tokens[matched:], matched, now)
        path = list(_upwards(node))[::-1]
        if self.bytes() > self._budget:
            kept_steps = [step for other in others for step in _upwards(other)]
            self._trim(kept=set(map(id, path + kept_steps)), held={at for step in kept_steps for at in step.storages()})
        return [[step.layers[layer] for step in path] for layer in range(self._layers)]

    def fits(self, prefixes: Collection[list[int]]) -> bool:
        """Whether the budget holds all of these together, what they begin with in common once."""
        ordered = sorted(prefixes)  # a prefix shares most with its neighbour
        tokens = sum(map(len, ordered)) - sum(_common(left, right) for left, right in pairwise(ordered))
        return tokens * self._token_bytes <= self._budget

    def forget(self) -> None:
        """Frees everything that no one else holds."""
        self._root, self._bytes = Node([], [], None), 0

    @property
    def spare(self) -> int:
        """Bytes of the budget that are not used yet."""
        return max(0, self._budget - self.bytes())

    def bytes(self) -> int:
        """Memory kept alive, shared storage counted once."""
        if self._bytes is None:
            storages: dict[int, int] = {}
            for node in self._nodes():
                storages |= node.storages()
            self._bytes = sum(storages.values())
        return self._bytes

    def _descend(self, tokens: list[int], now: int) -> tuple[Node, int]:
        """The deepest node on the way of `tokens`, split where they part, and how many tokens lead to it."""
        node, matched = self._root, 0
        while matched < len(tokens) and (child := node.children.get(tokens[matched])) is not None:
            same = _common(child.tokens, tokens[matched:])
            node = child if same == len(child.tokens) else self._split(child, same)
            node.used = now
            matched += same
        return node, matched

    def _split(self, node: Node, at: int) -> Node:
        """The new node for the first `at` tokens of `node`, which keeps the rest."""
        assert node.parent is not None
        head = Node(node.tokens[:at], _cut(node.layers, 0, at), node.parent, node.used)
        node.parent.children[head.tokens[0]] = head
        node.tokens, node.layers, node.parent = node.tokens[at:], _cut(node.layers, at, len(node.tokens)), head
        head.children[node.tokens[0]] = node
        return head

    def _extend(self, parent: Node, tokens: list[int], start: int, now: int) -> Node:
        node = Node(tokens, [], parent, now)
        above = [step.layers for step in list(_upwards(parent))[::-1]]
        device = self._model.device
        for begin in range(0, len(tokens), self._chunk):
            part = tokens[begin : begin + self._chunk]
            before = [
                [layers[layer] for layers in above] + ([_narrow(node.layers[layer], 0, begin)] if begin else [])
                for layer in range(self._layers)
            ]
            positions = torch.arange(start + begin, start + begin + len(part), device=device)[None]
            attention = Fill(before, self._kernels, _Store(node, begin, self._layers).put)
            store_keys(self._model, to_device([part], device), positions, attention)
        parent.children[node.tokens[0]] = node
        self._bytes = self.bytes() + sum(node.storages().values())
        self.tokens_read += len(tokens)
        return node

    def _nodes(self) -> Iterator[Node]:
        waiting = list(self._root.children.values())
        while waiting:
            node = waiting.pop()
            waiting += node.children.values()
            yield node

    def _trim(self, kept: set[int], held: set[int]) -> None:
        """Drops the leaves used least recently until the rest fits the budget: none of the nodes `kept`, and none whose
        memory would stay all the same because it is also that of a prefix in use (`held`)."""
        while self.bytes() > self._budget:
            leaves = [node for node in self._nodes() if not (node.children or id(node) in kept)]
            leaves = [node for node in leaves if held.isdisjoint(node.storages())]
            if not leaves:
                return
            self._drop(min(leaves, key=lambda node: node.used))

    def _drop(self, leaf: Node) -> None:
        assert leaf.parent is not None
        del leaf.parent.children[leaf.tokens[0]]
        self._bytes = None
        shared = leaf.storages().keys()
        for above in _upwards(leaf.parent):
            if shared & above.storages().keys():  # the other half of a split: it would keep the whole alive
                above.layers = [(k.clone(), v.clone()) for k, v in above.layers]


class _Store:
    """Collects the keys and values of a node, chunk by chunk, in memory of their final size."""

    def __init__(self, node: Node, begin: int, layers: int) -> None:
        self._node = node
        self._begin = begin
        self._layers = layers

    def put(self, layer: int, k: torch.Tensor, v: torch.Tensor) -> None:
        if self._begin == 0:
            shape = (1, k.shape[1], len(self._node.tokens), k.shape[3])
            assert layer == len(self._node.layers), "layers come in order"
            self._node.layers.append((k.new_empty(shape), v.new_empty(shape)))
        for whole, part in zip(self._node.layers[layer], (k, v), strict=True):
            whole[:, :, self._begin : self._begin + part.shape[2]] = part


def _common(left: list[int], right: list[int]) -> int:
    """Length of the common beginning."""
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _upwards(node: Node) -> Iterator[Node]:
    """The nodes from this one to the root, which holds no tokens and is left out."""
    while node.parent is not None:
        yield node
        node = node.parent


def _narrow(segment: Segment, begin: int, end: int) -> Segment:
    return segment[0][:, :, begin:end], segment[1][:, :, begin:end]


def _cut(layers: list[Segment], begin: int, end: int) -> list[Segment]:
    return [_narrow(segment, begin, end) for segment in layers]
