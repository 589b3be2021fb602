"""What came in the place of an answer, in words for people."""

from typing import Any

from workers.service.endings import CUT

_QUOTED = 80  # characters
_REASONING = ("reasoning_content", "reasoning", "thinking")


def what_came(answer: object) -> str:
    """A body, or its JSON, in a few words, to stand before "that is not a chat completion"."""
    if isinstance(answer, str):
        text = answer.lstrip()
        if text.startswith("<"):
            return "a web page (is base_url right, or a proxy in the way?)"
        if text.startswith(("data:", "event:")):
            return "a stream of events, which was not asked for,"
        return f"the text {text[:_QUOTED]!r}"
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if isinstance(choices, list) and not choices:
        return "no choice, something"
    if isinstance(choices, list) and len(choices) > 1:
        return f"{len(choices)} choices where one was asked for, something"
    return "something"


def what_else(message: dict[str, Any], finish: object) -> str:
    """Why a message may have no words."""
    if isinstance(finish, str) and finish.lower() in CUT:
        return "; raise max_tokens, which hidden reasoning counts against"
    if any(isinstance(message.get(name), str) and message[name].strip() for name in _REASONING):
        return "; it wrote nothing but its reasoning"
    if message.get("tool_calls") or message.get("function_call"):
        return "; it called a tool"
    return ""
