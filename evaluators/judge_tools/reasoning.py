"""What a judge writes before it decides: the text inside reasoning tags, which is no part of its verdict.

Models mark it in several ways: `<think>` (DeepSeek, Qwen), `[THINK]` (Magistral), `<|START_THINKING|>` (Command),
`<seed:think>`, `<unused94>` and `<|channel>thought` (Gemma), harmony's `analysis` channel (gpt-oss), also with its
control tokens left out by a decoder, words of Granite's and Apriel's own. A chat template may have written the opening
tag already, so that only the closing one is in the words.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from evaluators.failures import VerdictUnreadable

_NAME = r"(?:think(?:ing)?|thoughts?|reasoning|reflections?|scratch_?pad|monologue|deliberation)"
_PREFIXED_NAME = (
    rf"(?:(?:seed|antml|inner|internal|chain[_-]of)[:_-])?(?:ant)?{_NAME}(?:[_-](?:content|process|block))?"
)
TAG = re.compile(
    r"<\|(?:(?:START|begin)_(?:THINKING|of_thought)|think_start)\|>"
    r"|(?P<close><\|(?:(?:END|end)_(?:THINKING|of_thought)|think_end)\|>)"
    r"|<\|channel>(?:thought|thinking|analysis)\b|(?P<close_7><channel\|>)"
    rf"|<[|｜]?(?P<close_2>/?)(?P<name>{_PREFIXED_NAME})(?P<attributes>\s[^<>\n]{{0,80}})?[|｜]?>"
    r"|\[(?P<close_3>/?)THINK(?:ING)?\]|\[BEGIN_THINKING\]|(?P<close_8>\[END_THINKING\])|◁(?P<close_4>/?)think▷"
    r"|<unused94>|(?P<close_5><unused95>)"
    r"|<\|channel\|>(?:analysis|commentary)\b|(?P<close_6><\|channel\|>final(?:<\|message\|>)?)",
    re.IGNORECASE,
)
SECTION = re.compile(
    rf"<(?P<close>/?)(?P<name>(?:\w{{1,20}}[:_-])?(?:{_NAME}|reason|rationale|cot|analysis|draft|plan(?:ning)?))"
    r"(?:\s[^<>\n]{0,80})?>",
    re.IGNORECASE,
)
"""A tag with a name that other things have, too: it holds reasoning where it is closed again."""
_BEGINS_TO_SAY = re.compile(r"[^\S\n]*(?:[^\sa-z]|\n)")
_ENDS_ITS_LINE = re.compile(r"[^\S\n]*(?:\n|\Z)")
_NO_BREAK = re.compile(r"[^\n]")
_BARE = re.compile(
    r"\A(?:assistant)?(?:analysis|commentary)(?= ?[A-Z]).*?(?:(?P<closed>assistantfinal)|\Z)"
    r"|\A\s*Here (?:is my thought process|are my reasoning steps):"
    r".*?(?P<closed_2>Here is my response:|\[BEGIN FINAL RESPONSE\])",
    re.DOTALL,
)
"""Reasoning that ordinary words mark: harmony's where a decoder has left its tokens out, Granite's, Apriel's."""


def without_reasoning(words: str, is_quoted: Callable[[int], bool]) -> str:
    """The words with blanks in place of the reasoning, so that every position stays.

    Args:
        is_quoted: whether a position lies in a quotation; tags there are somebody else's, unless they close a
            reasoning that was opened outside.

    Raises:
        VerdictUnreadable: the words end inside the reasoning.
    """
    bare = _BARE.match(words)
    if bare is not None:
        if not (bare["closed"] or bare["closed_2"]):
            raise _endless()
        words = _blanked(words, [(0, bare.end())])
    depth, begin = 0, 0
    spans: list[tuple[int, int]] = []
    tags = list(TAG.finditer(words))
    last = _last_closings(tags)
    for tag in tags:
        if depth == 0 and is_quoted(tag.start()):
            continue
        if not _closes(tag):
            name = (tag["name"] or "").lower()
            if tag["attributes"] and not name.endswith("think") and last.get(name, -1) < tag.start():
                continue
            begin = begin if depth else tag.start()
            depth += 1
        elif depth or _ENDS_ITS_LINE.match(words, tag.end()):  # no opening tag: the chat template wrote that one
            depth = max(0, depth - 1)
            if depth == 0:
                spans.append((begin, tag.end()))
                begin = 0
    if depth:
        raise _endless()
    words = _blanked(words, spans)
    return _blanked(words, list(_sections(words, is_quoted)))


def _sections(words: str, is_quoted: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
    """Begin and end of each section that holds reasoning."""
    tags = list(SECTION.finditer(words))
    last = _last_closings(tags)
    start = len(words) - len(words.lstrip())
    begin, opened = 0, ""
    for tag in tags:
        name = tag["name"].lower()
        if name == opened and tag["close"]:
            yield begin, tag.end()
            opened = ""
        elif not opened and not tag["close"] and not is_quoted(tag.end() - 1):
            if last.get(name, -1) > tag.start():
                begin, opened = tag.start(), name
            elif tag.start() <= start and _BEGINS_TO_SAY.match(words, tag.end()):
                raise _endless()


def _closes(tag: re.Match[str]) -> bool:
    return any(text for group, text in tag.groupdict().items() if group.startswith("close"))


def _last_closings(tags: Iterable[re.Match[str]]) -> dict[str, int]:
    """The position of the last closing tag of each name."""
    return {(tag["name"] or "").lower(): tag.start() for tag in tags if _closes(tag)}


def begins_unopened(words: str, spoken: str) -> bool:
    """Whether the words begin with reasoning that only a closing tag tells of: a chat template has opened it, or
    somebody who is quoted has closed what never was opened.

    Args:
        spoken: the words `without_reasoning`.
    """
    begin = len(words) - len(words.lstrip())
    is_spoken = bool(spoken[begin : begin + 1].strip())
    is_opened = any(pattern.match(words, begin) for pattern in (TAG, SECTION)) or _BARE.match(words)
    return not is_spoken and bool(words.strip()) and not is_opened


def _blanked(words: str, spans: list[tuple[int, int]]) -> str:
    """The words with blanks in these spans; one that begins at 0 holds all before it."""
    since = max((index for index, (begin, _) in enumerate(spans) if begin == 0), default=0)
    parts, at = [], 0
    for begin, end in spans[since:]:
        parts += [words[at:begin], _NO_BREAK.sub(" ", words[begin:end])]
        at = end
    return "".join([*parts, words[at:]])


def _endless() -> VerdictUnreadable:
    return VerdictUnreadable("the judge's words end inside its reasoning: raise judge.max_tokens")
