"""Demonstrations in a prompt file that are not read as such: under the headings or in the markup of other tools."""

import re
from collections.abc import Iterator
from itertools import pairwise

from configs.text_files import JsonError, parse_json

Heading = tuple[int, str]
"""A line's number, from 1, and what stands there."""

_WITH_COLON = r"^[ \t>*#]*(?:{0})(?:[ \t]*\d+)?[*]*[ \t]*[:：>]"
_ANY_HEADING = _WITH_COLON + r"|^[ \t>*#]*(?:{0})[ \t]*\d+[*]*[ \t]*[.)]|^[ \t]*#+[ \t]*(?:{0})[ \t]*$"
_ASKING, _ANSWERING = "query|question|user|human|instruction|q", "answer|assistant|response|output|gpt|ai|bot|a"
_FLAGS = re.MULTILINE | re.IGNORECASE
_IN_A_LINE = r"|\b(?-i:ASSISTANT|RESPONSE|ANSWER):"
_MARKED = (
    (r"\[INST\]", r"\[/INST\]"),
    (r"<\|im_start\|>\s*user\b", r"<\|im_start\|>\s*assistant\b"),
    (r"<\|start_header_id\|>\s*user\b", r"<\|start_header_id\|>\s*assistant\b"),
    (r"<start_of_turn>\s*user\b", r"<start_of_turn>\s*model\b"),
    (r"<\|(?:user|prompter)\|>", r"<\|(?:assistant|model)\|>"),
    (r"<｜User｜>", r"<｜Assistant｜>"),
    (r"<\|start\|>\s*user\b", r"<\|start\|>\s*assistant\b"),
)
_COLONS = ((_WITH_COLON.format(_ASKING), _WITH_COLON.format(_ANSWERING)),)
_ANY = ((_ANY_HEADING.format(_ASKING), _ANY_HEADING.format(_ANSWERING) + _IN_A_LINE), *_MARKED)
_LABEL = re.compile(
    r"^[ \t>*#_<\[(-]*([^\W\d_][^\s:：>=()\[\]<*.,;!?\"'`\d]{0,20})(?:[ \t]*\d+)?"
    r"(?:[*_]*[ \t]*[:：>=)]|\.?\*\*[.:]?|[ \t]+[-–—][ \t])"
    r"|^[ \t>*#_(]*([^\W\d_])[*_]*[.)]",
    re.MULTILINE,
)
_EXAMPLE = frozenset({"example", "demonstration", "sample", "shot", "beispiel", "exemple", "ejemplo", "esempio", "例"})
_PAIRS = frozenset(
    {
        ("q", "a"), ("user", "assistant"), ("query", "answer"),
        ("input", "output"), ("prompt", "completion"), ("problem", "solution"), ("question", "answer"),
        ("frage", "antwort"), ("question", "réponse"), ("pregunta", "respuesta"), ("pergunta", "resposta"),
        ("domanda", "risposta"), ("вопрос", "ответ"), ("问", "答"), ("问题", "回答"), ("問題", "回答"),
        ("질문", "답변"),
        ("客户", "客服"), ("customer", "agent"), ("client", "agent"), ("user", "bot"), ("student", "teacher"),
        ("query", "response"),
    }
)  # fmt: skip


def unread_turns(rules: str, *, before_demonstrations: bool = False) -> tuple[Heading, Heading] | None:
    """A question and an answer under headings, or in the markup of a chat template; None where there are none.

    Args:
        before_demonstrations: whether demonstrations follow that are read; then only headings with colons count
            (`User:`), since rules may well have headings of their own and speak of markup.
    """
    for asks, answers in _COLONS if before_demonstrations else _ANY:
        question = re.search(asks, rules, _FLAGS)
        answer = re.compile(answers, _FLAGS).search(rules, question.end()) if question else None
        if question and answer:
            return _heading(rules, question), _heading(rules, answer)
    return None


def doubtful_turns(rules: str) -> str | None:
    """What in the rules may be meant as demonstrations, in words; None where nothing looks like it: labels that take
    turns, headings, markup of a chat template, or text that is JSON."""
    if _is_json(rules):
        return "the text is JSON"
    labels = [(_word(label).lower(), label) for label in _LABEL.finditer(rules)]
    for (_, question), (_, answer) in _taking_turns(labels):
        lines = f"lines {_heading(rules, question)[0]} and {_heading(rules, answer)[0]}"
        return f"'{_word(question)}' and '{_word(answer)}' ({lines}) look like a question and its answer"
    examples = [label for name, label in labels if name in _EXAMPLE and re.search(r"\d", label[0])]
    if len(examples) > 1:
        (first, heading), (second, next_heading) = (_heading(rules, label) for label in examples[:2])
        return f"'{heading}' and '{next_heading}' (lines {first} and {second}) look like examples"
    if (turns := unread_turns(rules)) is not None:
        (first, heading), (second, answer_heading) = turns
        return f"'{heading}' and '{answer_heading}' (lines {first} and {second}) look like a question and its answer"
    return None


def _word(label: re.Match[str]) -> str:
    return (label[1] or label[2]).rstrip("_-")


def _taking_turns(
    labels: list[tuple[str, re.Match[str]]],
) -> Iterator[tuple[tuple[str, re.Match[str]], tuple[str, re.Match[str]]]]:
    names = [name for name, _ in labels]
    for at, (first, second) in enumerate(pairwise(labels)):
        pair = (first[0], second[0])
        if pair in _PAIRS or (pair[0] != pair[1] and names[at + 2 : at + 6] == [*pair, *pair]):
            yield first, second


def _is_json(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip()]
    return bool(lines) and (_parses(text) or all(map(_parses, lines)))


def _parses(text: str) -> bool:
    try:
        return isinstance(parse_json(text), dict | list)
    except JsonError:
        return False


def _heading(text: str, match: re.Match[str]) -> Heading:
    begin = match.start() + len(match[0]) - len(match[0].lstrip())
    return text.count("\n", 0, begin) + 1, " ".join(match[0].split())
