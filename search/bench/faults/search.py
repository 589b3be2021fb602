"""One small search as the composition root wires it, on a ledger and a journal that are given."""

from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from configs.schema.data import RenderConfig
from configs.schema.scoring import ScoringConfig
from configs.schema.strategy import ExhaustiveGreedyConfig, RandomConfig, SuccessiveHalvingConfig
from evaluators.judge import Judge
from evaluators.ledger.ledger import Ledger
from evaluators.pipeline.panel import PanelMember
from evaluators.pipeline.wiring import Wiring
from evaluators.question import Question
from search.bench.faults.services import BASE, DEMONSTRATION
from search.problem.candidate import OWN
from search.problem.space import SearchSpace
from search.prompts.demonstration import Demonstration
from search.prompts.render import UrialRenderer
from search.prompts.urial import FORMS
from search.run_directory.journal import Journal
from search.running.coordinator import Coordinator
from search.running.scorer import Scorer
from search.strategies.exhaustive_greedy import ExhaustiveGreedy
from search.strategies.random import RandomSearch
from search.strategies.strategy import Strategy
from search.strategies.successive_halving import SuccessiveHalving
from workers.prompt import Decoding
from workers.text_model import TextModel

LEDGER, JOURNAL, TALLY = "ledger.sqlite", "journal.jsonl", "tally.json"
RUN = "simulated"

_DEMONSTRATIONS = [Demonstration(f"d{n}", f"{DEMONSTRATION} {n}?", f"thus: {n}") for n in range(BASE + 5)]
_QUESTIONS = [Question(f"q{n}", (f"question {n}: explain topic {n}",), "all") for n in range(4)]
_UNSEEN = [Question(f"unseen {n}", (f"another question {n}",), "all") for n in range(2)]
_NAMES = tuple(demonstration.id for demonstration in _DEMONSTRATIONS)
_SPACE = SearchSpace(_NAMES[:BASE], _NAMES[BASE:], tuple(question.id for question in _QUESTIONS), 0, 2)


def _random(seed: int) -> Strategy:
    return RandomSearch(_SPACE, RandomConfig(kind="random", trials=6, max_demonstrations=2), seed)


def _greedy(seed: int) -> Strategy:  # noqa: ARG001 -- it draws nothing
    return ExhaustiveGreedy(_SPACE, ExhaustiveGreedyConfig(kind="exhaustive_greedy", max_demonstrations=1))


def _halving(seed: int) -> Strategy:
    config = SuccessiveHalvingConfig(kind="successive_halving", evaluations=24, max_demonstrations=1)
    return SuccessiveHalving(_SPACE, config, seed)


STRATEGIES: tuple[Callable[[int], Strategy], ...] = (_random, _greedy, _halving)


@dataclass(frozen=True, slots=True)
class Storage:
    """What keeps things; parts that are broken on purpose come in here."""

    ledger: Callable[[Path, str, Path], Ledger] = Ledger
    journal: Callable[[Path], Journal] = Journal


@dataclass(frozen=True, slots=True)
class Problem:
    """What stays the same from one process of a search to the next.

    Attributes:
        paid: the model is a service that is paid for each answer.
        repeats: verdicts on each answer.
    """

    strategy: int
    seed: int
    window: int
    paid: bool
    repeats: int
    stop_after_failed: int


async def search(folder: Path, problem: Problem, storage: Storage, model: TextModel, judge: Judge) -> None:
    """Begin or go on with the search in this folder, and end it.

    Raises:
        RunStopped, InputError: as a coordinator does.
    """
    async with AsyncExitStack() as stack:
        stack.push_async_callback(judge.close)
        stack.push_async_callback(model.close)
        card = await model.start()
        ledger = storage.ledger(folder / LEDGER, RUN, folder / TALLY)
        stack.push_async_callback(ledger.close)
        wiring = Wiring(ledger, [PanelMember(judge, repeats=problem.repeats)])
        stack.push_async_callback(wiring.close_judges)
        await wiring.start_judges()
        renderer, price = UrialRenderer(_FORM), (lambda _: 1.0) if problem.paid else None
        scorer = Scorer(
            renderer=renderer,
            rules="You are a helpful assistant.\n",
            demonstrations={demonstration.id: demonstration for demonstration in _DEMONSTRATIONS},
            questions={question.id: question for question in [*_QUESTIONS, *_UNSEEN]},
            evaluator=wiring.evaluator(wiring.answers(model, card, price), renderer.clean),
            decodings={OWN: Decoding(max_new_tokens=300)},
            max_failed_share=0,
        )
        with closing(storage.journal(folder / JOURNAL)) as journal:
            await Coordinator(
                strategy=STRATEGIES[problem.strategy](problem.seed),
                scorer=scorer,
                journal=journal,
                space=_SPACE,
                held_out=[question.id for question in _UNSEEN],
                window=problem.window,
                scoring=ScoringConfig(stop_after_failed=problem.stop_after_failed),
            ).run()


_FORM = FORMS[RenderConfig().template]
