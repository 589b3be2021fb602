"""The loop: asked order, window, replay, clean stops."""

import asyncio
import contextlib
import json
import random
import re
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.errors import InputError, RunStopped
from configs.schema.scoring import ScoringConfig
from configs.schema.strategy import (
    ExhaustiveGreedyConfig,
    LocalSearchConfig,
    OptunaConfig,
    RandomConfig,
    ScreeningConfig,
)
from evaluators.failures import JudgeFailed
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_spend
from evaluators.question import Question
from search.live.snapshot import Position
from search.problem.candidate import OWN, Candidate
from search.problem.space import SearchSpace
from search.problem.split import HeldOut
from search.problem.trial import ScoredTrial, Trial
from search.prompts.demonstration import Demonstration
from search.prompts.render import UrialRenderer
from search.prompts.urial import BACKTICKS
from search.results.journal_results import JournalResults
from search.results.stored_answers import read_stored_answers
from search.run_directory.file_formats import Extension
from search.run_directory.journal import Journal, OtherEnd, read_journal
from search.run_directory.records import EndRecord, JournalRecord, TrialRecord
from search.running.coordinator import Coordinator
from search.running.scorer import Scorer
from search.strategies.complete_finalists import CompleteFinalists
from search.strategies.exhaustive_greedy import ExhaustiveGreedy
from search.strategies.local_search import LocalSearch
from search.strategies.optuna.search import OptunaSearch
from search.strategies.random import RandomSearch
from search.strategies.screening import Screening
from search.strategies.strategy import Strategy
from tests.fake_judge import FakeJudge
from tests.fakes import ScriptedModel, echo
from tests.plain_evaluator import GREEDY, plain_evaluator
from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import Completion, Decoding, PromptBlock

HOT = replace(GREEDY, temperature=0.7)
SEARCH = tuple(f"q{number}" for number in range(4))
HELD_OUT = ("h1", "h2", "h3")
SPACE = SearchSpace(("base",), tuple("abcdef"), SEARCH, 0, 2)
NAMES = (*SPACE.base, *SPACE.pool)

STRATEGIES: dict[str, Callable[[], Strategy]] = {
    "greedy": lambda: ExhaustiveGreedy(
        SPACE, ExhaustiveGreedyConfig(kind="exhaustive_greedy", max_demonstrations=2, stop_without_gain=False)
    ),
    "random": lambda: RandomSearch(SPACE, RandomConfig(kind="random", max_demonstrations=2, trials=12), 3),
    "screening": lambda: Screening(
        SPACE, ScreeningConfig(kind="screening", max_demonstrations=2, evaluations=60, block=3), 3
    ),
    "screening, drift checked": lambda: CompleteFinalists(
        Screening(SPACE, ScreeningConfig(kind="screening", max_demonstrations=2, evaluations=60, block=2), 3),
        SPACE,
        3,
        checks=2,
    ),
    "screening, a cheap judge first": lambda: CompleteFinalists(
        Screening(
            SPACE,
            ScreeningConfig(kind="screening", max_demonstrations=2, evaluations=40, block=3),
            3,
            has_screening_judge=True,
        ),
        SPACE,
        3,
    ),
    "optuna": lambda: OptunaSearch(
        SPACE, OptunaConfig(kind="optuna", max_demonstrations=2, sampler="tpe", trials=14), 3
    ),
}


class Killed(BaseException):
    """Stands for whatever ends the process at once."""


