"""A Python function of the user's own.

    async def brief(question: Question, answers: tuple[str, ...], most: int = 100) -> tuple[float, str]:
        return -max(0, len(answers[-1]) - most), "characters too many"

Whatever it raises fails the answer alone, with its text, and so does a call that takes longer than `judge.timeout`.
Edited, it is another judge, and so it is when one of the user's modules is edited that its module imports (see
`evaluators.judge_tools.user_module`).
"""

import asyncio
import inspect
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from numbers import Complex, Real
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from configs.errors import InputError, RunStopped
from configs.plural import show_many
from configs.schema.judge import FunctionJudgeConfig
from evaluators.failures import JudgeFailed
from evaluators.judge import Verdict
from evaluators.judge_tools.micro_batcher import Gatherer
from evaluators.judge_tools.models import Models
from evaluators.judge_tools.user_module import digests, import_module
from evaluators.question import Question
from workers.user_code import UserCodeFailed, UserCodeTooSlow, UserLoop, UserThreads, described

Item = tuple[Question, tuple[str, ...]]
Outcome = Verdict | JudgeFailed
"""What came of one answer."""

LINGER = 0.02
"""Seconds that the first answer of a batch waits for others."""
CLOSING = 30.0
"""Seconds that calls under way are waited for when the judge is closed; one may be paid for."""
LARGEST = 1e15
"""Largest score, so that sums of squares are exact enough."""
_LONGEST = 1_000_000  # characters of words
_NO_NUMBERS = frozenset("cmMSU")  # kinds of numpy's: complex, times, texts


class FunctionJudge:
    """Scores on the function's own scale. Make it with `load`.

    Args:
        sources: digests of its module and of those that it imports, by name.
    """

    def __init__(self, config: FunctionJudgeConfig, function: Callable[..., Any], sources: Mapping[str, str]) -> None:
        self._config = config
        self._function = function
        self._sources = dict(sources)
        self._gatherer: Gatherer[Item, Outcome] = Gatherer(self._judge_all, linger=LINGER, paid=True)
        self._gate = asyncio.Semaphore(config.max_in_flight)
        self._threads, self._loop = UserThreads(), UserLoop()
        self._under_way: set[asyncio.Task[list[Outcome]]] = set()
        self._stuck = 0
        self._closed = False

    @classmethod
    def from_config(cls, config: FunctionJudgeConfig, models: Models) -> Sequence[Self]:  # noqa: ARG003 -- it has none
        """The judge of this config. Raises InputError where it cannot be made."""
        return (cls.load(config),)

    @classmethod
    def load(cls, config: FunctionJudgeConfig) -> Self:
        """Import the module and find the function; it is not called.

        Raises:
            InputError: there is no such thing, or it cannot be called in this way.
        """
        name, _, wanted = config.function.partition(":")
        try:
            module = import_module(name, config.folder)
            function = getattr(module, wanted, None)  # a module may have a __getattr__ of its own
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a module may raise anything while it is imported
            is_there = not isinstance(error, ModuleNotFoundError) or error.name not in {name, name.partition(".")[0]}
            cure = "fix it" if is_there else "install it, or give the folder it stands in as judge.folder"
            raise InputError(
                f"judge.function: the module {name} cannot be imported ({described(error)}); {cure}"
            ) from error
        if not callable(function):
            raise InputError(f"judge.function: {name} has no function {wanted}")
        if not getattr(module, "__file__", None):
            raise InputError(f"judge.function: {name} has no source file, so its version is not known; write one")
        _check_call(function, config, wanted)
        return cls(config, function, digests(name) or {name: _own_digest(module)})

    @property
    def fingerprint(self) -> str:
        knobs = {"kind": "function", "function": self._config.function, "options": self._config.options}
        return json.dumps(knobs | {"sources": self._sources}, sort_keys=True)

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:  # noqa: ARG002 -- takes any
        return None

    async def start(self) -> None:
        self._gate = asyncio.Semaphore(self._config.max_in_flight)  # of the loop that judges

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:  # noqa: ARG002 -- it is asked anew
        if self._config.whole_batch:
            outcome = await self._gatherer.ask((question, answers))
        else:
            (outcome,) = await self._call([(question, answers)])
        if isinstance(outcome, JudgeFailed):
            raise outcome
        return outcome

    async def close(self) -> None:
        self._closed = True
        late = asyncio.get_running_loop().call_later(
            min(CLOSING, self._config.timeout), lambda: [task.cancel() for task in self._under_way]
        )
        await self._gatherer.close()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        late.cancel()
        self._threads.close()
        self._loop.close()

    async def _judge_all(self, items: Sequence[Item]) -> AsyncIterator[tuple[int, Outcome]]:
        for index, outcome in enumerate(await self._call(list(items))):
            yield index, outcome

    async def _call(self, items: list[Item]) -> list[Outcome]:
        async with self._gate:
            if self._closed:
                raise JudgeFailed("the judge has been closed; make a new one to judge again")
            task = asyncio.create_task(self._run(items))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                caller = asyncio.current_task()
                if not task.cancelled() or (caller is not None and caller.cancelling()):
                    raise
                raise JudgeFailed(f"{self._config.function} had not returned when the judge was closed") from None

    async def _run(self, items: list[Item]) -> list[Outcome]:
        """A plain function may block: it runs in a thread. An async one has an event loop of its own."""
        given = (items,) if self._config.whole_batch else items[0]
        work = partial(self._function, *given, **self._config.options)
        name, seconds = self._config.function, self._config.timeout

        async def finish(returned: Any) -> list[Outcome]:
            return self._outcomes(await returned, len(items))

        def begin() -> Any:
            returned = work()
            return returned if inspect.isawaitable(returned) else self._outcomes(returned, len(items))

        try:
            if inspect.iscoroutinefunction(self._function):
                return await self._loop.call(lambda: finish(work()), seconds)
            outcomes = await self._threads.call(begin, seconds)
            return outcomes if isinstance(outcomes, list) else await self._loop.call(lambda: finish(outcomes), seconds)
        except UserCodeTooSlow as error:
            self._stuck += 1
            if self._stuck >= self._config.max_in_flight:
                raise RunStopped(
                    f"{show_many(self._stuck, f'call of {name} has', f'calls of {name} have')} not returned after "
                    f"judge.timeout ({seconds:g} s): fix it or raise judge.timeout, then go on"
                ) from None
            return [JudgeFailed(f"{name} {error} (judge.timeout)") for _ in items]
        except UserCodeFailed as error:
            raise JudgeFailed(f"{name} {error}") from None

    def _outcomes(self, returned: Any, count: int) -> list[Outcome]:
        """What the function returned, one outcome an item."""
        if not self._config.whole_batch:
            return [_outcome(returned)]
        if not isinstance(returned, Sequence) or isinstance(returned, str | bytes) or len(returned) != count:
            advice = f"{self._config.function} must return a list as long as what it was given: fix it"
            return [JudgeFailed(advice) for _ in range(count)]
        return [_outcome(entry) for entry in returned]


