"""A decode step of models that are built like Llama, in as few operators as PyTorch has for it.

transformers computes a norm by six operators, a rotation by five and three products where one would do: on a GPU each
is a kernel that a row's few numbers do not fill. Here the weights that read the same input lie side by side, so that
one product serves them all; a norm is one operator; a product adds what it computes to the residual itself. The results
differ from transformers' by rounding. The model's own weights become views of those side by side: its own forward stays
what it was, and none of the large weights is in memory twice; those of the norms of heads, D numbers each, are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import torch
from torch.nn import Linear
from torch.nn.functional import linear, rms_norm

from workers.shared_prefix.attention import AttentionPass, forward
from workers.shared_prefix.memory import give_back, is_out_of_memory

log = logging.getLogger(__name__)

FUSED = frozenset({"llama", "mistral", "qwen2", "qwen3", "seed_oss"})
"""Model types whose layers are those of `_Layer`; tests/workers/shared_prefix/test_fused_step.py holds each to
transformers."""


class PackedPass(AttentionPass, Protocol):
    """A pass that also takes queries, keys and values as they come out of one product."""

    def attend_packed(self, layer: int, packed: torch.Tensor, heads: int, scale: float) -> torch.Tensor:
        """Attend without window, sinks or cap.

        Args:
            packed: [rows, query heads, then key heads, then as many value heads, D].
            heads: of the queries.

        Returns:
            [rows, heads * D].
        """
        ...


StepForward = Callable[[torch.Tensor, torch.Tensor, PackedPass], torch.Tensor]
"""Takes a token of each row and its position, both [rows], and the pass; returns logits [rows, V]."""


def as_loaded(model: Any) -> StepForward:
    """The step as transformers computes it."""
    return partial(_one_token, model)


def _one_token(model: Any, tokens: torch.Tensor, positions: torch.Tensor, attention: AttentionPass) -> torch.Tensor:
    return forward(model, tokens[:, None], positions[:, None], attention)[:, -1]


def fused(model: Any) -> StepForward | None:
    """The step in few operators; None for a model that is built otherwise, or where memory is too small to move its
    weights."""
    if not _is_fusable(model):
        return None
    try:
        return _FusedStep(model)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        log.warning("too little memory to rearrange the model's weights: transformers' own, slower step is used")
        return None


def _is_fusable(model: Any) -> bool:
    """Whether the model is of a known type, and its products are plain ones: neither quantised nor adapted."""
    if model.config.model_type not in FUSED:
        return False
    for layer in model.model.layers:
        added = (layer.self_attn.o_proj, layer.mlp.down_proj)
        side_by_side = (_projections(layer.self_attn), (layer.mlp.gate_proj, layer.mlp.up_proj))
        joined = [it for products in side_by_side for it in products]
        if any(type(it) is not Linear for it in (*added, *joined)) or any(it.bias is not None for it in added):
            return False
        if any(len({it.bias is None for it in products}) > 1 for products in side_by_side):
            return False
        if len({it.weight.dtype for it in (*added, *joined)}) > 1:
            return False
    return True


def _projections(attention: Any) -> tuple[Any, Any, Any]:
    return attention.q_proj, attention.k_proj, attention.v_proj


class _FusedStep:
    """A `StepForward`."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._layers = [_Layer(layer) for layer in model.model.layers]

    def __call__(self, tokens: torch.Tensor, positions: torch.Tensor, attention: PackedPass) -> torch.Tensor:
        body = self._model.model
        hidden = body.embed_tokens(tokens)
        cosines, sines = body.rotary_emb(hidden, position_ids=positions[None])
        rotation = _Rotation(cosines[0][:, None], sines[0][:, None], self._layers[0].key_heads)
        for layer in self._layers:
            layer.add_to(hidden, rotation, attention)
        logits: torch.Tensor = self._model.lm_head(_normed(body.norm, hidden))
        return logits


