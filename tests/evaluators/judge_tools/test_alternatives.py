"""From a service's likeliest tokens to the probabilities of ratings, however they are cut into tokens."""

import math
from collections.abc import Mapping

import pytest

from evaluators.failures import VerdictUnreadable
from evaluators.judge_tools.alternatives import RatingPlace, read_alternatives
from evaluators.judge_tools.decision import read_decision
from evaluators.judge_tools.ratings import MT_BENCH, Winners
from workers.service.reply import Reply, TokenChoice
from workers.usage import NOTHING

Place = str | tuple[str, Mapping[str, float]]
"""A token, and where it matters the chances of those that might have stood there."""


def _reply(*places: Place, text: str | None = None) -> Reply:
    tokens = []
    for place in places:
        given, chances = place if isinstance(place, tuple) else (place, {place: 1.0})
        logs = sorted(((token, math.log(chance)) for token, chance in chances.items()), key=lambda pair: -pair[1])
        tokens.append(TokenChoice(given, tuple(logs)))
    return Reply("".join(token.text for token in tokens) if text is None else text, "stop", NOTHING, tuple(tokens))


def _read(reply: Reply, form: type = object) -> dict[str, float]:
    scale = Winners("A") if form is Winners else MT_BENCH
    decision = read_decision(reply.text, reply.finish, scale)
    place = RatingPlace(decision.begin, decision.end, decision.closed)
    found = read_alternatives(reply, place, scale.choices)
    return {rating: round(chance, 9) for rating, chance in found.items() if chance}


def test_ratings_that_are_one_token_each_have_their_own_chances() -> None:
    reply = _reply("Rating: ", "[[", ("7", {"7": 0.5, "8": 0.3, "10": 0.1, "1": 0.05, "seven": 0.05}), "]]")
    assert _read(reply) == {"7": 0.5, "8": 0.3, "10": 0.1, "1": 0.05}


def test_the_rating_that_was_given_is_parted_where_it_may_go_on() -> None:
    reply = _reply("[[", ("1", {"1": 0.8, "9": 0.2}), ("0", {"0": 0.75, "]]": 0.25}), "]]")
    assert _read(reply) == {"10": 0.6, "1": 0.2, "9": 0.2}
    cut = _reply("[[", ("1", {"1": 0.8, "9": 0.2}), ("]]", {"0": 0.75, "]]": 0.25}))
    assert _read(cut) == {"10": 0.6, "1": 0.2, "9": 0.2}


def test_a_token_that_may_be_1_or_the_beginning_of_10_counts_for_neither() -> None:
    assert _read(_reply("[[", ("7", {"7": 0.9, "1": 0.1}), "]]")) == {"7": 0.9}


def test_a_fraction_is_no_whole_rating() -> None:
    reply = _reply("[[", ("7", {"7": 0.9, "8": 0.1}), (".", {".": 0.6, "]]": 0.4}), "5", "]]")
    assert _read(reply) == {"7": 0.36, "8": 0.1}


@pytest.mark.parametrize("head", ["[[", " [[", "**[["])
def test_brackets_may_be_part_of_the_ratings_token(head: str) -> None:
    other = {f"{head}7": 0.5, f"{head}8": 0.25, "[[6": 0.0625 if head != "[[" else 0.25, "Well": 0.125}
    found = _read(_reply("Rating:\n", (f"{head}7", other), "]]"))
    assert (found["7"], found["8"]) == (0.5, 0.25)


def test_closing_brackets_may_be_part_of_the_ratings_token() -> None:
    assert _read(_reply("[[", ("1]]", {"1]]": 0.5, "10]]": 0.5}))) == {"1": 0.5, "10": 0.5}


def test_the_place_is_that_of_the_decision_and_not_of_a_draft() -> None:
    draft = ("3", {"3": 1.0})
    reply = _reply("<think>", "[[", draft, "]]", "</think>", "\n", "[[", ("9", {"9": 0.5, "8": 0.5}), "]]")
    assert _read(reply) == {"8": 0.5, "9": 0.5}


def test_words_whose_beginning_the_tokens_spell_otherwise_are_matched_from_their_end() -> None:
    reply = _reply("\ufffd\ufffd ", "[[", ("9", {"9": 1.0}), "]]", text="é [[9]]")
    assert _read(reply) == {"9": 1.0}


def test_letters_are_read_in_the_same_way() -> None:
    reply = _reply("[[", ("A", {"A": 0.7, "B": 0.2, "C": 0.05, "Assistant": 0.05}), "]]")
    assert _read(reply, Winners) == {"A": 0.7, "B": 0.2, "C": 0.05}


def test_a_service_that_gives_no_probabilities_fails_with_advice() -> None:
    with pytest.raises(VerdictUnreadable, match=r"set judge\.rating to decision"):
        read_alternatives(Reply("[[7]]", "stop", NOTHING), RatingPlace(2, 3, 5), MT_BENCH.choices)


@pytest.mark.parametrize("chances", [{"3": 0.9}, {}])
def test_chances_that_do_not_name_the_rating_given_fail(chances: dict[str, float]) -> None:
    with pytest.raises(VerdictUnreadable, match="do not tell how likely the rating was"):
        _read(_reply("[[", ("7", chances), "]]"))


def test_the_rating_given_counts_by_its_own_chance_where_it_is_not_among_the_likeliest() -> None:
    seven = TokenChoice("7", (("8", math.log(0.75)),), math.log(0.125))
    odd = TokenChoice("[[", ())
    assert _read(Reply("[[7]]", "stop", NOTHING, (odd, seven, TokenChoice("]]", ())))) == {"7": 0.125, "8": 0.75}


def test_an_odd_place_fails_only_where_the_rating_stands() -> None:
    tokens = (TokenChoice("[[", (("[[", 0.0),)), TokenChoice("7", ()), TokenChoice("]]", ()))
    with pytest.raises(VerdictUnreadable, match="do not tell how likely the rating was"):
        _read(Reply("[[7]]", "stop", NOTHING, tokens))


def test_a_digit_that_goes_on_in_an_odd_place_is_no_rating_of_its_own() -> None:
    one = TokenChoice("1", (("1", math.log(0.75)), ("10", math.log(0.25))))
    odd = [TokenChoice(text, ()) for text in ("[[", "0", "]]")]
    assert _read(Reply("[[10]]", "stop", NOTHING, (odd[0], one, *odd[1:]))) == {"10": 0.25}
    assert _read(Reply("[[1]]", "stop", NOTHING, (odd[0], one, odd[2]))) == {"1": 0.75, "10": 0.25}


def test_tokens_of_other_words_fail() -> None:
    with pytest.raises(VerdictUnreadable, match="do not belong to its words"):
        _read(_reply("something else", text="[[7]]"))
