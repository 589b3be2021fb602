"""What models do to the softmax is the same whole and in parts."""

from __future__ import annotations

import pytest
import torch

from workers.shared_prefix import variants
from workers.shared_prefix.arithmetic import by_arithmetic
from workers.shared_prefix.variants import capped_by_arithmetic, with_sinks


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("at_once", [1, 40, 2**24])
def test_scores_are_capped_some_queries_at_a_time(causal: bool, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "MOST_SCORES", at_once)
    q, k, v = 5 * random(1, 2, 9, 8), random(1, 2, 9, 8), random(1, 2, 9, 8)
    whole = by_arithmetic(q, k, v, None, causal, 0.7, cap=2.0)
    for found, expected in zip(capped_by_arithmetic(2.0, q, k, v, None, causal, 0.7), whole, strict=True):
        torch.testing.assert_close(found, expected)
    assert not torch.allclose(whole[0], by_arithmetic(q, k, v, None, causal, 0.7)[0])


def test_a_sink_is_a_key_without_a_value() -> None:
    scores, values, sinks = random(1, 4, 3, 7), random(1, 4, 7, 5), random(4)
    expected = torch.cat([scores, sinks[None, :, None, None].expand(1, 4, 3, 1)], dim=-1).softmax(-1)[..., :-1] @ values
    part = scores.softmax(-1) @ values, scores.logsumexp(-1)
    folded = part[0].reshape(1, 2, 6, 5), part[1].reshape(1, 2, 6)  # two query heads a key head
    torch.testing.assert_close(with_sinks(folded, sinks).reshape(1, 4, 3, 5), expected)
