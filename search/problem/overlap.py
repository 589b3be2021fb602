"""Pairs of a text and a question of which one holds, or resembles, the other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evaluators.question import Question
from search.problem.plain_text import read_words
from search.problem.reworded import reworded
from search.problem.text_overlap import Words, is_telling, letters_of, shared_letters, shared_passages

Degree = Literal["same", "contains", "near"]
Source = Literal["pool", "base prompt", "search questions"]

_WHOLE, _WHOLE_LETTERS, _WHOLE_ANYWAY = 5, 20, 8  # words and letters of a question that is no common phrase
_FURTHER = 8  # words of a later turn, a reference or a query that is no common phrase
_LETTERS = 24  # of a question that is found wherever it is broken into words
_BREAK = ("\x00",)  # between texts, so that no passage runs over it
_VERBS: Mapping[Degree, str] = {"same": "is", "contains": "contains", "near": "resembles"}


@dataclass(frozen=True, slots=True)
class Overlap:
    """A text of the prompts, or a search question, and a question that it holds.

    Attributes:
        source: where the text comes from.
        id: of the demonstration or the search question; `rules` for the rules of the base prompt.
        place: of the text, for people, with the turn where there are several; "" where only the id is known.
        question: id of the question.
        side: of the question: `search` or `held-out`.
        degree: `same`: it is the question, however it is broken into words. `contains`: the whole question stands in
            it. `near`: they have the same words in another order, or but for a word or two typing errors; one stands in
            the other; or they have a passage of 13 words in common (with the question's further turns or its reference
            answers, too).
    """

    source: Source
    id: str
    place: str
    question: str
    side: str
    degree: Degree

    def __str__(self) -> str:
        where = f" ({self.place})" if self.place else ""
        return f"{self.id}{where} {_VERBS[self.degree]} {self.side} question {self.question}"


@dataclass(frozen=True, slots=True)
class Text:
    """What is compared with the questions.

    Attributes:
        query: of a turn of a demonstration, or of a search question.
        rest: the answer of that turn, or the search question's further turns.
        answer: whether `rest` is compared with reference answers.
    """

    source: Source
    id: str
    place: str
    query: str
    rest: str
    answer: bool = True


def find_overlaps(texts: Sequence[Text], questions: Sequence[Question], side: str) -> list[Overlap]:
    """Every pair of a text and a question of which one holds the other, in the order of the texts."""
    asked = [read_words(question.query) for question in questions]
    queries = [read_words(text.query) for text in texts]
    degrees: dict[tuple[int, int], Degree] = {}
    for text, question, degree in (*_near(texts, queries, questions, asked), *_same(queries, asked)):
        if degrees.get((text, question)) != "contains" or degree == "same":
            degrees[text, question] = degree
    return [
        Overlap(texts[text].source, texts[text].id, texts[text].place, questions[question].id, side, degree)
        for (text, question), degree in sorted(degrees.items())
    ]


def _same(queries: Sequence[Words], asked: Sequence[Words]) -> Iterator[tuple[int, int, Degree]]:
    by_letters: dict[str, list[int]] = {}
    for question, words in enumerate(asked):
        by_letters.setdefault(letters_of(words), []).append(question)
    for text, words in enumerate(queries):
        yield from ((text, question, "same") for question in by_letters.get(letters_of(words), ()) if words)


def _near(
    texts: Sequence[Text], queries: Sequence[Words], questions: Sequence[Question], asked: Sequence[Words]
) -> Iterator[tuple[int, int, Degree]]:
    yield from ((text, question, "near") for question, text in reworded(asked, queries))
    passages = [(at, words) for at, words in enumerate(asked) if is_telling(words)]
    passages += [(at, words) for at, question in enumerate(questions) for words in _further(question.turns[1:])]
    everything = (query + _BREAK + read_words(text.rest) for text, query in zip(texts, queries, strict=True))
    for passage, text in shared_passages([words for _, words in passages], everything):
        question = passages[passage][0]
        yield text, question, _degree(texts[text], queries[text], asked[question])
    yield from _broken(texts, queries, asked)
    references = [(at, words) for at, question in enumerate(questions) for words in _further(question.references)]
    answers = (read_words(text.rest) if text.answer and references else () for text in texts)
    for reference, text in shared_passages([words for _, words in references], answers):
        yield text, references[reference][0], "near"
    long = [(at, words) for at, words in enumerate(queries) if len(words) >= _FURTHER]
    for query, question in shared_passages([words for _, words in long], asked):
        yield long[query][0], question, "near"


def _further(texts: Iterable[str | None]) -> Iterator[Words]:
    return (words for words in map(read_words, filter(None, texts)) if len(words) >= _FURTHER)


def _broken(
    texts: Sequence[Text], queries: Sequence[Words], asked: Sequence[Words]
) -> Iterator[tuple[int, int, Degree]]:
    """Questions whose letters stand in a text one behind the other, wherever spaces and line breaks are."""
    sought = [letters_of(words) for words in asked]
    long = [at for at, letters in enumerate(sought) if len(letters) >= _LETTERS]
    read = (
        letters_of(query + _BREAK + read_words(text.rest)) for text, query in zip(texts, queries, strict=True) if long
    )
    for at, text in shared_letters([sought[at] for at in long], read, _LETTERS):
        if _holds(texts[text], queries[text], sought[long[at]]):
            yield text, long[at], _degree(texts[text], queries[text], asked[long[at]])


def _degree(text: Text, query: Words, question: Words) -> Degree:
    """Whether it holds all of a question that is no common phrase."""
    letters = letters_of(question)
    distinct = len(question) >= _WHOLE and (len(letters) >= _WHOLE_LETTERS or len(question) >= _WHOLE_ANYWAY)
    return "contains" if distinct and _holds(text, query, letters) else "near"


def _holds(text: Text, query: Words, letters: str) -> bool:
    return letters in letters_of(query) or letters in letters_of(read_words(text.rest))
