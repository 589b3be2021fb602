"""Every answer of a search or an evaluation that has a score, with the keys under which the ledger has it."""

from dataclasses import dataclass
from typing import Literal

from evaluators.answer_keys import AnswerKeys
from evaluators.question import Question
from search.problem.trial import Side
from search.results.answers_table import AnswerPlace, asked_prompts, text_reader
from search.results.evaluation_results import EvaluationResults
from search.results.labels import Labels
from search.results.search_results import SearchResults

Asked = Side | Literal["all"]
"""The questions asked: those of one side of a search's split, or all of an evaluation."""


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """One prompt's answers to one question, and their score.

    Attributes:
        prompt: the candidate's or the variant's name, for people.
        generations: keys of the answers, turn by turn.
    """

    side: Asked
    prompt: str
    question: Question
    generations: tuple[bytes, ...]
    answers: tuple[str, ...]
    score: float


def base_prompt(results: SearchResults | EvaluationResults) -> str:
    """The name of the prompt that others are compared with: the base prompt, or the first variant; "" before there is
    one."""
    if isinstance(results, EvaluationResults):
        return results.records[0].name if results.records else ""
    return "" if results.base is None else Labels(results.material).candidate(results.base)


def scored_answers(results: SearchResults | EvaluationResults) -> list[ScoredAnswer]:
    """All of them in the order of the run, each once; without those that the ledger has not."""
    questions, read = results.material.questions if results.material else {}, text_reader(results)
    by_place: dict[tuple[Asked, str, str], ScoredAnswer] = {}
    for asked, scored in asked_prompts(results):
        side: Asked = "all" if asked.side == "evaluation" else asked.side
        stored = read({AnswerPlace(asked.trial, name): key for name, key in scored.keys.items()})
        for name, score in scored.scores.items():
            if answer := stored.get(AnswerPlace(asked.trial, name)):
                generations = AnswerKeys.from_text(scored.keys[name]).generations
                by_place[side, asked.prompt, name] = ScoredAnswer(
                    side, asked.prompt, questions[name], generations, answer.answers, score
                )
    return [*by_place.values()]
