"""What a service is told and what it says."""

from dataclasses import dataclass
from math import exp, fsum
from typing import Any

from configs.schema.service import ServiceConfig
from workers.service.endings import BROKEN_OFF, CUT, FILTERED
from workers.service.failures import ContentFiltered, ErrorInReply, ReplyUnusable
from workers.service.unusable import what_came, what_else
from workers.usage import NOTHING, Usage

MOST_TOKENS = 10**8
"""No call reads or writes more; a service that says so does not count tokens."""
_LONGEST_NAME = 200
_OTHERS = frozenset({"user", "system", "developer", "tool", "function"})
"""Roles of a message that is no answer: a gateway may send one back in its place."""
_CERTAIN = 0.01
"""Log-probability of what is certain, and room for rounding."""
_MOST_TOGETHER = 1.05
"""Probability of all that might have stood in one place, and room for rounding: to one decimal, or in 8 bits."""
_NOT_TOLD = -9999.0
"""OpenAI's number for "not among the likeliest" where it has to write a log-probability."""


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """One token of a reply, among those that might have stood in its place.

    Attributes:
        text: of the token.
        alternatives: the likeliest tokens there and their natural log-probabilities, likeliest first; empty where what
            was told is no distribution.
        log_probability: of the token itself, natural, which need not be among the likeliest; None where it was not
            told, or does not go with theirs.
    """

    text: str
    alternatives: tuple[tuple[str, float], ...]
    log_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service said.

    Attributes:
        text: not stripped; never blank in a chat, unless `first_token` says more.
        finish: the service's word: "stop", "length"...; "" where it does not say.
        usage: of this one call; as read, 0 where the service does not count (see `workers.service.token_estimate`).
        tokens: of the reply, with their alternatives; empty unless asked for.
        model: who wrote it, by the service's own word, often a dated snapshot of the model asked for; "" where it does
            not say.
    """

    text: str
    finish: str
    usage: Usage
    tokens: tuple[TokenChoice, ...] = ()
    model: str = ""

    @property
    def first_token(self) -> tuple[tuple[str, float], ...]:
        """The likeliest first tokens of the reply, as `TokenChoice.alternatives` has them; empty unless asked for."""
        return self.tokens[0].alternatives if self.tokens else ()

    def is_cut(self, most: int) -> bool:
        """Whether it reached its limit of tokens: the service says so, or says nothing and has counted them all.

        Args:
            most: new tokens that were allowed.
        """
        if self.finish:
            return self.finish.lower() in CUT
        return not self.usage.estimated and self.new_tokens >= most

    @property
    def prompt_tokens(self) -> int:
        return self.usage.prompt_tokens

    @property
    def cached_tokens(self) -> int:
        return self.usage.cached_tokens

    @property
    def new_tokens(self) -> int:
        return self.usage.new_tokens


def read_chat(answer: Any, config: ServiceConfig) -> Reply:
    """The reply in a chat completion.

    Args:
        answer: the body as JSON, or whatever came in its place.

    Raises:
        ReplyUnusable: no chat completion, or one without words.
        ContentFiltered: the filter took the words.
        ErrorInReply: an error in the place of an answer.
    """
    usage = read_usage(answer, config)
    _raise_error(answer, usage)
    try:
        (choice,) = answer["choices"]
        message = choice["message"]
        content, finish = message["content"], choice.get("finish_reason")
        refusal = message.get("refusal") or _refusal_among(content)
    except (AttributeError, LookupError, TypeError, ValueError):
        raise ReplyUnusable(f"answered with {what_came(answer)} that is not a chat completion", usage) from None
    _raise_ending(finish, usage)
    role = _word(message.get("role"))
    if role in _OTHERS:
        raise ReplyUnusable(f"answered with a message of the role {role!r}, which is not the model's", usage)
    if isinstance(refusal, str) and refusal.strip():
        raise ContentFiltered(f"refused to answer: {refusal}", usage)
    tokens, text = _tokens(choice), _text_of(content)
    says_more = bool(tokens) and bool(tokens[0].alternatives)
    if text is None or not (text.strip() or says_more):
        raise ReplyUnusable(f"answered nothing (finish_reason {finish}){what_else(message, finish)}", usage)
    return Reply(_whole(text), _word(finish), usage, tokens, _model_of(answer))


def read_completion(answer: Any, config: ServiceConfig) -> Reply:
    """The reply in a text completion; its text may be empty.

    Raises:
        ReplyUnusable: no text completion.
        ContentFiltered: the filter took the words.
        ErrorInReply: an error in the place of an answer.
    """
    usage = read_usage(answer, config)
    _raise_error(answer, usage)
    try:
        (choice,) = answer["choices"]
        text, finish = choice["text"], choice.get("finish_reason")
    except (AttributeError, LookupError, TypeError, ValueError):
        text = finish = None
    _raise_ending(finish, usage)
    if not isinstance(text, str):
        raise ReplyUnusable(f"answered with {what_came(answer)} that is not a text completion", usage)
    return Reply(_whole(text), _word(finish), usage, model=_model_of(answer))


def _raise_error(answer: Any, usage: Usage) -> None:
    """Raise what stands beside an answer or in its place: `{"error": ...}`, `{"object": "error", ...}`, `{"detail":
    ...}` without any choice, or an error in the first choice, as OpenRouter has it when a provider breaks off."""
    if not isinstance(answer, dict):
        return
    usage = usage if isinstance(answer.get("usage"), dict) else NOTHING
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if answer.get("error"):
        raise ErrorInReply(answer["error"], usage)
    if first is None and ("error" in (answer.get("object"), answer.get("type")) or _words_alone(answer)):
        raise ErrorInReply(answer, usage)
    if isinstance(first, dict) and first.get("error"):
        raise ErrorInReply(first["error"], usage)


def _words_alone(answer: dict[str, Any]) -> bool:
    """Whether a body without choices has words for people, as gateways send them."""
    return "choices" not in answer and any(isinstance(answer.get(name), str) for name in ("detail", "message", "msg"))


def _raise_ending(finish: object, usage: Usage) -> None:
    """Raise where the answer is not whole for another reason than its length."""
    word = _word(finish).lower()
    if word in FILTERED:
        raise ContentFiltered(f"answered nothing or broke off (finish_reason {finish})", usage)
    if word in BROKEN_OFF:
        raise ErrorInReply(f"the answer broke off (finish_reason {finish})", usage)


def _text_of(content: object) -> str | None:
    """The words of a message, which may come in parts; what a model thought before it answered is none of them."""
    if isinstance(content, list):
        parts = [part if isinstance(part, str) else _part_of(part) for part in content]
        return "".join(part for part in parts if part is not None)
    return content if isinstance(content, str) else None


def _part_of(part: object) -> str | None:
    if isinstance(part, dict) and part.get("type") in {"text", "output_text"} and isinstance(part.get("text"), str):
        return str(part["text"])
    return None


def _refusal_among(content: object) -> object:
    parts = content if isinstance(content, list) else []
    return next((part.get("refusal") for part in parts if isinstance(part, dict) and part.get("refusal")), None)


def _word(finish: object) -> str:
    return finish if isinstance(finish, str) else ""


def _model_of(answer: Any) -> str:
    model = answer.get("model")
    return _whole(model)[:_LONGEST_NAME] if isinstance(model, str) else ""


def _whole(text: str) -> str:
    """JSON may hold half a character (a lone surrogate), which neither a file nor another request takes."""
    return text.encode("utf-8", "replace").decode()


def read_usage(answer: Any, config: ServiceConfig) -> Usage:
    """What a completion of either kind cost; one call without tokens where it does not say, and nothing where what came
    is no object: a page of a proxy's that the service knows nothing of."""
    if not isinstance(answer, dict):
        return NOTHING
    usage = answer.get("usage")
    details = usage.get("prompt_tokens_details") if isinstance(usage, dict) else None
    prompt, new = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    cached = min(_count(details, "cached_tokens"), prompt)
    return Usage(1, prompt, cached, new, dollars(prompt, cached, new, config))


