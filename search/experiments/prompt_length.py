"""Whether a model's context holds a prompt: told before any weights are loaded."""

from collections import defaultdict
from collections.abc import Sequence

from search.experiments.cell import Cell
from search.forecast.token_length import GUESS, known_context, local_tokenizer
from search.prompts.render import Renderer

Turns = tuple[str, ...]
"""What the user says, turn by turn, as far as it is asked."""


class LengthLimit:
    """The longest prompts that the questions of all benchmarks leave room for.

    A prompt of a later turn is taken to hold earlier answers as long as `max_new_tokens` lets them be.

    Args:
        may_guess: where the model's tokenizer is not on this machine, a token is taken to be four characters; else
            nothing is refused there, and the model itself, once it is loaded, has the word.
    """

    def __init__(self, asked: Sequence[Turns], may_guess: bool) -> None:
        by_turns = defaultdict[int, list[Turns]](list)
        for turns in sorted(asked, key=lambda turns: -sum(map(len, turns))):
            by_turns[len(turns)].append(turns)
        self._longest = [turns for some in by_turns.values() for turns in some[:5]]  # tokens follow characters closely
        self._may_guess = may_guess

    def reason_against(self, cell: Cell, renderer: Renderer) -> str | None:
        """Why this cell cannot run: its prompt with the longest question does not fit. None where it can, or where
        only the model can tell."""
        context, tokenizer = known_context(cell.model), local_tokenizer(cell.model)
        if context is None or (tokenizer is None and not self._may_guess) or not self._longest:
            return None
        block = renderer.block(
            cell.prompt.rules, cell.prompt.demonstrations, [_last_conversation(turns) for turns in self._longest]
        )
        prompts = [block.prompt(at) for at in range(len(block.suffixes))]
        if tokenizer is None:
            lengths, guessed = (
                [round(len(prompt) * GUESS) for prompt in prompts],
                " (guessed at four characters a token)",
            )
        else:
            rows = tokenizer(prompts, add_special_tokens=block.bos, verbose=False)["input_ids"]
            lengths, guessed = [len(row) for row in rows], ""
        new = cell.decoding.max_new_tokens
        sizes = zip(lengths, map(len, self._longest), strict=True)
        need, tokens, turns = max((tokens + turns * new, tokens, turns) for tokens, turns in sizes)
        if need <= context:
            return None
        return (
            f"context too short: the longest prompt{_of_turn(turns)} has {tokens:,} tokens{guessed}, with "
            f"{_new_tokens(turns, new)} more than the model's {context:,}"
        )


def _last_conversation(turns: Turns) -> tuple[str, ...]:
    """The conversation that asks the last turn; earlier answers are empty, and counted by themselves."""
    earlier = [text for turn in turns[:-1] for text in (turn, "")]
    return (*earlier, turns[-1])


def _of_turn(turns: int) -> str:
    return "" if turns == 1 else f" of turn {turns}"


def _new_tokens(turns: int, new: int) -> str:
    return f"{new:,} new ones" if turns == 1 else f"{turns} answers of {new:,} new ones"
