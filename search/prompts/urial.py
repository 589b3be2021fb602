"""URIAL prompt files: rules, then demonstrations, in one of three spellings. Line breaks of any kind are read as `\\n`,
all else is read and written byte for byte.

A file is `rules demonstration*`, and a demonstration is `opening query middle answer closing` with the fixed texts of a
`UrialForm`. It is read by searching for these texts whole, fences and headings and line ends together, so a query may
hold headings and an answer may hold fences. Text that holds such a fixed text whole cannot be told apart: `holds` says
so beforehand.

A demonstration of several turns is its turns behind one another. A separation tag, a line of its own, says which turns
belong together: it stands in front of every conversation, the question's included, or between the turns of one. Without
a tag the turns are read back as demonstrations of one turn each, whose prompt is the same text.

Files whose white space differs elsewhere than at their end (a blank between the sections) are refused rather than read
loosely: the model would be shown other bytes than the file's, or every demonstration would need a second, raw text that
no demonstration of the pool has.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from configs.errors import InputError
from configs.schema.data import RenderConfig
from configs.text_files import read_text
from search.prompts.demonstration import Demonstration, Turn, demonstration_of
from search.prompts.unread_turns import unread_turns

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
        start: the separation tag's line where it stands in front of every conversation.
        between: the tag's line where it stands between the turns of a conversation.
    """

    name: str
    opening: str
    middle: str
    closing: str
    trimmed: str = ""
    fenced: bool = False
    stop: tuple[str, ...] = ("# Query", "# User")
    start: str = ""
    between: str = ""

    def question(self, query: str) -> str:
        """A question, open for its answer."""
        return self.opening + query.strip(self.trimmed) + self.middle

    def conversation(self, turns: Sequence[str]) -> str:
        """What was said so far, user first, open for the next answer; an empty answer has its place too."""
        *earlier, query = turns
        pairs = list(zip(earlier[::2], earlier[1::2], strict=True))
        return self._joined([*(self.turn(*pair) for pair in pairs), self.question(query)])

    def turn(self, query: str, answer: str) -> str:
        """A question with its answer."""
        return self.question(query) + answer.strip(self.trimmed) + self.closing

    def demonstration(self, turns: Sequence[Turn]) -> str:
        """A conversation, closed."""
        return self._joined([self.turn(*turn) for turn in turns])

    def _joined(self, turns: Sequence[str]) -> str:
        return self.start + self.between.join(turns)

    def prompt(self, rules: str, demonstrations: Sequence[Demonstration]) -> str:
        """A whole file, or the part of a prompt that all questions share."""
        return rules + "".join(self.demonstration(demonstration.turns) for demonstration in demonstrations)

    def read_as(self, conversations: Sequence[Sequence[Turn]]) -> list[list[Turn]]:
        """What a file with these conversations is read as: trimmed, and without a tag every turn by itself."""
        trimmed = [[(q.strip(self.trimmed), a.strip(self.trimmed)) for q, a in turns] for turns in conversations]
        if self.start or self.between:
            return trimmed
        return [[turn] for turns in trimmed for turn in turns]

    def holds(self, *turns: Turn) -> bool:
        """Whether a demonstration of these turns can be read back out of a prompt, whatever stands around it."""
        text = self.demonstration(turns) * 2  # twice: its end may complete a fixed text with the next opening
        try:
            return _split(text, self) == ("", self.read_as([turns, turns]))
        except _FormError:
            return False


BACKTICKS = UrialForm("urial_backticks", "\n# Query:\n```\n", "\n```\n\n# Answer:\n```\n", "\n```\n", fenced=True)
V5 = UrialForm("urial_v5", "\n# User:\n\n", "\n\n\n# Assistant:\n\n", "\n\n")
V6 = UrialForm("urial_v6", "\n\n# User:\n", "\n\n\n# Assistant:\n", "\n", trimmed="\n")
FORMS = {form.name: form for form in (BACKTICKS, V5, V6)}


def form_of(config: RenderConfig) -> UrialForm:
    """The form that a config names, with its separation tag, at which a completion ends too; `BACKTICKS` where prompts
    are in a chat template."""
    form = FORMS.get(config.template, BACKTICKS)
    if config.separation_tag is None:
        return form
    line, stop = f"\n{config.separation_tag}\n", (*form.stop, config.separation_tag)
    if config.separation_tag_between == "conversations":
        return replace(form, stop=stop, start=line)
    return replace(form, stop=stop, between=line)


def load_base_prompt(path: Path, expected: UrialForm = BACKTICKS) -> BasePrompt:
    """A prompt file, whichever of the forms it has, with line breaks of any kind and as many at its end as an editor
    leaves.

    Args:
        expected: its separation tag is read. A file without that tag has demonstrations of one turn.

    Raises:
        InputError: it is missing, or has none of the forms.
    """
    text = read_text(path).replace("\r\n", "\n").replace("\r", "\n")  # as Python reads text
    form = _form_in(text, expected)
    ended = text.rstrip() + form.closing[len(form.closing.rstrip()) :]  # editors end files as they like
    if form.opening in text and not text.endswith(form.closing) and ended.endswith(form.closing):
        text = ended
    return parse_prompt(text, str(path), expected)