def dollars(prompt_tokens: int, cached_tokens: int, new_tokens: int, config: ServiceConfig) -> float | None:
    """What one call costs at the config's prices; None where they, or the tokens read, are not known.

    Args:
        cached_tokens: of the prompt's.
    """
    prompt_price, new_price = config.dollars_per_million_prompt_tokens, config.dollars_per_million_new_tokens
    if prompt_price is None or new_price is None or not prompt_tokens:  # nobody reads nothing: it was not counted
        return None
    cached_price = config.dollars_per_million_cached_tokens
    cached_price = prompt_price if cached_price is None else cached_price
    fresh_tokens = prompt_tokens - cached_tokens
    share = config.batch.price_share if config.batch else 1.0
    return share * (fresh_tokens * prompt_price + cached_tokens * cached_price + new_tokens * new_price) / 1e6


def _count(holder: object, name: str) -> int:
    """A number of tokens; 0 for what cannot be one, so that it is estimated: negative, a fraction, beyond belief."""
    count = holder.get(name) if isinstance(holder, dict) else None
    if isinstance(count, bool) or not isinstance(count, int | float) or not 0 < count <= MOST_TOKENS:
        return 0
    return int(count) if count == int(count) else 0


def _tokens(choice: dict[str, Any]) -> tuple[TokenChoice, ...]:
    """None of them where they do not come as OpenAI has them."""
    try:
        return tuple(_token(token) for token in choice["logprobs"]["content"])
    except (AttributeError, LookupError, TypeError):
        return ()


def _token(token: dict[str, Any]) -> TokenChoice:
    text, own = str(token.get("token", "")), _log_probabilities([token]) or {}
    likeliest = _log_probabilities(token.get("top_logprobs"))
    if likeliest is None:
        return TokenChoice(text, ())
    by_probability = sorted(likeliest.items(), key=lambda pair: -pair[1])
    goes_with_them = fsum(map(exp, (own | likeliest).values())) <= _MOST_TOGETHER
    return TokenChoice(text, tuple(by_probability), own.get(text) if goes_with_them else None)


def _log_probabilities(tokens: Any) -> dict[str, float] | None:
    """The log-probability of each token that might have stood in one place; None where they are no distribution."""
    try:
        pairs = [(str(token["token"]), float(token["logprob"])) for token in tokens]
    except (LookupError, OverflowError, TypeError, ValueError):
        return None
    if not all(value <= _CERTAIN for _, value in pairs):  # also where one is NaN
        return None
    likeliest = dict(sorted((pair for pair in pairs if pair[1] > _NOT_TOLD), key=lambda pair: pair[1]))
    return likeliest if fsum(map(exp, likeliest.values())) <= _MOST_TOGETHER else None
