"""Drafts from a question's earlier answers: every candidate answers the same questions, and answers repeat.

What was answered before is proposed again, several tokens at once, and the model reads the proposal in one pass. A
token counts only where the row's own sampler takes the same one, so a draft changes how long an answer takes and
nothing else (Leviathan et al. 2023, with sampling that is fixed for a row and step before it begins).
"""

from __future__ import annotations

from array import array
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

MOST_ANSWERS = 8  # different ones kept for a question
MOST_TOKENS = 2**22  # kept for all questions together
SHORTEST, FIRST, LONGEST = 2, 4, 48  # tokens of a draft: where most are refused, of a new question, at most
MIN_SHARE = 0.5  # share of earlier answers that must go on alike
WORTH = 0.5  # share of proposed tokens that must have been taken for drafts longer than the shortest
WINDOW = 256  # drafted tokens after which older ones count half


@dataclass(eq=False, slots=True)
class _Answer:
    tokens: array[int]
    count: int = 1


@dataclass(eq=False, slots=True)
class _Question:
    """Answers that a question has had, to draft the next one from.

    Attributes:
        answers: different ones, the least recent first.
        length: of its next draft, in tokens.
    """

    answers: list[_Answer] = field(default_factory=list)
    length: int = FIRST


class EarlierAnswers:
    """What an engine has answered, by question.

    Attributes:
        drafted: tokens of all drafts so far.
        taken: of these, the tokens that rows have said.
    """

    def __init__(self) -> None:
        self._questions: OrderedDict[str, _Question] = OrderedDict()
        self._tokens = 0
        self.drafted = self.taken = 0
        self._lately_drafted = self._lately_taken = 0.0

    def learn(self, question: str, tokens: list[int]) -> None:
        """An answer is complete.

        Args:
            question: what tells questions apart, for example the part of the prompt that no other has.
            tokens: of the answer, the one that ended it included.
        """
        earlier = self._questions.setdefault(question, _Question())
        self._questions.move_to_end(question)
        generated = array("i", tokens)
        same = next((answer for answer in earlier.answers if answer.tokens == generated), None)
        if same is None:
            earlier.answers.append(_Answer(generated))
            self._tokens += len(generated)
        else:
            same.count += 1
            earlier.answers.remove(same)
            earlier.answers.append(same)
        if len(earlier.answers) > MOST_ANSWERS:
            self._tokens -= len(earlier.answers.pop(0).tokens)
        while self._tokens > MOST_TOKENS:
            _, oldest = self._questions.popitem(last=False)
            self._tokens -= sum(len(answer.tokens) for answer in oldest.answers)

    def begin(self, question: str, generated: list[int]) -> Drafter | None:
        """Drafts for a row that has said this much; None where the question is new."""
        earlier = self._questions.get(question)
        if earlier is None:
            return None
        drafter = Drafter(self, earlier)
        for token in generated:
            drafter.follow(token)
        return drafter

    def note(self, proposed: int, taken: int) -> None:
        """Note how many tokens of a draft were taken."""
        self.drafted += proposed
        self.taken += taken
        fading = 0.5 ** (proposed / WINDOW)
        self._lately_drafted = fading * self._lately_drafted + proposed
        self._lately_taken = fading * self._lately_taken + taken

    @property
    def longest(self) -> int:
        """Tokens of a draft at most, by what drafts have been worth so far."""
        return LONGEST if self._lately_taken >= WORTH * self._lately_drafted else SHORTEST


class Drafter:
    """Proposes how a row may go on."""

    def __init__(self, earlier: EarlierAnswers, question: _Question) -> None:
        self._earlier = earlier
        self._question = question
        self._alike = list(question.answers)  # those that begin with what the row has said
        self._length = 0

    def draft(self, room: int) -> list[int]:
        """The next tokens, as far as most earlier answers agree; none where they do not, or end.

        Args:
            room: tokens that the row may still say before its last one.
        """
        alike, at, tokens, likelihood = self._alike, self._length, list[int](), 1.0
        if self._earlier.longest == SHORTEST:  # most drafts were refused: only what has been said twice is proposed
            alike = [answer for answer in alike if answer.count > 1]
        most = min(room, self._question.length, self._earlier.longest)
        while alike and len(tokens) < most:
            if len(alike) == 1:
                return tokens + alike[0].tokens[at : at + most - len(tokens)].tolist()
            shares: Counter[int] = Counter()
            for answer in alike:
                if at < len(answer.tokens):
                    shares[answer.tokens[at]] += answer.count
            if not shares:
                break
            token, count = shares.most_common(1)[0]
            likelihood *= count / shares.total()
            if likelihood < MIN_SHARE:
                break
            tokens.append(token)
            alike = [answer for answer in alike if at < len(answer.tokens) and answer.tokens[at] == token]
            at += 1
        return tokens

    def follow(self, token: int) -> None:
        """The row has said this token."""
        at = self._length
        self._alike = [answer for answer in self._alike if at < len(answer.tokens) and answer.tokens[at] == token]
        self._length += 1

    def note(self, proposed: int, taken: int) -> None:
        """Note how much of a draft the row has said, so that the question's next one has a fitting length."""
        self._earlier.note(proposed, taken)
        if taken == proposed:
            self._question.length = min(LONGEST, 2 * max(proposed, self._question.length))
        else:
            self._question.length = max(SHORTEST, taken)
