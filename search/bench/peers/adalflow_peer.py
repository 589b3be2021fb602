"""AdalFlow's BootstrapFewShot on raw demonstrations alone, in the order of its Trainer's search for demonstrations.

Each step has four training samples, the pool's own, answered by student and teacher (here the same model), proposes
demonstrations weighted by their scores, and keeps them where they do better on the search questions; validation stops
where not even full marks for the rest would.
"""

import contextlib
import io
import logging
import random
from dataclasses import dataclass, field
from importlib.metadata import version

import numpy as np
import tiktoken
from peer_client import SEED, AnswersSpent, PeerTask


class WordsAsTokens:
    """A stand-in for the tokenizer that AdalFlow would download; only lengths are asked of it."""

    def encode(self, text, **_):
        return text.split()


tiktoken.get_encoding = tiktoken.encoding_for_model = lambda *_, **__: WordsAsTokens()

from adalflow.core.base_data_class import DataClass  # noqa: E402 -- it asks for the tokenizer when it is loaded
from adalflow.optim.few_shot.bootstrap_optimizer import BootstrapFewShot  # noqa: E402
from adalflow.optim.parameter import Parameter  # noqa: E402
from adalflow.optim.types import ParameterType  # noqa: E402

logging.disable(logging.CRITICAL)
TASK = PeerTask()
BATCH = 4


@dataclass
class Pair(DataClass):
    id: str = field(default="")
    query: str = field(default="")
    answer: str = field(default="")
    __input_fields__ = ["query"]  # noqa: RUF012 -- AdalFlow's own way to say it
    __output_fields__ = ["answer"]  # noqa: RUF012


def score(demonstrations, query):
    return TASK.score(query, TASK.answer([(shown.query, shown.answer) for shown in demonstrations], query))


def validated(demonstrations, least):
    """The mean over the search questions, as far as it can still be above `least`."""
    total, count = 0.0, len(TASK.questions)
    for done, asked in enumerate(TASK.questions, 1):
        total += score(demonstrations, asked["query"])
        if (total + count - done) / count < least:
            return total / done
    return total / count


def search(pool, kept):
    """Extend `kept`, the demonstrations that each step left, until the budget is spent."""
    demonstrations = Parameter(name="demos", data=None, requires_opt=True, param_type=ParameterType.DEMOS)
    optimizer = BootstrapFewShot([demonstrations], raw_shots=TASK.most, bootstrap_shots=0, dataset=pool, weighted=True)
    best, order = validated([], -1.0), []
    while True:
        order = order if len(order) >= BATCH else random.sample(pool, len(pool))
        batch, order = order[:BATCH], order[BATCH:]
        for is_teacher in (False, True):
            scores = [float(score(kept[-1], sample.query)) for sample in batch]
            optimizer.add_scores([sample.id for sample in batch], scores, is_teacher=is_teacher)
        optimizer.propose()
        proposed = list(demonstrations._demos)  # there is no other way to them
        value = validated(proposed, best)
        if value > best:
            optimizer.step()
            best = value
            kept.append(proposed)
        else:
            optimizer.revert()


def main():
    random.seed(SEED)
    np.random.seed(SEED)  # the generator that AdalFlow draws from
    pool, kept = [Pair(id=shown["id"], query=shown["query"], answer=shown["answer"]) for shown in TASK.pool], [[]]
    with contextlib.suppress(AnswersSpent), contextlib.redirect_stdout(io.StringIO()):
        search(pool, kept)
    TASK.chosen([(shown.query, shown.answer) for shown in kept[-1]], version("adalflow"))


if __name__ == "__main__":
    main()
