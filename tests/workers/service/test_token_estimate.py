"""Tokens that a service does not count are estimated from the words."""

from configs.schema.service import ServiceConfig
from workers.service.token_estimate import filled_in
from workers.usage import NOTHING, Usage

PRICED = ServiceConfig(model="m", dollars_per_million_prompt_tokens=1, dollars_per_million_new_tokens=2)
CHAT = {"messages": [{"role": "system", "content": "x" * 40}, {"role": "user", "content": "x" * 80}]}
UNCOUNTED = Usage(1, 0, 0, 0, None)


def test_four_bytes_are_a_token_and_a_message_has_four_around_it() -> None:
    assert filled_in(UNCOUNTED, CHAT, "y" * 9, PRICED) == Usage(1, 38, 0, 3, (38 + 6) / 1e6, estimated=1)


def test_token_ids_are_counted_and_not_estimated() -> None:
    assert filled_in(UNCOUNTED, {"prompt": [1, 2, 3]}, "", PRICED).prompt_tokens == 3


def test_what_the_service_counts_is_taken_as_it_is() -> None:
    counted = Usage(1, 7, 2, 3, 0.5)
    assert filled_in(counted, CHAT, "y" * 999, PRICED) == counted
    assert filled_in(Usage(1, 7, 0, 0, 0.5), CHAT, "", PRICED).estimated == 0


def test_an_answer_that_is_not_counted_beside_a_prompt_that_is_gets_an_estimate() -> None:
    assert filled_in(Usage(1, 7, 0, 0, 0.5), CHAT, "y" * 8, PRICED) == Usage(1, 7, 0, 2, 11 / 1e6, estimated=1)


def test_a_call_that_was_never_made_costs_nothing() -> None:
    assert filled_in(NOTHING, CHAT, "", PRICED) == NOTHING


def test_without_prices_tokens_are_estimated_and_dollars_stay_unknown() -> None:
    told = filled_in(UNCOUNTED, CHAT, "yes", ServiceConfig(model="m"))
    assert (told.prompt_tokens, told.dollars) == (38, None)
