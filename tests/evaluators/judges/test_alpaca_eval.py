import asyncio
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import InputError
from configs.schema.judge import AlpacaEvalJudgeConfig
from evaluators.failures import VerdictUnreadable
from evaluators.judge import Verdict
from evaluators.judge_tools.chat_model import ChatModel
from evaluators.judge_tools.local_chat_model import LocalChatModel
from evaluators.judges.alpaca_eval import AlpacaEvalJudge, preference_for_first, read_chat_markup, shows_ours_first
from evaluators.question import Question
from tests.evaluators.judges.served import KEY, NOBODY, chat_model, leans, service
from tests.fakes import EchoEngine, likelihood
from tests.kits.judge_kit import JudgeKit, MakeJudge
from tests.plain_chat import plain_chat
from tests.service_server import Request, ServiceServer, says
from tests.shared_data import shared
from workers.local_worker import LocalWorker

PROMPT = Path(__file__).parents[2] / "golden" / "alpaca_eval" / "prompt.txt"
HONEY = Question("q1", ("What do {bees} make?",), baseline="Bees make honey.")
DRONE = Question("q2", ("Who is a drone?",), baseline="A {male}.")


def _judge(base_url: str = NOBODY, own: ChatModel | None = None, **knobs: object) -> AlpacaEvalJudge:
    given = {"kind": "alpaca_eval", "fence_answers": False, "prompt_path": PROMPT, "service": service(base_url)}
    config = AlpacaEvalJudgeConfig.model_validate(given | knobs)
    return AlpacaEvalJudge.load(config, own or chat_model(config.service))


def _verdict(server: ServiceServer, question: Question, answer: str, **knobs: object) -> Verdict:
    return asyncio.run(_judge(server.base_url, None, **knobs).judge(question, (answer,)))


def _likes_wax(request: Request) -> dict[str, float]:
    """Whoever speaks of wax is better."""
    prompt = request["messages"][-1]["content"]
    return {"m": 0.7, "M": 0.1, "The": 0.05} if "wax" in prompt.partition('"M"')[0] else {"M": 0.7, "m": 0.1, "x": 0.1}


def _annotations() -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(shared("alpaca_eval/phi-2.annotations.json").read_text(encoding="utf-8"))
    return read


class TestServed(JudgeKit):
    questions = (HONEY, DRONE)
    lacking = Question("q3", ("What is 3 + 4?",))
    secret = KEY

    @pytest.fixture
    def make(self) -> Iterator[MakeJudge]:
        with ServiceServer(leans(_likes_wax)) as server:
            yield lambda: _judge(server.base_url)


class TestOwnModel(JudgeKit):
    questions = (HONEY, DRONE)
    lacking = Question("q3", ("What is 3 + 4?",))
    stays = True

    @pytest.fixture
    def make(self) -> MakeJudge:
        return lambda: _judge(own=LocalChatModel(LocalWorker(partial(EchoEngine)), plain_chat()))


def test_every_real_preference_follows_from_the_stored_probabilities_and_our_order() -> None:
    asked = [one for one in _annotations() if one["raw_completion"] is not None]
    assert len(asked) == 800
    for one in asked:
        top = one["raw_completion"]["logprobs"]["content"][0]["top_logprobs"]
        first = preference_for_first({each["token"]: each["logprob"] for each in top})
        ours = first if shows_ours_first(one["instruction"]) else 1 - first
        assert ours == pytest.approx(one["preference"] - 1, abs=1e-9)


def test_the_real_annotator_was_not_asked_where_both_outputs_are_the_same() -> None:
    not_asked = [one for one in _annotations() if one["raw_completion"] is None]
    assert [one["output_1"] == one["output_2"] for one in not_asked] == [True] * 3
    assert [one["preference"] for one in not_asked] == [1.5] * 3


def test_an_answer_like_the_baseline_is_a_draw_and_nobody_is_asked() -> None:
    verdict = asyncio.run(_judge().judge(HONEY, ("Bees make honey.",)))
    assert (verdict.score, verdict.usage.calls) == (0.5, 0)


def test_the_real_prompt_is_read_as_the_package_reads_it() -> None:
    text = shared("alpaca_eval/alpaca_eval_clf.txt").read_text(encoding="utf-8")
    system, user = read_chat_markup(shared("alpaca_eval/alpaca_eval_clf.txt"))
    assert text == (
        f"<|im_start|>system\n{system['content']}\n<|im_end|>\n<|im_start|>user\n{user['content']}\n<|im_end|>"
    )


@pytest.mark.parametrize("question", [HONEY, DRONE], ids=["answer first", "baseline first"])
def test_the_order_is_drawn_by_the_instruction(question: Question) -> None:
    _, user = _judge().messages(question, ("Ours: {output_2}.",))
    ours, theirs = user["content"].index("Ours: {output_2}."), user["content"].index(question.baseline or "")
    assert (ours < theirs) == shows_ours_first(question.query) == (question is HONEY)


