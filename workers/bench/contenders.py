"""Four ways to answer questions behind one prefix, with the same greedy tokens: ours, and three of transformers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from transformers import ContinuousBatchingConfig, DynamicCache, GenerationConfig, StoppingCriteriaList

from workers.bench.meter import Meter
from workers.bench.timed_rows import Prompts, timed_rows
from workers.messages import Ended
from workers.prompt import Decoding, PromptBlock
from workers.shared_prefix import kernels, support
from workers.shared_prefix.capacity import Capacity
from workers.shared_prefix.decode import DecodeLoop
from workers.shared_prefix.detokenizer import Stops, Transcript
from workers.shared_prefix.memory import is_out_of_memory
from workers.shared_prefix.plain_rows import PAD, left_padded
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.request import Request
from workers.shared_prefix.sampling import TokenChooser


@dataclass(slots=True)
class Measurement:
    """Time, memory and tokens of one contender on one workload.

    Attributes:
        tokens: generated, by prompt.
        prefill, total: seconds; of CPU time on a CPU (one thread), of wall time on a GPU. No prefill where the library
            does not tell it apart.
        peak: bytes beyond what was in memory before.
        batch: prompts at a time; fewer than asked for where memory ended.
    """

    tokens: list[list[int]]
    prefill: float | None
    total: float
    peak: int
    batch: int


Contender = Callable[[Any, list[list[int]], int, int, Meter], tuple[list[list[int]], float | None]]
"""(model, prompts, shared tokens, new tokens, meter) -> tokens by prompt, and prefill seconds where told apart."""


def measure(
    contender: Contender, model: Any, prompts: list[list[int]], shared: int, new: int, batch: int | None = None
) -> Measurement:
    """One run, of at most `batch` prompts at a time; where memory ends, again with half as many, and only the run that
    worked counts."""
    batch = min(batch or len(prompts), len(prompts))
    while True:
        meter = Meter(torch.device(model.device))
        try:
            with meter, torch.no_grad():  # inference mode would spoil what generate_batch's thread writes to
                tokens, prefill = _in_batches(contender, model, prompts, shared, new, batch, meter)
                return Measurement(tokens, prefill, meter.total(), meter.peak(), batch)
        except RuntimeError as error:
            if not is_out_of_memory(error) or batch == 1:
                raise
        batch = -(-batch // 2)


def _in_batches(
    contender: Contender, model: Any, prompts: list[list[int]], shared: int, new: int, batch: int, meter: Meter
) -> tuple[list[list[int]], float | None]:
    tokens: list[list[int]] = []
    prefill: float | None = 0.0
    for begin in range(0, len(prompts), batch):
        some, seconds = contender(model, prompts[begin : begin + batch], shared, new, meter)
        tokens += some
        prefill = None if seconds is None or prefill is None else prefill + seconds
    return tokens, prefill


class _NoText:
    """A stand-in for a tokenizer: this benchmark speaks tokens."""

    def decode(self, *_: object, **__: object) -> str:
        return ""


def decoded(
    model: Any, blocks: list[Prompts], new: int, meter: Meter, *, as_one_batch: bool = True
) -> list[list[list[int]]]:
    """Tokens generated behind each prompt of each block, by the engine's own parts with an empty prefix tree.

    Args:
        as_one_batch: all blocks in one batch, else one after the other.

    Raises:
        GenerationFailed: a block does not fit the memory.
    """
    device = torch.device(model.device)
    chosen = kernels.choose(device, model.dtype, support.first_head_width(model))
    tree = PrefixTree(model, chosen, budget=2**40)
    stops, most = Stops(_NoText(), ()), sum(len(block.tokens) for block in blocks)
    asked = [
        [
            Request(job, index, "", prompt, prompt[: block.shared], _transcript(prompt, stops))
            for index, prompt in enumerate(block.tokens)
        ]
        for job, block in enumerate(blocks)
    ]
    loop = DecodeLoop(
        lambda job, _: asked[job],
        timed_rows(model, chosen, tree, blocks, new, meter),
        lambda *_: most,
        lambda: TokenChooser(Decoding(new), model.config.vocab_size, device),
        Decoding(new),
        (),
        Capacity(most),
    )
    meter.prefill = 0.0
    jobs = list(range(len(blocks)))
    for running in [jobs] if as_one_batch else [[job] for job in jobs]:
        for job in running:
            loop.add(job, PromptBlock("", ()))
        _finish(loop, len(running))
    return [[request.transcript.tokens for request in requests] for requests in asked]


def _transcript(prompt: list[int], stops: Stops) -> Transcript:
    return Transcript(_NoText(), prompt, stops)


def _finish(loop: DecodeLoop, jobs: int) -> None:
    while jobs:
        ended = [news for news in loop.step() if isinstance(news, Ended)]
        jobs -= len(ended)
        if failure := next((end.error for end in ended if end.error), None):
            raise failure


def ours(model: Any, prompts: list[list[int]], shared: int, new: int, meter: Meter) -> tuple[list[list[int]], float]:
    """The engine's own way."""
    [tokens] = decoded(model, [Prompts(prompts, shared)], new, meter)
    return tokens, meter.prefill


