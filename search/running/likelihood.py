"""How likely the model itself finds reference answers behind each demonstration: known before anything is judged.

What makes right answers likelier may make it write better ones; whether it does is left to `search.statistics.effects`,
which learns from judged answers how much this tells. Rubin, Herzig and Berant (Learning To Retrieve Prompts for
In-Context Learning, NAACL 2022) rank demonstrations by the likelihood of the wanted answer behind them; Gonen et al.
(Demystifying Prompts in Language Models via Perplexity Estimation, Findings of EMNLP 2023) prompts by their own
perplexity.

Kept by digest, each number as it comes, so that a resumed search meets the same ones and nothing is asked again.
"""

import json
import logging
import time
from collections.abc import Sequence
from hashlib import sha256
from math import inf, isnan, nan
from pathlib import Path
from statistics import fmean

import numpy as np

from configs.errors import InputError, RunStopped
from evaluators.ledger.ledger import Ledger
from evaluators.pipeline.budget import Budget
from evaluators.question import Question
from evaluators.task_group import task_group
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.prompts.render import Renderer
from search.run_directory.files import Floats, keep_array, read_array
from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import Continuations, PromptBlock
from workers.text_model import ModelCard, PaysBeside, TextModel
from workers.usage import NOTHING

_KNOB = "strategy.hints.likelihood_questions"
_DIGITS = 9
_SECONDS_A_LINE = 10.0

_log = logging.getLogger(__name__)


