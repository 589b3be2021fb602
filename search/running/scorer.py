"""One trial becomes scores."""

from collections.abc import Mapping
from functools import partial

from evaluators.evaluation import Evaluation, Failure
from evaluators.pipeline.evaluator import Evaluator
from evaluators.question import Question
from evaluators.slices import slices
from search.problem.trial import TOO_LONG, ScoredTrial, Trial, mean_of
from search.prompts.demonstration import Demonstration
from search.prompts.render import Renderer
from workers.prompt import Decoding


class Scorer:
    """Renders a trial once and has it evaluated.

    Args:
        rules: of the base prompt, verbatim.
        demonstrations: by id, the base prompt's and the pool's.
        questions: by id, search and held-out.
        decodings: by the name that candidates have for them.
        max_failed_share: with more failed questions than this share of them, rounded up, a trial has no mean.
    """

    def __init__(
        self,
        *,
        renderer: Renderer,
        rules: str,
        demonstrations: Mapping[str, Demonstration],
        questions: Mapping[str, Question],
        evaluator: Evaluator,
        decodings: Mapping[str, Decoding],
        max_failed_share: float,
    ) -> None:
        self._renderer = renderer
        self._rules = rules
        self._demonstrations = demonstrations
        self._questions = questions
        self._evaluator = evaluator
        self._decodings = decodings
        self._max_failed_share = max_failed_share

    async def score(self, trial: Trial) -> ScoredTrial:
        """Evaluate every question of the trial. Raises RunStopped."""
        demonstrations = [self._demonstrations[name] for name in trial.candidate.demonstrations]
        render = partial(self._renderer.block, self._rules, demonstrations)
        decoding = self._decodings[trial.candidate.decoding]
        questions = [self._questions[name] for name in trial.questions]
        outcomes = await self._evaluator.evaluate(render, questions, decoding, trial.again, screening=trial.screening)
        done = [item for item in outcomes if isinstance(item, Evaluation)]
        failures = {item.question: item.cause for item in outcomes if isinstance(item, Failure)}
        if TOO_LONG in failures.values():  # which of its questions were answered depends on how the block was cut
            return ScoredTrial(trial, {}, dict.fromkeys(trial.questions, TOO_LONG), None)
        scores = {item.question: item.score for item in done}
        mean = mean_of(scores, len(failures), self._max_failed_share)
        lengths = {item.question: item.length for item in done}
        turns = {item.question: item.scores for item in done if len(item.scores) > 1}
        return ScoredTrial(
            trial,
            scores,
            failures,
            mean,
            lengths=lengths,
            turns=turns,
            keys={item.question: item.keys.to_text() async for some in slices(done) for item in some},
            answers={item.question: item.answers for item in done},
            complaint=next((item.message for item in outcomes if isinstance(item, Failure)), ""),
        )
