"""Words that chat templates use to steer a model, kept out of texts that other people wrote.

A tokenizer that meets `<|eot_id|>` in the text of a message makes the control token of it, and the text has ended the
turn. A word joiner (U+2060) behind the first character leaves the text as people read it, and no tokenizer matches it.
"""

import re
from collections.abc import Iterable

JOINER = "\u2060"

_CONTROL_TOKENS = re.compile(
    r"<\|[^|<>\n]{1,60}\|>"  # Llama 3, ChatML, Qwen, Phi, GLM, Command, Granite, gpt-oss
    r"|<\|[A-Za-z_]{1,30}>|<[A-Za-z_]{1,30}\|>"  # Gemma 4
    r"|<\uff5c[^\uff5c<>\n]{1,60}\uff5c>"  # DeepSeek, Hunyuan: a full-width bar
    r"|\[\|[a-z_]{1,30}\|\]"  # EXAONE
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|ARGS|CALL_ID|THINK|IMG|PREFIX|SUFFIX|MIDDLE)\]"
    r"|<</?SYS>>"  # Llama 2
    r"|</?s>|<(?:bos|eos|pad|unk|mask|sep|cls|BOS_TOKEN|EOS_TOKEN|PAD)>|\[(?:CLS|SEP|PAD|MASK|UNK|BOS|EOS|gMASK|sMASK)\]"
    r"|</?(?:start|end)_of_[a-z_]{1,30}>"  # Gemma 1 to 3
    r"|<(?:reserved_|unused|extra_id_|SPECIAL_)\d{1,5}>|<seed:[a-z_]{1,30}>|<\[[A-Za-z_]{1,30}\]>|\]~!?b[\[\]]"
    r"|</?tool(?:s|_call|_response)>"  # Qwen, Hermes
    r"|◁/?[a-z_]{1,20}▷",
    re.I,
)


def plain(text: str) -> str:
    """The text without the control tokens of the known families of chat templates."""
    return _CONTROL_TOKENS.sub(lambda token: broken(token[0]), text)


def control_tokens(text: str) -> list[str]:
    """The control tokens of the known families of chat templates that stand in a text."""
    return _CONTROL_TOKENS.findall(text)


def without_tokens(text: str, tokens: Iterable[str]) -> str:
    """The text without these control tokens, those of one tokenizer."""
    for token in sorted((token for token in tokens if len(token) > 1), key=len, reverse=True):
        text = text.replace(token, broken(token))
    return text


def broken(token: str) -> str:
    """The same to people, and no token."""
    return token[0] + JOINER + token[1:]
