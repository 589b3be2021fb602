"""A Python function of the user's own.

    async def brief(question: Question, answers: tuple[str, ...], most: int = 100) -> tuple[float, str]:
        return -max(0, len(answers[-1]) - most), "characters too many"

Whatever it raises fails the answer alone, with its text. Edited, it is another judge: its whole module's source is part
of the fingerprint, and what the function imports is not.
"""

import asyncio
import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from configs.errors import InputError
from configs.schema.judge import FunctionJudgeConfig
from evaluators.failures import JudgeFailed
from evaluators.judge import Verdict
from evaluators.judge_tools.micro_batcher import Gatherer
from evaluators.question import Question

Item = tuple[Question, tuple[str, ...]]

LINGER = 0.02
"""Seconds that the first answer of a batch waits for others."""


class FunctionJudge:
    """Scores on the function's own scale. Make it with `load`.

    Args:
        source: of its module.
    """

    def __init__(self, config: FunctionJudgeConfig, function: Callable[..., Any], source: bytes) -> None:
        self._config = config
        self._function = function
        self._source = sha256(source).hexdigest()
        self._gatherer: Gatherer[Item, Any] = Gatherer(self._judge_all, linger=LINGER, paid=True)
        self._gate = asyncio.Semaphore(config.max_in_flight)
        self._threads = ThreadPoolExecutor(config.max_in_flight, "judge")  # asyncio's own are few, and others need them
        self._under_way: set[asyncio.Task[Any]] = set()
        self._closed = False

    @classmethod
    def load(cls, config: FunctionJudgeConfig) -> Self:
        """Import the module and find the function; it is not called.

        Raises:
            InputError: there is no such thing, or it cannot be called in this way.
        """
        name, _, wanted = config.function.partition(":")
        module = _imported(name, config.folder)
        function = getattr(module, wanted, None)
        if not callable(function):
            raise InputError(f"judge.function: {name} has no function {wanted}")
        if not getattr(module, "__file__", None):
            raise InputError(f"judge.function: {name} has no source file, so its version is not known; write one")
        given: tuple[object, ...] = ([],) if config.whole_batch else (None, ())
        try:
            inspect.signature(function).bind(*given, **config.options)
        except TypeError as error:
            form = "items" if config.whole_batch else "question, answers"
            raise InputError(
                f"judge.function: {wanted}({form}, **options) cannot be called ({error}): mend it, or judge.options"
            ) from error
        return cls(config, function, Path(str(module.__file__)).read_bytes())

    @property
    def fingerprint(self) -> str:
        knobs = {"kind": "function", "function": self._config.function, "options": self._config.options}
        return json.dumps(knobs | {"source": self._source}, sort_keys=True)

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:  # noqa: ARG002 -- takes any
        return None

    async def start(self) -> None:
        self._gate = asyncio.Semaphore(self._config.max_in_flight)  # of the loop that judges

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:  # noqa: ARG002 -- it is asked anew
        if self._config.whole_batch:
            return _verdict(await self._gatherer.ask((question, answers)))
        return _verdict(await self._call(question, answers))

    async def close(self) -> None:
        self._closed = True
        await self._gatherer.close()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._threads.shutdown(wait=False)

    async def _judge_all(self, items: Sequence[Item]) -> AsyncIterator[tuple[int, Any]]:
        returned = await self._call(list(items))
        if not isinstance(returned, Sequence) or len(returned) != len(items):
            raise JudgeFailed(f"{self._config.function} must return a list as long as what it was given: mend it")
        for index, one in enumerate(returned):
            yield index, one

    async def _call(self, *given: object) -> Any:
        async with self._gate:
            if self._closed:
                raise JudgeFailed("the judge has been closed; make a new one to judge again")
            task = asyncio.create_task(self._run(*given))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            return await asyncio.shield(task)

    async def _run(self, *given: object) -> Any:
        """A plain function may block: it runs in a thread."""
        try:
            if inspect.iscoroutinefunction(self._function):
                return await self._function(*given, **self._config.options)
            work = partial(self._function, *given, **self._config.options)
            returned = await asyncio.get_running_loop().run_in_executor(self._threads, work)
            return await returned if inspect.isawaitable(returned) else returned
        except Exception as error:
            raise JudgeFailed(f"{self._config.function} raised {type(error).__name__}: {error}") from error


def _verdict(returned: Any) -> Verdict:
    score, words = returned if isinstance(returned, tuple) and len(returned) == 2 else (returned, "")
    try:
        if isinstance(score, str) or not isinstance(words, str):
            raise TypeError
        return Verdict(float(score), words)
    except (TypeError, ValueError):
        raise JudgeFailed(f"the function must return a number, or a number and words, not {returned!r:.200}") from None


def _imported(name: str, folder: Path | None) -> ModuleType:
    try:
        if folder is None:
            return importlib.import_module(name)
        return _from_folder(name, folder)
    except Exception as error:  # a module may raise anything while it is imported
        raise InputError(
            f"judge.function: the module {name} cannot be imported ({type(error).__name__}: {error}); install it, or "
            "give the folder it stands in as judge.folder"
        ) from error


def _from_folder(name: str, folder: Path) -> ModuleType:
    """Read anew each time, so that the code is that of the digest, also where another module has the same name."""
    spec = importlib.util.spec_from_file_location(name, folder.joinpath(*name.split(".")).with_suffix(".py"))
    assert spec is not None
    assert spec.loader is not None
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))  # for what it imports from beside itself
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
