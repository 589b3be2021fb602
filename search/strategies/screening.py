"""Group screening, then tempered Thompson sampling over ordered sets, then a race: the search to take first.

Groups of demonstrations are judged on blocks of questions, so that one judgement informs all demonstrations of its
group; `search.statistics.effects` tells them apart. The demonstrations that are dealt into groups become fewer as the
posterior learns. From then on sets are proposed: the best set of a posterior draw whose deviation from the mean is
halved, at times in a random order. At the end the leaders, their neighbours and the likeliest set race.

Group screening: Dorfman 1943; successive halving: Karnin et al. 2013; Thompson sampling: Russo et al. 2018. Shares of
the budget and the temper were chosen on `search.bench.strategies`.
"""

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from configs.schema.strategy import ScreeningConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import TOO_LONG, ScoredTrial, Trial
from search.statistics.best_set import KnownEffects, known_effects, neighbours
from search.statistics.effects import USUAL_SPREAD, EffectsModel
from search.statistics.effects_posterior import Fit
from search.statistics.observed_scores import Floats, ObservedScores, OrderedSet
from search.strategies.parts.drift_checks import DriftChecks
from search.strategies.parts.met_questions import MetQuestions
from search.strategies.parts.screening_budget import FINALISTS, GROUPS, SETS, Stage, answers_to_ask_for, stage_at
from search.strategies.parts.shortlist import fewer_questions

_GROUP = 8
_SMALLER_EVERY = 3  # groups; what only sets of one kind do is hidden in large groups
_TEMPER = 0.5
_RANDOM_ORDER = 0.25
_GROWTH = 1.2  # hyperparameters are sought anew when so many times more has been told
_WIDER = 1.5  # times the base prompt's spread
_DRAWS = 64
_RACERS = (6, 4, 3, 2)
_FINALISTS, _FINAL_SHARE = 2, 2  # a finalist's questions are at most half of the budget


