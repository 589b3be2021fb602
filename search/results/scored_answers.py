"""Every answer of a search or an evaluation that has a score, with the keys under which the ledger has it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from evaluators.answer_keys import AnswerKeys
from evaluators.question import Question
from search.problem.trial import ScoredTrial, Side
from search.prompts.render import answer_cleaner
from search.results.evaluation_results import EvaluationResults
from search.results.labels import Labels
from search.results.search_results import SearchResults
from search.results.stored_answers import StoredAnswer, read_stored_answers
from search.run_directory.records import TrialRecord

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
    by_place = {(scored.side, scored.prompt, scored.question.id): scored for scored in _all(results)}
    return [*by_place.values()]


def _all(results: SearchResults | EvaluationResults) -> Iterator[ScoredAnswer]:
    if results.material is None:
        return
    questions = results.material.questions
    if isinstance(results, EvaluationResults):
        for variant in results.records:
            yield from _each("all", variant.name, variant.scored, results.answers(variant), questions)
        return
    labels, clean = Labels(results.material), answer_cleaner(results.config.render)
    for record in results.records():
        if isinstance(record, TrialRecord) and record.scored.trial.tells_scores:
            answers = read_stored_answers(results.ledger, record.scored.keys, clean)
            yield from _each(record.side, labels.candidate(record.candidate), record.scored, answers, questions)


def _each(
    side: Asked,
    prompt: str,
    scored: ScoredTrial,
    answers: Mapping[str, StoredAnswer],
    questions: Mapping[str, Question],
) -> Iterator[ScoredAnswer]:
    for name, score in scored.scores.items():
        if name in answers:
            generations = AnswerKeys.from_text(scored.keys[name]).generations
            yield ScoredAnswer(side, prompt, questions[name], generations, answers[name].answers, score)
