"""What goes into a model and what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, Self, TypedDict, TypeVar

A_co = TypeVar("A_co", bound="Answer", covariant=True)
S = TypeVar("S", str, list[int])


@dataclass(frozen=True, slots=True)
class PromptBlock:
    """One shared prefix and many suffixes: the unit of work of a worker.

    Attributes:
        prefix: rules and demonstrations, as text.
        suffixes: one a question; prompt `i` is exactly `prefix + suffixes[i]`.
        bos: the engine puts the model's begin-of-text token in front. False where the text spells its own special
            tokens (a chat template does).
    """

    prefix: str
    suffixes: tuple[str, ...]
    bos: bool = True

    def prompt(self, index: int) -> str:
        return self.prefix + self.suffixes[index]

    def select(self, indices: list[int]) -> "PromptBlock":
        """The same prefix with only these suffixes, in this order."""
        return PromptBlock(self.prefix, tuple(self.suffixes[index] for index in indices), self.bos)


class ChatMessage(TypedDict):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


def shared_start(texts: Sequence[S]) -> S:
    """What all of these texts or lists of tokens begin with; there is at least one."""
    first, last = min(texts), max(texts)  # whatever these two share, all in between share
    length = next((at for at, (token, other) in enumerate(zip(first, last, strict=False)) if token != other), None)
    return first if length is None else first[:length]


class Task(Generic[A_co]):
    """What is to be done with a block: each prompt gets one answer of kind `A_co`."""

    __slots__ = ()

    def select(self, indices: list[int]) -> Self:  # noqa: ARG002 - most tasks are the same for every prompt
        """The part of the task that belongs to `PromptBlock.select` of the same indices."""
        return self


@dataclass(frozen=True, slots=True)
class Decoding(Task["Completion"]):
    """How tokens are chosen. Part of every generation's key.

    Attributes:
        max_new_tokens: at most this many tokens a completion, >= 1.
        temperature: 0 is greedy; otherwise logits are divided by it.
        top_p: nucleus mass kept, in (0, 1]; 1 keeps everything.
        top_k: number of most likely tokens kept; 0 keeps everything.
        repetition_penalty: > 0; divides positive and multiplies negative logits of every token that stands in the
            prompt or in the output so far (Keskar et al. 2019, as transformers and vLLM apply it); 1 is off.
        stop: the completion ends before the first of these strings, which is not part of it.
        seed: of sampling. A prompt's draw depends on the seed and on the prompt's text alone, never on its batch.
    """

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0

    def in_effect(self) -> "Decoding":
        """What is equal for decodings that choose the same tokens: greedy ones have no use for what shapes a draw."""
        return self if self.temperature else replace(self, top_p=1.0, top_k=0, seed=0)


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model said.

    Attributes:
        text: decoded, special tokens removed, cut before the first stop string; not stripped.
        prompt_tokens: length of the prompt, in tokens.
        new_tokens: tokens generated, the stopping ones included.
        finish: "stop" (a stop string or end-of-text) or "length" (max_new_tokens reached).
        estimated: nobody has counted the tokens.
        model: who wrote it, by a server's own word; "" where it does not say, or no server is asked. It makes no
            difference to what was said.
    """

    text: str
    prompt_tokens: int
    new_tokens: int
    finish: Literal["stop", "length"]
    estimated: bool = False
    model: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Continuations(Task["Likelihood"]):
    """Answers whose likelihood is asked for, in place of answers to be generated.

    Attributes:
        texts: one a suffix of the block; none empty.
    """

    texts: tuple[str, ...]

    def select(self, indices: list[int]) -> Self:
        return replace(self, texts=tuple(self.texts[index] for index in indices))


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely a model finds a given continuation behind a prompt.

    Attributes:
        log_probability: natural logarithm, summed over the continuation's tokens; <= 0.
        tokens: of the continuation, >= 1.
    """

    log_probability: float
    tokens: int


PAIR = "\x1f"
"""The separator between question and answer in the texts of a reward model that reads pairs: ASCII's unit separator,
which must occur in neither."""


@dataclass(frozen=True, slots=True)
class Rating(Task["Reward"]):
    """A reward model's score is asked for: each prompt is a whole text, with the answer in it that is rated."""


@dataclass(frozen=True, slots=True)
class Reward:
    """What a reward model thinks of a text.

    Attributes:
        score: on the reward model's own scale; higher is better.
        tokens: of the text, >= 1.
    """

    score: float
    tokens: int


Answer = Completion | Likelihood | Reward
