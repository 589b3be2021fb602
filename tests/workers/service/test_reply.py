import json
from contextlib import suppress
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.schema.service import BatchConfig, ServiceConfig
from workers.service.failures import ContentFiltered, ErrorInReply, ReplyUnusable, ServiceFailed
from workers.service.reply import TokenChoice, dollars, read_chat, read_completion, read_usage

PRICED = ServiceConfig(model="m", dollars_per_million_prompt_tokens=2.0, dollars_per_million_new_tokens=8.0)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "usage", "text", "logprobs", "finish_reason"]), inner
        )
    ),
    max_leaves=12,
)


def test_a_call_costs_what_its_tokens_cost() -> None:
    assert dollars(1_000_000, 0, 500_000, PRICED) == 2.0 + 4.0


def test_cached_tokens_have_a_price_of_their_own_where_one_is_given() -> None:
    cached = PRICED.model_copy(update={"dollars_per_million_cached_tokens": 0.5})
    assert dollars(1_000_000, 400_000, 0, cached) == pytest.approx(0.6 * 2.0 + 0.4 * 0.5)
    assert dollars(1_000_000, 400_000, 0, PRICED) == 2.0


def test_a_batched_call_costs_its_share() -> None:
    batched = PRICED.model_copy(update={"batch": BatchConfig(price_share=0.5)})
    assert dollars(1_000_000, 0, 0, batched) == 1.0


@pytest.mark.parametrize("lacking", ["dollars_per_million_prompt_tokens", "dollars_per_million_new_tokens"])
def test_without_a_price_nothing_is_known(lacking: str) -> None:
    assert dollars(10, 0, 10, PRICED.model_copy(update={lacking: None})) is None


def test_without_a_count_nothing_is_known() -> None:
    assert dollars(0, 0, 10, PRICED) is None


def test_usage_is_read_from_the_answer_with_the_cached_part() -> None:
    told = {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 64}}
    usage = read_usage({"usage": told}, PRICED)
    assert (usage.calls, usage.prompt_tokens, usage.cached_tokens, usage.new_tokens) == (1, 100, 64, 7)
    assert usage.dollars == pytest.approx((100 * 2 + 7 * 8) / 1e6)


@given(JSON)
def test_whatever_a_server_sends_is_a_reply_or_a_failure(answer: object) -> None:
    for read in (read_chat, read_completion):
        with suppress(ServiceFailed):
            assert isinstance(read(answer, PRICED).text, str)


def test_half_a_character_is_replaced_so_that_every_file_takes_the_text() -> None:
    half = json.loads(r'"so \ud83d"')
    assert read_completion({"choices": [{"text": half}]}, PRICED).text == "so ?"
    assert read_chat({"choices": [{"message": {"content": half}}]}, PRICED).text == "so ?"


@pytest.mark.parametrize("count", [10**30, 2**62, 2**63, -5, 1.5, True, "12", None, [], float("nan"), float("inf")])
def test_a_number_that_counts_no_tokens_counts_as_not_counted(count: object) -> None:
    usage = {"prompt_tokens": count, "completion_tokens": count, "prompt_tokens_details": {"cached_tokens": count}}
    told = read_usage({"usage": usage}, PRICED)
    assert (told.calls, told.prompt_tokens, told.cached_tokens, told.new_tokens) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": "Rating: "}, {"type": "text", "text": "[[7]]"}],
        [{"type": "thinking", "thinking": "[[3]]?"}, {"type": "text", "text": "Rating: [[7]]"}],
        ["Rating: ", "[[7]]"],
    ],
)
def test_words_in_parts_are_joined_and_thoughts_are_none_of_them(content: object) -> None:
    assert read_chat({"choices": [{"message": {"content": content}}]}, PRICED).text == "Rating: [[7]]"


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"message": "slow down", "code": 429}},
        {"error": "slow down"},
        {"object": "error", "message": "slow down"},
        {"choices": [], "error": {"message": "slow down"}},
        {"choices": [{"message": {"content": "half a"}, "error": {"code": 502, "message": "provider broke off"}}]},
        {"choices": [{"message": {"content": "[[7]]"}}], "error": {"message": "provider broke off"}},
        {"detail": "slow down"},
        {"message": "slow down", "request_id": "1"},
        {"choices": [{"message": {"content": "[[7]]"}, "finish_reason": "abort"}]},
        {"choices": [{"message": {"content": "[[7]]"}, "finish_reason": "ERROR"}]},
    ],
)
def test_an_error_in_the_place_of_an_answer_is_an_error(answer: object) -> None:
    with pytest.raises(ErrorInReply) as caught:
        read_chat(answer, PRICED)
    assert caught.value.usage.prompt_tokens == 0


