import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.errors import InputError
from configs.schema.judge import MTBenchJudgeConfig
from evaluators.benchmarks.mt_bench import JUDGED_BY_REFERENCE
from evaluators.failures import VerdictUnreadable
from evaluators.judge import Verdict
from evaluators.judge_tools.decision import DECISION_VERSION
from evaluators.judges.mt_bench import MTBenchJudge
from evaluators.question import Question
from tests.evaluators.judges.served import KEY, NOBODY, chat_model, service
from tests.evaluators.real_files import mt_bench_file, mt_bench_rows
from tests.kits.judge_kit import JudgeKit, MakeJudge
from tests.service_server import ServiceServer, rating_of, says
from workers.service.failures import ServiceFailed

GOLDEN = Path(__file__).parents[2] / "golden" / "mt_bench"
POEM = Question("1", ("Write a line on {winter}.\nIn code: `{x: 1}`", "Now {shorter}."), "writing")
SUM = Question("2", ("What is 2 + 2? Use {} or not.", "And 3 + 3?"), "math", ("4, or {four}", "6"))
SAID = "Snow {falls}: {{answer}} %s \\n {question}"


def _judge(base_url: str = NOBODY, **knobs: object) -> MTBenchJudge:
    given = {
        "kind": "mt_bench",
        "fence_answers": False,
        "prompts_path": GOLDEN / "judge_prompts.jsonl",
        "service": service(base_url),
    }
    config = MTBenchJudgeConfig.model_validate(given | knobs)
    return MTBenchJudge.load(config, chat_model(config.service))


def _verdict(server: ServiceServer, question: Question = POEM, **knobs: object) -> Verdict:
    async def scenario() -> Verdict:
        judge = _judge(server.base_url, **knobs)
        try:
            return await judge.judge(question, ("Snow {falls}.",))
        finally:
            await judge.close()

    return asyncio.run(scenario())


class TestMTBenchJudge(JudgeKit):
    lacking = Question("q3", ("What is 3 + 4?",), "math")
    secret = KEY

    @pytest.fixture
    def make(self) -> Iterator[MakeJudge]:
        with ServiceServer() as server:
            yield lambda: _judge(server.base_url)


@pytest.mark.parametrize("turn", [1, 2])
@pytest.mark.parametrize("question", [POEM, SUM], ids=["plain", "with reference"])
def test_judge_prompts_are_rendered_as_in_the_golden_files(question: Question, turn: int) -> None:
    messages = _judge().messages(question, (SAID, "}Shorter{")[:turn])
    golden = GOLDEN / f"messages_{question.category}{'_multi_turn' if turn == 2 else ''}.json"
    assert messages == json.loads(golden.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("turn", "system"), [(1, "You are a helpful assistant."), (2, "Please act as an impartial")])
def test_every_real_judge_prompt_is_rendered_byte_for_byte(turn: int, system: str) -> None:
    questions = {row["question_id"]: row for row in mt_bench_rows("question.jsonl")}
    references = {row["question_id"]: row["choices"][0] for row in mt_bench_rows("reference_answer/gpt-4.jsonl")}
    answers = {row["question_id"]: row["choices"][0] for row in mt_bench_rows("model_answer/mistral-orpo-mix.jsonl")}
    judgments = [
        row
        for row in mt_bench_rows("model_judgment/gpt-4_single.jsonl")
        if row["model"] == "mistral-orpo-mix" and row["turn"] == turn
    ]
    judge = _judge(prompts_path=mt_bench_file("judge_prompts.jsonl"))
    assert len(judgments) == 80
    for row in judgments:
        asked, key = questions[row["question_id"]], row["question_id"]
        right = tuple(references[key]["turns"]) if key in references else ()
        question = Question("q", tuple(asked["turns"]), asked["category"], right)
        told, user = judge.messages(question, tuple(answers[key]["turns"][:turn]))
        assert told["content"].startswith(system)
        assert user["content"] == row["user_prompt"]


def test_the_service_is_asked_as_mt_bench_does_and_its_usage_is_kept() -> None:
    with ServiceServer() as server:
        verdict = _verdict(server)
    (request,) = server.requests
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("judge", 0, 2048)
    assert verdict.score == rating_of(request)
    assert f"[[{rating_of(request)}]]" in verdict.words
    assert (verdict.usage.calls, verdict.usage.prompt_tokens, verdict.usage.new_tokens) == (1, 38, 4)


