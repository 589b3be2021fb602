"""URIAL prompt files: rules, then demonstrations, in one of three spellings. Read and written byte for byte.

A file is `rules demonstration*`, and a demonstration is `opening query middle answer closing` with the fixed texts of a
`UrialForm`. It is read by searching for these texts whole, fences and headings and line ends together, so a query may
hold headings and an answer may hold fences. Text that holds such a fixed text whole cannot be told apart: `holds` says
so beforehand.

Files whose white space differs (a blank between the sections, Windows line ends) are refused rather than read loosely:
the model would be shown other bytes than the file's, or every demonstration would need a second, raw text that no
demonstration of the pool has.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from configs.errors import InputError
from configs.text_files import read_text
from search.prompts.demonstration import Demonstration, content_id

_SPEAKS = r"^[ \t>*#]*(?:{})[*]*[ \t]*:"  # a line that begins as a turn of a conversation
_ASKS, _ANSWERS = (
    re.compile(_SPEAKS.format(names), re.MULTILINE | re.IGNORECASE)
    for names in ("query|question|user|human|instruction|q", "answer|assistant|response|output|gpt|ai|bot|a")
)
_HEADING = re.compile(r"^# (?:Query|Answer|User|Assistant):\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BasePrompt:
    """What a search starts from.

    Attributes:
        rules: everything before the first demonstration, verbatim; may be empty.
        demonstrations: in the file's order; may be none.
    """

    rules: str
    demonstrations: tuple[Demonstration, ...]


@dataclass(frozen=True, slots=True)
class UrialForm:
    """One spelling of a demonstration.

    Attributes:
        name: the template's name in the config.
        opening: what stands before a query.
        middle: what stands between query and answer.
        closing: what stands after an answer.
        trimmed: characters that are cut off both ends of a query and an answer.
        fenced: answers stand between fences.
        stop: a completion ends before the first of these.
    """

    name: str
    opening: str
    middle: str
    closing: str
    trimmed: str = ""
    fenced: bool = False
    stop: tuple[str, ...] = ("# Query", "# User")

    def question(self, query: str) -> str:
        """A question, open for its answer."""
        return self.opening + query.strip(self.trimmed) + self.middle

    def conversation(self, turns: Sequence[str]) -> str:
        """What was said so far, user first, open for the next answer; an empty answer has its place too."""
        *said, query = turns
        pairs = zip(said[::2], said[1::2], strict=True)
        return "".join(self.demonstration(*pair) for pair in pairs) + self.question(query)

    def demonstration(self, query: str, answer: str) -> str:
        """A question with its answer."""
        return self.question(query) + answer.strip(self.trimmed) + self.closing

    def prompt(self, rules: str, demonstrations: Sequence[Demonstration]) -> str:
        """A whole file, or the part of a prompt that all questions share."""
        return rules + "".join(self.demonstration(one.query, one.answer) for one in demonstrations)

    def holds(self, query: str, answer: str) -> bool:
        """Whether this demonstration can be read back out of a prompt, whatever stands around it."""
        text = self.demonstration(query, answer) * 2  # twice: its end may complete a fixed text with the next opening
        wanted = (query.strip(self.trimmed), answer.strip(self.trimmed))
        try:
            return _split(text, self) == ("", [wanted, wanted])
        except _FormError:
            return False


BACKTICKS = UrialForm("urial_backticks", "\n# Query:\n```\n", "\n```\n\n# Answer:\n```\n", "\n```\n", fenced=True)
V5 = UrialForm("urial_v5", "\n# User:\n\n", "\n\n\n# Assistant:\n\n", "\n\n")
V6 = UrialForm("urial_v6", "\n\n# User:\n", "\n\n\n# Assistant:\n", "\n", trimmed="\n")
FORMS = {form.name: form for form in (BACKTICKS, V5, V6)}


def load_base_prompt(path: Path) -> BasePrompt:
    """A prompt file, whichever of the forms it has.

    Raises:
        InputError: it is missing, or has none of the forms.
    """
    return parse_prompt(read_text(path), source=str(path))


def parse_prompt(text: str, source: str = "the prompt") -> BasePrompt:
    """The inverse of `UrialForm.prompt`; `source` names the text in a complaint."""
    try:
        rules, pairs = _split(text, _form_of(text))
    except _FormError as error:
        raise InputError(f"{source}, {error}") from None
    stray = _HEADING.search(rules)
    if stray:
        line = text.count("\n", 0, stray.start()) + 1
        raise InputError(
            f"{source}, line {line}: the heading '{stray.group().strip()}' stands in other white space than "
            "the URIAL forms have; write it as in `\\n# Query:\\n```\\n...\\n```\\n\\n# Answer:\\n```\\n...\\n```\\n`."
        )
    _refuse_unread_turns(rules, source)
    return BasePrompt(rules, _identified(pairs))


def _refuse_unread_turns(rules: str, source: str) -> None:
    """Raises InputError where rules hold a question and an answer: demonstrations in a form that is none of URIAL's."""
    question = _ASKS.search(rules)
    answer = _ANSWERS.search(rules, question.end()) if question else None
    if question and answer:
        first, second = (rules.count("\n", 0, found.start()) + 1 for found in (question, answer))
        raise InputError(
            f"{source}, lines {first} and {second}: '{question.group().strip()}' and '{answer.group().strip()}' look "
            "like a demonstration, but no demonstration is read in this form, and all of it would count as rules; "
            "write demonstrations as in `\\n# Query:\\n```\\n...\\n```\\n\\n# Answer:\\n```\\n...\\n```\\n`."
        )