@pytest.mark.parametrize("finish", ["content_filter", "SAFETY", "recitation"])
def test_what_a_filter_has_cut_is_no_answer_whatever_the_service_calls_it(finish: str) -> None:
    for read, said in ((read_chat, {"message": {"content": "[[7]]"}}), (read_completion, {"text": "half"})):
        with pytest.raises(ContentFiltered, match=finish):
            read({"choices": [{**said, "finish_reason": finish}]}, PRICED)


@pytest.mark.parametrize(
    "message",
    [
        {"content": "[[7]]", "refusal": "I cannot."},
        {"content": [{"type": "text", "text": "[[7]]"}, {"type": "refusal", "refusal": "I cannot."}]},
    ],
)
def test_a_refusal_beside_words_is_a_refusal(message: object) -> None:
    with pytest.raises(ContentFiltered, match="refused to answer: I cannot"):
        read_chat({"choices": [{"message": message}]}, PRICED)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("<html><body>[[7]]</body></html>", "a web page"),
        ('data: {"choices": []}', "a stream of events"),
        ("[[7]]", "the text"),
        ({"choices": []}, "0 choices"),
        ({"choices": [{"message": {"content": "[[7]]"}}, {"message": {"content": "[[2]]"}}]}, "2 choices"),
        ({"choices": [{"message": {"content": "", "reasoning_content": "[[9]]"}}]}, "nothing but its reasoning"),
        ({"choices": [{"message": {"content": None, "tool_calls": [{}]}}]}, "called a tool"),
    ],
)
def test_what_came_in_the_place_of_an_answer_is_named(answer: object, words: str) -> None:
    with pytest.raises(ReplyUnusable, match=words):
        read_chat(answer, PRICED)


@pytest.mark.parametrize("values", [[inf, -1.0], [0.9, 0.1], [None, -1.0], [nan, -0.1], [0.0] * 20, [-0.1] * 2])
def test_numbers_that_are_no_log_probabilities_are_none(values: list[float | None]) -> None:
    assert _alternatives(values) == ()


def test_one_place_that_is_no_distribution_leaves_the_others_theirs() -> None:
    content = [
        {"token": "Fine", "logprob": -0.2, "top_logprobs": [{"token": "Fine", "logprob": -0.1}] * 2 + [{"token": 3}]},
        {"token": "7", "logprob": -3.2, "top_logprobs": [{"token": "8", "logprob": -0.05}]},
        {"token": "]]", "logprob": None, "top_logprobs": None},
        {"token": "!", "logprob": -0.1, "top_logprobs": [{"token": "?", "logprob": -0.1}]},
    ]
    answer = {"choices": [{"message": {"content": "Fine7]]!"}, "logprobs": {"content": content}}]}
    assert read_chat(answer, PRICED).tokens == (
        TokenChoice("Fine", ()),
        TokenChoice("7", (("8", -0.05),), -3.2),
        TokenChoice("]]", ()),
        TokenChoice("!", (("?", -0.1),)),
    )


def test_a_token_that_is_listed_twice_counts_once_as_its_likeliest() -> None:
    assert _alternatives([-0.1, -8.0], "m") == (("m", -0.1),)


def _alternatives(values: list[float | None], token: str = "") -> tuple[tuple[str, float], ...]:
    top = [{"token": token or f"t{number}", "logprob": value} for number, value in enumerate(values)]
    logprobs = {"content": [{"token": "m", "top_logprobs": top}]}
    return read_chat({"choices": [{"message": {"content": "m"}, "logprobs": logprobs}]}, PRICED).first_token


def test_what_is_not_among_the_likeliest_has_no_probability() -> None:
    assert _alternatives([-0.1, -9999.0, -inf]) == (("t0", -0.1),)


@pytest.mark.parametrize("role", ["user", "system", "developer", "tool", "function"])
def test_a_message_that_is_not_the_models_is_no_answer(role: str) -> None:
    message = {"role": role, "content": "Rate this: [[7]]"}
    with pytest.raises(ReplyUnusable, match=f"a message of the role '{role}'"):
        read_chat({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}, PRICED)


@pytest.mark.parametrize("role", ["assistant", "model", "", None, 3, ["user"]])
def test_a_role_that_nobody_else_has_is_the_models(role: object) -> None:
    assert read_chat({"choices": [{"message": {"role": role, "content": "[[7]]"}}]}, PRICED).text == "[[7]]"