def plain(model: Any, prompts: list[list[int]], _shared: int, new: int, meter: Meter) -> tuple[list[list[int]], float]:
    """`generate` with whole prompts, left-padded."""
    ids, mask = (t.to(model.device) for t in left_padded(prompts))
    return _generate(model, ids, mask, new, meter, meter.now())


def expanded(
    model: Any, prompts: list[list[int]], shared: int, new: int, meter: Meter
) -> tuple[list[list[int]], float]:
    """The prefix's cache computed once, copied for every prompt, and given to `generate`."""
    start = meter.now()
    cache = DynamicCache(config=model.config)
    prefix = torch.tensor([prompts[0][:shared]], device=model.device)
    for part in torch.split(prefix, 2048, dim=1):
        model.model(input_ids=part, past_key_values=cache, use_cache=True)
    cache.batch_repeat_interleave(len(prompts))
    ids, mask = (t.to(model.device) for t in left_padded([prompt[shared:] for prompt in prompts]))
    ids = torch.cat([prefix.expand(len(prompts), -1), ids], dim=1)
    mask = torch.cat([mask.new_ones(len(prompts), shared), mask], dim=1)
    return _generate(model, ids, mask, new, meter, start, past_key_values=cache)


def _generate(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, new: int, meter: Meter, start: float, **more: Any
) -> tuple[list[list[int]], float]:
    first: list[float] = []

    def note(tokens: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        if not first:
            first.append(meter.now())
        return torch.zeros(tokens.shape[0], dtype=torch.bool, device=tokens.device)

    output = model.generate(
        ids,
        attention_mask=mask,
        do_sample=False,
        max_new_tokens=new,
        pad_token_id=PAD,
        stopping_criteria=StoppingCriteriaList([note]),
        **more,
    )
    return output[:, ids.shape[1] :].tolist(), first[0] - start


def continuous(
    model: Any, prompts: list[list[int]], shared: int, new: int, _meter: Meter
) -> tuple[list[list[int]], None]:
    """`generate_batch`: continuous batching over pages. The prefix is read by a first request, so that others find it;
    that request asks for two tokens, because pages of a request of one are not kept (transformers 5.23)."""
    longest = max(len(prompt) for prompt in prompts) + new
    page = 256 if model.device.type == "cuda" else 16
    pages = shared // page + len(prompts) * (-(-(longest - shared) // page) + 2) + 8
    config = GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=False, max_new_tokens=new, pad_token_id=PAD, eos_token_id=-1
    )
    field_names = {field.name for field in fields(ContinuousBatchingConfig)}
    name = "page_size" if "page_size" in field_names else "block_size"  # of transformers 5.17
    size: dict[str, Any] = {name: page}
    settings = ContinuousBatchingConfig(num_blocks=pages, max_batch_tokens=2048, **size)
    options = {"generation_config": config, "continuous_batching_config": settings, "persistent_manager": True}
    try:
        model.generate_batch([prompts[0][: shared + 1]], max_new_tokens=2, progress_bar=False, **options)
        answers = model.generate_batch(prompts, max_new_tokens=new, progress_bar=False, **options)
    finally:
        model.destroy_cached_continuous_batching_manager()
    by_number = sorted(answers.values(), key=lambda answer: int(answer.request_id.rsplit("_", 1)[-1]))
    if any(answer.error for answer in by_number) or len(by_number) != len(prompts):
        raise ValueError(f"generate_batch failed: {[answer.error for answer in by_number][:1]}")
    return [list(answer.generated_tokens) for answer in by_number], None


CONTENDERS: dict[str, Contender] = {
    "ours": ours,
    "plain": plain,
    "expanded": expanded,
    "generate_batch": continuous,
}
