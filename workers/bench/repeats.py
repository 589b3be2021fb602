"""What drafts from earlier answers bring: `python -m workers.bench.repeats --help`.

The quickstart's model answers the quickstart's search questions behind candidates of one to three demonstrations, as a
search asks them, twice in one process: a token a pass, and with drafts from what it has answered before. One thread
runs and its CPU time counts. Every completion must be the same.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
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


@dataclass(frozen=True, slots=True)
class Taken:
    """What answering everything took.

    Attributes:
        seconds: of CPU time.
        passes: of the model, summed over the answers.
        answers: by candidate and question.
    """

    seconds: float
    passes: int
    answers: dict[tuple[int, int], Completion]

    @property
    def tokens(self) -> int:
        return sum(answer.new_tokens for answer in self.answers.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=120, help="candidates")
    parser.add_argument("--temperature", type=float, default=0.0, help="above 0, every candidate has a seed of its own")
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each way, in turn")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    engine = TransformersEngine.load(ModelConfig(name=str(MATERIAL / "model"), device="cpu", dtype="float32"))
    blocks = candidates(asked.trials)
    decodings = [
        Decoding(48, temperature=asked.temperature, stop=STOP, seed=seed if asked.temperature else 0)
        for seed in range(asked.trials)
    ]
    methods: dict[str, Callable[[], Taken]] = {
        "without drafts": lambda: answered(engine, blocks, decodings, drafts=False),
        "with drafts": lambda: answered(engine, blocks, decodings, drafts=True),
    }
    answered(engine, blocks[:4], decodings[:4], drafts=True)  # warms up, and reads the prefixes
    taken = [{name: measure() for name, measure in methods.items()} for _ in range(asked.repeats)]
    for name in methods:
        best = min((round_[name] for round_ in taken), key=lambda run: run.seconds)
        print(
            f"{name}: {best.seconds:.2f} CPU s for {best.tokens:,} tokens in {len(best.answers):,} answers, "
            f"{best.tokens / best.passes:.2f} tokens a pass"
        )
    without, drafted = (min(round_[name].seconds for round_ in taken) for name in methods)
    same = all(round_["with drafts"].answers == taken[0]["without drafts"].answers for round_ in taken)
    print(f"{without / drafted:.2f} times as fast; {'every' if same else 'NOT every'} completion is the same")


def candidates(count: int) -> list[PromptBlock]:
    """Prompts as a search makes them: the base prompt, then one to three demonstrations, the better ones oftener."""
    base = (MATERIAL / "base_prompt.txt").read_text(encoding="utf-8").rstrip() + "\n\n"
    pool, asked = read_rows(MATERIAL / "pool.jsonl"), read_rows(MATERIAL / "questions.jsonl")
    search = tuple(f"# Query:\n```\n{question['turns'][0]}\n```\n\n# Answer:\n```\n" for question in asked)[:32]
    shown = [
        f"# Query:\n```\n{demonstration['query']}\n```\n\n# Answer:\n```\n{demonstration['answer']}\n```\n\n"
        for demonstration in pool
    ]
    choose = random.Random(0)  # noqa: S311 - no secret
    weights = [1 / (1 + place) for place in range(len(shown))]
    return [
        PromptBlock(base + "".join(dict.fromkeys(choose.choices(shown, weights, k=choose.randint(1, 3)))), search)
        for _ in range(count)
    ]


def answered(engine: TransformersEngine, blocks: list[PromptBlock], decodings: list[Decoding], drafts: bool) -> Taken:
    """All candidates in their order; the next one of the same decoding joins as soon as there is room."""
    engine.forget_answers() if drafts else engine.draft_nothing()
    answers: dict[tuple[int, int], Completion] = {}
    passes, start = 0, time.process_time()
    for decoding in dict.fromkeys(decodings):
        waiting = [job for job, wanted in enumerate(decodings) if wanted == decoding]
        batch, running = engine.batch(decoding), 0
        while waiting or running:
            while waiting and batch.has_room():
                number = waiting.pop(0)
                batch.add(number, blocks[number])
                running += 1
            for message in batch.step():
                running -= isinstance(message, Ended)
                if isinstance(message, Answered) and isinstance(message.answer, Completion):
                    answers[message.job, message.index] = message.answer
                    passes += message.passes
    return Taken(time.process_time() - start, passes, answers)


if __name__ == "__main__":
    main()
