"""What the words of an error mean, whoever has wrapped them: OpenAI, vLLM, SGLang, llama.cpp, LiteLLM, OpenRouter...

Proxies pass a model's refusal on with a status, code and parameter of their own (`code: "400", param: null`), so the
words decide where the fields say nothing. Each pattern has its sources in tests/workers/service/test_error_words.py.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from workers.service.unusable import without_markup

OUT_OF_QUOTA = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "budget_exceeded",
        "insufficient_balance",
    }
)
"""Error codes that no waiting cures, though they come with 429."""

UNSUPPORTED = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter", "extra_forbidden"})
"""Error codes of a field, or a value of it, that a model does not take."""

SLOW_DOWN = frozenset({429, 503, 529})

_MAY_REFUSE = frozenset({400, 404, 405, 406, 409, 422, 424, 500, 502})
"""Statuses with which a field is refused: gateways have their own for what a model behind them refuses."""

TOO_LONG = re.compile(
    r"context[ _]?(length|window|size)|maximum model length|max_total_tokens|`inputs` tokens|"
    r"(prompt|input) is too long|must have less than \d+ tokens",
    re.I,
)
FILTERED = re.compile(r"content.?(filter|policy|management)|flagged|moderation", re.I)
_NO_QUOTA = re.compile(
    r"insufficient.{0,3}(quota|credit|balance|fund)|exceeded your current quota|budget has been exceeded|over budget|"
    r"credit balance is too low|payment required",
    re.I,
)
_NO_KEY = re.compile(
    r"(incorrect|invalid|expired|missing|no)[ _](or \w+ )?api[ _]?key|api key not valid|authentication ?error|"
    r"invalid (x-)?api-key|invalid_api_key|user not found\.",
    re.I,
)
_NO_MODEL = re.compile(
    r"model_not_found|invalid model( name|: )|has been decommissioned|unknown model|no such model|"
    r"model\b.{0,120}?(does not exist|not found|is not a valid model|not available)",
    re.I | re.S,
)
_BUSY = re.compile(r"rate.?limit|too many requests|slow.?down|throttl", re.I)
_THROTTLED = re.compile(r"throttling ?exception|too many requests", re.I)
_OVERLOADED = re.compile(r"overload|temporarily|unavailable|capacity|try again (later|in)|server is busy", re.I)
_OTHER_LIMIT = re.compile(
    r"(use|requires?|expects?|expected)\W+max_completion_tokens|"
    r"max_completion_tokens\W+(instead|must be used|is required)",
    re.I,
)
_NOT_TAKEN = re.compile(
    r"unsupported|not support|n't support|unrecogni[sz]ed|unknown[_ ](parameter|field|argument|name)|extra inputs|"
    r"extra fields|extra_forbidden|not permitted|not allowed|unexpected keyword|unexpected (field|argument|parameter)|"
    r"only the default|does not (take|accept)|deprecated|not compatible|not applicable|"
    r"(invalid|illegal|\bnot (a |an )?(valid|recogni[sz]ed|accepted)) (parameter|field|argument)(?! value)|"
    r"only temperature|must be (set to )?1(\.0)?\b|may only be|only [\d.]+ is allowed|cannot both be|"
    r"additional propert|(parameter|field|argument) is illegal|不支持|参数非法|非法参数|"
    r"(?<![\w/-])(?-i:[Ll]ogprobs|[Tt]emperature|seed|[Tt]op_p|[Rr]easoning_effort)(?![\w-])"  # models are named Seed
    r".{0,60}(not (enabled|available|implemented)|disabled)",
    re.I,
)
_RANGE = re.compile(
    r"\bat (most|least)\b|\b(less|lower|smaller|fewer|more|greater|higher|larger) than\b|\bbetween\b|\bexceed|"
    r"\bor (less|lower|fewer|more|greater|higher)\b|\brange\b|(?<!\w)[<>]=|[≤≥]",  # vllm>=0.5 is a version
    re.I,
)
"""Words of the values that a field may have: such a field is taken."""
_DEFAULT = re.compile("only the default", re.I)
_BETWEEN_CLAUSES = re.compile(
    r"[;；。}]|\.\s|(?<!parameters: )\{|\(\s*\w+=[^()]*\)?|"
    r",(?![^][(){}]{0,200}[])]|\s*['\"](?:loc|msg)\b)"  # not in a list, nor in what pydantic says of one field
)
"""Also a quoted field with its value, (temperature=0)."""
_READ = 5000
"""Characters; an error's words are matched with many patterns, and bodies may be huge."""
_VALUE = re.compile(
    r"unsupported value|unsupported_value|supported values|allowed values|must be one of|invalid value", re.I
)


_NAME = "A-Za-z0-9_"  # no other letters: Chinese words follow without a space


@dataclass(frozen=True, slots=True)
class FieldRefusal:
    """A field that a model does not take, as far as the service says which.

    Attributes:
        parameter: by name; None where only the words may tell.
        words: of the service, the clauses that refuse: others quote whole requests.
        of_value: the field is known, its value is not taken.
    """

    parameter: str | None
    words: str
    of_value: bool = False

    def field_of(self, fields: Collection[str]) -> str | None:
        """The one of these fields that the error speaks of: the one that it names, or names first.

        As they are spelled comes first: a model may be named vendor/Seed-1.6.
        """
        if self.parameter in fields:
            return self.parameter
        for pattern in (rf"(?<![{_NAME}/-]){{}}(?![{_NAME}-])", rf"(?i)(?<![{_NAME}/-]){{}}(?![{_NAME}]|-\d)"):
            joint = "[_ -]?" if "(?i)" in pattern else "_"  # reasoningEffort, Max Tokens
            matches = (
                (re.search(pattern.format(re.escape(field).replace("_", joint)), self.words), field) for field in fields
            )
            places = {match.start(): field for match, field in matches if match}
            if places:
                return places[min(places)]
        return "max_tokens" if "max_tokens" in fields and _OTHER_LIMIT.search(self.words) else None


