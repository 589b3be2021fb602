"""Measures shared-prefix generation against the ways of transformers: `python -m workers.bench.generation --help`.

Every contender answers the same random prompts with the same number of greedy tokens, by a model of random weights, so
nothing is downloaded. On a CPU one thread runs and its CPU time counts, every contender in a process of its own so that
peak memory is its own; on a GPU wall time counts. Without --prefix and --sweep all standing measurements for the
device run, the most important first. The plan is printed before anything runs, and what is left out is said with the
reason; Ctrl-C ends it early, with the tables of what there is.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch
import transformers

from workers.bench import blocks, contenders, roofline
from workers.bench.contenders import CONTENDERS, Measurement
from workers.bench.forecast import RunTimeForecast
from workers.bench.options import read_arguments, runs_of
from workers.bench.report import Finding, Report
from workers.bench.roofline import Rates
from workers.bench.suite import AGREEMENT, SuiteRun
from workers.bench.workload import GenerationWorkload, Size, random_model
from workers.shared_prefix import capacity, kernels, memory, support

KERNELS = ("dense", "causal", "biased", "paged")
MASKS = 2**30  # numbers in the attention mask of a batch: 4 GiB in fp32
SETTING_UP = {"cpu": 15.0, "cuda": 2.0}  # seconds around a run: a process, a model, a small run, the rates
WHOLE_PROMPTS = ("plain", "expanded")  # contenders whose batch must be chosen for them


def main() -> None:
    arguments = read_arguments(__doc__)
    torch.set_num_threads(1)
    bench = GenerationBenchmark(arguments)
    if arguments.blocks:
        bench.compare_blocks()
        return
    runs = runs_of(arguments)
    bench.plan(runs)
    try:
        bench.measure(runs)
    except KeyboardInterrupt:
        print("ended early", flush=True)
    except Exception as error:
        print(f"ended by {_spoken(error)}", flush=True)
        raise
    finally:
        if arguments.markdown:
            print(f"\n{bench.report.markdown()}", flush=True)
    if failures := [reason for method, _, reason in bench.report.failed if method == "ours"]:
        sys.exit(f"our own method failed {len(failures)} times, first by {failures[0]}")


class GenerationBenchmark:
    """Runs workloads on one device; prints a line for each contender, and keeps the report."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._started = time.perf_counter()
        self._arguments = arguments
        self._device = torch.device(arguments.device)
        self._dtype: torch.dtype = getattr(torch, arguments.dtype)
        self._size: Size = arguments.model
        self._model = random_model(self._size, self._device, self._dtype)
        self._rates = [roofline.rates(self._device, self._dtype)]
        self._forecast = RunTimeForecast(self._model, self._rates[0])
        self._setting_up = SETTING_UP[self._device.type]
        self._answers: dict[SuiteRun, list[list[int]]] = {}
        self._alone: dict[GenerationWorkload, dict[int, list[int]]] = {}
        self.report = Report(self._surroundings())

    def compare_blocks(self) -> None:
        asked, where = self._arguments, self.report.surroundings
        works = blocks.workloads(asked.blocks, asked.questions or 8, asked.new or 64)
        print(f"{where['device']}, {where['model']}, {where['clock']}\n{blocks.compared(self._model, works)}")

    def plan(self, runs: list[SuiteRun]) -> None:
        for name, value in self.report.surroundings.items():
            print(f"{name}: {value}")
        print(f"\nplan, {_clock(self._left(runs))} by forecast", end="")
        print(f", {self._arguments.minutes:g} minutes at most:" if self._arguments.minutes else ":")
        for run in runs:
            print(f"  {_named(run):58s} about {self._seconds(run):6,.0f} s", flush=True)

    def measure(self, runs: list[SuiteRun]) -> None:
        for number, run in enumerate(runs):
            reason = self._reason_against(run)
            if reason is not None:
                self.report.skipped.append((run.method, run.work, reason))
                print(f"left out {_named(run)}: {reason}", flush=True)
                continue
            print(
                f"[{number + 1} of {len(runs)}, {_clock(self._elapsed())} gone, "
                f"about {_clock(self._left(runs[number:]))} left] {_named(run)}",
                flush=True,
            )
            self._measure(run)
            if self._arguments.json:
                self.report.write(self._arguments.json)

    def _measure(self, run: SuiteRun) -> None:
        try:
            if run.method == AGREEMENT:
                self._answer_alone(run.work)
            else:
                self._compare(run)
        except Exception as error:  # libraries fail in many ways, and the others are to be measured
            self.report.failed.append((run.method, run.work, _spoken(error)))
            print(f"  {run.method:15s} failed: {_spoken(error)}", flush=True)
        memory.give_back(self._device)

    def _compare(self, run: SuiteRun) -> None:
        outcome, measured = self._run(run)
        self._rates += measured
        self.report.surroundings["rates"] = self._spoken_rates()
        work = run.work
        finding = Finding(run.method, work, outcome.total, outcome.prefill, outcome.peak, outcome.batch)
        if finding.prefill and finding.decode:
            on = roofline.middle(measured)
            finding.of_prefill = roofline.prefill_need(self._model, work).seconds(on) / finding.prefill
            finding.of_decode = roofline.decode_need(self._model, work).seconds(on) / finding.decode
        self._forecast.learn(run.method, work, outcome.total)
        self._answers[run] = outcome.tokens
        self.report.findings.append(finding)
        print(finding.line(self.report.find("ours", work)), flush=True)
        if work in self._alone:
            self._agree(finding)

    def _run(self, run: SuiteRun) -> tuple[Measurement, list[Rates]]:
        batch = self._batch(run)
        if self._device.type == "cuda":
            return _measured(self._model, run, batch)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
            return executor.submit(_in_its_own_process, run, self._size, self._dtype, batch).result()

    def _batch(self, run: SuiteRun) -> int | None:
        """Prompts at a time; None for all of them."""
        work = run.work
        if run.method not in WHOLE_PROMPTS:
            return None
        if self._arguments.batch:
            return int(self._arguments.batch)
        free = int(0.9 * memory.free_bytes(self._device))
        model = capacity.sizes(self._model.config, self._dtype.itemsize)
        fitting = capacity.rows_of_whole_prompts(free, work.prefix + 60, work.new, model)
        if self._device.type == "cpu" and run.method == "plain":  # it makes a mask [prompts, t, t]
            fitting = min(fitting, max(1, MASKS // (work.prefix + 60) ** 2))
        return -(-work.questions // -(-work.questions // fitting))  # batches of about the same size

    def _answer_alone(self, work: GenerationWorkload) -> None:
        """Some prompts, one at a time, and how much of it the contenders so far said too."""
        prompts = work.prompts(self._model.config.vocab_size)
        self._alone[work], seconds = {}, 0.0
        for index in range(0, len(prompts), max(1, -(-len(prompts) // self._arguments.references))):
            outcome = contenders.measure(contenders.plain, self._model, [prompts[index]], work.prefix, work.new)
            self._alone[work][index] = outcome.tokens[0]
            seconds += outcome.total
        single = GenerationWorkload(work.prefix, 1, work.new)
        self._forecast.learn(AGREEMENT, single, seconds / len(self._alone[work]))
        for finding in self.report.findings:
            if finding.work == work:
                self._agree(finding)

    def _agree(self, finding: Finding) -> None:
        alone, answers = self._alone[finding.work], self._answers[SuiteRun(finding.method, finding.work)]
        finding.whole = sum(answers[index] == tokens for index, tokens in alone.items()) / len(alone)
        finding.until = sum(_common(answers[index], tokens) for index, tokens in alone.items()) / len(alone)
        print(
            f"  {finding.method:15s} says what batch size 1 says in {finding.whole:.0%} of {len(alone)} completions, "
            f"and up to token {finding.until:.0f} of {finding.work.new} on average",
            flush=True,
        )

    def _seconds(self, run: SuiteRun) -> float:
        if run.method != AGREEMENT:
            return self._forecast.seconds(run.method, run.work)
        single = GenerationWorkload(run.work.prefix, 1, run.work.new)
        return float(self._arguments.references * self._forecast.seconds(AGREEMENT, single))

    def _reason_against(self, run: SuiteRun) -> str | None:
        seconds = self._seconds(run)
        if seconds > self._arguments.skip_above:
            return f"it would take about {_clock(seconds)} (--skip-above {self._arguments.skip_above:g})"
        if self._arguments.minutes and self._elapsed() + seconds > 60 * self._arguments.minutes:
            return f"it would take about {_clock(seconds)}, and the {self._arguments.minutes:g} minutes are nearly over"
        return None

    def _left(self, runs: list[SuiteRun]) -> float:
        forecasts = [self._seconds(run) for run in runs]
        left = sum(seconds + self._setting_up for seconds in forecasts if seconds <= self._arguments.skip_above)
        limit = self._arguments.minutes
        return min(left, max(0.0, 60 * limit - self._elapsed())) if limit else left

    def _elapsed(self) -> float:
        return time.perf_counter() - self._started

    def _surroundings(self) -> dict[str, Any]:
        chosen = kernels.choose(self._device, self._dtype, support.first_head_width(self._model))
        gpu = self._device.type == "cuda"
        return {
            "versions": f"torch {torch.__version__}, transformers {transformers.__version__}, "
            f"Python {platform.python_version()}",
            "device": torch.cuda.get_device_name() if gpu else f"{platform.machine()}, one thread",
            "clock": "wall time" if gpu else "CPU time",
            "model": f"{self._size}, {self._arguments.dtype}",
            "kernels": {part: getattr(getattr(chosen, part), "__name__", "none") for part in KERNELS},
            "rates": self._spoken_rates(),
        }

    def _spoken_rates(self) -> dict[str, float]:
        """Median and spread of what was measured so far, right before and after every contender."""
        rates, (of_bandwidth, of_products) = roofline.middle(self._rates), roofline.spread(self._rates)
        return {
            "GB/s": round(rates.bandwidth / 1e9, 1),
            "GB/s spread": round(of_bandwidth, 2),
            "TFLOP/s": round(rates.products / 1e12, 3),
            "TFLOP/s spread": round(of_products, 2),
        }


def _common(left: list[int], right: list[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _spoken(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def _named(run: SuiteRun) -> str:
    work = run.work
    return f"{run.method}: prefix {work.prefix:,}, {work.questions} questions, {work.new} new tokens"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _in_its_own_process(
    run: SuiteRun, size: Size, dtype: torch.dtype, batch: int | None
) -> tuple[Measurement, list[Rates]]:
    torch.set_num_threads(1)
    return _measured(random_model(size, torch.device("cpu"), dtype), run, batch)


def _measured(model: Any, run: SuiteRun, batch: int | None) -> tuple[Measurement, list[Rates]]:
    """Measure after a small run, so that what a library does at its first use counts for no one; and the device's rates
    right before and after."""
    device = torch.device(model.device)
    contender, vocabulary = CONTENDERS[run.method], model.config.vocab_size
    small, work = GenerationWorkload(256, 4, 4), run.work
    contenders.measure(contender, model, small.prompts(vocabulary), small.prefix, small.new)
    before = roofline.rates(device, model.dtype)
    outcome = contenders.measure(contender, model, work.prompts(vocabulary), work.prefix, work.new, batch)
    memory.give_back(device)
    return outcome, [before, roofline.rates(device, model.dtype)]


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # as of a time limit; a shell may have them ignored
        signal.signal(number, signal.default_int_handler)
    main()
