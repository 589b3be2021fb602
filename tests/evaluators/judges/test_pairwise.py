import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from configs.errors import InputError
from configs.schema.judge import PairwiseJudgeConfig
from evaluators.failures import VerdictUnreadable
from evaluators.judges.pairwise import PairPrompts, PairwiseJudge
from evaluators.question import Question
from tests.evaluators.judges.served import KEY, NOBODY, chat_model, service
from tests.kits.judge_kit import JudgeKit, MakeJudge
from tests.service_server import Reaction, Request, ServiceServer, completion, says

PROMPTS = Path(__file__).parents[2] / "golden" / "mt_bench" / "judge_prompts.jsonl"
HONEY = Question("q1", ("What do {bees} make?",), "facts", ("Honey.",), "Bees make honey.")
SUM = Question("q2", ("What is 2 + 2?",), "math", ("4",), "It is five.")


def _judge(base_url: str = NOBODY, answer_first: bool = True, **knobs: object) -> PairwiseJudge:
    given = {"kind": "pairwise", "fence_answers": False, "prompts_path": PROMPTS, "service": service(base_url)}
    config = PairwiseJudgeConfig.model_validate(given | knobs)
    return PairwiseJudge(config, chat_model(config.service), PairPrompts.read(config), answer_first)


def _by_length(request: Request) -> bytes:
    """The longer answer wins."""
    prompt = request["messages"][-1]["content"]
    first, second = (prompt.split(f"[{name}]\n")[1].split(f"\n[End of {name}]")[0] for name in "AB")
    mark = "C" if len(first) == len(second) else "A" if len(first) > len(second) else "B"
    return completion(request, f"I say [[{mark}]].")


class TestPairwiseJudge(JudgeKit):
    questions = (HONEY, SUM)
    lacking = Question("q3", ("What is 3 + 4?",))
    secret = KEY

    @pytest.fixture
    def make(self) -> Iterator[MakeJudge]:
        with ServiceServer(then=Reaction(_by_length)) as server:
            yield lambda: _judge(server.base_url)


@pytest.mark.parametrize("answer_first", [True, False])
@pytest.mark.parametrize(("answer", "score"), [("Wax.", 0), ("x" * 16, 0.5), ("They make honey and wax.", 1)])
def test_the_winner_is_the_same_in_either_position(answer: str, score: float, answer_first: bool) -> None:
    with ServiceServer(then=Reaction(_by_length)) as server:
        verdict = asyncio.run(_judge(server.base_url, answer_first).judge(HONEY, (answer,)))
    assert (verdict.score, verdict.usage.calls) == (score, 1)


def test_the_two_positions_are_two_judges() -> None:
    assert _judge().fingerprint != _judge(answer_first=False).fingerprint


def test_fastchats_prompts_show_a_reference_where_the_category_asks_for_one() -> None:
    system, user = _judge().messages(HONEY, ("Wax {x}.",))
    assert system["content"].startswith("Say which answer is better")
    assert user["content"] == (
        "[Question]\nWhat do {bees} make?\n\n[A]\nWax {x}.\n[End of A]\n\n[B]\nBees make honey.\n[End of B]"
    )
    _, user = _judge(answer_first=False).messages(SUM, ("Four.",))
    assert user["content"] == (
        "[Question]\nWhat is 2 + 2?\n\n[Right answer]\n4\n\n[A]\nIt is five.\n[End of A]\n\n[B]\nFour.\n[End of B]"
    )


def test_a_rubric_of_ones_own_shows_what_it_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "rubric.txt"
    path.write_text("{question} {answer_a} or {answer_b}, given {reference}?", encoding="utf-8")
    judge = _judge(prompts_path=None, rubric_path=path)
    assert judge.messages(SUM, ("Four.",)) == [
        {"role": "user", "content": "What is 2 + 2? Four. or It is five., given 4?"}
    ]
    with pytest.raises(InputError, match="is shown reference answers"):
        judge.check([replace(HONEY, references=())], [0])


def test_words_without_a_winner_fail_with_those_words_and_are_paid_for() -> None:
    with ServiceServer(then=says("Both are fine.")) as server, pytest.raises(VerdictUnreadable, match="Both") as failed:
        asyncio.run(_judge(server.base_url).judge(HONEY, ("Wax.",)))
    assert failed.value.usage.calls == len(server.requests) == 3


def test_later_turns_and_questions_without_a_baseline_are_refused_with_advice() -> None:
    with pytest.raises(InputError, match="turn_1"):
        _judge().check([HONEY], [0, 1])
    with pytest.raises(InputError, match=r"1 question has none \(first: q1\); give questions\.baseline_path"):
        _judge().check([replace(HONEY, baseline=None), SUM], [0])
    with pytest.raises(InputError, match="is shown reference answers"):
        _judge().check([replace(SUM, references=())], [0])


def test_one_source_of_prompts_must_be_given() -> None:
    for knobs in ({"prompts_path": None}, {"rubric_path": PROMPTS}):
        with pytest.raises(ValidationError, match="either prompts_path or rubric_path"):
            _judge(**knobs)
