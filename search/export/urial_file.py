"""A URIAL prompt file: it loads as a base prompt again, and is the text that the model reads before a question."""

from configs.errors import InputError
from search.export.best_prompt import Found


def urial_file(found: Found) -> str:
    """Raises InputError where prompts were scored in a chat template, or cannot be told apart in this form."""
    text = found.renderer.prompt_text(found.material.rules, found.demonstrations)
    if text != found.block.prefix:
        raise InputError(
            "this run's prompts are in the model's chat template, and a URIAL file would be another prompt: export "
            "messages or json"
        )
    return text
