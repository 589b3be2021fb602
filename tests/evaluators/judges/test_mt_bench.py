import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.errors import InputError
from configs.schema import MTBenchJudgeConfig
from evaluators.failures import JudgeFailed, VerdictUnreadable
from evaluators.judge import Verdict
from evaluators.judges.mt_bench import NEED_REFERENCE, MTBenchJudge
from evaluators.question import Question
from evaluators.service import Service
from evaluators.verdict import PARSER_VERSION
from tests.evaluators.real_files import mt_bench_file, mt_bench_rows
from tests.judge_server import JudgeServer, rating_of, says
from tests.kits.judge_kit import JudgeKit, MakeJudge

GOLDEN = Path(__file__).parents[2] / "golden" / "mt_bench"
KEY = "sk-very-secret-0123456789"
NOBODY = "http://127.0.0.1:9/v1"
POEM = Question("1", "Write a line on {winter}.\nIn code: `{x: 1}`", "writing")
SUM = Question("2", "What is 2 + 2? Use {} or not.", "math", "4, or {four}")


def _config(base_url: str, **knobs: object) -> MTBenchJudgeConfig:
    service = {"model": "judge", "base_url": base_url, "api_key_variable": "THE_KEY", "max_in_flight": 8}
    return MTBenchJudgeConfig.model_validate(
        {"kind": "mt_bench", "prompts_path": GOLDEN / "judge_prompts.jsonl", "service": service} | knobs
    )


def _judge(base_url: str = NOBODY, **knobs: object) -> MTBenchJudge:
    config = _config(base_url, **knobs)
    return MTBenchJudge.load(config, Service(config.service, {"THE_KEY": KEY}))


def _verdict(server: JudgeServer, question: Question = POEM, **knobs: object) -> Verdict:
    async def scenario() -> Verdict:
        judge = _judge(server.base_url, **knobs)
        try:
            return await judge.judge(question, "Snow {falls}.")
        finally:
            await judge.close()

    return asyncio.run(scenario())


class TestMTBenchJudge(JudgeKit):
    lacking = Question("q3", "What is 3 + 4?", "math")
    secret = KEY

    @pytest.fixture
    def make(self) -> Iterator[MakeJudge]:
        with JudgeServer() as server:
            yield lambda: _judge(server.base_url)


@pytest.mark.parametrize("question", [POEM, SUM], ids=["single-v1", "single-math-v1"])
def test_judge_prompts_are_rendered_as_in_the_golden_files(question: Question) -> None:
    messages = _judge().messages(question, "Snow {falls}: {{answer}} %s \\n {question}")
    golden = GOLDEN / f"messages_{question.category}.json"
    assert messages == json.loads(golden.read_text(encoding="utf-8"))


def test_every_real_judge_prompt_of_turn_1_is_rendered_byte_for_byte() -> None:
    questions = {row["question_id"]: row for row in mt_bench_rows("question.jsonl")}
    references = {row["question_id"]: row["choices"][0] for row in mt_bench_rows("reference_answer/gpt-4.jsonl")}
    answers = {row["question_id"]: row["choices"][0] for row in mt_bench_rows("model_answer/mistral-orpo-mix.jsonl")}
    judgments = [
        row
        for row in mt_bench_rows("model_judgment/gpt-4_single.jsonl")
        if row["model"] == "mistral-orpo-mix" and row["turn"] == 1
    ]
    judge = _judge(prompts_path=mt_bench_file("judge_prompts.jsonl"))
    assert len(judgments) == 80
    for row in judgments:
        asked = questions[row["question_id"]]
        reference = references.get(row["question_id"])
        question = Question("q", asked["turns"][0], asked["category"], reference["turns"][0] if reference else None)
        system, user = judge.messages(question, answers[row["question_id"]]["turns"][0])
        assert system["content"] == "You are a helpful assistant."
        assert user["content"] == row["user_prompt"]


