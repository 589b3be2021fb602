"""Judge prompts of one's own, in plain text.

The whole file is the message to the judge, with `{fields}`; braces that are text are doubled. Where the first line is
`[system]`, the system message stands between it and a line `[user]`:

    [system]
    You are a strict teacher.
    [user]
    Question: {question}
    Answer: {answer}
    Give a rating from 1 to 5, such as [[3]].
"""

import re
from collections.abc import Sequence
from pathlib import Path

from configs.errors import InputError
from configs.text_files import read_text
from evaluators.judge_tools.judge_prompts import JudgePrompt
from evaluators.judge_tools.template import TemplateError, fields_of, names_in_words

_SYSTEM = re.compile(r"\[system\][ \t]*\n(?P<system>.*?)\n\[user\][ \t]*\n", re.DOTALL)


def read_rubric(
    path: Path, allowed: frozenset[str], needed: tuple[frozenset[str], ...]
) -> tuple[JudgePrompt, frozenset[str]]:
    """The prompt, and the fields that it has.

    Args:
        allowed: fields that it may have.
        needed: of each of these sets it must have at least one field.

    Raises:
        InputError: no such file, or one that cannot work as a rubric.
    """
    try:
        text = read_text(path).replace("\r\n", "\n")
    except InputError as error:
        raise InputError(f"judge.rubric_path: {error}") from None
    parted = _SYSTEM.match(text)
    if text.startswith("[system]") and parted is None:
        raise InputError(f"{path}: a line [system] must be followed by a line [user]; add it where the rubric begins")
    template = text[parted.end() :] if parted else text
    lines_before = text.count("\n", 0, parted.end()) if parted else 0
    prompt = JudgePrompt("rubric", parted["system"] if parted else "", template.removesuffix("\n"))
    return prompt, _checked_fields(path, "\n" * lines_before + prompt.template, allowed, needed)


def _checked_fields(
    path: Path, template: str, allowed: frozenset[str], needed: tuple[frozenset[str], ...]
) -> frozenset[str]:
    try:
        fields = fields_of(template, allowed)
    except TemplateError as error:
        raise InputError(f"{path}, {error}") from error
    for group in needed:
        if not fields & group:
            raise InputError(f"{path} does not show the judge {names_in_words(group)}: put it where it belongs")
    return fields


def spell_conversation(questions: Sequence[str], answers: Sequence[str]) -> str:
    """What was said, up to the last of these answers, in FastChat's form."""
    exchanges = zip(questions, answers, strict=False)
    return "\n\n".join(f"### User:\n{asked}\n\n### Assistant:\n{answer}" for asked, answer in exchanges)
