"""MT-Bench's single-answer grading of both turns (Zheng et al. 2023), as FastChat's `gen_judgment` does it.

With `rating: first` and `fence_answers: false` prompts and ratings are the published ones, byte for byte.

Two differences, on purpose: references belong to the benchmark, whatever the judge is called (upstream looks them up by
the judge's name), and a verdict without a rating is asked for again and then fails (upstream writes -1 and drops it).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

from configs.errors import InputError
from configs.schema.judge import MTBenchJudgeConfig
from evaluators.benchmarks.mt_bench import JUDGED_BY_REFERENCE
from evaluators.failures import ReferencesMissing
from evaluators.judge import Verdict
from evaluators.judge_tools.chat_model import ChatModel
from evaluators.judge_tools.fence import fenced_messages
from evaluators.judge_tools.grading import grade_in_words, reading_identity
from evaluators.judge_tools.judge_prompts import JudgePrompt, read_judge_prompts
from evaluators.judge_tools.models import Models
from evaluators.judge_tools.ratings import MT_BENCH, RatingForm
from evaluators.question import Question
from workers.prompt import ChatMessage

_PLAIN = ("single-v1", "single-v1-multi-turn")
_WITH_REFERENCE = ("single-math-v1", "single-math-v1-multi-turn")
_FIELDS = {
    "single-v1": frozenset({"question", "answer"}),
    "single-math-v1": frozenset({"question", "answer", "ref_answer_1"}),
    "single-v1-multi-turn": frozenset({"question_1", "answer_1", "question_2", "answer_2"}),
    "single-math-v1-multi-turn": frozenset(
        {"question_1", "answer_1", "question_2", "answer_2", "ref_answer_1", "ref_answer_2"}
    ),
}


_ANSWERS = frozenset({"answer", "answer_1", "answer_2"})


class MTBenchJudge:
    """A language model that rates one answer from 1 to 10. Make it with `load`."""

    def __init__(self, config: MTBenchJudgeConfig, chat_model: ChatModel, prompts: dict[str, JudgePrompt]) -> None:
        self._config = config
        self._chat_model = chat_model
        self._prompts = prompts

    @classmethod
    def from_config(cls, config: MTBenchJudgeConfig, models: Models) -> Sequence[Self]:
        """The judge of this config. Raises InputError where it cannot be made."""
        return (cls.load(config, models.chat(config)),)

    @classmethod
    def load(cls, config: MTBenchJudgeConfig, chat_model: ChatModel) -> Self:
        """Read the prompts; nothing is sent. The chat model is closed with the judge.

        Raises:
            InputError: the prompts are not there.
        """
        return cls(config, chat_model, read_judge_prompts(config.prompts_path, _FIELDS))

    @classmethod
    def form_of(cls, fingerprint: Mapping[str, Any]) -> RatingForm:  # noqa: ARG003 -- one form for all
        """What ratings look like in the words of a judge with this fingerprint."""
        return MT_BENCH

    @property
    def fingerprint(self) -> str:
        return json.dumps(
            {
                "kind": "mt_bench",
                "chat model": self._chat_model.identity,
                "prompts": {name: prompt.digest for name, prompt in self._prompts.items()},
            }
            | reading_identity(self._config),
            sort_keys=True,
        )

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:
        long = [question.id for question in questions if len(question.turns) > 2 and max(turns) > 1]
        if long:
            raise InputError(f"MT-Bench grades two turns, and question {long[0]} has more: count turns 1 and 2 only")
        lacking = [question.id for question in questions if not all(_can_be_graded(question, turn) for turn in turns)]
        if lacking:
            raise ReferencesMissing(
                f"MT-Bench grades {', '.join(sorted(JUDGED_BY_REFERENCE))} against reference answers, and "
                f"{len(lacking)} of these questions have none (first: {lacking[0]}); give them, for example with "
                "questions.reference_path"
            )

    def messages(self, question: Question, answers: tuple[str, ...]) -> list[ChatMessage]:
        """What the judge is sent, to grade the last of one or two answers."""
        turn = len(answers) - 1
        self.check([question], [turn])
        prompt = self._prompts[(_WITH_REFERENCE if question.category in JUDGED_BY_REFERENCE else _PLAIN)[turn]]
        fields = {"question": question.query, "answer": answers[0]}
        for number, answer in enumerate(answers, start=1):
            fields |= {f"question_{number}": question.turns[number - 1], f"answer_{number}": answer}
            fields[f"ref_answer_{number}"] = question.reference(number - 1) or ""
        shown = {name: fields[name] for name in _FIELDS[prompt.name]}
        if not self._config.fence_answers:
            return prompt.messages(**shown)
        return fenced_messages(prompt, shown, _ANSWERS, MT_BENCH)

    async def start(self) -> None:
        await self._chat_model.start()

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
        return await grade_in_words(self._chat_model, self.messages(question, answers), self._config, MT_BENCH, repeat)

    async def close(self) -> None:
        await self._chat_model.close()


def _can_be_graded(question: Question, turn: int) -> bool:
    """Grading a second turn shows both references."""
    if question.category not in JUDGED_BY_REFERENCE:
        return True
    return all(question.reference(earlier) for earlier in range(min(turn + 1, len(question.turns))))
