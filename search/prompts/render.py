"""The single spelling of prompts: what the model is shown, what is exported, and what an answer is after clean-up."""

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from configs.schema.data import RenderConfig
from configs.schema.model import AnyModelConfig
from evaluators.question import Conversation
from search.prompts.demonstration import Demonstration
from search.prompts.urial import UrialForm, form_of, prompt_file
from workers.chat_template import ChatTemplate, LoadTemplate, StoredTemplate
from workers.failures import ChatTemplateMissing
from workers.prompt import PromptBlock

_FENCE = re.compile(r"`{3,}")


class Renderer(Protocol):
    """Turns rules, demonstrations and questions into prompts."""

    @property
    def stop(self) -> tuple[str, ...]:
        """Strings that end a completion, where the config names none."""
        ...

    @property
    def template(self) -> StoredTemplate | None:
        """The model's chat template; None where prompts are not in it."""
        ...

    def block(
        self, rules: str, demonstrations: Sequence[Demonstration], conversations: Sequence[Conversation]
    ) -> PromptBlock:
        """One prompt a conversation, in order, open for the next answer."""
        ...

    def clean(self, answer: str) -> str:
        """A completion's text as the judge reads it."""
        ...

    def holds(self, demonstration: Demonstration) -> bool:
        """Whether a prompt with this demonstration can be exported and read back."""
        ...

    def prompt_text(self, rules: str, demonstrations: Sequence[Demonstration]) -> str:
        """A URIAL prompt file that loads again as a base prompt with exactly these texts."""
        ...


def make_renderer(
    config: RenderConfig, model: AnyModelConfig, load_template: LoadTemplate = ChatTemplate.load
) -> Renderer:
    """The renderer of a config; only the chat template reads the model's tokenizer."""
    if config.template != "chat":
        return urial_renderer(config)
    from search.prompts.chat import ChatRenderer  # noqa: PLC0415 -- chosen by the config

    advice = "set render.template to urial_backticks"
    name, revision = model.tokenizer_source
    if name is None:
        raise ChatTemplateMissing(
            f"a served model has a chat template only where model.tokenizer is set; set it, or {advice}"
        )
    knob = "model.name" if name == model.name else "model.tokenizer"
    return ChatRenderer(load_template(name, revision, knob, advice))


def restore_renderer(config: RenderConfig, template: StoredTemplate | None) -> Renderer:
    """The renderer of an earlier process, without the model's tokenizer.

    Args:
        template: as that process had it; None where prompts are not in a chat template.
    """
    if template is None:
        return urial_renderer(config)
    from search.prompts.chat import ChatRenderer  # noqa: PLC0415 -- chosen by the config

    return ChatRenderer(ChatTemplate(template))


def answer_cleaner(config: RenderConfig) -> Callable[[str], str]:
    """What turns a completion's text into the answer that the judge reads; no tokenizer is needed for it."""
    if config.template == "chat":
        return str.strip
    return urial_renderer(config).clean


def urial_renderer(config: RenderConfig) -> "UrialRenderer":
    """The renderer of a config that is not in a chat template."""
    return UrialRenderer(form_of(config), config.clean_up == "faithful")


class UrialRenderer:
    """A URIAL form: demonstrations, question and prompt file are spelled alike, so the shared prefix is the export."""

    def __init__(self, form: UrialForm, faithful: bool = False) -> None:
        self._form = form
        self._faithful = faithful

    template = None

    @property
    def stop(self) -> tuple[str, ...]:
        return self._form.stop

    def block(
        self, rules: str, demonstrations: Sequence[Demonstration], conversations: Sequence[Conversation]
    ) -> PromptBlock:
        prefix = self._form.prompt(rules, demonstrations)
        return PromptBlock(prefix, tuple(self._form.conversation(turns) for turns in conversations))

    def clean(self, answer: str) -> str:
        if self._faithful:
            return answer.replace("```", "").replace("<|endoftext|>", " ").strip()
        return without_closing_fence(answer) if self._form.fenced else answer.strip()

    def holds(self, demonstration: Demonstration) -> bool:
        return self._form.holds(*demonstration.turns)

    def prompt_text(self, rules: str, demonstrations: Sequence[Demonstration]) -> str:
        return prompt_file(self._form, rules, demonstrations)


def without_closing_fence(answer: str) -> str:
    """Strips white space and the fence that closes the answer itself.

    A fence at the very end closes the answer when the number of fences is odd; when it is even, it closes a block of
    code inside the answer and stays.
    """
    text = answer.strip()
    if not text.endswith("```"):
        return text
    fences = _FENCE.findall(text)
    closes = len(fences) % 2 == 1 and fences[-1] == "```"
    return text.removesuffix("```").rstrip() if closes else text
