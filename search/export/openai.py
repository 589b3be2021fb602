"""Requests to an OpenAI-compatible server of the model: to be continued as text, or as a chat."""

from typing import Any

from search.export.best_prompt import BestPrompt
from search.export.chat import open_chat
from search.export.question_slot import spelling
from workers.chat_template import arguments_of_the_day
from workers.service.server_dialects import DIALECTS, completion_fields

_OPENAI = ("max_tokens", "temperature", "top_p", "seed", "stop")


def completion_request(best: BestPrompt) -> dict[str, Any]:
    """A request for vLLM's and SGLang's `/v1/completions`: the shared prefix, what stands around a question behind it,
    and a request for one of the questions, which is `prefix + before_question + question.strip(strip_question) +
    after_question` with its decoding and stop strings."""
    spelled = spelling(best)
    return {
        "prefix": spelled.prefix,
        "before_question": spelled.before,
        "after_question": spelled.after,
        "strip_question": spelled.strip,
        "request": {
            "model": best.config.model.name,
            "prompt": spelled.prompt(best.material.search[0].query),
            **fields(best),
        },
    }


def chat_request(best: BestPrompt) -> dict[str, Any]:
    """The arguments of `client.chat.completions.create` of the library `openai`; the question is to be added to the
    last message's content. `extra_body` is what vLLM and SGLang know beyond OpenAI's own."""
    given = fields(best)
    template = best.material.template
    day = {} if template is None else arguments_of_the_day(template.text)
    own = {"chat_template_kwargs": {"date_string": day.pop("date_string")}, **day} if day else {}
    return {
        "model": best.config.model.name,
        "messages": open_chat(best),
        **{name: given[name] for name in _OPENAI if name in given},
        "extra_body": {name: value for name, value in given.items() if name not in _OPENAI} | own,
    }


def fields(best: BestPrompt) -> dict[str, Any]:
    """The decoding that was found, as vLLM names it."""
    return completion_fields(best.decoding, best.block.bos, DIALECTS["vllm"])