def test_a_verdict_without_a_rating_is_asked_for_again_and_every_token_counted() -> None:
    with ServiceServer([says("Well."), says("[[99]]"), says("Rating: [[3]]")]) as server:
        verdict = _verdict(server)
    assert len(server.requests) == 3
    assert (verdict.score, verdict.usage.prompt_tokens, verdict.usage.new_tokens) == (3, 3 * 38, 4)


def test_a_judge_that_never_rates_fails_with_its_words_after_the_retries_and_is_paid_for() -> None:
    with (
        ServiceServer(then=says("I would rather not.")) as server,
        pytest.raises(VerdictUnreadable, match="rather not") as failed,
    ):
        _verdict(server, unreadable_retries=1)
    assert len(server.requests) == 2
    assert (failed.value.usage.calls, failed.value.usage.new_tokens) == (2, 8)


def test_a_closed_judge_pays_for_nothing_more() -> None:
    async def scenario() -> None:
        judge = _judge(server.base_url)
        await judge.close()
        with pytest.raises(ServiceFailed):
            await judge.judge(POEM, ("Snow.",))

    with ServiceServer() as server:
        asyncio.run(scenario())
    assert not server.requests


@pytest.mark.parametrize("category", sorted(JUDGED_BY_REFERENCE))
def test_a_missing_reference_is_refused_before_anything_is_sent(category: str) -> None:
    lacking = Question("101", ("Why?",), category)
    with pytest.raises(InputError, match=r"1 of these questions have none \(first: 101\)"):
        _judge().check([POEM, lacking], [0])
    with pytest.raises(InputError, match="first: 101"):
        asyncio.run(_judge().judge(lacking, ("Because.",)))


def test_a_second_turn_needs_both_references_and_a_question_without_one_none() -> None:
    half = Question("102", ("Why?", "And then?"), "math", ("So.",))
    _judge().check([half, Question("103", ("Why?",), "math", ("So.",))], [0])
    _judge().check([Question("103", ("Why?",), "math", ("So.",))], [0, 1])
    with pytest.raises(InputError, match="first: 102"):
        _judge().check([half], [1])


def test_a_third_turn_is_refused() -> None:
    with pytest.raises(InputError, match="two turns, and question 104 has more"):
        _judge().check([Question("104", ("a", "b", "c"))], [2])


def test_a_reference_changes_nothing_where_the_category_asks_for_none() -> None:
    with_reference = Question(POEM.id, POEM.turns, POEM.category, ("a reference",))
    assert _judge().messages(with_reference, ("Snow.",)) == _judge().messages(POEM, ("Snow.",))


def test_the_fingerprint_holds_what_moves_a_verdict_and_nothing_else(tmp_path: Path) -> None:
    changed = tmp_path / "judge_prompts.jsonl"
    golden = (GOLDEN / "judge_prompts.jsonl").read_text(encoding="utf-8")
    changed.write_text(golden.replace("fair teacher", "mild teacher"), encoding="utf-8")
    same: list[dict[str, object]] = [
        {"service": service(NOBODY, timeout=7, max_retries=0, max_in_flight=2)},
        {"unreadable_retries": 0},
        {"repeats": 3},
    ]
    other: list[dict[str, object]] = [
        {"prompts_path": changed},
        {"temperature": 0.5},
        {"max_tokens": 100},
        {"rating": "first"},
        {"rating": "expected"},
        {"fence_answers": True},
        {"service": service(NOBODY, model="another")},
        {"service": service("http://127.0.0.1:10/v1")},
    ]
    base = _judge().fingerprint
    assert json.loads(base)["parser"] == DECISION_VERSION
    assert {_judge(NOBODY, **knobs).fingerprint for knobs in same} == {base}
    assert len({base, *(_judge(NOBODY, **knobs).fingerprint for knobs in other)}) == 9


def test_prompts_that_are_not_used_do_not_move_the_fingerprint(tmp_path: Path) -> None:
    fewer = tmp_path / "judge_prompts.jsonl"
    lines = (GOLDEN / "judge_prompts.jsonl").read_text(encoding="utf-8").splitlines()
    fewer.write_text("\n".join(line for line in lines if "pair-" not in line), encoding="utf-8")
    assert _judge(prompts_path=fewer).fingerprint == _judge().fingerprint
