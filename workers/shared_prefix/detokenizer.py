"""What a row has said so far, as text, and whether it has ended."""

from __future__ import annotations

from typing import Any

CONTEXT = 6  # prompt tokens decoded along: some tokenizers drop the space in front of the first token they see
UNFINISHED = "�"  # what the first bytes of a character decode to


class Stops:
    """Strings that a text ends before, and which tokens could complete one of them. Shared by the rows of a block.

    Args:
        tokenizer: of transformers.
        strings: empty ones are ignored.
    """

    def __init__(self, tokenizer: Any, strings: tuple[str, ...]) -> None:
        self._tokenizer = tokenizer
        self.strings = tuple(string for string in strings if string)
        self.reach = max((len(string) for string in self.strings), default=1) - 1
        """Characters before the last that a string may need."""
        self._lasts = {string[-1] for string in self.strings}
        self._cache: dict[int, bool] = {}

    def may_end_with(self, token: int) -> bool:
        """False when no string can be complete with this token: most need not be looked at, and decoding takes longer
        than all else that is done for a token."""
        if token not in self._cache:
            self._cache[token] = self._may(token)
        return self._cache[token]

    def _may(self, token: int) -> bool:
        if any(last.isspace() for last in self._lasts):
            return True  # whether a token brings a space depends on its neighbours
        text = self._tokenizer.decode([token], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return UNFINISHED in text or any(last in text for last in self._lasts)


class Transcript:
    """The output of one row. Tokens go in one at a time; the text is looked at in small pieces, so that the cost does
    not grow with the length, and decided on the whole.

    Args:
        tokenizer: of transformers.
        prompt: the prompt's tokens.
        stops: that the text ends before.
    """

    def __init__(self, tokenizer: Any, prompt: list[int], stops: Stops) -> None:
        self._tokenizer = tokenizer
        self._anchor = self._from_a_whole_character(prompt[-CONTEXT:])
        self._stops = stops
        self.tokens: list[int] = []
        # Numbers of tokens, all at the end of a character: some tokenizers make rubbish of all that follows half a one.
        self._start = 0  # those before it are not looked at any more
        self._next_start = 0
        self._settled = 0  # those before it only serve as context
        self._tail = ""  # last settled characters, as many as a stop string could need

    def push(self, token: int) -> bool:
        """Takes a token in; True when a stop string has just been completed."""
        self.tokens.append(token)
        if not self._stops.strings or not self._stops.may_end_with(token):
            return False
        return self._is_new_stop() and self._cut(self._whole()) is not None

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
            self._tail = window[max(0, len(window) - self._stops.reach) :]
            if self._settled - self._next_start >= CONTEXT:
                self._start, self._next_start = self._next_start, self._settled
            self._settled = len(self.tokens)
        return any(string in window for string in self._stops.strings)

    def _from_a_whole_character(self, tokens: list[int]) -> list[int]:
        """Tokens without the rest of a character at the beginning, which is three tokens at most."""
        parts = (tokens[begin:] for begin in range(4))
        return next((part for part in parts if not self._decoded(part).startswith(UNFINISHED)), tokens)

    def _cut(self, text: str) -> int | None:
        return min((at for string in self._stops.strings if (at := text.find(string)) >= 0), default=None)

    def _whole(self) -> str:
        return self._decode(0, len(self.tokens))[len(self._decode(0, 0)) :]

    def _decode(self, start: int, end: int) -> str:
        return self._decoded(self.tokens[start:end] if start else self._anchor + self.tokens[:end])

    def _decoded(self, tokens: list[int]) -> str:
        text = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text)