def parse_prompt(text: str, source: str = "the prompt", expected: UrialForm = BACKTICKS) -> BasePrompt:
    """The inverse of `UrialForm.prompt`; `source` names the text in a complaint."""
    try:
        rules, conversations = _split(text, _form_in(text, expected))
    except _FormError as error:
        raise InputError(f"{source}, {error}") from None
    stray = _HEADING.search(rules)
    if stray:
        line = text.count("\n", 0, stray.start()) + 1
        raise InputError(
            f"{source}, line {line}: the white space around the heading '{stray.group().strip()}' is not that of a "
            "URIAL form; write it as in `\\n# Query:\\n```\\n...\\n```\\n\\n# Answer:\\n```\\n...\\n```\\n`"
        )
    _refuse_unread_turns(rules, source, before_demonstrations=bool(conversations))
    return BasePrompt(rules, _identified(conversations))


def _refuse_unread_turns(rules: str, source: str, *, before_demonstrations: bool) -> None:
    """Raises InputError where rules hold a question and an answer: demonstrations in a form that is none of URIAL's."""
    turns = unread_turns(rules, before_demonstrations=before_demonstrations)
    if turns is not None:
        (first, question), (second, answer) = turns
        raise InputError(
            f"{source}, lines {first} and {second}: '{question}' and '{answer}' look "
            "like a demonstration, but no demonstration is read in this form, and all of it would count as rules; "
            "write demonstrations as in `\\n# Query:\\n```\\n...\\n```\\n\\n# Answer:\\n```\\n...\\n```\\n`"
        )


def prompt_file(form: UrialForm, rules: str, demonstrations: Sequence[Demonstration]) -> str:
    """The text of a file that loads as exactly these rules and demonstrations.

    Raises:
        InputError: they hold fixed texts of the form, so that others would be read.
    """
    text = form.prompt(rules, demonstrations)
    try:
        parsed = parse_prompt(text, expected=form)
        read = [list(demonstration.turns) for demonstration in parsed.demonstrations]
        same = (parsed.rules, read) == (rules, form.read_as([demonstration.turns for demonstration in demonstrations]))
    except InputError:
        same = False
    if not same:
        raise InputError("rules or demonstrations hold URIAL headings and would be read wrongly; export JSON instead")
    return text


def _form_in(text: str, expected: UrialForm) -> UrialForm:
    """The form whose heading comes first, with the expected separation tag where the text has it; V5 before V6, whose
    opening a V5 file after an empty line has too."""
    places = {
        form.name: text.find(form.opening) + form.opening.index("#") for form in FORMS.values() if form.opening in text
    }
    form = FORMS[min(places, key=lambda name: places[name])] if places else BACKTICKS
    start = expected.start if expected.start + form.opening in text else ""
    return replace(form, start=start, between=expected.between)


class _FormError(Exception):
    """A text in another form; the message says where and why."""


def _split(text: str, form: UrialForm) -> tuple[str, list[list[Turn]]]:
    rules, opening, body = text.partition(form.start + form.opening)
    if not opening:
        return text, []
    line = rules.count("\n") + opening.count("\n", 0, len(form.start) + form.opening.index("#")) + 1
    if not body.endswith(form.closing):
        end = text.count("\n") + 1
        raise _FormError(f"line {end}: the last demonstration does not end in {form.closing!r}; add it")
    new, further = form.closing + opening, form.closing + form.between + form.opening
    conversations: list[list[Turn]] = []
    for chunk, separator in _chunks(body.removesuffix(form.closing), new, further):
        line += separator.count("\n") if conversations else 0
        if separator == new:
            conversations.append([])
        place = f"line {line}: demonstration {len(conversations)}"
        conversations[-1].append(_pair(chunk, form, place))
        line += chunk.count("\n")
    return rules, conversations


def _chunks(body: str, new: str, further: str) -> Iterator[tuple[str, str]]:
    """Each turn with the separator before it, the first as a new conversation's."""
    if new == further:
        yield from ((chunk, new) for chunk in body.split(new))
        return
    first, *rest = re.split(f"({re.escape(new)}|{re.escape(further)})", body)  # leftmost: one may hold the other
    yield first, new
    yield from zip(rest[1::2], rest[::2], strict=True)


def _pair(chunk: str, form: UrialForm, place: str) -> Turn:
    parts = chunk.split(form.middle)
    if len(parts) < 2:
        raise _FormError(f"{place} has no answer after {form.middle!r}; give a file with queries and answers")
    if len(parts) > 2:
        between = re.search(re.escape(form.closing) + r"\n(\S.*)\n" + re.escape(form.opening), chunk)
        cure = (
            f"set render.separation_tag to {between[1]!r} if that line parts conversations"
            if between
            else "fix the white space around the heading after the first"
        )
        raise _FormError(f"{place} has {len(parts) - 1} answers; {cure}")
    query, answer = parts
    if not query.strip() or not answer.strip():
        raise _FormError(f"{place} has an empty query or answer; fill it or delete it")
    if (query, answer) != (query.strip(form.trimmed), answer.strip(form.trimmed)):
        raise _FormError(f"{place} has more empty lines than {form.name} allows; delete them")
    return query, answer


def _identified(conversations: Sequence[Sequence[Turn]]) -> tuple[Demonstration, ...]:
    """Demonstrations with ids from their content; one that occurs twice gets a second id, since ids are unique."""
    seen: Counter[str] = Counter()
    demonstrations = []
    for turns in conversations:
        read = demonstration_of(turns)
        seen[read.id] += 1
        demonstrations.append(read if seen[read.id] == 1 else replace(read, id=f"{read.id}-{seen[read.id]}"))
    return tuple(demonstrations)
