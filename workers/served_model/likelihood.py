"""The likelihood of a given text, read from a completion that echoes its prompt with log-probabilities."""

from typing import Any

from workers.prompt import Likelihood
from workers.service.failures import ReplyUnusable


def read_likelihood(answer: Any, continuation: str | int) -> Likelihood:
    """What the last part of an echoed prompt is worth.

    Args:
        answer: the body, as JSON. Its log-probabilities are of the prompt's tokens and of one generated token.
        continuation: the prompt's last part; as text, or as its number of tokens.

    Raises:
        ReplyUnusable: there are no log-probabilities of the prompt, or no token begins where the continuation does.
    """
    try:
        logprobs = answer["choices"][0]["logprobs"]
        tokens, values = list(logprobs["tokens"]), list(logprobs["token_logprobs"])
        written = int(answer["usage"]["completion_tokens"])
    except (AttributeError, LookupError, TypeError, ValueError):
        raise _no_echo() from None
    if len(tokens) != len(values) or written not in (0, 1) or len(tokens) - written < 1:
        raise _no_echo()
    end = len(tokens) - written
    count = continuation if isinstance(continuation, int) else _tokens_of(continuation, tokens[:end])
    chosen = values[end - count : end]
    if count >= end + 1 or not all(isinstance(value, int | float) for value in chosen):
        raise _no_echo()
    return Likelihood(min(0.0, float(sum(chosen))), count)


def _tokens_of(continuation: str, tokens: list[Any]) -> int:
    """How many of the last tokens make the continuation, character by character."""
    text = ""
    for count, token in enumerate(reversed(tokens), start=1):
        text = f"{token}{text}"
        if text == continuation:
            return count
        if len(text) > len(continuation):
            break
    raise ReplyUnusable(
        "reads the end of the prompt and the beginning of the continuation as one token: set model.send to tokens"
    )


def _no_echo() -> ReplyUnusable:
    return ReplyUnusable("gives no log-probabilities of a prompt, so it cannot score: use a server that echoes them")
