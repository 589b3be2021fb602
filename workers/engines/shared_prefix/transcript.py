"""What a row has said so far, as text, and whether it has ended."""

from __future__ import annotations

from typing import Any

CONTEXT = 6  # prompt tokens decoded along: some tokenizers drop the space in front of the first token they see
UNFINISHED = "�"  # what the first bytes of a character decode to


class Transcript:
    """The output of one row. Tokens go in one at a time; the text is looked at in small pieces, so that the cost does
    not grow with the length, and decided on the whole.

    Args:
        tokenizer: of transformers.
        prompt: the prompt's tokens.
        stop: strings the text ends before.
    """

    def __init__(self, tokenizer: Any, prompt: list[int], stop: tuple[str, ...]) -> None:
        self._tokenizer = tokenizer
        self._anchor = prompt[-CONTEXT:]
        self._stop = tuple(string for string in stop if string)
        self._reach = max((len(string) for string in self._stop), default=1) - 1
        self.tokens: list[int] = []
        self._start = 0  # tokens before this one only serve as context
        self._settled = 0  # tokens whose characters are complete
        self._tail = ""  # last settled characters, as many as a stop string could need

    def push(self, token: int) -> bool:
        """Takes a token in; True when a stop string has just been completed."""
        self.tokens.append(token)
        return bool(self._stop) and self._is_new_stop() and self._cut(self._whole()) is not None

    def text(self) -> str:
        """Special tokens removed, cut before the first stop string, not stripped."""
        whole = self._whole()
        cut = self._cut(whole)
        return whole if cut is None else whole[:cut]

    def has_stop(self) -> bool:
        return self._cut(self._whole()) is not None

    def _is_new_stop(self) -> bool:
        before = self._decode(self._start, self._settled)
        piece = self._decode(self._start, len(self.tokens))[len(before) :]
        window = self._tail + piece
        if not piece.endswith(UNFINISHED):
            self._tail = window[max(0, len(window) - self._reach) :]
            self._start, self._settled = max(0, self._settled - CONTEXT), len(self.tokens)
        return any(string in window for string in self._stop)

    def _cut(self, text: str) -> int | None:
        return min((at for string in self._stop if (at := text.find(string)) >= 0), default=None)

    def _whole(self) -> str:
        return self._decode(0, len(self.tokens))[len(self._decode(0, 0)) :]

    def _decode(self, start: int, end: int) -> str:
        tokens = self.tokens[start:end] if start else self._anchor + self.tokens[:end]
        text = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text)
