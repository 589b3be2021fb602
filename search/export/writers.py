"""What writes each format."""

from collections.abc import Callable, Mapping

from search.export import Format
from search.export.best_prompt import BestPrompt
from search.export.chat import messages
from search.export.dspy_state import dspy_state
from search.export.hugging_face import chat_template, hugging_face
from search.export.json_record import record
from search.export.langchain import langchain_prompt
from search.export.openai import chat_request, completion_request
from search.export.promptfoo import promptfoo_config
from search.export.urial_file import urial_file

WRITERS: Mapping[Format, Callable[[BestPrompt], object]] = {
    "urial": urial_file,
    "json": record,
    "vllm": completion_request,
    "langchain": langchain_prompt,
    "promptfoo": promptfoo_config,
    "messages": messages,
    "openai": chat_request,
    "hugging_face": hugging_face,
    "chat_template": chat_template,
    "dspy": dspy_state,
}
"""Functions that write, by format: a text is written as it is, everything else as JSON."""