class WaitingJournal(Journal):
    """Writes no line before the event loop that it was opened in has taken another step."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._loop = asyncio.get_running_loop()

    def append(self, record: JournalRecord, *, goes_on: bool = False) -> None:
        stepped = threading.Event()
        self._loop.call_soon_threadsafe(stepped.set)
        assert stepped.wait(10), "the event loop waits for the journal"
        super().append(record, goes_on=goes_on)


async def search(
    folder: Path,
    strategy: Strategy,
    model: ScriptedModel,
    judge: FakeJudge,
    window: int = 4,
    sure: float = 0.0,
    extensions: Sequence[Extension] = (),
    *,
    ends: list[Position] | None = None,
    make_journal: Callable[[Path], Journal] = Journal,
) -> None:
    ledger, journal = Ledger(folder / "ledger", "run"), make_journal(folder / "journal")
    renderer = UrialRenderer(BACKTICKS)
    wiring, evaluator = plain_evaluator(ledger, model, judge, clean=renderer.clean, screening=FakeJudge(length))
    scorer = Scorer(
        renderer=renderer,
        rules="rules\n",
        demonstrations={name: Demonstration(name, f"query {name}", f"answer {name}") for name in NAMES},
        questions={name: Question(name, (f"question {name}",)) for name in (*SEARCH, *HELD_OUT)},
        evaluator=evaluator,
        decodings={OWN: GREEDY, "hot": HOT},
        max_failed_share=0.3,
    )
    coordinator = Coordinator(
        strategy=strategy,
        scorer=scorer,
        journal=journal,
        space=SPACE,
        held_out=HeldOut(HELD_OUT),
        window=window,
        scoring=ScoringConfig(min_win_probability=sure, stop_after_failed=3),
    )
    try:
        await coordinator.run(extensions)
        if ends is not None:
            ends.append(coordinator.position())
    finally:
        await wiring.close_judges()
        await ledger.close()
        journal.close()


def length(question: Question, answer: str) -> float:
    """What a cheap judge may like, on a scale of its own."""
    return 100.0 * len(answer) + len(question.id)


def run(folder: Path, name: str = "greedy", model: ScriptedModel | None = None, judge: FakeJudge | None = None) -> str:
    folder.mkdir(exist_ok=True)
    asyncio.run(search(folder, STRATEGIES[name](), model or ScriptedModel(), judge or FakeJudge()))
    return (folder / "journal").read_text()


def read(path: Path) -> tuple[list[TrialRecord], EndRecord]:
    """The journal of a search that has ended."""
    *trials, end = read_journal(path)
    assert isinstance(end, EndRecord)
    return [record for record in trials if isinstance(record, TrialRecord)], end


def test_the_event_loop_goes_on_while_a_line_of_the_journal_is_written(tmp_path: Path) -> None:
    for name in ("waiting", "other"):
        (tmp_path / name).mkdir()
    parts = STRATEGIES["random"](), ScriptedModel(), FakeJudge()
    asyncio.run(search(tmp_path / "waiting", *parts, make_journal=WaitingJournal))
    assert (tmp_path / "waiting" / "journal").read_text() == run(tmp_path / "other", "random")


def in_any_order(seed: int, gives_up_after: int | None = None) -> ScriptedModel:
    """A model whose completions take random turns, and which is killed after some of them."""
    draw, left = random.Random(seed), gives_up_after
    model = ScriptedModel()

    async def pause() -> None:
        nonlocal left
        for _ in range(draw.randrange(5)):
            await asyncio.sleep(0)
        if left is not None:
            left -= 1
            if left <= 0:
                raise Killed

    model.pause = pause
    return model


@pytest.fixture(scope="module", params=STRATEGIES)
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A strategy's name, and a search by it whose blocks finish in the order in which they are asked."""
    name, folder = str(request.param), tmp_path_factory.mktemp("undisturbed")
    run(folder, name)
    return name, folder


def test_the_journal_does_not_depend_on_which_block_finishes_first(
    undisturbed: tuple[str, Path], tmp_path: Path
) -> None:
    name, whole = undisturbed
    journals = {run(tmp_path / str(seed), name, in_any_order(seed)) for seed in range(3)}
    assert journals == {(whole / "journal").read_text()}


