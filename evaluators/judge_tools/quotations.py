"""Parts of a judge's words that are quoted: from the answer, from the instructions, from a scale."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

_FENCE = re.compile(
    r"^[ \t]*(?P<mark>`{3,}|~{3,})(?P<language>[^\n`]*)\n(?P<text>.*?)(?:^[ \t]*(?P=mark)|\Z)", re.M | re.S
)
_SHOWN_AGAIN = re.compile(
    r"<text (?P<key>\w+)>.*?(?:</text (?P=key)>|\Z)"
    r"|\[The Start of (?P<whose>[^\]\n]{1,60})\].*?(?:\[The End of (?P=whose)\]|\Z)"
    r"|<(?P<closed>blockquote|quote)>|<(?P<comment>!--)|~~(?=\S)[^~\n]*(?<=\S)~~",
    re.I | re.S,
)
_CLOSING = {
    "blockquote": re.compile("</blockquote>", re.I),
    "quote": re.compile("</quote>", re.I),
    "!--": re.compile("-->"),
}
"""What ends those of `_SHOWN_AGAIN` that hold nothing where they are not ended."""
_NO_LEAD_IN = (
    r"(?:[^\n]{0,100}\b(?:ratings?|scores?|grades?|verdict|judge?ment|assessment|evaluation) (?:of|for|on|about)\b"
    r"|\W{0,5}(?:\w{1,20},? ){0,3}(?:I|we)(?:'d| would| will)?(?: \w{1,20})? (?:rate|score|grade|award|assign)\b"
    r"(?![^\n]*\b(?:because|since|as it|which|that)\b))[^.!?:,;\n]{0,80}(?::[ \t*_]*)?\n"
    r"|[^\n]{0,100}\b(?:what(?:ever)?|how|than)\b[^.!?:,;\n]{0,80}\n"
)
"""The judge's own verdict is what reads as follows; "what the answer says" is no beginning of a sentence."""
_LEAD_IN = re.compile(
    rf"^(?!{_NO_LEAD_IN})"
    r"[^\n]{0,200}\b(?:(?:answer|response|reply|assistant|user|model|text|line|it)\b[^.!?:\n]{0,40}"
    r"\b(?:says?|said|writes|wrote|reads|states|claims|demands"
    r"|(?:end|begin|start|open|close|finish)(?:e?s|e?d)? (?:with|in))"
    r"|(?:line|sentence|words?|part|paragraph|text) of (?:the|its) [^.!?:\n]{0,40}\b(?:is|are|was|were))"
    r"(?: (?:this|that|the following|as follows))?[ \t*_]*(?::[ \t*_]*\n|\n[ \t]*\n)\s*(?P<said>\S.*)",
    re.I | re.M,
)
"""A line that hands over to somebody else with a colon or a blank line, and the next one."""
_BLOCK_QUOTE = re.compile(r"^[ \t]*>.*$", re.M)
_INLINE = re.compile(
    r"(?P<code>`[^`\n]+`)|“[^”]{0,2000}”|„[^“”]{0,2000}[“”]|«[^»]{0,2000}»|「[^」]{0,2000}」|『[^』]{0,2000}』"
    r"|‘[^’]{0,2000}’(?!\w)|(?<![\w'])'(?=\S)[^'\n]{0,300}?(?<=\S)'(?!\w)"
)
_DATA = {"json", "xml", "yaml", "yml"}


@dataclass(frozen=True)
class Quotations:
    """The quoted parts of some words.

    A straight quotation mark pairs with the next one of the whole text where their number is even, else of its
    paragraph.
    """

    words: str

    def holds(self, position: int) -> bool:
        """Whether this character is quoted."""
        return self.around(position) is not None

    def around(self, position: int) -> tuple[int, int] | None:
        """Begin and end of the quotation, its marks included, that this character lies in."""
        index = bisect_right(self._spans, (position, len(self.words) + 1)) - 1
        if index >= 0 and self._spans[index][0] <= position < self._spans[index][1]:
            return self._spans[index]
        return None

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        """Disjoint, in order."""
        merged: list[tuple[int, int]] = []
        for begin, end in sorted(self._quoted_spans()):
            if merged and begin < merged[-1][1]:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((begin, end))
        return merged

    def _quoted_spans(self) -> Iterator[tuple[int, int]]:
        led_in = {quote.start("said") for quote in _LEAD_IN.finditer(self.words)}
        fences = [
            fence.span()
            for fence in _FENCE.finditer(self.words)
            if fence.start("mark") in led_in or not self._is_the_reply(fence)
        ]
        yield from fences
        span_set = set(fences)
        text = _FENCE.sub(lambda fence: " " * len(fence[0]) if fence.span() in span_set else fence[0], self.words)
        yield from _shown_again(text)
        yield from (quote.span() for quote in _BLOCK_QUOTE.finditer(text))
        yield from (quote.span("said") for quote in _LEAD_IN.finditer(text))
        marked = [*(quote.span() for quote in _INLINE.finditer(text)), *_straight(text)]
        yield from (span for span in marked if text[slice(*span)] != text.strip())  # else they are around all it says

    def _is_the_reply(self, fence: re.Match[str]) -> bool:
        """Whether the fence is how the judge wraps what it has to say, not what it quotes: the whole of the words, or
        data at their end."""
        before, after = self.words[: fence.start()].strip(), self.words[fence.end() :].strip()
        is_data = fence["language"].strip().lower() in _DATA
        return not after and (not before or is_data)


def _shown_again(text: str) -> Iterator[tuple[int, int]]:
    """Spans that the judge marks as shown again. An ending that is missing once is not looked for again, from beginning
    after beginning to the end of the text."""
    at, missing = 0, set[str]()
    while (quote := _SHOWN_AGAIN.search(text, at)) is not None:
        at = quote.end()
        kind = (quote["closed"] or quote["comment"] or "").lower()
        if not kind:
            yield quote.span()
        elif kind not in missing:
            if closing := _CLOSING[kind].search(text, at):
                at = closing.end()
                yield quote.start(), at
            else:
                missing.add(kind)


def _straight(text: str) -> Iterator[tuple[int, int]]:
    marks = [mark.start() for mark in re.finditer('"', text)]
    if len(marks) % 2 == 0:
        yield from _paired(marks)
        return
    breaks = [0, *(gap.end() for gap in re.finditer(r"\n\s*\n", text)), len(text)]
    for begin, end in pairwise(breaks):
        yield from _paired(marks[bisect_left(marks, begin) : bisect_left(marks, end)])


def _paired(marks: list[int]) -> Iterator[tuple[int, int]]:
    for opening, closing in zip(marks[::2], marks[1::2], strict=False):
        yield opening, closing + 1
