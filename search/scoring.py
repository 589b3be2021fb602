"""One trial becomes scores."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from evaluators.evaluation import Evaluation
from evaluators.evaluator import Evaluator
from evaluators.question import Question
from search.candidate import Candidate
from search.demonstration import Demonstration
from search.render import Renderer
from search.strategy import ScoredTrial, Trial
from workers.failures import PromptTooLong
from workers.prompt import PromptBlock

TOO_LONG = PromptTooLong.__name__


class Scorer:
    """Renders a trial once and has it evaluated.

    Args:
        rules: of the base prompt, verbatim.
        demonstrations: by id, the base prompt's and the pool's.
        questions: by id, guiding and held-out.
        max_failed_share: with a larger share of failed questions a trial has no mean.
    """

    def __init__(
        self,
        *,
        renderer: Renderer,
        rules: str,
        demonstrations: Mapping[str, Demonstration],
        questions: Mapping[str, Question],
        evaluator: Evaluator,
        max_failed_share: float,
    ) -> None:
        self._renderer = renderer
        self._rules = rules
        self._demonstrations = demonstrations
        self._questions = questions
        self._evaluator = evaluator
        self._max_failed_share = max_failed_share

    def block(self, candidate: Candidate, questions: Sequence[str]) -> PromptBlock:
        """The prompts that put these questions to this candidate."""
        demonstrations = [self._demonstrations[name] for name in candidate.demonstrations]
        return self._renderer.block(self._rules, demonstrations, [self._questions[name].query for name in questions])

    async def score(self, trial: Trial) -> ScoredTrial:
        """Evaluate every question of the trial. Raises RunStopped."""
        block = self.block(trial.candidate, trial.questions)
        outcomes = await self._evaluator.evaluate(block, [self._questions[name] for name in trial.questions])
        scores = {item.question: item.score for item in outcomes if isinstance(item, Evaluation)}
        failures = {item.question: item.cause for item in outcomes if not isinstance(item, Evaluation)}
        if TOO_LONG in failures.values():  # which of its questions were answered depends on how the block was cut
            return ScoredTrial(trial, {}, dict.fromkeys(trial.questions, TOO_LONG), None)
        allowed = self._max_failed_share * len(trial.questions)
        mean = fmean(scores.values()) if scores and len(failures) <= allowed else None
        return ScoredTrial(trial, scores, failures, mean)
