"""Chat templates of a dry run: where a model's own is not on this machine and cannot be fetched now, a usual one."""

from configs.errors import InputError
from search.forecast.token_length import is_here
from workers.chat_template import ChatTemplate, StoredTemplate
from workers.hub_reach import hub_is_reachable

_USUAL = StoredTemplate(
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    {},
)


class DryTemplates:
    """Loads the chat templates of a dry run, and says which of them are not the model's own.

    Attributes:
        notes: a sentence for each.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []

    def load(self, name: str, revision: str | None, knob: str, advice: str, *, rates: bool = False) -> ChatTemplate:
        """Load as `ChatTemplate.load` does; where a hub model cannot be had soon, a usual template.

        Raises:
            InputError: the hub answers, and has no such tokenizer.
            ChatTemplateMissing: the tokenizer has no chat template.
        """
        if not is_here(name, revision) and not hub_is_reachable():
            return self._usual(name, knob, "the hub cannot be reached now")
        try:
            return ChatTemplate.load(name, revision, knob, advice, rates=rates)
        except InputError as error:
            if not _is_gated(error):
                raise
            return self._usual(name, knob, "the hub gives it only with a token that has access")

    def _usual(self, name: str, knob: str, reason: str) -> ChatTemplate:
        note = (
            f"the tokenizer of '{name}' ({knob}) is not on this machine, and {reason}: the run will need it; "
            "here, chats are spelled in a usual template"
        )
        if note not in self.notes:
            self.notes.append(note)
        return ChatTemplate(_USUAL)


def _is_gated(error: BaseException | None) -> bool:
    """Whether the hub has refused for want of a token."""
    from huggingface_hub.errors import GatedRepoError  # noqa: PLC0415 -- heavy

    while error is not None:
        if isinstance(error, GatedRepoError):
            return True
        error = error.__cause__ or error.__context__
    return False
