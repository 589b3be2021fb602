"""What a judge writes before it decides: the text inside reasoning tags, which is no part of its verdict.

Models mark it in several ways: `<think>` (DeepSeek, Qwen), `[THINK]` (Magistral), `<|START_THINKING|>` (Command),
`<seed:think>`, harmony's `analysis` channel (gpt-oss), also with its control tokens left out by a decoder. A chat
template may have written the opening tag already, so that only the closing one is in the words.
"""

import re
from collections.abc import Callable

from evaluators.failures import VerdictUnreadable

_NAMES = (
    "think(?:ing)?|thoughts?|reason(?:ing)?|reflections?|scratch_?pad|analysis|inner_monologue|deliberation|draft|"
    "(?:seed|antml):think(?:ing)?"
)
TAG = re.compile(
    rf"<(?P<close>/?)(?:{_NAMES})\s*>|\[(?P<close_2>/?)THINK\]|◁(?P<close_3>/?)think▷"
    r"|<\|(?:START|begin)_(?:THINKING|of_thought)\|>|(?P<close_4><\|(?:END|end)_(?:THINKING|of_thought)\|>)"
    r"|<\|channel\|>(?:analysis|commentary)\b|(?P<close_5><\|channel\|>final(?:<\|message\|>)?)",
    re.IGNORECASE,
)
_BARE_HARMONY = re.compile(r"\Aanalysis(?=[A-Z])(?P<thought>.*?)(?:assistantfinal|\Z)", re.DOTALL)


def without_reasoning(words: str, is_quoted: Callable[[int], bool]) -> str:
    """The words with blanks in place of the reasoning, so that every position stays.

    Args:
        is_quoted: whether a position lies in a quotation; tags there are somebody else's, unless they close a
            reasoning that was opened outside.

    Raises:
        VerdictUnreadable: the words end inside the reasoning.
    """
    bare = _BARE_HARMONY.match(words)
    if bare is not None:
        if not bare[0].endswith("assistantfinal"):
            raise _endless()
        words = _blank(words, 0, bare.end())
    depth, begin = 0, 0
    for tag in TAG.finditer(words):
        closes = any(tag.groupdict().values())
        if depth == 0 and is_quoted(tag.start()):
            continue
        if not closes:
            begin = begin if depth else tag.start()
            depth += 1
        elif depth or _ends_its_line(words, tag.end()):  # without an opening tag: the chat template wrote that one
            depth = max(0, depth - 1)
            if depth == 0:
                words, begin = _blank(words, begin, tag.end()), 0
    if depth:
        raise _endless()
    return words


def _ends_its_line(words: str, position: int) -> bool:
    return not words[position:].split("\n", 1)[0].strip()


def _blank(words: str, begin: int, end: int) -> str:
    return words[:begin] + re.sub(r"[^\n]", " ", words[begin:end]) + words[end:]


def _endless() -> VerdictUnreadable:
    return VerdictUnreadable("the judge's words end inside its reasoning: raise judge.max_tokens")
