"""What is to be done, before anyone knows how long answers will be. Lengths are in characters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from evaluators.judge import Judge
from evaluators.objective import Objective
from evaluators.pipeline.panel import PanelMember
from evaluators.question import Question
from search.prompts.demonstration import Demonstration
from search.prompts.render import Renderer

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """The work that a run will do.

    Attributes:
        generations: answers.
        prompts: characters of all prompts together, without what the model said in earlier turns.
        earlier: answers that stand in prompts of later turns.
        verdicts: by panel member.
        judge_prompts: by panel member, characters of all together, without answers.
        judged: by panel member, answers that stand in judge prompts.
    """

    generations: int
    prompts: float
    earlier: int
    verdicts: tuple[int, ...]
    judge_prompts: tuple[float, ...]
    judged: tuple[int, ...]

    def times(self, number: int) -> "PlannedWork":
        """The same work so many times."""
        return combined([self] * number)


def combined(works: Iterable[PlannedWork]) -> PlannedWork:
    """All of them; at least one."""
    some = list(works)
    return PlannedWork(
        generations=sum(work.generations for work in some),
        prompts=sum(work.prompts for work in some),
        earlier=sum(work.earlier for work in some),
        verdicts=_added([work.verdicts for work in some]),
        judge_prompts=_added([work.judge_prompts for work in some]),
        judged=_added([work.judged for work in some]),
    )


def _added(rows: Sequence[tuple[N, ...]]) -> tuple[N, ...]:
    return tuple(sum(column[1:], start=column[0]) for column in zip(*rows, strict=True))


@runtime_checkable
class _Speaking(Protocol):
    """A judge that puts its question to a language model."""

    def messages(self, question: Question, answers: tuple[str, ...]) -> Sequence[Mapping[str, Any]]: ...


class Surveyor:
    """Measures what questions take, each once.

    Args:
        questions: by id.
        screening: members of the screening panel; in works they stand behind those of the judge's.
    """

    def __init__(
        self,
        questions: Mapping[str, Question],
        objective: Objective,
        members: Sequence[PanelMember],
        screening: Sequence[PanelMember] = (),
    ) -> None:
        self._questions = questions
        self._objective = objective
        self._members = (*members, *screening)
        self._is_screening = (False,) * len(members) + (True,) * len(screening)
        self._judging: dict[tuple[str, bool], PlannedWork] = {}

    def work(
        self,
        renderer: Renderer,
        rules: str,
        demonstrations: Sequence[Demonstration],
        questions: Iterable[str],
        judged: Iterable[str] | None = None,
        screened: Iterable[str] = (),
    ) -> PlannedWork:
        """The work that one prompt on these questions makes.

        Args:
            judged: questions whose answers the judge scores, as often as they stand here; each once when None.
            screened: the same of the screening judge.
        """
        ids = list(questions)
        asked = [(self._questions[name], turn) for name in ids for turn in range(self._turns(self._questions[name]))]
        block = renderer.block(rules, demonstrations, [_conversation(question, turn) for question, turn in asked])
        characters = len(block.prefix) * len(asked) + sum(len(suffix) for suffix in block.suffixes)
        nothing = (0,) * len(self._members)
        answering = PlannedWork(len(asked), characters, sum(turn for _, turn in asked), nothing, nothing, nothing)
        judging = [self._judged(name, screening=False) for name in (ids if judged is None else judged)]
        return combined([answering, *judging, *(self._judged(name, screening=True) for name in screened)])

    def reading(self, characters: float) -> PlannedWork:
        """The work of prompts that are only read, so many characters of them together."""
        nothing = (0,) * len(self._members)
        return PlannedWork(0, characters, 0, nothing, nothing, nothing)

    def _turns(self, question: Question) -> int:
        return min(self._objective.turns, len(question.turns))

    def _judged(self, name: str, *, screening: bool) -> PlannedWork:
        if (name, screening) not in self._judging:
            question = self._questions[name]
            turns = [turn for turn in range(self._turns(question)) if self._objective.counts(turn)]
            asked = [
                (member, member.repeats * (screening == own))
                for member, own in zip(self._members, self._is_screening, strict=True)
            ]
            self._judging[name, screening] = PlannedWork(
                generations=0,
                prompts=0,
                earlier=0,
                verdicts=tuple(len(turns) * times for _, times in asked),
                judge_prompts=tuple(
                    times * sum(_prompt_length(member.judge, question, turn) for turn in turns)
                    for member, times in asked
                ),
                judged=tuple(times * sum(turn + 1 for turn in turns) for _, times in asked),
            )
        return self._judging[name, screening]


def _conversation(question: Question, turn: int) -> tuple[str, ...]:
    """The conversation up to this turn of the user, with empty answers."""
    earlier = [words for turn_text in question.turns[:turn] for words in (turn_text, "")]
    return (*earlier, question.turns[turn])


def _prompt_length(judge: Judge, question: Question, turn: int) -> int:
    """Characters of a judge's prompt without the answers."""
    if isinstance(judge, _Speaking):
        return sum(len(str(message["content"])) for message in judge.messages(question, ("",) * (turn + 1)))
    return sum(len(text) for text in question.turns[: turn + 1])
