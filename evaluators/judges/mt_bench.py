"""MT-Bench's single-answer grading of turn 1 (Zheng et al. 2023), as FastChat's `gen_judgment` does it.

Two differences, on purpose: references belong to the benchmark, whatever the judge is called (upstream looks them up by
the judge's name), and a verdict without a rating is asked for again and then fails (upstream writes -1 and drops it).
"""

import json
from collections.abc import Sequence
from typing import Self

from configs.errors import InputError
from configs.schema import MTBenchJudgeConfig
from evaluators.failures import VerdictUnreadable
from evaluators.judge import Verdict
from evaluators.judge_prompts import JudgePrompt, read_judge_prompts
from evaluators.question import Question
from evaluators.service import Message, Service
from evaluators.verdict import PARSER_VERSION, parse_rating

NEED_REFERENCE = frozenset({"math", "reasoning", "coding"})
"""Categories graded against a reference (upstream: `NEED_REF_CATS`)."""

_PLAIN = "single-v1"
_WITH_REFERENCE = "single-math-v1"
_FIELDS = {
    _PLAIN: frozenset({"question", "answer"}),
    _WITH_REFERENCE: frozenset({"question", "answer", "ref_answer_1"}),
}


class MTBenchJudge:
    """A language model that rates one answer from 1 to 10. Make it with `load`."""

    def __init__(self, config: MTBenchJudgeConfig, service: Service, prompts: dict[str, JudgePrompt]) -> None:
        self._config = config
        self._service = service
        self._prompts = prompts

    @classmethod
    def load(cls, config: MTBenchJudgeConfig, service: Service | None = None) -> Self:
        """Read the prompts and prepare the service; nothing is sent.

        Args:
            config: as validated.
            service: to use instead of one made from `config.service`; closed with the judge.

        Raises:
            InputError: the prompts or the key are not there.
        """
        prompts = read_judge_prompts(config.prompts_path, _FIELDS)
        return cls(config, service or Service(config.service), prompts)

    @property
    def fingerprint(self) -> str:
        return json.dumps(
            {
                "kind": "mt_bench",
                "model": self._service.model,
                "base_url": self._service.base_url,
                "prompts": {name: prompt.digest for name, prompt in self._prompts.items()},
                "temperature": self._config.temperature,
                "max_tokens": self._config.max_tokens,
                "parser": PARSER_VERSION,
            },
            sort_keys=True,
        )

    def check(self, questions: Sequence[Question]) -> None:
        lacking = [question.id for question in questions if _graded_with_reference(question) and not question.reference]
        if lacking:
            raise InputError(
                f"MT-Bench grades {', '.join(sorted(NEED_REFERENCE))} against reference answers, and {len(lacking)} of "
                f"these questions have none (first: {lacking[0]}); give them, for example with questions.reference_path"
            )

    def messages(self, question: Question, answer: str) -> list[Message]:
        """What the judge is sent."""
        self.check([question])
        if _graded_with_reference(question):
            prompt = self._prompts[_WITH_REFERENCE]
            text = prompt.render(question=question.query, answer=answer, ref_answer_1=question.reference or "")
        else:
            prompt = self._prompts[_PLAIN]
            text = prompt.render(question=question.query, answer=answer)
        user: Message = {"role": "user", "content": text}
        return [{"role": "system", "content": prompt.system}, user] if prompt.system else [user]

    async def judge(self, question: Question, answer: str) -> Verdict:
        messages = self.messages(question, answer)
        retries = read = written = 0
        while True:
            reply = await self._service.complete(messages, self._config.temperature, self._config.max_tokens)
            read += reply.prompt_tokens
            written += reply.new_tokens
            try:
                return Verdict(parse_rating(reply.text), reply.text, read, written)
            except VerdictUnreadable:
                if retries == self._config.unreadable_retries:
                    raise
                retries += 1

    async def close(self) -> None:
        await self._service.close()


def _graded_with_reference(question: Question) -> bool:
    return question.category in NEED_REFERENCE