def test_the_service_is_asked_as_mt_bench_does_and_its_usage_is_kept() -> None:
    with JudgeServer() as server:
        verdict = _verdict(server)
    (request,) = server.requests
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("judge", 0, 2048)
    assert verdict.score == rating_of(request)
    assert f"[[{rating_of(request)}]]" in verdict.words
    assert (verdict.prompt_tokens, verdict.new_tokens) == (38, 4)


def test_a_verdict_without_a_rating_is_asked_for_again_and_every_token_counted() -> None:
    with JudgeServer([says("Well."), says("[[99]]"), says("Rating: [[3]]")]) as server:
        verdict = _verdict(server)
    assert len(server.requests) == 3
    assert (verdict.score, verdict.prompt_tokens, verdict.new_tokens) == (3, 3 * 38, 4)


def test_a_judge_that_never_rates_fails_with_its_words_after_the_retries() -> None:
    with JudgeServer(then=says("I would rather not.")) as server, pytest.raises(VerdictUnreadable, match="rather not"):
        _verdict(server, unreadable_retries=1)
    assert len(server.requests) == 2


def test_a_closed_judge_pays_for_nothing_more() -> None:
    async def scenario() -> None:
        judge = _judge(server.base_url)
        await judge.close()
        with pytest.raises(JudgeFailed):
            await judge.judge(POEM, "Snow.")

    with JudgeServer() as server:
        asyncio.run(scenario())
    assert not server.requests


@pytest.mark.parametrize("category", sorted(NEED_REFERENCE))
def test_a_missing_reference_is_refused_before_anything_is_sent(category: str) -> None:
    lacking = Question("101", "Why?", category)
    with pytest.raises(InputError, match=r"1 of these questions have none \(first: 101\)"):
        _judge().check([POEM, lacking])
    with pytest.raises(InputError, match="first: 101"):
        asyncio.run(_judge().judge(lacking, "Because."))


def test_a_reference_changes_nothing_where_the_category_asks_for_none() -> None:
    with_reference = Question(POEM.id, POEM.query, POEM.category, "a reference")
    assert _judge().messages(with_reference, "Snow.") == _judge().messages(POEM, "Snow.")


def test_the_fingerprint_holds_what_moves_a_verdict_and_nothing_else(tmp_path: Path) -> None:
    changed = tmp_path / "judge_prompts.jsonl"
    golden = (GOLDEN / "judge_prompts.jsonl").read_text(encoding="utf-8")
    changed.write_text(golden.replace("fair teacher", "mild teacher"), encoding="utf-8")
    service = {"model": "judge", "base_url": NOBODY, "api_key_variable": "THE_KEY"}
    same: list[dict[str, object]] = [
        {"service": service | {"timeout": 7, "max_retries": 0, "max_in_flight": 2}},
        {"unreadable_retries": 0},
    ]
    other: list[dict[str, object]] = [
        {"prompts_path": changed},
        {"temperature": 0.5},
        {"max_tokens": 100},
        {"service": service | {"model": "another"}},
        {"service": service | {"base_url": "http://127.0.0.1:10/v1"}},
    ]
    base = _judge().fingerprint
    assert json.loads(base)["parser"] == PARSER_VERSION
    assert {_judge(NOBODY, **knobs).fingerprint for knobs in same} == {base}
    assert len({base, *(_judge(NOBODY, **knobs).fingerprint for knobs in other)}) == 6


def test_prompts_that_are_not_used_do_not_move_the_fingerprint(tmp_path: Path) -> None:
    fewer = tmp_path / "judge_prompts.jsonl"
    lines = (GOLDEN / "judge_prompts.jsonl").read_text(encoding="utf-8").splitlines()
    fewer.write_text("\n".join(line for line in lines if "pair-v2" not in line), encoding="utf-8")
    assert _judge(prompts_path=fewer).fingerprint == _judge().fingerprint