@pytest.mark.heavy
@settings(max_examples=8)
@given(kills=st.lists(st.integers(1, 60), max_size=4), seed=st.integers(0, 99))
def test_a_killed_and_resumed_search_is_the_search_that_was_never_killed(
    undisturbed: tuple[str, Path], kills: list[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (name, whole), killed = undisturbed, tmp_path_factory.mktemp("killed")
    for number, after in enumerate(kills):
        with contextlib.suppress(Killed, BaseExceptionGroup):
            run(killed, name, in_any_order(seed + number, after))
    assert run(killed, name, in_any_order(seed)) == (whole / "journal").read_text()
    assert read_spend(killed / "ledger", "run") == read_spend(whole / "ledger", "run")


def test_a_finished_search_is_replayed_without_a_model_or_a_judge(tmp_path: Path) -> None:
    first = run(tmp_path)
    model, judge = ScriptedModel(), FakeJudge()
    assert run(tmp_path, model=model, judge=judge) == first
    assert (model.asked, judge.calls) == ([], [])


def test_a_resumed_search_still_knows_the_largest_gain_of_a_best_so_far(tmp_path: Path) -> None:
    ends: list[Position] = []
    for _ in range(2):  # the second time all comes from the journal
        parts = STRATEGIES["screening"](), ScriptedModel(), FakeJudge()
        asyncio.run(search(tmp_path, *parts, ends=ends))
    first, again = ends
    assert first.highest is not None
    assert first.highest == again.highest
    assert again.replayed > 0


def test_a_finished_search_whose_end_an_earlier_version_computed_otherwise_stays_as_it_is(tmp_path: Path) -> None:
    first = run(tmp_path)
    _, end = read(tmp_path / "journal")
    earlier = first.replace(f'"win_probability":{end.win_probability}', '"win_probability":0.123')
    assert earlier != first
    earlier = re.sub(r',"checksum":\d+', "", earlier)
    (tmp_path / "journal").write_text(earlier)
    assert run(tmp_path) == earlier


def test_winner_runner_up_and_base_are_judged_on_questions_the_search_never_saw(tmp_path: Path) -> None:
    run(tmp_path)
    trials, end = read(tmp_path / "journal")
    held_out = [record for record in trials if record.side == "held_out"]
    assert all(set(record.scored.scores) == set(HELD_OUT) for record in held_out)
    assert [record.candidate for record in held_out] == [end.winner, end.runner_up, Candidate(("base",))]
    assert all(set(record.scored.scores) == set(SEARCH) for record in trials if record.side == "search")


class OneHot:
    """Tries one candidate, in a decoding of its own, and ranks it first."""

    def __init__(self) -> None:
        self._found = Candidate(("a", "base"), "hot")
        self._asked = self._told = 0

    def ask(self, room: int) -> Sequence[Trial]:
        self._asked += 1
        return [Trial(self._found, SEARCH)] if self._asked == 1 else []

    def tell(self, scored: ScoredTrial) -> None:
        self._told += 1

    def planned(self) -> int:
        return 2 * len(SEARCH)

    def ranking(self) -> Sequence[Candidate]:
        return [self._found, Candidate(("base",))] if self._told else []


class NoHotBase(ScriptedModel):
    """Cannot answer behind the base prompt in the hot decoding."""

    async def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:
        if decoding == HOT and "query a" not in block.prefix:
            raise GenerationFailed("no hot base")
        async for answer in super().generate(block, decoding):
            yield answer


@pytest.mark.parametrize("model", [ScriptedModel, NoHotBase])
def test_a_winner_in_another_decoding_meets_the_base_prompt_in_it_which_decides_nothing(
    model: type[ScriptedModel], tmp_path: Path
) -> None:
    asyncio.run(search(tmp_path, OneHot(), model(), FakeJudge()))
    trials, end = read(tmp_path / "journal")
    hot, base, control = Candidate(("a", "base"), "hot"), Candidate(("base",)), Candidate(("base",), "hot")
    held_out = [record for record in trials if record.side == "held_out"]
    assert [record.candidate for record in held_out] == [hot, base, control]
    assert (held_out[-1].scored.mean is None) == (model is NoHotBase)
    assert (end.winner, end.runner_up) == (hot, base)


def test_what_is_not_proven_better_than_the_base_prompt_is_only_the_runner_up(tmp_path: Path) -> None:
    run(tmp_path / "any")
    _, found = read(tmp_path / "any" / "journal")
    (tmp_path / "proven").mkdir()
    asyncio.run(search(tmp_path / "proven", STRATEGIES["greedy"](), ScriptedModel(), FakeJudge(), sure=0.999))
    _, kept = read(tmp_path / "proven" / "journal")
    assert found.win_probability is not None
    assert found.win_probability < 0.999
    expected = (None, found.expected[0])
    assert kept == EndRecord(Candidate(("base",)), found.winner, found.win_probability, expected)
    assert found.expected[0] is not None


def test_a_failure_that_lasts_is_told_again_as_it_was(tmp_path: Path) -> None:
    def poison(prompt: str) -> str | Exception:
        return PromptTooLong(9, 9, 9) if "query c" in prompt else "fine"

    first = run(tmp_path, model=ScriptedModel(poison))
    trials, _ = read(tmp_path / "journal")
    assert any(record.scored.mean is None for record in trials)
    assert run(tmp_path, model=ScriptedModel()) == first


def test_another_strategy_on_an_old_journal_is_refused_with_the_difference(tmp_path: Path) -> None:
    run(tmp_path, "greedy")
    with pytest.raises(InputError, match="a different path from the one in its journal"):
        run(tmp_path, "random")


def test_a_base_prompt_that_cannot_be_scored_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(
        RunStopped, match=r"base prompt could not be scored, 4 of 4 questions failed \(broken\): fix that"
    ):
        run(tmp_path, model=ScriptedModel(lambda _: GenerationFailed("broken")))
    assert run(tmp_path) == run(tmp_path.parent / "whole")


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_base_prompt_that_is_too_long_stops_the_run(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunStopped, match="too long for the model: start a new run with a shorter one"):
        run(tmp_path, name, model=ScriptedModel(context_tokens=20))
    assert [*read_journal(tmp_path / "journal")] == []


def test_candidates_that_fail_in_a_row_stop_the_run(tmp_path: Path) -> None:
    def broken(prompt: str) -> str | Exception:
        return GenerationFailed("broken") if prompt.count("# Query") > 2 else "fine"

    with pytest.raises(RunStopped, match="3 trials in a row"):
        run(tmp_path, model=ScriptedModel(broken))


def test_candidates_that_failed_before_a_stop_are_tried_again(tmp_path: Path) -> None:
    def broken(prompt: str) -> str | Exception:
        return GenerationFailed("broken") if prompt.count("# Query") > 2 else echo(prompt, Decoding(60)).text

    with pytest.raises(RunStopped):
        run(tmp_path / "stopped", model=ScriptedModel(broken))
    assert run(tmp_path / "stopped") == run(tmp_path / "whole")


def test_candidates_that_are_too_long_never_stop_a_run(tmp_path: Path) -> None:
    model = ScriptedModel(context_tokens=90)  # words: room for one added demonstration, not for two
    run(tmp_path, model=model)
    trials, end = read(tmp_path / "journal")
    assert len(end.winner) <= 2
    assert {cause for record in trials for cause in record.scored.failures.values()} == {"PromptTooLong"}


def test_a_candidate_that_is_too_long_is_no_sign_that_failed_ones_were_at_fault(tmp_path: Path) -> None:
    def sometimes_too_long(down: bool) -> ScriptedModel:
        def answer(prompt: str) -> str | Exception:
            if any(f"query {name}\n" in prompt for name in "bd"):
                return PromptTooLong(99, 1, 90)
            broken = down and prompt.count("# Query") > 2
            return GenerationFailed("broken") if broken else echo(prompt, Decoding(60)).text

        return ScriptedModel(answer)

    with pytest.raises(RunStopped, match="3 trials in a row"):
        run(tmp_path / "stopped", model=sometimes_too_long(down=True))
    whole = run(tmp_path / "whole", model=sometimes_too_long(down=False))
    assert run(tmp_path / "stopped", model=sometimes_too_long(down=False)) == whole


def test_an_outage_in_the_held_out_phase_stops_the_run_and_resume_repairs_it(tmp_path: Path) -> None:
    failing = FakeJudge(failing={name: JudgeFailed("503") for name in ("h1", "h2")})
    with pytest.raises(RunStopped, match="a finalist could not be scored on held-out questions, 2 of 3"):
        run(tmp_path / "stopped", judge=failing)
    assert run(tmp_path / "stopped") == run(tmp_path / "whole")


class Counting:
    """Wraps a strategy and remembers how much was asked but not told."""

    def __init__(self, inner: Strategy) -> None:
        self.inner, self.open, self.most = inner, 1, 0

    def ask(self, room: int) -> Sequence[Trial]:
        asked = self.inner.ask(room)
        self.open += len(asked)
        self.most = max(self.most, self.open)
        return asked

    def tell(self, scored: ScoredTrial) -> None:
        self.open -= 1
        self.inner.tell(scored)

    def planned(self) -> int:
        return self.inner.planned()

    def ranking(self) -> Sequence[Candidate]:
        return self.inner.ranking()


def test_the_window_is_filled_and_never_exceeded(tmp_path: Path) -> None:
    counting = Counting(STRATEGIES["random"]())
    asyncio.run(search(tmp_path, counting, ScriptedModel(), FakeJudge(), window=5))
    assert counting.most == 5


def test_the_journal_holds_no_time_and_no_worker(tmp_path: Path) -> None:
    run(tmp_path)
    lines = map(json.loads, (tmp_path / "journal").read_text().splitlines())
    fields = {field for line in lines for field in line}
    results = {"mean", "scores", "failures", "lengths", "keys", "leaders"}
    assert fields == {"journal", "search", "held_out", "end", "checksum"} | results


def test_a_record_has_the_keys_of_the_answers_and_verdicts_that_its_scores_rest_on(tmp_path: Path) -> None:
    run(tmp_path)
    trials, _ = read(tmp_path / "journal")
    for record in trials:
        answers = read_stored_answers(tmp_path / "ledger", record.scored.keys, str.strip)
        assert {name: answer.verdicts[0].score for name, answer in answers.items()} == record.scored.scores
        assert {name: len(answer.answers[0]) for name, answer in answers.items()} == record.scored.lengths


def outage_of_the_last_trials(after: int) -> ScriptedModel:
    """A model that answers so many prompts and then fails."""
    left = after

    def answer(prompt: str) -> str | Exception:
        nonlocal left
        left -= 1
        return f"answer to {prompt}" if left >= 0 else GenerationFailed("the machine is being repaired")

    return ScriptedModel(answer)


@pytest.mark.parametrize("after", [20, 40, 47])
def test_failures_that_have_passed_are_tried_again_wherever_they_stand(after: int, tmp_path: Path) -> None:
    well = ScriptedModel(lambda prompt: f"answer to {prompt}")
    whole = run(tmp_path / "whole", "random", well)
    with contextlib.suppress(RunStopped):
        run(tmp_path / "ill", "random", outage_of_the_last_trials(after))
    assert run(tmp_path / "ill", "random", ScriptedModel(lambda prompt: f"answer to {prompt}")) == whole


def test_a_failure_in_the_middle_that_has_passed_is_as_if_it_had_not_happened(tmp_path: Path) -> None:
    def answer(prompt: str) -> str | Exception:
        ill = prompt.endswith("question q2\n# Answer:\n```\n") or "query c" in prompt
        return GenerationFailed("a moment of weakness") if ill else f"answer to {prompt}"

    well = ScriptedModel(lambda prompt: f"answer to {prompt}")
    whole = run(tmp_path / "whole", "screening", well)
    ill = run(tmp_path / "ill", "screening", ScriptedModel(answer))
    assert ill != whole
    again = ScriptedModel(lambda prompt: f"answer to {prompt}")
    assert run(tmp_path / "ill", "screening", again) == whole
    asked = len(again.asked)
    assert run(tmp_path / "ill", "screening", again) == whole
    assert len(again.asked) == asked


def test_a_finished_search_whose_failures_last_stays_as_it_is(tmp_path: Path) -> None:
    def answer(prompt: str) -> str | Exception:
        return GenerationFailed("for ever") if "query c" in prompt else f"answer to {prompt}"

    first = run(tmp_path / "run", "random", ScriptedModel(answer))
    assert "GenerationFailed" in first
    assert run(tmp_path / "run", "random", ScriptedModel(answer)) == first


EXTENSIBLE = {"random": 20, "screening": 100, "optuna": 20, "local": 120}


def extended(
    folder: Path, name: str, extensions: Sequence[Extension], model: ScriptedModel | None = None
) -> tuple[str, int]:
    """The journal, and how many prompts the model was asked."""
    model = model or ScriptedModel()
    folder.mkdir(exist_ok=True)
    config = LocalSearchConfig(kind="local_search", max_demonstrations=2, evaluations=60, block=2)
    strategy = LocalSearch(SPACE, config, 3) if name == "local" else STRATEGIES[name]()
    asyncio.run(search(folder, CompleteFinalists(strategy, SPACE, 3), model, FakeJudge(), extensions=extensions))
    return (folder / "journal").read_text(), sum(len(block.suffixes) for block in model.asked)


@pytest.mark.parametrize("name", EXTENSIBLE)
def test_an_extended_search_goes_on_where_it_ended_and_pays_for_nothing_twice(name: str, tmp_path: Path) -> None:
    before, first = extended(tmp_path / "run", name, ())
    after, second = extended(tmp_path / "run", name, [Extension(budget=EXTENSIBLE[name], after_end=True)])
    assert after.startswith(before)
    assert len(after) > len(before)
    assert read_spend(tmp_path / "run" / "ledger", "run").generated == first + second


def test_an_end_that_this_version_would_not_choose_stands_behind_an_extension_and_is_refused_elsewhere(
    tmp_path: Path,
) -> None:
    extended(tmp_path / "run", "random", ())
    *trials, end = (tmp_path / "run" / "journal").read_text().splitlines()
    then = json.loads(end)["end"]
    swapped = then | {"winner": then["runner_up"], "runner_up": then["winner"]}
    other = json.dumps({"end": swapped}, separators=(",", ":"))
    before = "\n".join([*trials, other, ""])
    (tmp_path / "run" / "journal").write_text(before)
    with pytest.raises(OtherEnd, match="another choice at the end"):
        extended(tmp_path / "run", "random", ())
    extension = [Extension(budget=EXTENSIBLE["random"], after_end=True)]
    after, _ = extended(tmp_path / "run", "random", extension)
    assert after.startswith(before)
    assert len(after) > len(before)
    assert extended(tmp_path / "run", "random", extension) == (after, 0)


@pytest.mark.parametrize("name", ["screening", "optuna"])
def test_an_extended_search_that_is_killed_and_resumed_is_the_one_that_never_was(name: str, tmp_path: Path) -> None:
    extension = [Extension(budget=EXTENSIBLE[name], after_end=True)]
    whole, _ = extended(tmp_path / "whole", name, extension)
    for seed, after in enumerate((30, 70, 110)):
        with contextlib.suppress(Killed, BaseExceptionGroup):
            extended(tmp_path / "killed", name, extension, in_any_order(seed, after))
    assert extended(tmp_path / "killed", name, extension)[0] == whole


def test_a_search_extended_before_its_end_meets_held_out_questions_once(tmp_path: Path) -> None:
    extended(tmp_path / "run", "random", [Extension(budget=20, after_end=False)])
    trials, _ = read(tmp_path / "run" / "journal")
    sides = [record.side for record in trials]
    assert sides == sorted(sides, reverse=True)  # all search, then all held out


def test_answers_of_the_base_prompt_are_judged_again_and_count_once_for_its_score(tmp_path: Path) -> None:
    drawn = count()
    judge = FakeJudge(lambda *_: float(next(drawn)))
    run(tmp_path, "screening, drift checked", judge=judge)
    trials, _ = read(tmp_path / "journal")
    checks = [one.scored for one in trials if one.scored.trial.again]
    assert [len(one.scores) for one in checks] == [2, 2]
    assert {one.trial.candidate for one in checks} == {SPACE.compose(())}
    first = trials[0].scored
    for one in checks:
        assert all(one.scores[name] != first.scores[name] for name in one.scores)
        assert all(one.keys[name] != first.keys[name] for name in one.scores)
    results = JournalResults()
    for record in trials:
        results.add(record)
    assert results.search[SPACE.compose(())].scores == first.scores
