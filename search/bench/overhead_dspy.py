"""W1 by DSPy, run by `search.bench.overhead` with the Python of an environment that has `dspy`: imports none of ours.

The same sizes as ours: 100 candidates of 3 + 1 demonstrations, 80 questions, answers of 1,200 characters, a model that
answers at once, DSPy's own cache in the folder given.
"""

import contextlib
import io
import json
import logging
import os
import resource
import sys
import time
from pathlib import Path

FOLDER, MODE = sys.argv[1], sys.argv[2]
os.environ["DSPY_CACHEDIR"] = FOLDER

import dspy  # noqa: E402 -- reads the variable when imported
from dspy.lm15 import Message, Response, TextPart, Usage  # noqa: E402

logging.disable(logging.CRITICAL)
ANSWER = ("Thank you for asking, here is what I know about it. " * 24)[:1200]
CANDIDATES, QUESTIONS = 100, 80


class Instant:
    """DSPy's engine interface: `complete` answers one request."""

    def __init__(self):
        self.calls = 0

    def complete(self, request):
        self.calls += 1
        reply = f"[[ ## answer ## ]]\n{ANSWER}\n\n[[ ## completed ## ]]"
        usage = Usage(input_tokens=1000, output_tokens=300, total_tokens=1300)
        message = Message.assistant([TextPart(reply)])
        return Response(id=None, model="instant", message=message, finish_reason="stop", usage=usage)

    def stream(self, request):
        raise NotImplementedError("DSPy never streams here")

    def close(self):
        pass


class Answering(dspy.Signature):
    """You are a helpful assistant."""

    query: str = dspy.InputField()
    answer: str = dspy.OutputField()


def main():
    engine = Instant()
    dspy.configure(lm=dspy.LM("instant/instant", engine=engine, temperature=0.0, max_tokens=300, cache=True))
    asked = [
        dspy.Example(query=f"question {n}: explain topic {n} with an example").with_inputs("query")
        for n in range(QUESTIONS)
    ]
    demos = [dspy.Example(query=f"demonstration {n}, how do I do it?", answer=ANSWER) for n in range(CANDIDATES + 3)]
    score = dspy.Evaluate(devset=asked, metric=lambda _, prediction: len(prediction.answer) / 2000, num_threads=8)
    names = ["cold", "warm"] if MODE == "cold+warm" else ["new"]
    print(json.dumps({"passes": [one_pass(name, engine, score, demos) for name in names]}))


def one_pass(name, engine, score, demos):
    calls, wall, cpu = engine.calls, time.perf_counter(), cpu_seconds()
    with contextlib.redirect_stdout(io.StringIO()):
        for candidate in range(CANDIDATES):
            program = dspy.Predict(Answering)
            program.demos = [*demos[:3], demos[3 + candidate]]
            score(program)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    evaluations = CANDIDATES * QUESTIONS
    disk = sum(file.stat().st_size for file in Path(FOLDER).rglob("*") if file.is_file())
    return {
        "system": f"dspy {dspy.__version__}",
        "name": name,
        "evaluations": evaluations,
        "cpu_ms": 1000 * cpu / evaluations,
        "per_second": evaluations / wall,
        "calls": engine.calls - calls,
        "disk_bytes": disk / evaluations,
    }


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