@given(st.text(), st.text(), st.text(min_size=1))
def test_whatever_was_said_is_shown_as_it_is(answer: str, baseline: str, asked: str) -> None:
    _, user = _judge().messages(Question("q", (asked,), baseline=baseline), (answer,))
    first, second = (answer, baseline) if shows_ours_first(asked) else (baseline, answer)
    _, template = read_chat_markup(PROMPT)
    before, rest = template["content"].split("{instruction}")
    between, rest = rest.split("{output_1}")
    then, after = rest.split("{output_2}")
    assert user["content"] == before + asked + between + first + then + second + after


def test_the_service_is_asked_as_alpaca_eval_does_and_what_is_ours_wins_in_either_position() -> None:
    with ServiceServer(leans(_likes_wax)) as server:
        wins = [_verdict(server, question, "wax") for question in (HONEY, DRONE)]
        loss = _verdict(server, replace(HONEY, baseline="wax"), "Nothing.")
    assert [verdict.score for verdict in (*wins, loss)] == pytest.approx([0.875, 0.875, 0.125])
    assert {verdict.words for verdict in wins} == {"m", "M"}
    assert wins[0].usage.calls == 1
    request = server.requests[0]
    wanted = {"temperature": 1, "max_tokens": 1, "logprobs": True, "top_logprobs": 5}
    assert {name: request[name] for name in wanted} == wanted


def test_a_token_that_is_not_among_the_likeliest_has_no_probability() -> None:
    assert preference_for_first({"m": -3.0, "The": -0.1}) == 1
    assert preference_for_first({"M": -900.0}) == 0
    assert preference_for_first({"m": -2.0, "M": -2.0}) == 0.5


@pytest.mark.parametrize(
    ("chances", "words"),
    [
        ({"Both": 0.9, "The": 0.1}, "neither m nor M .* said: 'Both'"),
        ({" m": 0.7, "M": 0.2}, "begins with ' m', and this judge reads m or M alone"),
    ],
)
def test_a_verdict_that_begins_otherwise_fails_with_the_judges_words_and_is_paid_for(
    chances: dict[str, float], words: str
) -> None:
    with (
        ServiceServer(leans(lambda _: chances)) as server,
        pytest.raises(VerdictUnreadable, match=words) as failed,
    ):
        _verdict(server, HONEY, "wax", unreadable_retries=1)
    assert failed.value.usage.calls == len(server.requests) == 2


def test_a_service_without_log_probabilities_gives_no_preference() -> None:
    with (
        ServiceServer(then=says("m")) as server,
        pytest.raises(VerdictUnreadable, match="gives no log-probabilities") as failed,
    ):
        _verdict(server, HONEY, "wax", unreadable_retries=0)
    assert failed.value.usage.calls == 1


def test_a_model_of_our_own_is_asked_for_the_likelihoods_of_both_tokens() -> None:
    async def scenario() -> Verdict:
        judge = _judge(own=LocalChatModel(LocalWorker(partial(EchoEngine)), plain_chat()))
        await judge.start()
        try:
            return await judge.judge(DRONE, ("Wax.",))
        finally:
            await judge.close()

    system, user = _judge().messages(DRONE, ("Wax.",))
    prompt = f"<system> {system['content']} </system>\n<user> {user['content']} </user>\n<assistant>"
    theirs, ours = (math.exp(likelihood(prompt, token).log_probability) for token in "mM")
    verdict = asyncio.run(scenario())
    assert verdict.score == pytest.approx(ours / (theirs + ours))
    assert (verdict.usage.calls, verdict.usage.dollars) == (1, 0)


def test_later_turns_and_questions_without_a_baseline_are_refused_with_advice() -> None:
    with pytest.raises(InputError, match="turn_1"):
        _judge().check([HONEY], [1])
    with pytest.raises(InputError, match=r"1 question has none \(first: q1\)"):
        _judge().check([replace(HONEY, baseline=None), DRONE], [0])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, r"judge\.prompt_path.*cannot be read"),
        ("{instruction} {output_1} {output_2}", "has no parts"),
        ("<|im_start|>tool\n{instruction} {output_1} {output_2}<|im_end|>", "has no parts"),
        ("<|im_start|>user\n{instruction} {output_1}<|im_end|>", "must have each of"),
        ("<|im_start|>user\n{instruction} {output_1} {output_2} {output_2}<|im_end|>", "must have each of"),
    ],
)
def test_a_prompt_that_cannot_work_is_refused(tmp_path: Path, text: str | None, complaint: str) -> None:
    path = tmp_path / "prompt.txt"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        _judge(prompt_path=path)


def test_the_fingerprint_changes_with_prompt_and_model(tmp_path: Path) -> None:
    other = tmp_path / "prompt.txt"
    other.write_text(PROMPT.read_text(encoding="utf-8").replace("machines", "people"), encoding="utf-8")
    judges = [_judge(), _judge(prompt_path=other), _judge(service=service(NOBODY, model="another"))]
    assert len({judge.fingerprint for judge in judges}) == 3
    assert _judge(unreadable_retries=0).fingerprint == judges[0].fingerprint
