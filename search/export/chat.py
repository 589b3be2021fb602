"""Rules and demonstrations as a chat, in the roles that a chat template spells as the prompt that was scored."""

from configs.errors import InputError
from search.export.best_prompt import BestPrompt
from search.prompts.chat import ChatRenderer
from search.prompts.urial import form_of
from workers.prompt import ChatMessage


def open_chat(best: BestPrompt) -> list[ChatMessage]:
    """The question belongs at the end of the last message, which is the user's: it is empty, but for the rules where
    there are no demonstrations and the model's template has no system role. A separation tag is a system message of its
    own."""
    rules, chosen = best.material.rules, best.demonstrations
    if isinstance(best.renderer, ChatRenderer):
        return best.renderer.messages(rules, chosen, ("",))
    form = form_of(best.config.render)
    spoken = _system(rules)
    for demonstration in chosen:
        spoken += _system(form.start)
        for number, (query, answer) in enumerate(demonstration.turns):
            spoken += _system(form.between if number else "")
            spoken += [{"role": "user", "content": query}, {"role": "assistant", "content": answer}]
    return [*spoken, *_system(form.start), {"role": "user", "content": ""}]


def _system(text: str) -> list[ChatMessage]:
    """A message that the exported template spells as it is; none for no text."""
    return [{"role": "system", "content": text}] if text else []


def messages(best: BestPrompt) -> list[ChatMessage]:
    """An OpenAI chat, to which a message of the user's is to be added.

    Raises:
        InputError: the rules belong into that message.
    """
    *spoken, question = open_chat(best)
    if question["content"]:
        raise InputError("this model's chat template wants the rules in the question's own message: export openai")
    return spoken
