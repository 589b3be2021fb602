"""How likely the model itself finds reference answers behind each demonstration: known before anything is judged.

What makes right answers likelier may make it write better ones; whether it does is left to `search.effects`, which
learns from judged answers how much this tells. Rubin, Herzig and Berant (Learning To Retrieve Prompts for In-Context
Learning, NAACL 2022) rank demonstrations by the likelihood of the wanted answer behind them; Gonen et al. (Demystifying
Prompts in Language Models via Perplexity Estimation, Findings of EMNLP 2023) prompts by their own perplexity.

Kept by digest, so that a resumed search meets the same numbers and the model is not asked again.
"""

import json
import logging
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from statistics import fmean

import numpy as np

from configs.errors import InputError
from evaluators.question import Question
from evaluators.together import tasks_together
from search.array_file import Floats, keep_array, read_array
from search.material import Material
from search.render import Renderer
from search.space import SearchSpace
from workers.failures import GenerationFailed
from workers.prompt import Continuations, PromptBlock
from workers.text_model import ModelCard, TextModel

_KNOB = "strategy.likelihood_questions"
_DIGITS = 9
_SECONDS_A_LINE = 10.0

_log = logging.getLogger(__name__)


def asked_for_likelihood(guiding: Sequence[Question], count: int) -> list[Question]:
    """`count` of the questions that have a reference answer to their first turn, evenly spread over the order in which
    they come; all of them where they are fewer.

    Raises:
        InputError: none has one.
    """
    told = [question for question in guiding if _reference(question)]
    if not told:
        raise InputError(
            f"{_KNOB} is {count}, but no guiding question has a reference answer: give some "
            f"(questions.reference_field, or questions.reference_path for MT-Bench), or leave {_KNOB} at 0"
        )
    count = min(count, len(told))
    return [told[place * len(told) // count] for place in range(count)]


def _reference(question: Question) -> str:
    return (question.reference() or "").strip()


class ReferenceAnswers:
    """What a model is asked: reference answers to some guiding questions, behind the base prompt and behind each
    demonstration of the pool alone.

    Args:
        count: of the guiding questions, at most; >= 1.

    Raises:
        InputError: no guiding question has a reference answer.
    """

    def __init__(self, space: SearchSpace, material: Material, renderer: Renderer, count: int) -> None:
        questions = asked_for_likelihood(material.guiding, count)
        candidates = [space.compose(()), *(space.compose((name,)) for name in space.pool)]
        shown = [[material.demonstrations[name] for name in one.demonstrations] for one in candidates]
        asked = [(question.query,) for question in questions]
        self._blocks = [renderer.block(material.rules, demonstrations, asked) for demonstrations in shown]
        self._answers = Continuations(tuple(map(_reference, questions)))

    @property
    def prompts(self) -> int:
        """That the model reads."""
        return len(self._blocks) * len(self._answers.texts)

    @property
    def characters(self) -> int:
        """Of all prompts together, answers included."""
        return sum(
            len(block.prefix) * len(block.suffixes) + sum(map(len, (*block.suffixes, *self._answers.texts)))
            for block in self._blocks
        )

    async def likelihood(self, model: TextModel, card: ModelCard, folder: Path) -> Floats:
        """Mean natural log-likelihood of a token of the answers behind each demonstration minus that behind the base
        prompt, question by question; [N], in the order of the pool. From `folder` where it has been kept.

        Where the model fails at a demonstration, since its prompts are too long, say, it gets the others' mean.

        Args:
            model: started; `card` is its own.
            folder: of the run.

        Raises:
            InputError: the model cannot tell likelihoods.
            RunStopped: nothing can be asked now.
        """
        path = folder / f"likelihood-{self._digest(card)}.npy"
        kept = read_array(path)
        if kept is not None:
            return kept
        base = await self._behind_base(model)
        gains: Floats = np.array(await self._behind_each(model)) - base
        told = np.isfinite(gains)
        if not told.all():
            _log.warning(
                "the likelihood of reference answers is not known behind %d of %d demonstrations; these count as "
                "average until they are judged",
                (~told).sum(),
                len(told),
            )
        gains[~told] = gains[told].mean() if told.any() else 0.0
        gains = np.round(gains, _DIGITS)
        keep_array(path, gains)
        return gains

    def _digest(self, card: ModelCard) -> str:
        blocks = [[block.prefix, block.suffixes, block.bos] for block in self._blocks]
        asked = json.dumps([card.fingerprint, blocks, self._answers.texts], ensure_ascii=False)
        return sha256(asked.encode()).hexdigest()[:16]

    async def _behind_base(self, model: TextModel) -> float:
        try:
            return await self._mean(model, self._blocks[0])
        except GenerationFailed as error:
            raise InputError(
                f"the model cannot tell how likely reference answers are ({error}): leave {_KNOB} at 0, or take a "
                "model or a server that can"
            ) from error

    async def _behind_each(self, model: TextModel) -> list[float]:
        counter = _Counter(len(self._blocks) - 1)

        async def ask(block: PromptBlock) -> float:
            try:
                return await self._mean(model, block)
            except GenerationFailed:
                return float("nan")
            finally:
                counter.count()

        async with tasks_together() as tasks:
            under_way = [tasks.create_task(ask(block)) for block in self._blocks[1:]]
        return [task.result() for task in under_way]

    async def _mean(self, model: TextModel, block: PromptBlock) -> float:
        """Over the questions. Raises GenerationFailed."""
        found = [told.log_probability / told.tokens async for _, told in model.score(block, self._answers)]
        if len(found) < len(self._answers.texts):
            raise GenerationFailed("the model ended the block without all likelihoods")
        return fmean(found)


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
