"""One small search as the composition root wires it, on a ledger and a journal that are given."""

from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

from configs.schema.data import RenderConfig
from configs.schema.scoring import ScoringConfig
from configs.schema.strategy import ExhaustiveGreedyConfig, RandomConfig, SuccessiveHalvingConfig
from evaluators.judge import Judge
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_spend
from evaluators.ledger.spend import Spend
from evaluators.pipeline.panel import PanelMember
from evaluators.pipeline.wiring import Wiring
from evaluators.question import Question
from search.bench.faults.services import BASE, DEMONSTRATION, Bill, CountingJudge, Model
from search.problem.candidate import OWN
from search.problem.space import SearchSpace
from search.problem.split import HeldOut
from search.prompts.demonstration import Demonstration
from search.prompts.render import UrialRenderer
from search.prompts.urial import FORMS
from search.run_directory.journal import Journal
from search.running.coordinator import Coordinator
from search.running.launch import InLoop
from search.running.scorer import Scorer
from search.strategies.exhaustive_greedy import ExhaustiveGreedy
from search.strategies.random import RandomSearch
from search.strategies.strategy import Strategy
from search.strategies.successive_halving import SuccessiveHalving
from workers.prompt import Decoding
from workers.text_model import TextModel

LEDGER, JOURNAL, TALLY = "ledger.sqlite", "journal.jsonl", "tally.json"
RUN = "simulated"
RULES = "You are a helpful assistant.\n"
FORM = FORMS[RenderConfig().template]

DEMONSTRATIONS = [Demonstration(f"d{n}", f"{DEMONSTRATION} {n}?", f"thus: {n}") for n in range(BASE + 5)]
QUESTIONS = [Question(f"q{n}", (f"question {n}: explain topic {n}",), "all") for n in range(4)]
UNSEEN = [Question(f"unseen {n}", (f"another question {n}",), "all") for n in range(2)]
_NAMES = tuple(demonstration.id for demonstration in DEMONSTRATIONS)
_SPACE = SearchSpace(_NAMES[:BASE], _NAMES[BASE:], tuple(question.id for question in QUESTIONS), 0, 2)


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
    """What keeps things; parts that are broken on purpose come in here.

    Attributes:
        synchronises, keeps_connections: of whole runs, as `ReplacedFiles` and `Network` have it.
    """

    ledger: Callable[[Path, str, Path], Ledger] = Ledger
    journal: Callable[[Path], Journal] = Journal
    synchronises: bool = True
    keeps_connections: bool = False


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


class SearchAlone:
    """A search without the rest of its run, over services that need no network."""

    pondered = 0.0

    def __init__(self, problem: Problem, storage: Storage, favours_base: bool) -> None:
        self.paid = problem.paid
        self._problem, self._storage, self._favours_base = problem, storage, favours_base

    def work(self, path: Path, bill: Bill, draw: Random, ill: float) -> Callable[[InLoop], None]:
        """See `Subject`."""
        model, judge = Model(bill, draw, self._favours_base), CountingJudge(bill, draw)
        model.ill = judge.ill = ill
        return lambda in_loop: in_loop(lambda: search(path, self._problem, self._storage, model, judge), lambda: None)

    def spend(self, path: Path) -> Spend:
        """See `Subject`."""
        return read_spend(path / LEDGER, RUN)

    def standing(self, path: Path) -> object:  # noqa: ARG002 -- nobody looks at it
        """See `Subject`."""
        return None


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
        renderer, price = UrialRenderer(FORM), (lambda _: 1.0) if problem.paid else None
        scorer = Scorer(
            renderer=renderer,
            rules=RULES,
            demonstrations={demonstration.id: demonstration for demonstration in DEMONSTRATIONS},
            questions={question.id: question for question in [*QUESTIONS, *UNSEEN]},
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
                held_out=HeldOut(tuple(question.id for question in UNSEEN)),
                window=problem.window,
                scoring=ScoringConfig(stop_after_failed=problem.stop_after_failed),
            ).run()