class Screening:
    """See the module's docstring.

    Args:
        embedding: of the space's pool, [N, p], in its order; None without.
        hints: what may tell effects of each of the pool, [N, any], in any unit; None without.
    """

    def __init__(
        self,
        space: SearchSpace,
        config: ScreeningConfig,
        seed: int,
        embedding: Floats | None = None,
        hints: Floats | None = None,
    ) -> None:
        self._base_answers = len(space.questions)
        self._space, self._config = fewer_questions(space, seed), config
        self._draw = np.random.default_rng(seed)
        self._embedding, self._hints = embedding, hints
        self._number = {name: number for number, name in enumerate(self._space.pool)}
        self._question = {name: number for number, name in enumerate(self._space.questions)}
        self._required = tuple(self._number[name] for name in self._space.required)
        self._block = min(config.block, len(self._space.questions))
        self._plan_for(answers_to_ask_for(config, self._space, self._base_answers))
        self._scores = ObservedScores()
        self._met = MetQuestions(len(self._space.pool), len(self._space.questions), self._block, self._draw)
        self._broken: set[OrderedSet] = set()
        self._queue: deque[Trial] = deque()
        self._sent = self._told = self._answers = self._dealt = 0
        self._climbed = -1
        self._model: EffectsModel | None = None
        self._fit: Fit | None = None
        self._ranking: list[Candidate] = []
        self._ended = False
        self._checks = DriftChecks(space.compose(()), self._space.questions, self._block, config.drift_checks, seed)
        self._stage: Stage = GROUPS

    def _plan_for(self, answers: int) -> None:
        self._trials = max(1, (answers - self._base_answers) // self._block)
        self._batch = max(8, min(64, self._trials // 15), self._trials // 40)
        self._lag = max(self._batch // 2, self._trials // 20)

    def extend(self, budget: int) -> None:
        """Go on as far as so many answers reach, with the shares of the stages as of all of them."""
        self._plan_for(budget)
        self._ended = False

    def ask(self, room: int) -> Sequence[Trial]:
        if not self._queue and self._model is not None and self._sent - self._told <= self._lag:
            self._plan()
        trials = [self._queue.popleft() for _ in range(min(room, len(self._queue)))]
        self._sent += len(trials)
        self._answers += sum(len(trial.questions) for trial in trials)
        return trials

    def tell(self, scored: ScoredTrial) -> None:
        chosen = self._numbers(scored.trial.candidate)
        if self._model is None:
            self._begin(scored)
        else:
            self._told += 1
        if scored.trial.again:  # tells of the judge, not of sets
            pass
        elif scored.scores and TOO_LONG not in scored.failures.values():
            scores = {self._question[name]: value for name, value in scored.scores.items() if name in self._question}
            self._scores.tell(chosen, [*scores], [*scores.values()])
        else:
            self._broken.add(chosen)
        if self._told == self._trials:
            self._refit(sweeps=2)

    def _begin(self, scored: ScoredTrial) -> None:
        values = np.array(list(scored.scores.values()))
        scale = float(values.std()) / USUAL_SPREAD if len(values) > 1 else 0.0
        size = len(self._space.questions), len(self._space.pool)
        self._model = EffectsModel(*size, self._embedding, scale if scale > 0 else 1.0, self._hints)
        self._met.all_asked(self._numbers(scored.trial.candidate))
        if scored.mean is not None:
            self._ranking = [scored.trial.candidate]

    def _rescale(self) -> None:
        """Measure in a larger unit where all scores spread far more than the base prompt's, which may all stand at the
        end of the scale."""
        assert self._model is not None
        scale = float(np.concatenate(self._scores.values).std()) / USUAL_SPREAD if self._scores.values else 0.0
        if scale > _WIDER * self._model.scale:
            self._model, self._fit = self._model.rescaled(scale), None

    def _plan(self) -> None:
        if self._ended or self._sent >= self._trials:
            return
        self._queue.extend(self._checks.due(self._sent / self._trials))
        room = min(self._batch, self._trials - self._sent - len(self._queue))
        grown = self._told > _GROWTH * self._climbed
        if grown:
            self._climbed = self._told
            self._rescale()
        fit = self._refit(sweeps=int(grown))
        if self._told and self._config.least_gain and self._expected_gain(fit) < self._config.least_gain:
            self._end()
            return
        spent, unmet = self._sent / self._trials, self._unmet_by_finalists(fit)
        spare = self._trials - self._sent - len(unmet)
        room = min(room, max(1, spare))
        self._stage = FINALISTS if unmet and spare <= 0 else stage_at(spent, self._config)
        if self._stage == FINALISTS:
            sets = unmet[: self._trials - self._sent]
        elif self._stage == GROUPS:
            sets = self._groups(fit, room, spent / self._config.screening_share)
        elif self._stage == SETS:
            sets = self._sampled_sets(fit, room)
        else:
            sets = self._racers(fit, room, (spent - 1 + self._config.race_share) / self._config.race_share)
        for one in sets:
            self._enqueue(one)
        if not self._queue and self._sent == self._told:
            self._end()

    def stage(self) -> str:
        """What it is doing, in a few words."""
        return self._stage

    def _end(self) -> None:
        self._ended, self._trials = True, self._sent

    def _expected_gain(self, fit: Fit) -> float:
        """What knowing all effects would add to the best set told, on average over the posterior; in points."""
        best = self._numbers(self._ranking[0]) if self._ranking else ()
        gains = []
        for beta in fit.draws(_DRAWS, 1.0, self._draw):
            known = known_effects(fit, beta)
            gains.append(max(0.0, known.value(self._best_set(known)) - known.value(best)))
        return float(np.mean(gains)) * fit.model.scale

    def _refit(self, sweeps: int) -> Fit:
        assert self._model is not None
        self._fit = self._model.fit(self._scores, self._fit, sweeps)
        self._rank(self._fit)
        return self._fit

    def _groups(self, fit: Fit, room: int, progress: float) -> list[OrderedSet]:
        """Balanced groups of the demonstrations that are still in: all at first, fewer by a constant factor later."""
        size = min(self._space.max_added, _GROUP)
        total = len(self._space.pool)
        target = min(total, max(2 * size, 2 * self._space.max_added + 2))
        survivors = math.ceil(total * (target / total) ** progress)
        inside = np.argsort(-fit.worths(fit.mean), kind="stable")[:survivors]
        asked = self._met.times_asked()
        groups = []
        for _ in range(room):
            self._dealt += 1
            smaller = self._dealt % _SMALLER_EVERY == 0
            group = self._least_asked(inside, asked, max(1, (size + 1) // 2) if smaller else size)
            asked[group] += self._block
            groups.append(self._arranged(tuple(group)))
        return groups

    def _least_asked(self, inside: NDArray[np.intp], asked: Floats, size: int) -> list[int]:
        """What is required, and those that have been asked about least, in random order among equals."""
        shuffled = self._draw.permutation(inside)
        group = list(self._required)
        for number in shuffled[np.argsort(asked[shuffled], kind="stable")].tolist():
            if len(group) >= size:
                break
            if number not in group and self._fits([*group, number]):
                group.append(number)
        return group

    def _sampled_sets(self, fit: Fit, room: int) -> list[OrderedSet]:
        """The best sets of posterior draws, told ones with what they did of their own."""
        betas = fit.draws(2 * room, _TEMPER, self._draw)
        told = [one for one in self._scores.sets if one and self._open(one)]
        rivals = [one for _, one in sorted(zip(-fit.values(told), told, strict=True))[: 3 * room]] if told else []
        values = fit.sampled_values(rivals, betas, _TEMPER, self._draw) if rivals else np.zeros((len(betas), 0))
        sets: list[OrderedSet] = []
        for row, beta in enumerate(betas):
            known = known_effects(fit, beta)
            best = self._best_set(known)
            if rivals and values[row].max() > known.value(best) * fit.model.scale:
                best = rivals[int(values[row].argmax())]
            elif self._space.order == "free" and self._draw.random() < _RANDOM_ORDER:
                best = tuple(self._draw.permutation(best).tolist())
            if best not in sets and self._open(best):
                sets.append(best)
            if len(sets) == room:
                break
        return sets

    def _best_set(self, known: KnownEffects) -> OrderedSet:
        space = self._space
        least = max(space.min_added, len(self._required))
        best = known.best_set(required=self._required, least=least, most=space.max_added, fits=self._fits)
        return self._arranged(best)

    def _racers(self, fit: Fit, room: int, progress: float) -> list[OrderedSet]:
        """The likeliest winners, fewer of them as the race goes on."""
        count = min(room, _RACERS[min(len(_RACERS) - 1, int(progress * len(_RACERS)))])
        told = [one for one in self._scores.sets if one]
        leaders = [told[place] for place in np.argsort(-fit.values(told), kind="stable")[:20]] if told else []
        near = [*leaders, self._best_set(known_effects(fit, fit.mean))]
        strongest = np.argsort(-fit.worths(fit.mean), kind="stable").tolist()
        near += [self._arranged(neighbour) for leader in leaders[:2] for neighbour in neighbours(leader, strongest)]
        near = [one for one in dict.fromkeys(near) if self._open(one) and self._allowed(one)]
        return [near[place] for place in np.argsort(-fit.values(near), kind="stable")[:count]] if near else []

    def _unmet_by_finalists(self, fit: Fit) -> list[OrderedSet]:
        """The likeliest winners, each as often as there are blocks of questions left for it: what is recommended shall
        have met all. Two of them, one or none, as the budget allows."""
        blocks = -(-len(self._space.questions) // self._block)
        count = min(_FINALISTS, self._trials // (_FINAL_SHARE * blocks))
        scored = [one for one in self._scores.sets if one and one not in self._broken and self._allowed(one)]
        if not count or not scored:
            return []
        leaders = [scored[place] for place in np.argsort(-fit.values(scored), kind="stable")[:count]]
        return [leader for leader in leaders for _ in range(self._met.blocks_left(leader))]

    def _enqueue(self, chosen: OrderedSet) -> None:
        block = [] if chosen in self._broken else self._met.next_block(chosen)
        if block:
            names = tuple(self._space.questions[number] for number in block)
            self._queue.append(Trial(self._candidate(chosen), names))

    def _open(self, chosen: OrderedSet) -> bool:
        """Whether there is something left to learn from this set."""
        return chosen not in self._broken and self._met.blocks_left(chosen) > 0

    def _rank(self, fit: Fit) -> None:
        base = self._numbers(self._space.compose(()))
        told = [one for one in self._scores.sets if one == base or self._allowed(one)]
        values = np.round(fit.values(told), 9)
        ranked = [told[place] for place in np.argsort(-values, kind="stable")]
        if self._told == self._trials:
            ranked.sort(key=lambda one: not one or self._met.blocks_left(one) > 0)
        self._ranking = [self._candidate(candidate) for candidate in ranked]

    def planned(self) -> int:
        return self._base_answers + self._answers + (self._trials - self._sent) * self._block

    def ranking(self) -> Sequence[Candidate]:
        return self._ranking

    def _numbers(self, candidate: Candidate) -> OrderedSet:
        return tuple(self._number[name] for name in self._space.members(candidate))

    def _candidate(self, chosen: OrderedSet) -> Candidate:
        return self._space.compose([self._space.pool[one] for one in chosen])

    def _arranged(self, chosen: OrderedSet) -> OrderedSet:
        return chosen if self._space.order == "free" else tuple(sorted(chosen))

    def _fits(self, chosen: Sequence[int]) -> bool:
        return self._space.fits([self._space.pool[one] for one in chosen])

    def _allowed(self, chosen: OrderedSet) -> bool:
        return self._space.allows([self._space.pool[one] for one in chosen])
