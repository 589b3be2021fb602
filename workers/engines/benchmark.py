"""Measures shared-prefix generation against the ways of transformers: `python -m workers.engines.benchmark --help`.

Every contender answers the same random prompts with the same number of greedy tokens, by a model of random weights, so
nothing is downloaded. On a CPU one thread runs and its CPU time counts, every contender in a process of its own so that
peak memory is its own; on a GPU wall time counts. Without --prefix all of issue 3's measurements for the device run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch
import transformers

from workers.engines.shared_prefix import contenders, kernels, roofline, support
from workers.engines.shared_prefix.contenders import CONTENDERS, Outcome
from workers.engines.shared_prefix.workload import Size, Workload, random_model

GIB = 2**30
MASKS = 2**30  # numbers in the attention mask of a batch: 4 GiB in fp32


@dataclass(frozen=True, slots=True)
class Suite:
    """Attributes:
    size: of the model.
    compared: workloads that all `methods` run.
    swept: workloads that only ours runs.
    references: prompts also answered one at a time, for the rate of agreement.
    """

    size: Size
    compared: tuple[Workload, ...]
    swept: tuple[Workload, ...]
    references: int


CPU = Suite("small", (Workload(2000, 40, 64), Workload(8000, 40, 64)), (), references=4)
CUDA = Suite(
    "8b",
    (Workload(8000, 80, 256),),
    (
        Workload(32000, 80, 64),
        Workload(1000, 80, 64),
        Workload(4000, 80, 64),
        Workload(16000, 80, 64),
        Workload(8000, 8, 64),
        Workload(8000, 512, 64),
    ),
    references=8,
)


def main() -> None:
    arguments = _arguments()
    device = torch.device(arguments.device)
    suite = CUDA if device.type == "cuda" else CPU
    if arguments.prefix:
        asked = tuple(Workload(prefix, arguments.questions, arguments.new) for prefix in arguments.prefix)
        suite = Suite(arguments.model or suite.size, asked, (), arguments.references)
    torch.set_num_threads(1)
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, Python {platform.python_version()}")
    print(f"{torch.cuda.get_device_name() if device.type == 'cuda' else platform.machine()}, {dtype}, {suite}")
    bench = Bench(device, dtype, suite.size, arguments.batch)
    for work in suite.compared:
        bench.compare(work, arguments.methods, suite.references)
    for work in suite.swept:
        bench.compare(work, ["ours"], 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--prefix", type=int, nargs="+", help="tokens all prompts share; one workload each")
    parser.add_argument("--questions", type=int, default=40, help="prompts, with 40 to 60 tokens of their own")
    parser.add_argument("--new", type=int, default=64, help="tokens generated behind each")
    parser.add_argument("--methods", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--model", choices=["small", "8b"], help="shape; small on a CPU, 8b on a GPU when absent")
    parser.add_argument("--batch", type=int, help="prompts at a time for all but ours; all of them when absent")
    parser.add_argument("--references", type=int, default=4, help="prompts also answered one at a time")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no GPU here")
    return arguments


class Bench:
    """Runs workloads on one device and prints a line for each contender."""

    def __init__(self, device: torch.device, dtype: torch.dtype, size: Size, batch: int | None) -> None:
        self._batch = batch
        self._device = device
        self._dtype = dtype
        self._size = size
        self._model = random_model(size, device, dtype)
        self._rates = roofline.rates(device, dtype)
        chosen = kernels.choose(device, dtype, support.head_width(self._model))
        for part in ("dense", "causal", "biased"):
            print(f"kernel for {part} attention: {getattr(chosen, part).__name__}")
        print(f"measured {self._rates.bandwidth / 1e9:,.0f} GB/s, {self._rates.products / 1e12:,.2f} TFLOP/s")

    def compare(self, work: Workload, methods: list[str], references: int) -> None:
        print(f"\nprefix {work.prefix:,}, {work.questions} questions, {work.new} new tokens each", flush=True)
        outcomes: dict[str, Outcome] = {}
        for method in methods:
            started = time.perf_counter()
            try:
                outcomes[method] = self._run(method, work)
            except (RuntimeError, ValueError, TypeError, ImportError, AttributeError) as error:
                print(f"  {method:15s} failed: {type(error).__name__}: {str(error).splitlines()[:1]}", flush=True)
                continue
            print(self._line(method, outcomes[method], work, outcomes.get("ours")), end="")
            print(f"  ({time.perf_counter() - started:.0f} s with loading)", flush=True)
        if references:
            self._agree(work, outcomes, references)

    def _run(self, method: str, work: Workload) -> Outcome:
        batch = None if method == "ours" else self._batch
        if method == "plain" and self._device.type == "cpu" and batch is None:  # it makes a mask [prompts, t, t]
            batch = max(1, MASKS // (work.prefix + 60) ** 2)
        if self._device.type == "cuda":
            return _measured(self._model, method, work, batch)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
            return apart.submit(_alone, method, self._size, self._dtype, work, batch).result()

    def _line(self, method: str, outcome: Outcome, work: Workload, ours: Outcome | None) -> str:
        line = f"  {method:15s} {outcome.total:8.2f} s {work.questions * work.new / outcome.total:9,.0f} tokens/s"
        if outcome.prefill is not None:
            decode = outcome.total - outcome.prefill
            line += f"  prefill {outcome.prefill:7.2f} s  decode {decode:7.2f} s"
        line += f"  peak {outcome.peak / GIB:6.2f} GiB  {outcome.batch:3d} at a time"
        if method == "ours":
            assert outcome.prefill is not None
            read = roofline.prefill_need(self._model, work).seconds(self._rates) / outcome.prefill
            wrote = roofline.decode_need(self._model, work).seconds(self._rates) / (outcome.total - outcome.prefill)
            return f"{line}  roofline: prefill {read:.0%}, decode {wrote:.0%}"
        return line if ours is None else f"{line}  ours is {outcome.total / ours.total:.1f}x as fast"

    def _agree(self, work: Workload, outcomes: dict[str, Outcome], references: int) -> None:
        """How much of what each contender said is what the model says to one prompt at a time."""
        prompts = work.prompts(self._model.config.vocab_size)
        chosen = range(0, len(prompts), max(1, len(prompts) // references))
        alone = {
            index: contenders.measure(contenders.plain, self._model, [prompts[index]], work.prefix, work.new).tokens[0]
            for index in chosen
        }
        for method, outcome in outcomes.items():
            whole = sum(outcome.tokens[index] == tokens for index, tokens in alone.items())
            same = [_common(outcome.tokens[index], tokens) for index, tokens in alone.items()]
            print(
                f"  {method:15s} says what batch size 1 says in {whole} of {len(alone)} completions, "
                f"and up to token {sum(same) / len(same):.0f} of {work.new} on average"
            )


def _common(left: list[int], right: list[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _alone(method: str, size: Size, dtype: torch.dtype, work: Workload, batch: int | None) -> Outcome:
    """In a process of its own."""
    torch.set_num_threads(1)
    return _measured(random_model(size, torch.device("cpu"), dtype), method, work, batch)


def _measured(model: Any, method: str, work: Workload, batch: int | None) -> Outcome:
    """After a small run, so that what a library does at its first use counts for no one."""
    small, vocabulary = Workload(256, 4, 4), model.config.vocab_size
    contenders.measure(CONTENDERS[method], model, small.prompts(vocabulary), small.prefix, small.new)
    return contenders.measure(CONTENDERS[method], model, work.prompts(vocabulary), work.prefix, work.new, batch)


if __name__ == "__main__":
    main()
