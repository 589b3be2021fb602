"""The benchmark compares like with like."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch

from workers.engines import benchmark
from workers.engines.shared_prefix import contenders, roofline
from workers.engines.shared_prefix.workload import Workload, random_model

WORK = Workload(prefix=70, questions=3, new=5)


@pytest.fixture(scope="module")
def model() -> Any:
    return random_model("small", torch.device("cpu"), torch.float32)


@pytest.mark.parametrize("method", contenders.CONTENDERS)
def test_every_contender_says_the_same_tokens(model: Any, method: str) -> None:
    prompts = WORK.prompts(model.config.vocab_size)
    alone = [contenders.measure(contenders.plain, model, [prompt], 70, 5).tokens[0] for prompt in prompts]
    outcome = contenders.measure(contenders.CONTENDERS[method], model, prompts, 70, 5)
    assert outcome.tokens == alone
    assert outcome.batch == 3
    assert outcome.prefill is None or 0 < outcome.prefill < outcome.total


def test_prompts_share_their_prefix_and_nothing_more() -> None:
    prompts = WORK.prompts(4096)
    assert len({tuple(prompt[:70]) for prompt in prompts}) == 1
    assert len({tuple(prompt[70:72]) for prompt in prompts}) == 3
    assert [len(prompt) - 70 for prompt in prompts] == [40, 50, 60]


def test_memory_that_ends_halves_the_prompts_at_a_time(model: Any) -> None:
    sizes = []

    def greedy_for_memory(_: Any, prompts: list[list[int]], *__: Any) -> tuple[list[list[int]], float]:
        sizes.append(len(prompts))
        if len(prompts) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [[1]] * len(prompts), 0.0

    outcome = contenders.measure(greedy_for_memory, model, [[1]] * 5, 1, 1)
    assert (sizes, outcome.batch, len(outcome.tokens)) == ([5, 3, 2, 2, 1], 2, 5)


def test_the_roofline_counts_what_must_be_read(model: Any) -> None:
    weights = 8 * (2 * 256 * 256 + 2 * 256 * 64 + 3 * 256 * 688 + 2 * 256) + 256 + 256 * 4096
    kept = 2 * 8 * 2 * 32 * 4  # bytes of a token's keys and values
    need = roofline.decode_need(model, Workload(1000, 10, 20))
    assert need.bytes == 20 * (weights * 4 + kept * (1000 + 10 * 60))
    assert need.operations == 20 * 10 * (2 * weights + 4 * 8 * 8 * 32 * 1060)
    assert need.seconds(roofline.Rates(need.bytes / 3, need.operations)) == pytest.approx(3)


def test_it_prints_a_line_for_each_method(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = "benchmark --prefix 60 --questions 2 --new 3 --methods ours plain --references 1"
    monkeypatch.setattr(sys, "argv", arguments.split())
    monkeypatch.setattr(benchmark, "ProcessPoolExecutor", _Here)
    benchmark.main()
    printed = capsys.readouterr().out
    for part in ("ours  ", "plain  ", "roofline: prefill", "as fast", "says what batch size 1 says in"):
        assert part in printed


class _Here:
    """A pool that works in this process."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> _Here:
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, work: Any, *arguments: Any) -> _Here:
        self._done = work(*arguments)
        return self

    def result(self) -> Any:
        return self._done
