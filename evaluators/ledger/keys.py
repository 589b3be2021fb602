"""What makes two evaluations the same: everything that can change the value, and nothing else.

A key is a SHA-256 over a canonical JSON header and the text that matters. Search and held-out questions never share a
row by accident, since a key speaks of a question's content and never of its place in a list.
"""

import json
from dataclasses import asdict
from functools import lru_cache
from hashlib import sha256

from evaluators.question import Question
from workers.prompt import Decoding, PromptBlock

KEY_VERSION = 2
VERDICT_KEY_VERSION = 2


def _header(*parts: object) -> bytes:
    text = _bytes(json.dumps([KEY_VERSION, *parts], ensure_ascii=False, separators=(",", ":")))
    return len(text).to_bytes(8, "big") + text


def _bytes(text: str) -> bytes:
    """UTF-8, also of half a character (a lone surrogate), which JSON may hold."""
    return text.encode("utf-8", "surrogatepass")


def prompt_digest(model: str, decoding: Decoding, block: PromptBlock) -> bytes:
    """The digest of what a block's prompts share: model, decoding, prefix. 32 bytes."""
    return sha256(_header("prompt", model, asdict(decoding), block.bos) + _bytes(block.prefix)).digest()


def generation_keys(model: str, decoding: Decoding, block: PromptBlock) -> list[bytes]:
    """One 32-byte key a suffix, from the model's fingerprint, the decoding (its seed is the repeat) and the whole
    prompt; where the prompt is cut into prefix and suffix makes no difference."""
    shared = sha256(_header("generation", model, asdict(decoding), block.bos) + _bytes(block.prefix))
    keys = []
    for suffix in block.suffixes:
        own = shared.copy()
        own.update(_bytes(suffix))
        keys.append(own.digest())
    return keys


def verdict_key(judge: str, question: Question, answers: tuple[str, ...], repeat: int = 0) -> bytes:
    """32 bytes from the judge's fingerprint, the whole question and the repeat: a judge function is handed all of it,
    id and later turns included. Two prompts that led to the same answers share one verdict; the last answer is the one
    judged."""
    *earlier, answer = answers
    header = _verdict_header(judge, question, len(answers), repeat)
    return sha256(header + (_header(earlier) if earlier else b"") + _bytes(answer)).digest()


@lru_cache(maxsize=10_000)
def _verdict_header(judge: str, question: Question, turns: int, repeat: int) -> bytes:
    return _header("verdict", VERDICT_KEY_VERSION, judge, turns, question.to_json(), repeat)