def prompt_file(form: UrialForm, rules: str, demonstrations: Sequence[Demonstration]) -> str:
    """The text of a file that loads as exactly these rules and demonstrations.

    Raises:
        InputError: they hold fixed texts of the form, so that others would be read.
    """
    text = form.prompt(rules, demonstrations)
    wanted = [(one.query.strip(form.trimmed), one.answer.strip(form.trimmed)) for one in demonstrations]
    try:
        parsed = parse_prompt(text)
        same = (parsed.rules, [(one.query, one.answer) for one in parsed.demonstrations]) == (rules, wanted)
    except InputError:
        same = False
    if not same:
        raise InputError("Rules or demonstrations hold URIAL headings and would be read wrongly; export JSON instead.")
    return text


def _form_of(text: str) -> UrialForm:
    """The form whose heading comes first; V5 before V6, whose opening a V5 file after an empty line has too."""
    found = {
        form.name: text.find(form.opening) + form.opening.index("#") for form in FORMS.values() if form.opening in text
    }
    return FORMS[min(found, key=lambda name: found[name])] if found else BACKTICKS


class _FormError(Exception):
    """Its text says where and why."""


def _split(text: str, form: UrialForm) -> tuple[str, list[tuple[str, str]]]:
    rules, opening, body = text.partition(form.opening)
    if not opening:
        return text, []
    line = rules.count("\n") + form.opening.count("\n", 0, form.opening.index("#")) + 1
    if not body.endswith(form.closing):
        end = text.count("\n") + 1
        raise _FormError(f"line {end}: the last demonstration does not end in {form.closing!r}; add it.")
    pairs: list[tuple[str, str]] = []
    for chunk in body.removesuffix(form.closing).split(form.closing + form.opening):
        pairs.append(_pair(chunk, form, f"line {line}: demonstration {len(pairs) + 1}"))
        line += (chunk + form.closing + form.opening).count("\n")
    return rules, pairs


def _pair(chunk: str, form: UrialForm, place: str) -> tuple[str, str]:
    parts = chunk.split(form.middle)
    if len(parts) < 2:
        raise _FormError(f"{place} has no answer after {form.middle!r}; give a file with queries and answers.")
    if len(parts) > 2:
        raise _FormError(
            f"{place} has {len(parts) - 1} answers; fix the white space around the heading after the first."
        )
    query, answer = parts
    if not query.strip() or not answer.strip():
        raise _FormError(f"{place} has an empty query or answer; fill it or delete it.")
    if (query, answer) != (query.strip(form.trimmed), answer.strip(form.trimmed)):
        raise _FormError(f"{place} has more empty lines than {form.name} allows; delete them.")
    return query, answer


def _identified(pairs: Sequence[tuple[str, str]]) -> tuple[Demonstration, ...]:
    """With ids from the content; a demonstration that stands twice gets a second id, since ids are unique."""
    seen: Counter[str] = Counter()
    demonstrations = []
    for query, answer in pairs:
        key = content_id(query, answer)
        seen[key] += 1
        demonstrations.append(Demonstration(key if seen[key] == 1 else f"{key}-{seen[key]}", query, answer))
    return tuple(demonstrations)