@dataclass(frozen=True, slots=True)
class ServiceError:
    """An error as a service tells it.

    Attributes:
        status: what it amounts to: the one that came, unless a proxy hides another one behind it.
        code: or its type, as text; "" where there is none.
        parameter: that it is about.
        words: for people; not cleaned.
    """

    status: int
    code: str
    parameter: str | None
    words: str

    @property
    def out_of_quota(self) -> bool:
        if self.status == 402 or self.code in OUT_OF_QUOTA:
            return True
        is_limit_of_rate = self.status == 429 and re.search(r"retry|per (minute|second|day)", self.words, re.I)
        return self.status in {400, 403, 429} and bool(_NO_QUOTA.search(self.words)) and not is_limit_of_rate

    @property
    def of_key(self) -> bool:
        return self.status == 401 or (
            self.status in {400, 403, 500} and bool(_NO_KEY.search(f"{self.code} {self.words}"))
        )

    @property
    def of_model(self) -> bool:
        text = f"{self.code} {self.words}"
        if "requested parameters" in self.words:  # OpenRouter: no provider takes all of them
            return False
        return self.status == 404 or (self.status in {400, 403} and bool(_NO_MODEL.search(text)))

    @property
    def refusal(self) -> FieldRefusal | None:
        """The refusal of a field, where it is one."""
        text = f"{self.code} {self.words}"
        refusing = _refusing(self.words) or _refusing(text)
        if self.code not in UNSUPPORTED and not (self.status in _MAY_REFUSE and refusing):
            return None
        return FieldRefusal(self.parameter, refusing, bool(_VALUE.search(text)))


def _refusing(words: str) -> str:
    """The clauses that refuse something, a line each."""
    has_default = _DEFAULT.search(words)
    return "\n".join(
        clause
        for clause in _BETWEEN_CLAUSES.split(words)
        if _OTHER_LIMIT.search(clause) or (_NOT_TAKEN.search(clause) and (has_default or not _RANGE.search(clause)))
    )


def read_error(status: int, body: object) -> ServiceError:
    """Read the error in a body.

    Args:
        status: that came with it; 200 where the error is in the place of an answer.
        body: the error object, or whatever came in its place.
    """
    if isinstance(body, list) and body and isinstance(body[0], dict):  # Gemini
        body = body[0]
    error: Mapping[str, Any] = body if isinstance(body, dict) else {"message": body}
    several = error.get("errors")
    inner = several[0] if isinstance(several, list) and several else error.get("error")
    if isinstance(inner, dict | str):
        error = {"message": inner} if isinstance(inner, str) else inner
    words = str(next(filter(None, map(error.get, ("message", "detail", "msg", "Message"))), "no reason given"))
    words = without_markup(words[:_READ])
    if isinstance(metadata := error.get("metadata"), dict) and metadata.get("raw"):  # OpenRouter: the provider's words
        words = f"{words}: {metadata['raw']}"[:_READ]
    code = error.get("code") if error.get("code") not in (None, "") else error.get("type")
    text = "" if code is None else str(code)[:_READ]
    kind = str(error.get("type"))[:_READ]
    return ServiceError(_status(status, text, f"{text} {kind} {words}"), text, _last_part(error.get("param")), words)


def _status(status: int, code: str, text: str) -> int:
    """The status that an error amounts to."""
    hidden = int(code) if re.fullmatch(r"[45]\d\d", code) else None
    if status == 200:
        return hidden or _status_of_words(code, text)
    if status == 400 and _THROTTLED.search(text):  # Bedrock
        return 429
    if status not in {400, 500, 502} or hidden is None or (status == 400 and hidden >= 500):
        return status
    return hidden


def _status_of_words(code: str, text: str) -> int:
    """The status that an error in the place of an answer should have had."""
    meanings = (
        (401, bool(_NO_KEY.search(text))),
        (429, code in OUT_OF_QUOTA or bool(_BUSY.search(text))),
        (503, bool(_OVERLOADED.search(text))),
        (400, bool(re.search(r"invalid.?request|bad.?request|context.?length", text, re.I) or _NOT_TAKEN.search(text))),
        (404, bool(_NO_MODEL.search(text))),
    )
    return next((status for status, holds in meanings if holds), 500)


def _last_part(parameter: object) -> str | None:
    """`reasoning.effort` or `body.seed` by their last name."""
    return parameter.rpartition(".")[2] if isinstance(parameter, str) and parameter else None


def pause_asked(headers: Mapping[str, Any], now: float) -> float | None:
    """Seconds that a Retry-After wants everyone to wait, >= 0; None where there is none that can be read.

    Args:
        headers: of the answer, found whatever their case.
        now: seconds since 1970, against which an HTTP date is held.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        return max(0.0, seconds) if seconds == seconds else None  # noqa: PLR0124 -- a NaN is not itself
    try:
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - now)
    except (KeyError, ValueError, OverflowError, OSError, TypeError):
        return None
