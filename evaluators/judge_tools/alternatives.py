"""The probability of each rating in the place of the one given, from the likeliest tokens that a service tells of.

A rating may be several tokens ("1", "0"), part of one ("[[7"), or one ("10"). A token in its place counts for the
rating that it writes; one that may still go on ("1", where 10 is a choice, too) counts as far as it is known how it
goes on: from the next place of the reply where it is the token given, wholly where longer ratings are tokens of their
own.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluators.failures import VerdictUnreadable
from workers.service.reply import Reply, TokenChoice


@dataclass(frozen=True, slots=True)
class RatingPlace:
    """The position of a rating in a reply.

    Attributes:
        begin, end: of the rating.
        closed: where the brackets behind it end; beyond `end`.
    """

    begin: int
    end: int
    closed: int


def read_alternatives(reply: Reply, place: RatingPlace, choices: Sequence[str]) -> Mapping[str, float]:
    """The probability of each choice that the service told of.

    Raises:
        VerdictUnreadable: it told of no probabilities, or not of that of the rating given.
    """
    if not any(token.alternatives for token in reply.tokens):
        raise VerdictUnreadable(
            "the judge's service gives no log-probabilities, which judge.rating=expected needs: set judge.rating to "
            "decision, or choose another model"
        )
    index, head = _locate(reply, place)
    given = reply.tokens[index]
    if given.text not in _logs(given):
        raise VerdictUnreadable("the judge's log-probabilities do not tell how likely the rating was that it gave")
    return _shares(reply.tokens[index:], head, frozenset(choices))


def _locate(reply: Reply, place: RatingPlace) -> tuple[int, str]:
    """The token that the rating begins in, and the part of that token before the rating."""
    texts = [token.text for token in reply.tokens]
    rest = reply.text[place.begin :].rstrip()
    begin = "".join(texts).rfind(rest)
    if begin < 0:
        raise VerdictUnreadable("the judge's log-probabilities do not belong to its words")
    at = 0
    for index, text in enumerate(texts):
        if at <= begin < at + len(text):
            return index, text[: begin - at]
        at += len(text)
    raise VerdictUnreadable("the judge's log-probabilities do not belong to its words")


def _logs(place: TokenChoice) -> Mapping[str, float]:
    """The log-probabilities told of a place: of the likeliest tokens, and of the one given where it is none of them."""
    own = {} if place.log_probability is None else {place.text: place.log_probability}
    return own | dict(place.alternatives)


def _shares(tokens: Sequence[TokenChoice], head: str, choices: frozenset[str]) -> dict[str, float]:
    """The probability of each rating that may begin behind `head` in the first of these tokens."""
    given, *later = tokens
    written = [
        (text, text[len(head) :], math.exp(min(0.0, log)))
        for text, log in _logs(given).items()
        if text.startswith(head)
    ]
    whole = any(len(_rating(rest)) > 1 for _, rest, _ in written if _rating(rest) in choices)
    shares: dict[str, float] = dict.fromkeys(choices, 0.0)
    for text, rest, probability in written:
        rating = _rating(rest)
        is_open = bool(later) and (bool(_logs(later[0])) or _rating(later[0].text) != "")
        if rest == rating and text == given.text and is_open:
            for longer, share in _shares_behind(rating, later[0], choices).items():
                shares[longer] += probability * share
        elif rating in choices and (rest != rating or whole or not _goes_on(rating, choices)):
            shares[rating] += probability
    return shares


def _shares_behind(rating: str, following: TokenChoice, choices: frozenset[str]) -> dict[str, float]:
    """How a rating that may be complete goes on, as the next place of the reply tells."""
    shares = dict.fromkeys(choices, 0.0)
    for text, log in _logs(following).items():
        longer = rating + _rating(text)
        if longer in choices:
            shares[longer] += math.exp(min(0.0, log))
    return shares


def _rating(text: str) -> str:
    """What a text begins with, as far as it can belong to a rating: a number, or one letter."""
    match = re.match(r"-?\d+(?:\.\d+)?|[A-C](?![A-Za-z])|\.\d*", text)
    return match[0] if match else ""


def _goes_on(rating: str, choices: frozenset[str]) -> bool:
    return any(choice != rating and choice.startswith(rating) for choice in choices)
