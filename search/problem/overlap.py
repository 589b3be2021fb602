"""Pairs of a text and a question of which one holds, or resembles, the other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from evaluators.question import Question
from search.problem.contamination import Degree, Overlap, Source
from search.problem.plain_text import read_words
from search.problem.reworded import reworded
from search.problem.text_overlap import Passages, Words, is_telling, letters_of

_WHOLE, _WHOLE_LETTERS, _WHOLE_ANYWAY = 5, 20, 8  # words and letters of a question that is no common phrase
_FURTHER = 8  # words of a later turn, a reference or a query that is no common phrase
_LETTERS = 24  # of a question that is found wherever it is broken into words
_BLOCK = 10_000  # texts whose words are in memory at the same time
_BREAK = ("\x00",)  # between texts, so that no passage runs over it


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
    sought = _Sought.of(questions, asked)
    for start in range(0, len(texts), _BLOCK):
        block = slice(start, start + _BLOCK)
        for text, question, degree in sought.near(texts[block], queries[block]):
            yield start + text, question, degree
    long = [(at, words) for at, words in enumerate(queries) if len(words) >= _FURTHER]
    for query, question in Passages.of_words([words for _, words in long]).found_in(asked):
        yield long[query][0], question, "near"


@dataclass(frozen=True, slots=True)
class _Sought:
    """What is looked for in each text.

    Attributes:
        asked: the questions' words.
        letters: of each question.
        owners: of the passages, which are of questions and of their further turns: indices of the questions.
        broken: passages by which a question is found wherever spaces and line breaks are.
        answered: indices of the questions whose reference answers `references` are of.
    """

    asked: Sequence[Words]
    letters: Sequence[str]
    owners: Sequence[int]
    passages: Passages
    broken: Passages
    answered: Sequence[int]
    references: Passages

    @classmethod
    def of(cls, questions: Sequence[Question], asked: Sequence[Words]) -> Self:
        passages = [(at, words) for at, words in enumerate(asked) if is_telling(words)]
        passages += [(at, words) for at, question in enumerate(questions) for words in _further(question.turns[1:])]
        references = [(at, words) for at, question in enumerate(questions) for words in _further(question.references)]
        letters = [letters_of(words) for words in asked]
        return cls(
            asked,
            letters,
            [at for at, _ in passages],
            Passages.of_words([words for _, words in passages]),
            Passages.of_letters(letters, _LETTERS),
            [at for at, _ in references],
            Passages.of_words([words for _, words in references]),
        )

    def near(self, texts: Sequence[Text], queries: Sequence[Words]) -> Iterator[tuple[int, int, Degree]]:
        """Pairs of a text and a question of which it holds a passage, by their indices."""
        rests = [read_words(text.rest) for text in texts]
        everything = [query + _BREAK + rest for query, rest in zip(queries, rests, strict=True)]
        for passage, text in self.passages.found_in(everything):
            question = self.owners[passage]
            yield text, question, self._degree(queries[text], rests[text], question)
        for question, text in self.broken.found_in(map(letters_of, everything)):
            if self._holds(queries[text], rests[text], question):
                yield text, question, self._degree(queries[text], rests[text], question)
        answers = (rest if text.answer else () for text, rest in zip(texts, rests, strict=True))
        for reference, text in self.references.found_in(answers):
            yield text, self.answered[reference], "near"

    def _degree(self, query: Words, rest: Words, question: int) -> Degree:
        """Whether it holds all of a question that is no common phrase."""
        words, letters = len(self.asked[question]), len(self.letters[question])
        distinct = words >= _WHOLE and (letters >= _WHOLE_LETTERS or words >= _WHOLE_ANYWAY)
        return "contains" if distinct and self._holds(query, rest, question) else "near"

    def _holds(self, query: Words, rest: Words, question: int) -> bool:
        return any(self.letters[question] in letters_of(words) for words in (query, rest))


def _further(texts: Iterable[str | None]) -> Iterator[Words]:
    return (words for words in map(read_words, filter(None, texts)) if len(words) >= _FURTHER)