def asked_for_likelihood(search: Sequence[Question], count: int) -> list[Question]:
    """`count` of the questions that have a reference answer to their first turn, evenly spread over the order in which
    they come; all of them where they are fewer.

    Raises:
        InputError: none has one.
    """
    having_reference = [question for question in search if _reference(question)]
    if not having_reference:
        raise InputError(
            f"{_KNOB} is {count}, but no search question has a reference answer: give some "
            f"(questions.reference_field, or questions.reference_path for MT-Bench), or leave {_KNOB} at 0"
        )
    count = min(count, len(having_reference))
    return [having_reference[place * len(having_reference) // count] for place in range(count)]


def _reference(question: Question) -> str:
    return (question.reference() or "").strip()


class ReferenceAnswers:
    """What a model is asked: reference answers to some search questions, behind the base prompt and behind each
    demonstration of the pool alone.

    Args:
        count: of the search questions, at most; >= 1.

    Raises:
        InputError: no search question has a reference answer.
    """

    def __init__(self, space: SearchSpace, material: Material, renderer: Renderer, count: int) -> None:
        questions = asked_for_likelihood(material.search, count)
        candidates = [space.compose(()), *(space.compose((name,)) for name in space.pool)]
        shown = [[material.demonstrations[name] for name in candidate.demonstrations] for candidate in candidates]
        asked = [(question.query,) for question in questions]
        self._blocks = [renderer.block(material.rules, demonstrations, asked) for demonstrations in shown]
        self._answers = Continuations(tuple(map(_reference, questions)))

    @property
    def prompts(self) -> int:
        """How many prompts the model reads."""
        return len(self._blocks) * len(self._answers.texts)

    @property
    def characters(self) -> int:
        """Characters of all prompts together, answers included."""
        return sum(
            len(block.prefix) * len(block.suffixes) + sum(map(len, (*block.suffixes, *self._answers.texts)))
            for block in self._blocks
        )

    async def likelihood(
        self, model: TextModel, card: ModelCard, folder: Path, budget: Budget, ledger: Ledger
    ) -> Floats:
        """Mean natural log-likelihood of a token of the answers behind each demonstration minus that behind the base
        prompt, question by question; [N], in the order of the pool. What `folder` holds already is not asked again.

        A demonstration whose prompts are too long gets the others' mean.

        Args:
            model: started; `card` is its own.
            folder: of the run.
            budget: asked before each demonstration.
            ledger: keeps what a served model is paid for it.

        Raises:
            InputError: the model cannot tell likelihoods.
            RunStopped: nothing can be asked now, or of one demonstration; what is known is kept.
        """
        path = folder / f"likelihood-{self._digest(card)}.npy"
        kept = read_array(path)
        means = np.full(len(self._blocks), np.nan) if kept is None else kept
        if np.isnan(means).any():
            await _Measuring(model, self._answers, budget, ledger, path, means).measure(self._blocks)
        return _gains(means)

    def _digest(self, card: ModelCard) -> str:
        blocks = [[block.prefix, block.suffixes, block.bos] for block in self._blocks]
        asked = json.dumps([card.fingerprint, blocks, self._answers.texts], ensure_ascii=False)
        return sha256(asked.encode()).hexdigest()[:16]


def _gains(means: Floats) -> Floats:
    """Gains over the base prompt, which stands first; an infinite one is of prompts that are too long."""
    gains: Floats = means[1:] - means[0]
    is_finite = np.isfinite(gains)
    if not is_finite.all():
        _log.warning(
            "the likelihood of reference answers is not known behind %d of %d demonstrations; these count as average "
            "until they are judged",
            (~is_finite).sum(),
            len(is_finite),
        )
    gains[~is_finite] = gains[is_finite].mean() if is_finite.any() else 0.0
    return np.round(gains, _DIGITS)


class _Measuring:
    """A measurement of what is not known yet, which keeps every number as it comes.

    Args:
        means: mean log-likelihoods by block, NaN where not known; changed in place, and kept at `path`.
    """

    def __init__(
        self, model: TextModel, answers: Continuations, budget: Budget, ledger: Ledger, path: Path, means: Floats
    ) -> None:
        self._model, self._answers, self._budget, self._ledger = model, answers, budget, ledger
        self._path, self._means = path, means
        self._counter = _Counter(int(np.isnan(means[1:]).sum()))

    async def measure(self, blocks: Sequence[PromptBlock]) -> None:
        """The base prompt's block comes first and shows whether the model can do it at all."""
        if np.isnan(self._means[0]):
            await self._behind_base(blocks[0])
        async with task_group() as tasks:
            for place in np.flatnonzero(np.isnan(self._means)).tolist():
                tasks.create_task(self._behind_one(place, blocks[place]))

    async def _behind_base(self, block: PromptBlock) -> None:
        try:
            self._keep(0, await self._mean(block))
        except GenerationFailed as error:
            raise InputError(
                f"the model cannot compute the likelihood of reference answers ({error}): leave {_KNOB} at 0, or "
                "take a "
                "model or a server that can; where the reason may pass, try again"
            ) from error

    async def _behind_one(self, place: int, block: PromptBlock) -> None:
        try:
            mean = await self._mean(block)
        except PromptTooLong:
            mean = -inf
        except GenerationFailed as error:
            raise RunStopped(
                f"the likelihood of reference answers could not be computed behind a demonstration ({error}); what is "
                "known is kept: fix that, then go on"
            ) from error
        self._keep(place, mean)
        self._counter.count()

    def _keep(self, place: int, mean: float) -> None:
        self._means[place] = mean
        keep_array(self._path, self._means)

    async def _mean(self, block: PromptBlock) -> float:
        """The mean over the questions. Raises GenerationFailed, BudgetSpent."""
        self._budget.check()
        try:
            means = [
                likelihood.log_probability / likelihood.tokens
                async for _, likelihood in self._model.score(block, self._answers)
            ]
        finally:
            paid = self._model.paid_beside() if isinstance(self._model, PaysBeside) else NOTHING
            if paid != NOTHING:
                await self._ledger.keep_beside(paid)
        mean = fmean(means) if len(means) == len(self._answers.texts) else nan
        if isnan(mean):
            raise GenerationFailed("the model ended the block without all likelihoods")
        return mean


class _Counter:
    """Says from time to time how far it is."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._next = time.monotonic() + _SECONDS_A_LINE
        _log.info("likelihood of reference answers: behind each of %d demonstrations", total)

    def count(self) -> None:
        self._done += 1
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SECONDS_A_LINE
            _log.info("likelihood of reference answers: %d of %d demonstrations", self._done, self._total)
