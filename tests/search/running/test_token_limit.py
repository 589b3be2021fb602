"""Candidates with few tokens."""

import asyncio

import pytest

from configs.errors import InputError
from evaluators.question import Question
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.prompts.demonstration import Demonstration
from search.prompts.render import UrialRenderer
from search.prompts.urial import BACKTICKS
from search.running.token_limit import limit_tokens
from tests.fakes import ScriptedModel

MATERIAL = Material(
    rules="rules",
    base=(Demonstration("base", "query", "answer"),),
    pool=(Demonstration("short", "q", "a"), Demonstration("long", "q " * 19 + "q", "a " * 99 + "a")),
    search=(Question("g", ("a question",)),),
    held_out=(),
    digests={},
)
SPACE = SearchSpace(("base",), ("short", "long"), ("g",), 0, 2)


def limited(limit: int | None) -> SearchSpace:
    return asyncio.run(limit_tokens(SPACE, limit, MATERIAL, UrialRenderer(BACKTICKS), ScriptedModel()))


def test_without_a_limit_nothing_is_counted() -> None:
    assert limited(None) == SPACE


def test_a_demonstration_counts_what_it_adds_to_a_prompt() -> None:
    space = limited(100)
    assert space.tokens["long"] - space.tokens["short"] == 118  # the model of this test counts words
    assert space.fits(("short",))
    assert not space.fits(("long",))


def test_a_limit_that_leaves_no_candidate_is_refused() -> None:
    with pytest.raises(InputError, match="max_prompt_tokens is 10"):
        limited(10)
