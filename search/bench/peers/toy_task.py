"""The quickstart's search as a function of demonstrations: real model, real judge, nothing random.

The toy model answers greedily, so a set of demonstrations has one score on each question, however often it is asked
for. What has been asked once is known here, and costs a search one judged answer each time all the same.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from threading import Lock
from typing import cast

from configs.loading import load_config
from configs.schema.model import ModelConfig
from evaluators.judge import Verdict
from evaluators.question import Question
from search.problem.candidate import OWN, Candidate
from search.problem.trial import ScoredTrial, Trial
from search.prompts.demonstration import Demonstration
from search.running.assembly import make_plan


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """One answer of the toy model, and the judge's score from 1 to 10."""

    answer: str
    score: float


class ToyTask:
    """Scores candidates as the quickstart does.

    Args:
        folder: for what the plan may keep; nothing of it is read again.
    """

    def __init__(self, folder: Path) -> None:
        from workers.engines.transformers_engine import TransformersEngine  # noqa: PLC0415 -- torch

        config = load_config("quickstart", ["workers.kind=local"])
        self.plan = make_plan(config, folder)
        self.space = self.plan.space
        self.search = self.space.questions
        self.held_out = tuple(question.id for question in self.plan.material.held_out)
        pool = (Question(shown.id, (shown.query,), references=(shown.answer,)) for shown in self.plan.material.pool)
        self._questions = self.plan.material.questions | {question.id: question for question in pool}
        self._engine = TransformersEngine.load(cast(ModelConfig, config.model))
        self._answers: dict[tuple[Demonstration, ...], dict[str, JudgedAnswer]] = {}
        self._lock = Lock()

    def score(self, trial: Trial, *, moment: float = 0.0) -> ScoredTrial:  # noqa: ARG002 -- this judge does not drift
        """Evaluate a trial."""
        answers = self.judged(self.plan.material.shown(trial.candidate), trial.questions)
        scores = {name: answers[name].score for name in trial.questions}
        return ScoredTrial(trial, scores, {}, fmean(scores.values()))

    def truth(self, candidate: Candidate, questions: Sequence[str]) -> float:
        """The mean score of a candidate on these questions; without noise, it is what a search would see."""
        answers = self.judged(self.plan.material.shown(candidate), questions)
        return fmean(answers[name].score for name in questions)

    def held_out_mean(self, added: Sequence[Demonstration]) -> float:
        """The mean held-out score of the base prompt with these behind its own demonstrations."""
        answers = self.judged([*self.plan.material.base, *added], self.held_out)
        return fmean(answers[name].score for name in self.held_out)

    def judged(self, demonstrations: Sequence[Demonstration], questions: Sequence[str]) -> Mapping[str, JudgedAnswer]:
        """Answers of the prompt with exactly these demonstrations, by question; the pool's own queries are questions
        too, with its answers as references. All search questions are answered together, since their prompts share all
        but the end."""
        with self._lock:
            answers = self._answers.setdefault(tuple(demonstrations), {})
            if not {*questions} <= answers.keys():
                wanted = [name for name in dict.fromkeys([*questions, *self.search]) if name not in answers]
                answers.update(asyncio.run(self._judge(demonstrations, wanted)))
            return dict(answers)

    async def _judge(self, demonstrations: Sequence[Demonstration], names: Sequence[str]) -> dict[str, JudgedAnswer]:
        asked = [self._questions[name] for name in names]
        rules, renderer = self.plan.material.rules, self.plan.renderer
        block = renderer.block(rules, demonstrations, [(question.query,) for question in asked])
        completions = dict(self._engine.generate(block, self.plan.decodings[OWN]))
        answers = [renderer.clean(completions[index].text) for index in range(len(asked))]
        verdicts = [await self._verdict(question, answer) for question, answer in zip(asked, answers, strict=True)]
        pairs = zip(answers, verdicts, strict=True)
        return {name: JudgedAnswer(answer, verdict.score) for name, (answer, verdict) in zip(names, pairs, strict=True)}

    async def _verdict(self, question: Question, answer: str) -> Verdict:
        (member,) = self.plan.judges.members
        return await member.judge.judge(question, (answer,))
