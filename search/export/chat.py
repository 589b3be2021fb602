"""Rules and demonstrations as a chat, in the roles that a chat template spells as the prompt that was scored."""

from configs.errors import InputError
from search.export.best_prompt import BestPrompt
from search.prompts.chat import ChatRenderer
from workers.service.reply import Message


def open_chat(best: BestPrompt) -> list[Message]:
    """The question belongs at the end of the last message, which is the user's: it is empty, but for the rules where
    there are no demonstrations and the model's template has no system role."""
    rules, chosen = best.material.rules, best.demonstrations
    if isinstance(best.renderer, ChatRenderer):
        return best.renderer.messages(rules, chosen, ("",))
    spoken: list[Message] = [{"role": "system", "content": rules}] if rules else []
    for one in chosen:
        spoken += [{"role": "user", "content": one.query}, {"role": "assistant", "content": one.answer}]
    return [*spoken, {"role": "user", "content": ""}]


def messages(best: BestPrompt) -> list[Message]:
    """An OpenAI chat, to which a message of the user's is to be added.

    Raises:
        InputError: the rules belong into that message.
    """
    *spoken, question = open_chat(best)
    if question["content"]:
        raise InputError("this model's chat template wants the rules in the question's own message: export openai")
    return spoken