class _Rotation:
    """Turns queries and keys by their positions (Su et al., RoFormer, arXiv 2104.09864), and lets values pass.

    Args:
        cosines, sines: [rows, 1, D].
        value_heads: the last ones of what will be turned.
    """

    def __init__(self, cosines: torch.Tensor, sines: torch.Tensor, value_heads: int) -> None:
        self._cosines = cosines
        self._sines = sines
        self._values = value_heads
        self._factors: dict[int, torch.Tensor] = {}  # [rows, heads, D] by heads; the values' are 1

    def turned(self, packed: torch.Tensor) -> torch.Tensor:
        """Turn [rows, heads, D], whose width D is turned whole, by three operators."""
        heads, half = packed.shape[1], packed.shape[2] // 2
        if heads not in self._factors:
            factors = torch.ones_like(packed)
            factors[:, : heads - self._values] = self._cosines
            self._factors[heads] = factors
        turned = packed * self._factors[heads]
        before, after = packed[:, : heads - self._values], turned[:, : heads - self._values]
        after[..., :half].addcmul_(before[..., half:], self._sines[..., :half], value=-1)
        after[..., half:].addcmul_(before[..., :half], self._sines[..., half:])
        return turned


class _Layer:
    """Attention, then a gated MLP, each behind a root mean square norm and added to the residual."""

    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self._index = int(attention.layer_idx)
        self._width = int(attention.head_dim)
        self._scale = float(attention.scaling)
        self._norms = layer.input_layernorm, layer.post_attention_layernorm
        self._qkv, self._qkv_bias = _side_by_side(_projections(attention))
        self._gates, self._gates_bias = _side_by_side((mlp.gate_proj, mlp.up_proj))
        self._output, self._down = attention.o_proj, mlp.down_proj
        self._act = mlp.act_fn
        self.key_heads = attention.k_proj.out_features // self._width
        self._heads = attention.q_proj.out_features // self._width
        self._head_norms = _of_heads(attention, self._heads, self.key_heads)

    def add_to(self, hidden: torch.Tensor, rotation: _Rotation, attention: PackedPass) -> None:
        """Change the residual [rows, hidden size] in place."""
        before_attention, before_mlp = self._norms
        packed = linear(_normed(before_attention, hidden), self._qkv, self._qkv_bias)
        packed = packed.view(len(hidden), -1, self._width)
        if self._head_norms is not None:
            weights, epsilon = self._head_norms
            normed = rms_norm(packed, (self._width,), eps=epsilon)  # values too: what is contiguous is not copied
            torch.mul(normed[:, : len(weights)], weights, out=packed[:, : len(weights)])
        seen = attention.attend_packed(self._index, rotation.turned(packed), self._heads, self._scale)
        hidden.addmm_(seen, self._output.weight.t())
        gate, up = linear(_normed(before_mlp, hidden), self._gates, self._gates_bias).chunk(2, dim=1)
        hidden.addmm_(self._act(gate) * up, self._down.weight.t())


def _normed(norm: Any, hidden: torch.Tensor) -> torch.Tensor:
    return rms_norm(hidden, (hidden.shape[-1],), norm.weight, norm.variance_epsilon)


def _of_heads(attention: Any, heads: int, key_heads: int) -> tuple[torch.Tensor, float] | None:
    """Weights [query heads and key heads, D] and epsilon of the norms of single heads, where the model has them."""
    if getattr(attention, "q_norm", None) is None:
        return None
    q_norm, k_norm = attention.q_norm, attention.k_norm
    weights = [q_norm.weight.expand(heads, -1), k_norm.weight.expand(key_heads, -1)]
    return torch.cat(weights).detach(), q_norm.variance_epsilon


def _side_by_side(products: Sequence[Any]) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Weight and bias of all products in one; their own become views of it. What lies side by side already stays.

    Args:
        products: all with a bias, or all without.
    """
    biases = [product.bias for product in products if product.bias is not None]
    weight = _moved([product.weight for product in products])
    return weight, _moved(biases) if biases else None


def _moved(parts: list[Any]) -> torch.Tensor:
    first: torch.Tensor = parts[0].data
    shape, begin = (sum(len(part) for part in parts), *first.shape[1:]), first.storage_offset()
    for part in parts:
        if part.data_ptr() != first.data_ptr() + (begin - first.storage_offset()) * first.element_size():
            break
        begin += part.numel()
    else:
        if first.untyped_storage().nbytes() >= begin * first.element_size():
            return first.as_strided(shape, first.stride())
    whole = torch.cat([part.data for part in parts])
    begin = 0
    for part in parts:
        part.data = whole[begin : begin + len(part)]
        begin += len(part)
    del first
    give_back(whole.device)  # or the weights' old places, too small for those to come, would add up
    return whole
