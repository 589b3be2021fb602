"""One checkout's side of `workers.bench.two_checkouts`, run with that checkout's packages.

A line of JSON comes in and says what to answer; for every further line all of it is answered by a new engine, and a
line of JSON goes out. Only what the engine has had since its first commits is used.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import torch

from workers.engines.transformers_engine import TransformersEngine
from workers.messages import Answered
from workers.prompt import Completion, Decoding, PromptBlock

try:
    from configs.schema.model import ModelConfig
except ImportError:  # of November 2026
    from configs.schema import ModelConfig  # type: ignore[attr-defined, no-redef]


def main() -> None:
    torch.set_num_threads(1)
    asked = json.loads(sys.stdin.readline())
    for _ in sys.stdin:
        print(json.dumps(answered(asked)), flush=True)


def answered(asked: dict[str, Any]) -> dict[str, Any]:
    """CPU seconds, and the answers by candidate and question, each its text, its tokens and how it ended."""
    engine = TransformersEngine.load(ModelConfig(name=asked["model"], device="cpu", dtype="float32"))
    if not asked["drafts"] and hasattr(engine, "draft_nothing"):
        engine.draft_nothing()
    blocks = [PromptBlock(prefix, tuple(suffixes)) for prefix, suffixes in asked["blocks"]]
    decodings = [Decoding(**{**knobs, "stop": tuple(knobs["stop"])}) for knobs in asked["decodings"]]
    answers: dict[str, tuple[str, int, str]] = {}
    start = time.process_time()
    for decoding in dict.fromkeys(decodings):
        waiting = [job for job, wanted in enumerate(decodings) if wanted == decoding]
        under_way: dict[int, int] = {}  # answers due, by job
        batch = engine.batch(decoding)
        while waiting or under_way:
            while waiting and len(under_way) < asked["window"] and batch.has_room():
                job = waiting.pop(0)
                batch.add(job, blocks[job])
                under_way[job] = len(blocks[job].suffixes)
            for message in batch.step():
                if isinstance(message, Answered) and isinstance(message.answer, Completion):
                    answer = message.answer
                    answers[f"{message.job}/{message.index}"] = (answer.text, answer.new_tokens, answer.finish)
                    under_way[message.job] -= 1
                    if not under_way[message.job]:
                        del under_way[message.job]
    return {"seconds": time.process_time() - start, "answers": answers}


if __name__ == "__main__":
    main()
