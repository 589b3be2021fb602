"""A chat template without a tokenizer: what a transformers tokenizer would spell, as far as it is asked to."""

from workers.chat_template import ChatTemplate
from workers.prompt import ChatMessage


class PlainChat:
    """Spells `<user> words </user>`; for fakes, to whom a token is what stands between white space."""

    def apply_chat_template(self, conversation: list[ChatMessage], **options: object) -> str:
        said = "".join(f"<{one['role']}> {one['content']} </{one['role']}>\n" for one in conversation)
        return said + ("<assistant>" if options["add_generation_prompt"] else "")


def plain_chat() -> ChatTemplate:
    return ChatTemplate(PlainChat())
