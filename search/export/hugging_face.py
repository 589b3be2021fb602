"""Messages for a transformers tokenizer, and a chat template that spells them as URIAL does."""

import json
from typing import Any

from configs.errors import InputError
from search.export.best_prompt import BestPrompt
from search.export.chat import open_chat
from search.prompts.urial import UrialForm, form_of
from workers.chat_template import arguments_of_the_day


def hugging_face(best: BestPrompt) -> dict[str, Any]:
    """Messages with the question added to the last one's content,

        text = tokenizer.apply_chat_template(export["messages"], **export["apply_chat_template"])
        tokenizer(text, add_special_tokens=export["add_special_tokens"])

    gives the tokens that were scored.
    """
    template = best.material.template
    own = {"chat_template": chat_template(best)} if template is None else arguments_of_the_day(template.text)
    return {
        "model": best.config.model.name,
        "messages": open_chat(best),
        "apply_chat_template": {"tokenize": False, "add_generation_prompt": True, **own},
        "add_special_tokens": best.block.bos,
        "stop": list(best.decoding.stop),
    }


def chat_template(best: BestPrompt) -> str:
    """A Jinja chat template that spells a chat as the run's prompts are spelled; it leaves the begin-of-text token to
    the tokenizer (vLLM: `add_special_tokens` in the request).

    Raises:
        InputError: the run's prompts are in the model's own.
    """
    if best.is_chat:
        raise InputError("this run's prompts are in the model's own chat template: export openai or hugging_face")
    return urial_template(form_of(best.config.render))


def urial_template(form: UrialForm) -> str:
    """System messages as they are, everything else as `UrialForm` spells it; one line, since Jinja and transformers
    each have their own way with the white space around a block."""
    opening, middle, closing = (json.dumps(text) for text in (form.opening, form.middle, form.closing))
    content = "message['content']" + (f".strip({json.dumps(form.trimmed)})" if form.trimmed else "")
    return (
        "{% for message in messages %}"
        "{% if message['role'] == 'system' %}{{ message['content'] }}"
        f"{{% elif message['role'] == 'user' %}}{{{{ {opening} + {content} + {middle} }}}}"
        f"{{% else %}}{{{{ {content} + {closing} }}}}"
        "{% endif %}{% endfor %}"
    )
