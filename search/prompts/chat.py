"""Prompts in a model's own chat template: rules as the system message, demonstrations as turns."""

from collections.abc import Sequence

from evaluators.question import Conversation
from search.prompts.demonstration import Demonstration
from search.prompts.urial import BACKTICKS, prompt_file
from workers.chat_template import ChatTemplate, StoredTemplate
from workers.prompt import ChatMessage, PromptBlock, shared_start


def chat_messages(rules: str, demonstrations: Sequence[Demonstration], conversation: Conversation) -> list[ChatMessage]:
    """Rules where there are any, demonstrations, then the conversation."""
    turns = [*(text for demonstration in demonstrations for text in demonstration.texts), *conversation]
    spoken: list[ChatMessage] = [
        {"role": "assistant" if at % 2 else "user", "content": text} for at, text in enumerate(turns)
    ]
    rules = rules.strip()
    return [{"role": "system", "content": rules}, *spoken] if rules else spoken


class ChatRenderer:
    """A chat template as a renderer."""

    stop: tuple[str, ...] = ()  # a turn ends with a token of the model, not with text

    def __init__(self, template: ChatTemplate) -> None:
        self._template = template

    @property
    def template(self) -> StoredTemplate:
        return self._template.stored

    def block(
        self, rules: str, demonstrations: Sequence[Demonstration], conversations: Sequence[Conversation]
    ) -> PromptBlock:
        prompts = [self._prompt(rules, demonstrations, conversation) for conversation in conversations]
        # Two questions with nothing in common show where the shared part ends, whatever the real questions share.
        probes = [self._prompt(rules, demonstrations, (query,)) for query in ("a", "b")]
        prefix = shared_start([*probes, *prompts])
        return PromptBlock(prefix, tuple(prompt[len(prefix) :] for prompt in prompts), bos=False)

    def clean(self, answer: str) -> str:
        return answer.strip()

    def holds(self, demonstration: Demonstration) -> bool:
        return BACKTICKS.holds(*demonstration.turns)

    def prompt_text(self, rules: str, demonstrations: Sequence[Demonstration]) -> str:
        return prompt_file(BACKTICKS, rules, demonstrations)

    def messages(
        self, rules: str, demonstrations: Sequence[Demonstration], conversation: Conversation
    ) -> list[ChatMessage]:
        """What the template spells, in the roles that it has."""
        return self._template.fitting(chat_messages(rules, demonstrations, conversation))

    def _prompt(self, rules: str, demonstrations: Sequence[Demonstration], conversation: Conversation) -> str:
        return self._template.prompt(chat_messages(rules, demonstrations, conversation))
