"""What drafts from earlier answers bring, and what they cost: `python -m workers.bench.repeats --help`.

The quickstart's model answers as the quickstart's search asks it: candidates of one to three demonstrations, eight of
the search questions each, at most eight candidates under way. Answers repeat there. At a high temperature nothing does.
Both are answered with and without drafts in turn, by a new engine each time, and CPU seconds of one thread count: the
ratio of the two in each round, its median and the interval that holds the median with 95 % confidence. Tokens that
the model has read, and its passes, do not depend on the machine. Every completion must be the same.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

import configs
from configs.records import read_rows
from configs.schema.model import ModelConfig
from workers.engines.transformers_engine import TransformersEngine
from workers.messages import Answered, Ended
from workers.prompt import Completion, Decoding, PromptBlock

MATERIAL = Path(configs.__path__[0]) / "quickstart"
STOP = ("```", "# Query:")  # of the prompts' template
WINDOW = 8  # candidates under way, and questions that each is asked at once, as in configs/quickstart.yaml
TRAFFICS = {"answers repeat": 0.0, "nothing repeats": 2.0}  # temperatures
SLOWER = 0.02  # at most, where nothing repeats


@dataclass(frozen=True, slots=True)
class Taken:
    """What answering everything took.

    Attributes:
        seconds: of CPU time.
        passes: of the model, summed over the answers.
        drafted: tokens that were proposed.
        answers: by candidate and question.
    """

    seconds: float
    passes: int
    drafted: int
    answers: dict[tuple[int, int], Completion]

    @property
    def tokens(self) -> int:
        return sum(answer.new_tokens for answer in self.answers.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40, help="candidates")
    parser.add_argument("--rounds", type=int, default=11, help="measurements of each way, in turn")
    parser.add_argument("--traffic", choices=TRAFFICS, action="append", help="all when absent")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    blocks = candidates(asked.trials, WINDOW)
    same = True
    for name in asked.traffic or TRAFFICS:
        decoding = Decoding(48, temperature=TRAFFICS[name], stop=STOP)
        pairs = [measured(blocks, decoding, drafts_first=bool(round_ % 2)) for round_ in range(asked.rounds)]
        print("\n".join(words(name, pairs)), flush=True)
        same &= all(without.answers == drafted.answers for without, drafted in pairs)
    print(f"{'every' if same else 'NOT every'} completion is the same")
    return 0 if same else 1


def candidates(count: int, questions: int = 32) -> list[PromptBlock]:
    """Prompts as a search makes them: the base prompt, then one to three demonstrations, the better ones oftener.

    Args:
        questions: that each candidate is asked, of the 32 that guide the search.
    """
    base = (MATERIAL / "base_prompt.txt").read_text(encoding="utf-8").rstrip() + "\n\n"
    pool, rows = read_rows(MATERIAL / "pool.jsonl"), read_rows(MATERIAL / "questions.jsonl")
    search = tuple(f"# Query:\n```\n{question['turns'][0]}\n```\n\n# Answer:\n```\n" for question in rows)[:32]
    shown = [
        f"# Query:\n```\n{demonstration['query']}\n```\n\n# Answer:\n```\n{demonstration['answer']}\n```\n\n"
        for demonstration in pool
    ]
    choose, ask = random.Random(0), random.Random(1)  # noqa: S311 - no secrets
    weights = [1 / (1 + place) for place in range(len(shown))]
    return [
        PromptBlock(
            base + "".join(dict.fromkeys(choose.choices(shown, weights, k=choose.randint(1, 3)))),
            search if questions >= len(search) else tuple(ask.sample(search, questions)),
        )
        for _ in range(count)
    ]


def measured(blocks: list[PromptBlock], decoding: Decoding, drafts_first: bool) -> tuple[Taken, Taken]:
    """What answering takes without drafts and with them, one after the other."""
    taken = {drafts: answered(blocks, decoding, drafts) for drafts in (drafts_first, not drafts_first)}
    return taken[False], taken[True]


def answered(blocks: list[PromptBlock], decoding: Decoding, drafts: bool) -> Taken:
    """All candidates in their order, by an engine that has read and answered nothing yet."""
    engine = TransformersEngine.load(ModelConfig(name=str(MATERIAL / "model"), device="cpu", dtype="float32"))
    if not drafts:
        engine.draft_nothing()
    answers: dict[tuple[int, int], Completion] = {}
    waiting, running, passes, drafted = list(range(len(blocks))), 0, 0, 0
    start, batch = time.process_time(), engine.batch(decoding)
    while waiting or running:
        while waiting and running < WINDOW and batch.has_room():
            job = waiting.pop(0)
            batch.add(job, blocks[job])
            running += 1
        for message in batch.step():
            running -= isinstance(message, Ended)
            if isinstance(message, Answered) and isinstance(message.answer, Completion):
                answers[message.job, message.index] = message.answer
                passes += message.passes
                drafted += message.drafted
    return Taken(time.process_time() - start, passes, drafted, answers)


def words(name: str, pairs: Sequence[tuple[Taken, Taken]]) -> list[str]:
    """What was found, a line each."""
    without, drafted = pairs[0]
    ratios = [with_.seconds / plain.seconds for plain, with_ in pairs]
    low, high = interval_of_median(ratios)
    read = without.passes, drafted.passes + drafted.drafted
    verdict = "no slower" if high <= 1 + SLOWER else "slower" if low > 1 + SLOWER else "undecided"
    return [
        f"{name}: {without.tokens:,} tokens in {len(without.answers):,} answers, "
        f"{drafted.tokens / drafted.passes:.2f} tokens a pass, {drafted.drafted:,} drafted",
        f"  CPU s without drafts {_seconds(plain for plain, _ in pairs)}, with {_seconds(with_ for _, with_ in pairs)}",
        f"  tokens read behind the prompts {read[0]:,} and {read[1]:,}",
        f"  with / without {statistics.median(ratios):.3f} [{low:.3f}, {high:.3f}] in {len(ratios)} rounds: "
        f"{verdict}, where {SLOWER:.0%} counts",
    ]


def interval_of_median(values: Sequence[float]) -> tuple[float, float]:
    """The interval between two of the values that holds the median of what they are drawn from with 95 % confidence,
    whatever its distribution; all of them where they are fewer than six (order statistics, by the binomial)."""
    ordered, count = sorted(values), len(values)
    outside, below = 0, 0.0
    while outside < (count - 1) // 2:
        below += math.comb(count, outside) / 2**count
        if 2 * below > 0.05:
            break
        outside += 1
    outside = max(0, outside - 1)
    return ordered[outside], ordered[count - 1 - outside]


def _seconds(taken: Iterable[Taken]) -> str:
    return f"{statistics.median(run.seconds for run in taken):.2f}"


if __name__ == "__main__":
    sys.exit(main())
