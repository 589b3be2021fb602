"""The benchmark compares like with like."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from workers.bench import blocks, contenders, report, roofline, suite
from workers.bench import generation as benchmark
from workers.bench.forecast import RunTimeForecast
from workers.bench.workload import GenerationWorkload, random_model
from workers.failures import GenerationFailed
from workers.shared_prefix import memory

pytestmark = pytest.mark.heavy

WORK = GenerationWorkload(prefix=70, questions=3, new=5)


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
    need = roofline.decode_need(model, GenerationWorkload(1000, 10, 20))
    assert need.bytes == 20 * (weights * 4 + kept * (1000 + 10 * 60))
    assert need.operations == 20 * 10 * (2 * weights + 4 * 8 * 8 * 32 * 1060)
    assert need.seconds(roofline.Rates(need.bytes / 3, need.operations)) == pytest.approx(3)


WORK_LINE = "--prefix 60 --questions 2 --new 3 --references 1"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "ProcessPoolExecutor", _Here)


def printed(arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["benchmark", *arguments.split()])
    benchmark.main()
    return capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_it_prints_a_plan_a_line_for_each_method_and_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "found.json"
    text = printed(f"{WORK_LINE} --methods ours plain --markdown --json {file}", monkeypatch, capsys)
    for part in (
        "plan, ",
        "[1 of 3, ",
        "ours  ",
        "plain  ",
        "roofline: prefill",
        "as fast",
        "batch size 1 says in 100%",
    ):
        assert part in text
    assert "| 60 x 2 x 3 | plain |" in text
    found = json.loads(file.read_text())
    assert [run["method"] for run in found["runs"]] == ["ours", "plain"]
    assert found["runs"][0]["decode"] == pytest.approx(found["runs"][0]["total"] - found["runs"][0]["prefill"])
    assert found["runs"][1]["whole"] == 1
    assert found["rates"]["GB/s spread"] >= 0


@pytest.mark.usefixtures("here")
def test_half_precision_is_compared_on_a_cpu_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(f"{WORK_LINE} --methods ours --dtype bfloat16", monkeypatch, capsys)
    assert "small, bfloat16" in text
    assert "ours            says what batch size 1 says" in text


class _Lost:
    """A contender after which the device does nothing any more, as after an illegal access of memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, *_: Any) -> Any:
        self._monkeypatch.setattr(memory, "give_back", self.lost)
        self.lost()

    def lost(self, *_: Any) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nand more")


@pytest.mark.usefixtures("here")
def test_a_contender_that_fails_is_told_and_the_others_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(*_: Any) -> Any:
        raise GenerationFailed("no place")

    monkeypatch.setitem(contenders.CONTENDERS, "ours", failing)
    with pytest.raises(SystemExit, match="our own method failed 1 times, first by GenerationFailed: no place"):
        printed(f"{WORK_LINE} --methods ours expanded --references 0 --markdown", monkeypatch, capsys)
    text = capsys.readouterr().out
    assert "ours            failed: GenerationFailed: no place\n" in text
    assert "| 60 x 2 x 3 | expanded |" in text


@pytest.mark.usefixtures("here")
def test_a_device_that_is_lost_leaves_a_table_of_what_was_measured_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(contenders.CONTENDERS, "expanded", _Lost(monkeypatch))
    with pytest.raises(RuntimeError, match="illegal memory access"):
        printed(f"{WORK_LINE} --methods ours expanded --references 0 --markdown", monkeypatch, capsys)
    text = capsys.readouterr().out
    assert "ended by RuntimeError: CUDA error: an illegal memory access was encountered\n" in text
    assert "| 60 x 2 x 3 | ours |" in text


@pytest.mark.parametrize("limit", ["--skip-above 0", "--minutes 0.0001"])
@pytest.mark.usefixtures("here")
def test_what_would_take_too_long_is_left_out_with_the_reason(
    limit: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(f"{WORK_LINE} --methods ours {limit}", monkeypatch, capsys)
    assert "left out ours: prefix 60, 2 questions, 3 new tokens: it would take about 0:0" in text
    assert "tokens/s" not in text


def test_blocks_are_answered_apart_and_together_and_say_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(blocks, "LONGEST", 520)
    text = printed("--blocks 3 --questions 2 --new 3", monkeypatch, capsys)
    assert "3 blocks of 2 questions behind 500 to 520 tokens, 3 new each: one after the other" in text
    assert "100% of the completions are the same" in text


def test_a_sweep_goes_from_small_to_large() -> None:
    runs = suite.swept(["prefix", "questions"], GenerationWorkload(8000, 80, 64), ["plain", "ours"])
    assert [run.work.prefix for run in runs[:6]] == [1000, 2000, 4000, 8000, 16000, 32000]
    assert [run.work.questions for run in runs[6:10]] == [8, 40, 128, 512]
    assert {run.method for run in runs[:10]} == {"ours"}
    assert {run.method for run in runs[10:]} == {"plain"}
    assert len(runs) == len(set(runs))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_most_important_comes_first(device: str) -> None:
    defaults = suite.DEFAULTS[device]
    runs = suite.everything(defaults, list(contenders.CONTENDERS))
    assert [run.method for run in runs[:2]] == ["ours", "plain"]
    assert runs[0].work == runs[1].work == defaults.main[0]
    assert len(runs) == len(set(runs))
    assert {run.method for run in runs} == {*contenders.CONTENDERS, suite.AGREEMENT}
    if defaults.memory:
        last_of_ours = max(place for place, run in enumerate(runs) if run.method == "ours")
        assert all(run.method in ("ours", "plain", suite.AGREEMENT) for run in runs[:last_of_ours])


def test_a_forecast_learns_from_a_smaller_run(model: Any) -> None:
    forecast = RunTimeForecast(model, roofline.Rates(1e10, 1e11))
    small, large = GenerationWorkload(1000, 10, 8), GenerationWorkload(4000, 10, 8)
    before = forecast.seconds("plain", large)
    forecast.learn("plain", small, 3 * forecast.seconds("plain", small))
    assert forecast.seconds("plain", large) == pytest.approx(3 * before)
    assert forecast.seconds("plain", large) > 4 * forecast.seconds("plain", small)
    assert forecast.seconds("expanded", large) < before


def test_rates_are_the_middle_of_what_was_measured() -> None:
    measured = [roofline.Rates(1, 40), roofline.Rates(2, 10), roofline.Rates(4, 20)]
    assert roofline.middle(measured) == roofline.Rates(2, 20)
    assert roofline.spread(measured) == (1.5, 1.5)


def test_the_report_is_a_table_with_what_is_not_told_left_open() -> None:
    found = report.Report({})
    found.findings.append(report.Finding("ours", WORK, 2.0, 0.5, 2**30, 3, 0.5, 0.25, 1.0, 5))
    found.findings.append(report.Finding("generate_batch", WORK, 5.0, None, 2**31, 3))
    lines = found.markdown().splitlines()
    assert lines[2] == "| 70 x 3 x 5 | ours | 2.00 | 0.50 | 1.50 | 8 | 1.00 | 50%, 25% | 100%, to token 5 | – |"
    assert lines[3] == "| 70 x 3 x 5 | generate_batch | 5.00 | – | – | 3 | 2.00 | – | – | 2.5 x |"
    assert len({line.count("|") for line in lines}) == 1


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
