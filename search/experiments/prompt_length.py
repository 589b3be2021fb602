"""Whether a model's context holds a prompt: told before any weights are loaded."""

from collections.abc import Sequence

from evaluators.question import Question
from search.experiments.cell import Cell
from search.forecast.token_length import GUESS, known_context, local_tokenizer
from search.prompts.render import Renderer


class LengthLimit:
    """The longest prompts that the questions of all benchmarks leave room for.

    Args:
        may_guess: where the model's tokenizer is not on this machine, a token is taken to be four characters; else
            nothing is refused there, and the model itself, once it is loaded, has the word.
    """

    def __init__(self, questions: Sequence[Question], may_guess: bool) -> None:
        by_length = sorted(questions, key=lambda question: -len(question.query))
        self._longest = by_length[:5]  # tokens follow characters closely
        self._may_guess = may_guess

    def reason_against(self, cell: Cell, renderer: Renderer) -> str | None:
        """Why this cell cannot run: its prompt with the longest question does not fit. None where it can, or where
        only the model can tell."""
        context, tokenizer = known_context(cell.model), local_tokenizer(cell.model)
        if context is None or (tokenizer is None and not self._may_guess):
            return None
        block = renderer.block(
            cell.prompt.rules, cell.prompt.demonstrations, [(longest.query,) for longest in self._longest]
        )
        prompts = [block.prompt(at) for at in range(len(block.suffixes))]
        if tokenizer is None:
            tokens, guessed = round(max(map(len, prompts)) * GUESS), " (guessed at four characters a token)"
        else:
            rows = tokenizer(prompts, add_special_tokens=block.bos, verbose=False)["input_ids"]
            tokens, guessed = max(map(len, rows)), ""
        new = cell.decoding.max_new_tokens
        if tokens + new <= context:
            return None
        return (
            f"context too short: the longest prompt has {tokens:,} tokens{guessed}, with {new:,} new ones more than "
            f"the model's {context:,}"
        )
