"""What can go wrong between a prompt and its answer.

GenerationFailed        a model could not do its task with one block; its unanswered questions become failures
└── PromptTooLong       the prompt does not fit the model's context, with both token counts
ChatTemplateMissing     (InputError) a model's tokenizer has no chat template
PromptsTooLong          (InputError) prompts do not fit a model or a limit, which is told before any of them is asked
WorkersUnavailable      (RunStopped) no worker can be had any more
└── ModelClosed         (AlreadyClosed) the model was asked after it had been closed
"""

from collections.abc import Sequence

from configs.errors import AlreadyClosed, DemosearchError, InputError, RunStopped


class GenerationFailed(DemosearchError):
    """A model could not answer this block; other blocks are not concerned."""


class PromptTooLong(GenerationFailed):
    """Prompt plus the new tokens asked for exceed the context.

    Args:
        prompt_tokens: length of the longest prompt of the block, in tokens.
        new_tokens: `Decoding.max_new_tokens`, or the length of the continuation to be scored, or 0 for a rating.
        context_tokens: what the model can hold, in tokens.
    """

    def __init__(self, prompt_tokens: int, new_tokens: int, context_tokens: int) -> None:
        super().__init__(
            f"the prompt has {prompt_tokens:,} tokens; with {new_tokens:,} new tokens that is more than the model's "
            f"context of {context_tokens:,}: use fewer or shorter demonstrations, or lower decoding.max_new_tokens"
        )
        self.prompt_tokens = prompt_tokens
        self.new_tokens = new_tokens
        self.context_tokens = context_tokens

    def __reduce__(self) -> tuple[type["PromptTooLong"], tuple[int, int, int]]:
        return PromptTooLong, (self.prompt_tokens, self.new_tokens, self.context_tokens)


def gravest(failures: Sequence[GenerationFailed]) -> GenerationFailed:
    """The one of several to be raised for all: the PromptTooLong of the longest prompt, else the first."""
    too_long = [failure for failure in failures if isinstance(failure, PromptTooLong)]
    return max(too_long, key=lambda failure: failure.prompt_tokens, default=failures[0])


class ChatTemplateMissing(InputError):
    """Prompts in a chat template are asked for, and the model's tokenizer has none."""


class PromptsTooLong(InputError):
    """An input error: not even the shortest prompts of a run fit the model's context or the config's limit."""


class WorkersUnavailable(RunStopped):
    """No worker answers and none can be started."""


class ModelClosed(WorkersUnavailable, AlreadyClosed):
    """The model was asked after it had been closed."""

    def __init__(self, message: str = "the model has been closed; make a new one to generate again") -> None:
        super().__init__(message)