def _outcome(returned: Any) -> Outcome:
    score, words = returned if isinstance(returned, tuple) and len(returned) == 2 else (returned, "")
    if isinstance(score, str | bytes) or not isinstance(words, str) or _loses_a_part(score):
        return JudgeFailed(f"the function must return a number, or a number and words, not {_shown(returned)}")
    try:
        number = float(score)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        return JudgeFailed(f"the function must return a number, or a number and words, not {_shown(returned)}")
    if not abs(number) <= LARGEST:
        return JudgeFailed(f"the function must return a finite number of at most {LARGEST:g}, not {_shown(returned)}")
    return Verdict(number, words[:_LONGEST].encode("utf-8", "replace").decode())


def _loses_a_part(score: Any) -> bool:
    """Whether `float` takes less than what is there: of numpy's the real part of a complex number, a time without its
    unit, the number that a text spells."""
    kind = getattr(getattr(score, "dtype", None), "kind", None)
    return kind in _NO_NUMBERS or (isinstance(score, Complex) and not isinstance(score, Real))


def _shown(returned: Any) -> str:
    try:
        return f"{returned!r:.200}".encode("utf-8", "replace").decode()
    except Exception:  # a __repr__ of the user's own, or an integer of too many digits
        return f"something of type {type(returned).__name__}"


def _check_call(function: Callable[..., Any], config: FunctionJudgeConfig, wanted: str) -> None:
    given: tuple[object, ...] = ([],) if config.whole_batch else (None, ())
    try:
        inspect.signature(function).bind(*given, **config.options)
    except (TypeError, ValueError) as error:
        form = "items" if config.whole_batch else "question, answers"
        raise InputError(
            f"judge.function: {wanted}({form}, **options) cannot be called ({error}): fix it, or correct judge.options"
        ) from error


def _own_digest(module: ModuleType) -> str:
    """The digest of a module of an installed package, which has no user's source."""
    return sha256(Path(str(module.__file__)).read_bytes()).hexdigest()
