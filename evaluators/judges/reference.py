"""Similarity to the question's reference answer. Local, free, deterministic.

chrF is the character n-gram F-score (Popovic 2015) as sacrebleu computes it, per answer: 0 to 100, n = 1..6, beta = 2,
white space ignored. ROUGE-L is the F-score of the longest common subsequence of words (Lin 2004) as rouge-score
computes it, without stemming: its words are runs of a-z and 0-9, so it is for English. Both are linear in their scale,
so `low` and `high` move no ranking.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Self

from configs.plural import show_many
from configs.schema.judge import ReferenceJudgeConfig
from evaluators.failures import JudgeFailed, ReferencesMissing
from evaluators.judge import Verdict
from evaluators.judge_tools.models import Models
from evaluators.question import Question

Similarity = Callable[[str, str], float]
"""(answer, reference) → from 0 (nothing in common) to 1 (the same)."""


class ReferenceJudge:
    """Scores from `low` (no similarity) to `high` (identity)."""

    def __init__(self, config: ReferenceJudgeConfig) -> None:
        self._config = config
        self._similarity, self._signature = _METRICS[config.metric]()

    @classmethod
    def from_config(cls, config: ReferenceJudgeConfig, models: Models) -> Sequence[Self]:  # noqa: ARG003 -- it has none
        """The judge of this config."""
        return (cls(config),)

    @property
    def fingerprint(self) -> str:
        knobs = self._config.model_dump(include={"kind", "metric", "low", "high"})
        return json.dumps(knobs | {"signature": self._signature}, sort_keys=True)

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:
        lacking = [
            question.id
            for question in questions
            if not all((question.reference(turn) or "").strip() for turn in turns if turn < len(question.turns))
        ]
        if lacking:
            raise ReferencesMissing(
                "the reference judge compares answers with references, and "
                f"{show_many(len(lacking), 'question has', 'questions have')} none "
                f"(first: {lacking[0]}); give them, or choose another judge.kind"
            )

    async def start(self) -> None:
        return None

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:  # noqa: ARG002 -- it would say the same again
        reference = question.reference(len(answers) - 1)
        if not (reference or "").strip():
            raise JudgeFailed(f"question {question.id} has no reference for turn {len(answers)}: count other turns")
        similarity = await self._compare(answers[-1], reference or "")
        return Verdict(self._config.low + similarity * (self._config.high - self._config.low))

    async def close(self) -> None:
        return None

    async def _compare(self, answer: str, reference: str) -> float:
        """ROUGE-L takes as long as both texts' lengths multiplied, up to seconds: in a thread."""
        if self._config.metric == "rouge_l":
            return await asyncio.to_thread(self._similarity, answer, reference)
        return self._similarity(answer, reference)


def _exact_match() -> tuple[Similarity, str]:
    return lambda answer, reference: float(answer.strip() == reference.strip()), "stripped"


def _chrf() -> tuple[Similarity, str]:
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415 -- chosen by the config

    # A metric that was given its references keeps their n-grams, a third to a half of the work of every call: 0.33 ms
    # for 60 characters, 1.2 ms for 500. A search asks the same questions over and over.
    @lru_cache(maxsize=128)
    def metric(reference: str) -> CHRF:
        return CHRF(references=[[reference]])

    def similarity(answer: str, reference: str) -> float:
        return float(metric(reference).corpus_score([answer], None).score) / 100

    return similarity, str(CHRF(references=[["-"]]).get_signature())


def _rouge_l() -> tuple[Similarity, str]:
    from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415 -- nltk, numpy

    scorer = RougeScorer(["rougeL"], use_stemmer=False)

    def similarity(answer: str, reference: str) -> float:
        return float(scorer.score(reference, answer)["rougeL"].fmeasure)

    return similarity, f"rouge-score {version('rouge-score')} rougeL F, not stemmed"


_METRICS: dict[str, Callable[[], tuple[Similarity, str]]] = {
    "chrf": _chrf,
    "rouge_l": _rouge_l,
    "exact_match": _exact_match,
}
