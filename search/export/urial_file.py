"""A URIAL prompt file: it loads as a base prompt again, and is the text that the model reads before a question."""

from configs.errors import InputError
from search.export.best_prompt import BestPrompt


def urial_file(best: BestPrompt) -> str:
    """Raises InputError where prompts were scored in a chat template, or cannot be told apart in this form."""
    text = best.renderer.prompt_text(best.material.rules, best.demonstrations)
    if text != best.block.prefix:
        raise InputError(
            "this run's prompts are in the model's chat template, and a URIAL file would be another prompt: export "
            "messages or json"
        )
    return text
