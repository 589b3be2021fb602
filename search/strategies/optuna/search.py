"""Optuna guides: groups of demonstrations are judged first and leave a shortlist, then it proposes ordered choices.

A proposal walks through the search questions block by block, against the incumbent: the best candidate that has met
all of them. One that is proven worse is pruned, and what its answers would have cost pays for further proposals. Optuna
is told a proposal's mean, seen from the base prompt's on the questions it met.

Pruned proposals are told with that value because two of the three samplers ignore what is told as pruned; and since not
all values in the study are then those of whole candidates, the incumbent is kept here, not by `optuna.pruners`.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil

from configs.schema.strategy import OptunaConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import TOO_LONG, ScoredTrial, Trial
from search.strategies.optuna.slots import SlotStudy
from search.strategies.optuna.warm_start import WarmStart
from search.strategies.parts.elimination import by_test
from search.strategies.parts.leaderboard import Leaderboard
from search.strategies.parts.race import Block
from search.strategies.parts.shortlist import fewer_questions
from search.strategies.parts.successive_races import shuffled_blocks

_GROUP = 8  # demonstrations at most
_SHORTLIST = 16
_SUGGESTED = 1 / 3  # of the proposals that the warm start leaves the budget for are its own best sets
_RANDOM_FIRST = 10  # proposals, without a warm start


class OptunaSearch:
    """See the module's docstring."""

    def __init__(self, space: SearchSpace, config: OptunaConfig, seed: int) -> None:
        self._answers = len(space.questions)
        space = fewer_questions(space, seed)
        self._space, self._config, self._seed = space, config, seed
        self._blocks = shuffled_blocks(space.questions, config.block, seed)
        self._board = Leaderboard()
        self._budget = min(config.trials, space.size(space.min_added))
        self._left = self._budget * len(space.questions)
        self._asked_about: dict[Candidate, set[str]] = {}
        self._warm: WarmStart | None = None
        self._study: SlotStudy | None = None
        self._to_come: dict[Candidate, deque[Block]] = {}
        self._ready: deque[Trial] = deque()
        self._whole: dict[Candidate, float] = {}  # those that guide it: proposals and the base prompt
        self._met: dict[Candidate, set[str]] = {}
        self._exhausted = False

    def ask(self, room: int) -> Sequence[Trial]:
        if self._warm is None:
            return []
        trials: list[Trial] = self._warm.ask(room)
        self._left -= _answers(trials)
        if not trials and self._warm.over:
            study = self._study = self._study or self._new_study(self._warm)
            while len(trials) < room and (trial := self._next(study)) is not None:
                trials.append(trial)
        for trial in trials:
            self._asked_about.setdefault(trial.candidate, set()).update(trial.questions)
        self._answers += _answers(trials)
        return trials

    def _warm_start(self, base: ScoredTrial) -> WarmStart:
        config, space = self._config, self._space
        pointless = config.warm_start == "none" or config.trials >= space.size(space.min_added)
        groups = 0 if pointless else int(config.warm_start_share * self._left / len(self._blocks[0]))
        size = 1 if config.warm_start == "singles" else min(space.max_added, _GROUP)
        return WarmStart(space, base, self._blocks, trials=groups, size=size, keep=self._shortlisted(), seed=self._seed)

    def _shortlisted(self) -> int:
        """The number of demonstrations whose choices outnumber by far what the budget pays for."""
        space, count = self._space, max(_SHORTLIST, 2 * self._space.max_added + 2)
        while count < len(space.pool) and replace(space, pool=space.pool[:count]).size() < 2 * self._config.trials:
            count += 1
        return count

    def _new_study(self, warm: WarmStart) -> SlotStudy:
        suggested = warm.best_sets(ceil(_SUGGESTED * self._left / len(self._space.questions)))
        random_first = 1 if suggested else _RANDOM_FIRST
        study = SlotStudy(
            self._space, warm.shortlist(), sampler=self._config.sampler, random_first=random_first, seed=self._seed
        )
        base = self._space.compose(())
        if base in self._whole:
            study.learn(base, self._whole[base])
        for suggestion in self._suggestions(suggested):
            study.suggest(suggestion)
        return study

    def _suggestions(self, choices: Sequence[tuple[str, ...]]) -> Iterator[Candidate]:
        """The first in every place and every decoding, the base prompt in every decoding, the others as they are."""
        space = self._space
        if choices:
            yield from (space.compose(choices[0], place) for place in space.places)
            yield from (space.compose(choices[0], decoding=decoding) for decoding in space.decodings)
        yield from (space.compose((), decoding=decoding) for decoding in space.decodings)
        yield from (space.compose(choice) for choice in choices[1:])

    def _next(self, study: SlotStudy) -> Trial | None:
        """Proposals on their way come before new ones."""
        while not self._ready and not self._exhausted and self._left >= len(self._space.questions):
            candidate = study.propose(self._incumbent())
            if candidate is None:
                self._exhausted = True
            else:
                self._open(study, candidate)
        return self._ready.popleft() if self._ready else None

    def _open(self, study: SlotStudy, candidate: Candidate) -> None:
        """Set aside what it takes to ask about everything that was not asked about in a group."""
        asked = self._asked_about.get(candidate, set())
        blocks = [tuple(name for name in block if name not in asked) for block in self._blocks]
        self._to_come[candidate] = deque(block for block in blocks if block)
        self._left -= _answers(self._to_come[candidate])
        self._go_on(study, candidate)

    def _go_on(self, study: SlotStudy, candidate: Candidate) -> None:
        if self._to_come[candidate]:
            self._ready.append(Trial(candidate, self._to_come[candidate].popleft()))
            return
        mean = self._board.mean(candidate)
        if mean is not None:
            self._whole[candidate] = mean
        self._close(study, candidate, mean)

    def _close(self, study: SlotStudy, candidate: Candidate, value: float | None) -> None:
        self._left += _answers(self._to_come.pop(candidate))
        study.tell(candidate, value)

    def tell(self, scored: ScoredTrial) -> None:
        self._board.tell(scored)
        candidate = scored.trial.candidate
        self._met.setdefault(candidate, set()).update(scored.trial.questions)
        if self._warm is None:
            self._warm = self._warm_start(scored)
            if scored.mean is not None:
                self._whole[candidate] = scored.mean
        elif self._study is None:
            self._warm.tell(scored)
        elif self._is_hopeless(scored):
            self._close(self._study, candidate, None)
        elif self._is_worse(candidate):
            self._close(self._study, candidate, self._board.mean(candidate))
        else:
            self._go_on(self._study, candidate)

    def _is_hopeless(self, scored: ScoredTrial) -> bool:
        """Too long, or failures leave it without any scores."""
        unscored = scored.mean is None and not self._board.scores(scored.trial.candidate)
        return unscored or TOO_LONG in scored.failures.values()

    def _is_worse(self, candidate: Candidate) -> bool:
        """Proven so against the incumbent, on the questions that both have met."""
        if not (self._config.prune and self._to_come[candidate] and self._whole):
            return False
        both = [self._incumbent(), candidate]
        stay = by_test(self._config.test, self._config.p_value)(
            {candidate: self._board.scores(candidate) for candidate in both}
        )
        return candidate not in stay

    def _incumbent(self) -> Candidate:
        """The best of those that have met all questions."""
        return max(self._whole, key=lambda candidate: self._whole[candidate], default=self._space.compose(()))

    def extend(self, budget: int) -> None:
        """Propose further choices of the shortlist, as many as `budget` trials in all pay for."""
        more = min(budget, self._space.size(self._space.min_added)) - self._budget
        self._budget += more
        self._left += more * len(self._space.questions)
        self._exhausted = False

    def planned(self) -> int:
        to_come = sum(_answers(blocks) for blocks in self._to_come.values()) + _answers(self._ready)
        idle = self._study is not None and not self._to_come and self._left < len(self._space.questions)
        return self._answers + to_come + (0 if idle or self._exhausted else self._left)

    def ranking(self) -> Sequence[Candidate]:
        """The candidates that have met all questions, groups of the warm start among them."""
        asked = len(self._space.questions)
        complete = {
            candidate for candidate, met in self._met.items() if len(met) == asked and self._space.holds(candidate)
        }
        return [candidate for candidate in self._board.ranking() if candidate in complete]

    def stage(self) -> str:
        """What it is doing, in a few words."""
        if self._study is None:
            return "warm start: groups of demonstrations leave a shortlist"
        return "Optuna proposes sets of the shortlist"


def _answers(asked: Iterable[Trial | Block]) -> int:
    return sum(len(block.questions if isinstance(block, Trial) else block) for block in asked)
