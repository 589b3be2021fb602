import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.errors import InputError
from configs.schema.judge import RubricJudgeConfig
from evaluators.failures import VerdictUnreadable
from evaluators.judges.rubric import RubricJudge
from evaluators.question import Question
from tests.evaluators.judges.served import KEY, NOBODY, chat_model, service
from tests.kits.judge_kit import JudgeKit, MakeJudge
from tests.service_server import ServiceServer, says

HONEY = Question("q1", ("What do bees make?", "For whom?"), "facts", ("Honey.", "For all."))
PLAIN = "[system]\nBe strict.\n[user]\nQ: {question}\nA: {answer}\nRate it from 1 to 10."


@pytest.fixture
def rubric(tmp_path: Path) -> Path:
    path = tmp_path / "rubric.txt"
    path.write_text(PLAIN, encoding="utf-8")
    return path


def _judge(rubric: Path, base_url: str = NOBODY, **knobs: object) -> RubricJudge:
    given = {"kind": "rubric", "fence_answers": False, "rubric_path": rubric, "service": service(base_url)}
    config = RubricJudgeConfig.model_validate(given | knobs)
    return RubricJudge.load(config, chat_model(config.service))


class TestRubricJudge(JudgeKit):
    lacking = Question("q3", ("What is 3 + 4?",))
    secret = KEY

    @pytest.fixture
    def make(self, rubric: Path) -> Iterator[MakeJudge]:
        rubric.write_text(f"{PLAIN}\nRight is: {{reference}}", encoding="utf-8")
        with ServiceServer() as server:
            yield lambda: _judge(rubric, server.base_url)


def test_the_judge_is_sent_the_filled_rubric(rubric: Path) -> None:
    assert _judge(rubric).messages(HONEY, ("Wax {x}.",)) == [
        {"role": "system", "content": "Be strict."},
        {"role": "user", "content": "Q: What do bees make?\nA: Wax {x}.\nRate it from 1 to 10."},
    ]


def test_a_later_turn_is_shown_with_its_own_question_answer_and_reference(rubric: Path) -> None:
    rubric.write_text("{conversation}|{question}|{answer}|{reference}", encoding="utf-8")
    (user,) = _judge(rubric).messages(HONEY, ("Wax.", "You."))
    talk, *rest = user["content"].split("|")
    assert rest == ["For whom?", "You.", "For all."]
    assert talk.endswith("### User:\nFor whom?\n\n### Assistant:\nYou.")


def test_later_turns_are_refused_where_the_rubric_shows_one_alone(rubric: Path) -> None:
    _judge(rubric).check([HONEY], [0])
    with pytest.raises(InputError, match=r"put \{conversation\} into it"):
        _judge(rubric).check([HONEY], [0, 1])


@pytest.mark.parametrize(
    ("words", "knobs", "score"),
    [
        ("Good: [[7]]", {}, 7),
        ("Good: [[-0.5]]", {"low": -1, "high": 1}, -0.5),
        ("<score>3</score>", {"low": 0, "high": 5, "pattern": r"<score>(\d)</score>"}, 3),
    ],
)
def test_a_rating_is_read_on_any_scale(rubric: Path, words: str, knobs: dict[str, object], score: float) -> None:
    with ServiceServer(then=says(words)) as server:
        verdict = asyncio.run(_judge(rubric, server.base_url, **knobs).judge(HONEY, ("Wax.",)))
    assert (verdict.score, verdict.words, verdict.usage.calls) == (score, words, 1)


@pytest.mark.parametrize("words", ["Well, well.", "[[11]]"])
def test_words_without_a_rating_on_the_scale_fail_with_those_words_and_are_paid_for(rubric: Path, words: str) -> None:
    with ServiceServer(then=says(words)) as server, pytest.raises(VerdictUnreadable) as failed:
        asyncio.run(_judge(rubric, server.base_url, unreadable_retries=1).judge(HONEY, ("Wax.",)))
    assert words in str(failed.value)
    assert failed.value.usage.calls == len(server.requests) == 2


@pytest.mark.parametrize(
    ("pattern", "complaint"), [("(", "is not a regular expression"), ("x", "has 0 groups"), ("(a)(b)", "has 2 groups")]
)
def test_a_pattern_that_finds_no_rating_is_refused(rubric: Path, pattern: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        _judge(rubric, pattern=pattern)


def test_the_fingerprint_holds_what_moves_a_verdict_and_nothing_else(rubric: Path, tmp_path: Path) -> None:
    elsewhere, other = tmp_path / "same.txt", tmp_path / "other.txt"
    elsewhere.write_text(PLAIN, encoding="utf-8")
    other.write_text(PLAIN.replace("strict", "mild"), encoding="utf-8")
    base = _judge(rubric).fingerprint
    assert json.loads(base)["kind"] == "rubric"
    assert _judge(elsewhere, unreadable_retries=0).fingerprint == base
    changed = [_judge(other), _judge(rubric, low=0), _judge(rubric, pattern="(x)"), _judge(rubric, temperature=1)]
    assert len({base, *(judge.fingerprint for judge in changed)}) == 5
