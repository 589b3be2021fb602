"""What came in the place of an answer, in words for people."""

import re
from typing import Any

from configs.plural import show_many
from workers.service.endings import CUT

_QUOTED = 80  # characters
_SHOWN = 6
_PAGE = re.compile(
    r"[\s\ufeff]*+(<\?xml[^>]*>\s*+|<!--((?!-->).)*+-->\s*+)*+<(!doctype html|html|head|body|title)\b",
    re.DOTALL | re.I,
)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)
_REASONING = ("reasoning_content", "reasoning", "thinking")


def what_came(answer: object) -> str:
    """A body, or its JSON, in a few words, to stand before "that is not a chat completion"."""
    if isinstance(answer, str):
        return _text_that_came(answer.lstrip())
    if not isinstance(answer, dict):
        return f"JSON ({str(answer)[:_QUOTED]})"
    choices = answer.get("choices")
    if "choices" not in answer:
        names = ", ".join(map(str, [*answer][:_SHOWN])) or "no fields"
        return f"an object of another protocol than OpenAI's ({names}; is base_url right?)"
    if isinstance(choices, list) and len(choices) != 1:
        return f"{show_many(len(choices), 'choice')} where one was asked for, something"
    return "something"


def _text_that_came(text: str) -> str:
    if _PAGE.match(text):
        return "a web page (is base_url right, or a proxy in the way?)"
    if text.startswith(("data:", "event:")):
        return "a stream of events, which was not asked for,"
    return f"the text {text[:_QUOTED]!r}" if text else "an empty body"


def without_markup(words: str) -> str:
    """The words of an error; of a web page in their place only its title."""
    if not _PAGE.match(words):
        return words
    title = _TITLE.search(words)
    return f"a web page, {' '.join(title[1].split())!r}" if title else "a web page"


def what_else(message: dict[str, Any], finish: object) -> str:
    """Why a message may have no words."""
    if isinstance(finish, str) and finish.lower() in CUT:
        return "; raise max_tokens, which hidden reasoning counts against"
    if any(isinstance(message.get(name), str) and message[name].strip() for name in _REASONING):
        return "; it wrote nothing but its reasoning"
    if message.get("tool_calls") or message.get("function_call"):
        return "; it called a tool"
    return ""
