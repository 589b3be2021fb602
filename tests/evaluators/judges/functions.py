"""Judge functions written into a module of their own."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from configs.schema.judge import FunctionJudgeConfig
from evaluators.judge import Verdict
from evaluators.judges.function import FunctionJudge
from evaluators.question import Question

HONEY = Question("q1", ("What do bees make?",))
SOURCE = """
import asyncio

def plain(question, answers, factor=1):
    return factor * len(answers[-1])

async def later(question, answers):
    await asyncio.sleep(0)
    return len(answers[-1]), question.id

def hidden(question, answers):
    return later(question, answers)

def batch(items):
    return [(len(answers[-1]), f"one of {len(items)}") for question, answers in items]

async def batch_later(items):
    return batch(items)

def choosy(items):
    if any("bad" in answers[-1] for _, answers in items):
        raise ValueError("I do not like one of these")
    return [1.0 for _ in items]

def short(items):
    return [1.0]

def raises(question, answers):
    raise KeyError("no such thing")

def says(question, answers):
    return answers[-1]

number = 3
"""

Load = Callable[..., FunctionJudge]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a judge from a module that is written anew each time."""

    def load(name: str, source: str = SOURCE, **knobs: object) -> FunctionJudge:
        (tmp_path / "my_judges.py").write_text(source, encoding="utf-8")
        given = {"kind": "function", "function": f"my_judges:{name}", "folder": tmp_path}
        return FunctionJudge.load(FunctionJudgeConfig.model_validate(given | knobs))

    return load


def outcomes_of(judge: FunctionJudge, *answers: str) -> list[Verdict | BaseException]:
    async def scenario() -> list[Verdict | BaseException]:
        await judge.start()
        try:
            asked = (judge.judge(HONEY, (answer,)) for answer in answers)
            return await asyncio.gather(*asked, return_exceptions=True)
        finally:
            await judge.close()

    return asyncio.run(scenario())
